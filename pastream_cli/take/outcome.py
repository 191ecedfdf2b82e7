"""The outcome of a run: why it ends, with which exit code, what failed first, which files it left."""

from __future__ import annotations

from collections.abc import Callable

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import Counts
from pastream_cli.engine.states import StopReason
from pastream_cli.errors import ExitCode, PastreamError, failure_of
from pastream_cli.take.file_list import FileList
from pastream_cli.take.report import Opening, Report
from pastream_cli.take.tally import Tally
from pastream_cli.take.waiting import GivenUp, Stopped

_EXIT_CODES = {
    StopReason.COMPLETE: ExitCode.COMPLETE,
    StopReason.STOPPED: ExitCode.COMPLETE,
    StopReason.XRUN: ExitCode.XRUN,
    StopReason.GIVEN_UP: ExitCode.GIVEN_UP,
}


class Outcome:
    """Complete, until something else is said; what is said first counts."""

    def __init__(self) -> None:
        self.reason = StopReason.COMPLETE
        self.failure: PastreamError | None = None
        """What went wrong first, if anything did."""
        self.files = FileList()
        self.device_is_lost = False

    @property
    def is_complete(self) -> bool:
        """Whether the run has come to its own end."""
        return self.reason is StopReason.COMPLETE

    @property
    def exit_code(self) -> ExitCode:
        """What the process tells its caller."""
        if self.reason is StopReason.FAILED and self.failure is not None:
            return self.failure.exit_code
        return _EXIT_CODES[self.reason]

    def end(self, reason: StopReason) -> None:
        """Note why the run ends, unless there is a better reason already."""
        if self.reason.may_become(reason):
            self.reason = reason

    def fail(self, error: PastreamError) -> None:
        """Note a failure; what comes after the first one is mostly a consequence."""
        if self.failure is None:
            self.failure = error
            self.end(StopReason.FAILED)

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
        counts = stream.counts() if stream is not None else Counts()
        unwritten_frames = 0
        if stream is not None and is_recorded:
            unwritten_frames = max(0, counts.position - stream.written_until) + self.files.unreadable_frames
        return Report(
            exit_code=self.exit_code,
            stop_reason=self.reason,
            rate=stream.samplerate if stream is not None else 0.0,
            frames=counts.position,
            counts=counts,
            files=self.files,
            missing_frames=tally.missing_frames if tally is not None else 0,
            unwritten_frames=unwritten_frames,
            buffer_frames=stream.capture_buffer_frames if stream is not None else 0,
            dead_channels=tally.dead_channels if tally is not None else (),
            pauses=stream.pauses if stream is not None else (),
            opening=opening,
            loss_list=tally.losses if tally is not None else (),
            error=self.failure.message if self.failure else None,
            way_out=self.failure.way_out if self.failure else None,
        )
