"""When each frame of a timeline was captured, or will be: by the debts of the device, and what is off the timeline."""

from __future__ import annotations

from datetime import datetime, timezone

from pastream_cli.engine.capture_line import CaptureLine
from pastream_cli.engine.elapsed import Elapsed
from pastream_cli.engine.facts import ClockFacts, Counts, Loss, OwnClock
from pastream_cli.engine.wall_clock import WallClock, synchronisation

# A device whose clock is the system's is off by what it takes to read that.
_READING_SECONDS = 0.0001
# Between two frames of which one is nearer.
_ROUNDS = 3


class FrameTimes:
    """Tells when frames of the timeline are captured, in monotonic nanoseconds or by the wall clock.

    Where nothing is captured, the time is that at which a frame is heard.

    Parameters
    ----------
    rate : float
        Frames per second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self.line = CaptureLine(rate)
        """What the device owes when it is in time."""
        self.beside = Elapsed()
        """Frames that went by and are not on the timeline."""
        self.asleep = Elapsed()
        """Frames for which the machine slept: the monotonic clock does not show them."""
        self.wall = WallClock()
        """The wall clock, which is held from the first frame on."""
        self.latency_seconds = 0.0
        """From the end of a block at the converter to its callback; fewer than 0 where frames are played later."""
        self.is_fast = False
        """Whether frames come before they are due. They were captured when they came."""
        self.own_clock: OwnClock | None = None
        """The clock of a device that follows the system's; it needs no line."""

    def lose(self, loss: Loss) -> None:
        """Take notice of frames that never came, by the clock."""
        # a device that loses frames all the time makes one place per second
        self.beside.miss(loss.frame, loss.frames or 0, merged_frames=int(self._rate))
        self.line.lose(loss.monotonic_ns, loss.frames or 0)

    def monotonic_ns(self, frame: int, counts: Counts, extra_frames: int = 0) -> int:
        """Return when a frame of the timeline is captured, once frames are due.

        Parameters
        ----------
        frame : int
            Before 0 where it went by before the take.
        counts : Counts
            What was counted so far.
        extra_frames : int, optional
            Of a pause before that frame that goes on.
        """
        passed = counts.waited_frames + frame + extra_frames + self.beside.before(frame)
        ns = counts.clock_zero_ns + passed * 1e9 / self._rate
        owed = self._owed_at(round(ns), counts)
        return round(ns + owed * 1e9 / self._rate - self.latency_seconds * 1e9)

    def frame_at(self, monotonic_ns: int, counts: Counts, extra_frames: int = 0) -> int:
        """Return the frame that is captured next to a time, before 0 if that is before the take."""
        frame = round((monotonic_ns - counts.clock_zero_ns) * self._rate / 1e9) - counts.waited_frames
        for _ in range(_ROUNDS):
            error_ns = monotonic_ns - self.monotonic_ns(frame, counts, extra_frames)
            frame += round(error_ns * self._rate / 1e9)
        return frame

    def wall_time(self, frame: int, counts: Counts, extra_frames: int = 0) -> datetime:
        """Return the wall clock's time at a frame that is there."""
        slept_ns = self.asleep.before(frame) * 1e9 / self._rate
        ns = self.monotonic_ns(frame, counts, extra_frames)
        if self.is_fast or self.own_clock is None:  # a frame that is there has been captured, whatever the line says
            ns = min(ns, self.wall.now_ns())
        ns += self.wall.epoch_ns + round(slept_ns)
        return datetime.fromtimestamp(ns / 1e9, tz=timezone.utc)

    @property
    def uncertainty_seconds(self) -> float:
        """How far the time of a frame may be off from that of this machine's clock."""
        if self.own_clock is not None:
            return _READING_SECONDS
        return self.line.spread / self._rate + abs(self.latency_seconds)

    def facts(self, counts: Counts) -> ClockFacts:
        """Return what is known of the clocks by now."""
        if not counts.time_zero_ns or self.is_fast:
            return ClockFacts(synchronisation=synchronisation())
        drift = self.line.drift if self.own_clock is None else 0.0
        return ClockFacts(drift, synchronisation(), self.wall.epoch_ns)

    def _owed_at(self, ns: int, counts: Counts) -> float:
        if self.own_clock is None:
            return self.line.owed_at(ns)
        # its first callback on our clock was that of a whole block, and late by less than one
        since_started = (counts.clock_zero_ns - self.own_clock.started_ns) * self._rate / 1e9
        block = self.own_clock.block_frames
        return int(since_started / block + 0.5) * block - since_started
