"""What has become of a run so far: why it ends, with which exit code, and which files it has left."""

from __future__ import annotations

from collections.abc import Callable

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import RecordedFile
from pastream_cli.errors import ExitCode, PastreamError, failure_of
from pastream_cli.take.report import Opening, Report
from pastream_cli.take.tally import Tally
from pastream_cli.take.waiting import GivenUp, Stopped


class Outcome:
    """Complete, until something else is said; what is said first counts."""

    def __init__(self) -> None:
        self.exit_code = ExitCode.COMPLETE
        self.stop_reason = "complete"
        self.failure: PastreamError | None = None
        """What went wrong first, if anything did."""
        self.files: tuple[RecordedFile, ...] = ()
        self.device_is_lost = False

    @property
    def is_complete(self) -> bool:
        """Whether the run has come to its own end."""
        return self.stop_reason == "complete"

    def stopped(self) -> None:
        """Note that somebody has asked for the end."""
        self.stop_reason = "stopped"

    def met_an_xrun(self) -> None:
        """Note that frames were lost in a run in which that is fatal."""
        self.exit_code, self.stop_reason = ExitCode.XRUN, "xrun"

    def given_up(self) -> None:
        """Note that somebody would not wait for the end."""
        self.exit_code, self.stop_reason = ExitCode.GIVEN_UP, "given up"

    def fail(self, error: PastreamError) -> None:
        """Note a failure; what comes after the first one is mostly a consequence."""
        if self.failure is not None:
            return
        self.failure = error
        if self.exit_code is ExitCode.COMPLETE:
            self.exit_code, self.stop_reason = error.exit_code, "failed"

    def attempt(self, step: Callable[[], None]) -> None:
        """Take one step; whatever comes of it, the next one can follow, unless a stop ends them all."""
        try:
            step()
        except (Stopped, GivenUp):
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not cost the take
            self.fail(failure_of(error))

    def report(self, stream: Core | None, tally: Tally | None, opening: Opening | None, *, is_recorded: bool) -> Report:
        """Return how the run went, as far as it came."""
        counts = stream.counts() if stream is not None else None
        unwritten_frames = 0
        if stream is not None and is_recorded:
            unwritten_frames = max(0, stream.frames_of_capture - sum(file.frames for file in self.files))
        return Report(
            exit_code=self.exit_code,
            stop_reason=self.stop_reason,
            rate=stream.samplerate if stream is not None else 0.0,
            frames=counts.position if counts else 0,
            files=self.files,
            lost_frames=counts.lost_frames if counts else 0,
            losses=counts.losses if counts else 0,
            missing_frames=tally.missing_frames if tally is not None else 0,
            ahead_frames=counts.ahead_frames if counts else 0,
            left_out_frames=counts.left_out_frames if counts else 0,
            unwritten_frames=unwritten_frames,
            underrun_frames=counts.underrun_frames if counts else 0,
            underruns=counts.underruns if counts else 0,
            host_flags=counts.host_flags if counts else 0,
            callbacks=counts.callbacks if counts else 0,
            buffer_frames=stream.capture_buffer_frames if stream is not None else 0,
            buffer_high_water_frames=counts.capture_high_water if counts else 0,
            dead_channels=tally.dead_channels if tally is not None else (),
            pauses=stream.pauses if stream is not None else (),
            opening=opening,
            loss_list=tally.losses if tally is not None else (),
            error=self.failure.message if self.failure else None,
            way_out=self.failure.way_out if self.failure else None,
        )
