"""The judge of a run: whether it goes on, is complete or has failed, by what was counted. Pure: time is passed in."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from pastream_cli.engine.facts import Counts
from pastream_cli.engine.states import StopReason
from pastream_cli.engine.watchdog import Pulse, Watchdog
from pastream_cli.errors import DeviceError, ErrorKind, PastreamError

# After everything was played, a host has its latency to end by itself, but no more than this and a little to spare.
_LONGEST_LATENCY_SECONDS = 2.0
_SECONDS_TO_SPARE = 0.5


class BufferFull(PastreamError):  # noqa: N818 - the name that it has always had
    """Captured frames found no room in the buffer: the sink was too slow, and the stream aborted."""


class BufferEmpty(PastreamError):  # noqa: N818 - the name that it has always had
    """The buffer ran out of frames to play: the source was too slow, and the stream aborted."""


class OnLoss(Enum):
    """What a loss or an underrun means for a run."""

    TELL = "tell"
    """It is told, and the run goes on; silence stands for lost frames."""
    END = "end"
    """The first one, of whatever kind, ends the run."""
    FAIL = "fail"
    """A full or an empty buffer is an error of whoever serves it; any other loss is told."""


class Verdict(NamedTuple):
    """Why a run is to end now."""

    reason: StopReason
    error: PastreamError | None = None
    device_is_lost: bool = False
    """Whether the device need not be called any more."""


class Judge:
    """Decides when a run ends by itself.

    Parameters
    ----------
    latency : float
        The device's latency in seconds; 0 if what the host reports cannot be true.
    plays, captures : bool
        What the device does.
    is_fast : bool
        Whether it waits for files and not for the clock, so that its silence means nothing.
    on_loss : OnLoss
        What a loss means.
    patience_seconds : float, optional
        How long the device may be silent at the least, before that is a stall.
    """

    def __init__(
        self,
        latency: float,
        *,
        plays: bool,
        captures: bool,
        is_fast: bool,
        on_loss: OnLoss,
        patience_seconds: float = 0.0,
    ) -> None:
        self._watchdog = Watchdog(latency, captures=captures, patience_seconds=patience_seconds)
        self._plays = plays
        self._is_fast = is_fast
        self._on_loss = on_loss
        self._seconds_to_end = min(latency, _LONGEST_LATENCY_SECONDS) + _SECONDS_TO_SPARE
        self._drained_at: float | None = None
        self._forgiven_flags = self._forgiven_left_out = self._forgiven_missing = 0

    @property
    def is_drained(self) -> bool:
        """Whether everything was played, so that the device may end by itself."""
        return self._drained_at is not None

    @property
    def is_stalled(self) -> bool:
        """Whether no callback has come for longer than it should take."""
        return self._watchdog.is_stalled

    def has_fatal_loss(self, counts: Counts, missing_frames: int) -> bool:
        """Whether something was lost in a run that ends with the first loss."""
        return self._on_loss is OnLoss.END and (
            counts.xruns > self._forgiven_flags
            or counts.left_out_frames > self._forgiven_left_out
            or missing_frames > self._forgiven_missing
        )

    def forgive(self, counts: Counts, missing_frames: int) -> None:
        """Let nothing be fatal that the host and the clock say was lost so far: it is in no file."""
        self._forgiven_flags = counts.host_capture_flags
        self._forgiven_left_out = counts.left_out_frames
        self._forgiven_missing = missing_frames

    def judge(
        self, now: float, waited: float, counts: Counts, *, is_active: bool, missing_frames: int = 0
    ) -> Verdict | None:
        """Return why the run is to end, if it is.

        Parameters
        ----------
        now, waited : float
            The monotonic time in seconds, and how many seconds the caller meant to wait since the last call.
        counts : Counts
            Read after `is_active`, so that a device that ends after its last block is not taken for dead.
        is_active : bool
            Whether callbacks come, or may still come.
        missing_frames : int
            Frames that never came, by the clock.
        """
        if self._on_loss is OnLoss.FAIL and counts.overran:
            return _failed(BufferFull("cannot go on recording: the buffer is full"))
        if self._on_loss is OnLoss.FAIL and counts.ran_dry:
            return _failed(BufferEmpty("cannot go on playing: the buffer is empty"))
        if self.has_fatal_loss(counts, missing_frames):
            return Verdict(StopReason.XRUN)
        if counts.drained:
            return self._judge_the_end(now, is_active=is_active)
        return self._judge_the_device(now, waited, counts, is_active=is_active)

    def _judge_the_end(self, now: float, *, is_active: bool) -> Verdict | None:
        """Let a device that has played everything end by itself; a recording has nothing to wait for."""
        if self._drained_at is None:
            self._drained_at = now
        is_over = not self._plays or not is_active or now - self._drained_at > self._seconds_to_end
        return Verdict(StopReason.COMPLETE) if is_over else None

    def _judge_the_device(self, now: float, waited: float, counts: Counts, *, is_active: bool) -> Verdict | None:
        if is_active and (self._is_fast or self._watchdog.poll(now, counts.last_callback_ns, waited) is not Pulse.DEAD):
            return None
        what, kind = ("is silent for good", ErrorKind.SILENT) if is_active else ("has ended", ErrorKind.ENDED)
        if not counts.time_zero_ns:
            return _failed(DeviceError(f"cannot begin: the device {what}", ErrorKind.NEVER_RAN), device_is_lost=True)
        return _failed(DeviceError(f"cannot go on: the device {what}", kind), device_is_lost=True)


def _failed(error: PastreamError, *, device_is_lost: bool = False) -> Verdict:
    return Verdict(StopReason.FAILED, error, device_is_lost)
