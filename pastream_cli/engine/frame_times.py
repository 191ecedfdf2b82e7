"""When each frame of a timeline was captured, or will be: by the debts of the device, and what is off the timeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from pastream_cli.engine.capture_line import CaptureLine
from pastream_cli.engine.elapsed import Elapsed
from pastream_cli.engine.facts import ClockFacts, Counts, Loss, OwnClock, Pause
from pastream_cli.engine.host_delay import HostDelay
from pastream_cli.engine.wall_clock import WallClock, synchronisation

# A device whose clock is the system's is off by what it takes to read that.
_READING_SECONDS = 0.0001
# So often a frame is corrected by its time, before its time is taken for one at which the timeline stands still.
_ROUNDS = 4


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
        self.latency_error_seconds = 0.0
        """How far that may be off."""
        self.delay = HostDelay(rate)
        """The same, where the host says now and then what it holds."""
        self.is_fast = False
        """Whether frames come before they are due. They were captured when they came."""
        self.own_clock: OwnClock | None = None
        """The clock of a device that follows the system's; it needs no line."""
        self._simulated_from_ns: int | None = None
        """What the wall clock is taken to show at frame 0 of a device that is faster than it."""

    def lose(self, loss: Loss) -> None:
        """Take notice of frames that never came, by the clock."""
        # a device that loses frames all the time makes one place per second
        self.beside.miss(loss.frame, loss.frames or 0, merged_frames=int(self._rate))
        self.line.lose(loss.monotonic_ns, loss.frames or 0)

    def start_over(self) -> None:
        """Forget what is known of the device: there is another one."""
        self.line.start_over()
        self.delay.start_over()

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
        return round(ns + owed * 1e9 / self._rate - self._latency()[0] * 1e9)

    def frame_at(self, monotonic_ns: int, counts: Counts, pause: Pause | None = None) -> int:
        """Return the frame that is captured next to a time, before 0 if that is before the take.

        If the timeline stands still then, it is the frame at which it goes on; `pause` is one that has not ended.
        """

        def late_by(frame: int) -> int:
            extra_frames = pause.frames if pause is not None and pause.frame <= frame else 0
            return round((self.monotonic_ns(frame, counts, extra_frames) - monotonic_ns) * self._rate / 1e9)

        frame = round((monotonic_ns - counts.clock_zero_ns) * self._rate / 1e9) - counts.waited_frames
        for _ in range(_ROUNDS):
            late = late_by(frame)
            if late == 0:
                return frame
            frame -= late
        return _first_not_before(late_by, frame, round(self._rate))

    def simulate(self) -> None:
        """Have a device that is faster than the clock go by the clock as if it began now, and kept to it."""
        if self.is_fast:
            self.wall.hold()
            self._simulated_from_ns = self.wall.epoch_ns + self.wall.now_ns()

    def frame_of(self, wall_ns: int, counts: Counts, pause: Pause | None = None) -> int:
        """Return the frame that is captured when the wall clock, as it is held, shows a time; see `frame_at`."""
        if self._simulated_from_ns is not None:
            return round((wall_ns - self._simulated_from_ns) * self._rate / 1e9)
        slept_ns = round(self.asleep.before(counts.position) * 1e9 / self._rate)
        return self.frame_at(wall_ns - self.wall.epoch_ns - slept_ns, counts, pause)

    def wall_time(self, frame: int, counts: Counts, extra_frames: int = 0) -> datetime:
        """Return the wall clock's time at a frame that is there."""
        if self._simulated_from_ns is not None:
            return _utc(self._simulated_from_ns + round(frame * 1e9 / self._rate))
        slept_ns = self.asleep.before(frame) * 1e9 / self._rate
        ns = self.monotonic_ns(frame, counts, extra_frames)
        if self.is_fast or self.own_clock is None:  # a frame that is there has been captured, whatever the line says
            ns = min(ns, self.wall.now_ns())
        ns += self.wall.epoch_ns + round(slept_ns)
        return _utc(ns)

    def now(self) -> datetime:
        """Return what the wall clock shows, as if it had not been set since the first frame."""
        slept_ns = round(self.asleep.all_frames * 1e9 / self._rate)
        return _utc(self.wall.epoch_ns + self.wall.now_ns() + slept_ns)

    @property
    def uncertainty_seconds(self) -> float:
        """How far the time of a frame may be off from that of this machine's clock."""
        if self.own_clock is not None:
            return _READING_SECONDS
        return self.line.spread / self._rate + self._latency()[1]

    def facts(self, counts: Counts) -> ClockFacts:
        """Return what is known of the clocks by now."""
        if not counts.time_zero_ns or self.is_fast:
            return ClockFacts(synchronisation=synchronisation())
        drift = self.line.drift if self.own_clock is None else 0.0
        return ClockFacts(drift, synchronisation(), self.wall.epoch_ns)

    def _latency(self) -> tuple[float, float]:
        """Return the latency, and how far it may be off, in seconds."""
        found = self.delay.seconds(self.line) if self.own_clock is None else None
        return found or (self.latency_seconds, self.latency_error_seconds)

    def _owed_at(self, ns: int, counts: Counts) -> float:
        if self.own_clock is None:
            return self.line.owed_at(ns)
        # its first callback on our clock was that of a whole block, and late by less than one
        since_started = (counts.clock_zero_ns - self.own_clock.started_ns) * self._rate / 1e9
        block = self.own_clock.block_frames
        return int(since_started / block + 0.5) * block - since_started


def _utc(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / 1e9, tz=timezone.utc)


def _first_not_before(late_by: Callable[[int], int], frame: int, step: int) -> int:
    """Return the first frame that is not before its time. Later frames are never less late."""
    before = after = frame
    while late_by(before) >= 0:
        before, step = before - step, 2 * step
    while late_by(after) < 0:
        after, step = after + step, 2 * step
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if late_by(middle) < 0 else (before, middle)
    return after
