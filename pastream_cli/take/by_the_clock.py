"""Begins and ends a run at times of day: at the frames that are captured then."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import Counts
from pastream_cli.errors import PastreamError, UsageError
from pastream_cli.take.plan import Plan
from pastream_cli.take.window import Window, local_text, offset_here
from pastream_cli.units import format_clock

_NANOSECONDS = 1_000_000_000
# A later start than that is told.
_LATE_NS = 1_000_000
_MANY_SECONDS = 100


class ByTheClock:
    """The times of day of one run.

    Until the first frame the wall clock is followed, since a machine may set its clock while it waits. A time without
    a date is then that of another day, if the clock was wrong by so much.

    Parameters
    ----------
    stream : Core
        Its device and loops.
    plan : Plan
        Has the times.
    warn : callable
        Called with each warning, one line.
    moved : callable, optional
        Called with the moment of the begin, where that is another one because the clock was set.
    """

    def __init__(
        self,
        stream: Core,
        plan: Plan,
        warn: Callable[[str], None],
        moved: Callable[[Fraction], None] | None = None,
    ) -> None:
        self._stream = stream
        self._warn = warn
        self._moved = moved
        self._set(plan.window)
        self._length = None if plan.duration is None else plan.length
        self._rate = plan.rate
        self._has_begun = False
        self.failure: PastreamError | None = None
        """Why nothing could be recorded or played, if the whole time went by before the first frame."""
        self.end_frame: int | None = None
        """The frame at which the timeline ends, as far as it is known."""

    def _set(self, window: Window) -> None:
        self._window = window
        self._begin_ns = None if window.begin is None else round(window.begin * _NANOSECONDS)
        self._end_ns = None if window.end is None else round(window.end * _NANOSECONDS)

    @property
    def is_needed(self) -> bool:
        """Whether there is a time of day at all."""
        return self._begin_ns is not None or self._end_ns is not None

    def prepare(self) -> None:
        """Have the run wait, once it is prepared and before its device is started."""
        if self._begin_ns is not None:
            self._stream.wait_for_begin()

    def wait_seconds(self, counts: Counts) -> float | None:
        """Return how long it is to the first frame; `None` once it was there, or where there is no time for it."""
        if self._begin_ns is None or counts.time_zero_ns:
            return None
        return max(0.0, (self._monotonic(self._begin_ns) - self._stream.times.wall.now_ns()) / _NANOSECONDS)

    def poll(self, counts: Counts) -> None:
        """Say anew at which frames the run begins and ends."""
        if not counts.time_zero_ns:
            if self._begin_ns is not None:
                self._follow_the_wall_clock()
                end_ns = None if self._end_ns is None else self._monotonic(self._end_ns)
                self._stream.begin_at(self._monotonic(self._begin_ns), end_ns, self._length)
            return
        times = self._stream.times
        times.wall.hold()
        if not self._has_begun:
            self._has_begun = True
            self._tell_if_late(counts)
        if self._end_ns is not None:
            self.end_frame = self._stream.end_at(self._end_ns)
            if self.end_frame <= counts.position and self._stream.is_paused:
                self._stream.resume()  # the callback finds the end when it goes on

    def _follow_the_wall_clock(self) -> None:
        """Find the times anew if the clock was set, where they are of any day."""
        wall = self._stream.times.wall
        if not wall.step() or self._window.again is None:
            return
        try:
            window = self._window.again(Fraction(wall.epoch_ns + wall.now_ns(), _NANOSECONDS))
        except UsageError:  # it has a date at which it ends, and that is past
            return
        if window.begin is None or window.begin == self._window.begin:
            return
        self._set(window)
        self._warn(f"the machine's clock was set; the take begins at {local_text(window.begin, offset_here)}")
        if self._moved is not None:
            self._moved(window.begin)

    @property
    def waits(self) -> bool:
        """Whether the first frame is still to come, because its time is."""
        return self._begin_ns is not None and not self._has_begun

    @property
    def is_over(self) -> bool:
        """Whether the time is past at which it ends; without a device no frame shows that."""
        end_ns = self._last_end_ns if self.waits else self._end_ns
        return end_ns is not None and end_ns <= self._stream.times.now().timestamp() * _NANOSECONDS

    @property
    def _last_end_ns(self) -> int | None:
        """When it ends at the latest, if it begins at its time or later."""
        if self._begin_ns is None or self._length is None:
            return self._end_ns
        end_ns = self._begin_ns + round(self._length * _NANOSECONDS / self._rate)
        return end_ns if self._end_ns is None else min(end_ns, self._end_ns)

    def next_look_seconds(self) -> float:
        """Return after how long to look again: soon before the begin and the end, so that nobody waits for them."""
        counts = self._stream.counts()
        seconds = self.wait_seconds(counts)
        if seconds is None and self.end_frame is not None:
            seconds = (self.end_frame - counts.position) / self._stream.samplerate
        return max(0.0, seconds) if seconds is not None else math.inf

    def _tell_if_late(self, counts: Counts) -> None:
        if self._begin_ns is None:
            return
        late_ns = self._stream.times.monotonic_ns(0, counts) - self._monotonic(self._begin_ns)
        if late_ns <= _LATE_NS:
            return
        self._end_ns = self._last_end_ns
        if self._end_ns is not None and self._begin_ns + late_ns >= self._end_ns:
            end = local_text(Fraction(self._end_ns, _NANOSECONDS), offset_here)
            self.failure = PastreamError(
                f"cannot begin: the take was missed: it was to end at {end}",
                "a machine that sleeps records nothing; systemd-inhibit keeps it awake",
            )
        else:
            late_seconds = late_ns / _NANOSECONDS
            late = f"{late_seconds:.3g} s" if late_seconds < _MANY_SECONDS else format_clock(round(late_seconds), 1)
            self._warn(f"the take begins {late} late; its end stays where it was")

    def _monotonic(self, wall_ns: int) -> int:
        return wall_ns - self._stream.times.wall.epoch_ns
