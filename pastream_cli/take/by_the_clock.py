"""Begins and ends a run at times of day: at the frames that are captured then."""

from __future__ import annotations

import math
from collections.abc import Callable

from pastream_cli.engine.core import Core
from pastream_cli.engine.facts import Counts
from pastream_cli.take.plan import Plan

_NANOSECONDS = 1_000_000_000
# A later start than that is told.
_LATE_SECONDS = 0.001


class ByTheClock:
    """The times of day of one run.

    Until the first frame the wall clock is followed, since a machine may set its clock while it waits.

    Parameters
    ----------
    stream : Core
        Its device and loops.
    plan : Plan
        Has the times.
    warn : callable
        Called with each warning, one line.
    """

    def __init__(self, stream: Core, plan: Plan, warn: Callable[[str], None]) -> None:
        self._stream = stream
        self._warn = warn
        window = plan.window
        self._begin_ns = None if window.begin is None else round(window.begin * _NANOSECONDS)
        self._end_ns = None if window.end is None else round(window.end * _NANOSECONDS)
        self._length_ns = None if plan.duration is None else round((plan.length or 0) * _NANOSECONDS / plan.rate)
        self._has_begun = False
        self.end_frame: int | None = None
        """The frame at which the timeline ends, as far as it is known."""

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
                end_ns = None if self._end_ns is None else self._monotonic(self._end_ns)
                self._stream.begin_at(self._monotonic(self._begin_ns), end_ns)
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

    @property
    def waits(self) -> bool:
        """Whether the first frame is still to come, because its time is."""
        return self._begin_ns is not None and not self._has_begun

    @property
    def is_over(self) -> bool:
        """Whether the time is past at which it ends; without a device no frame shows that."""
        ends = [self._end_ns] if self._end_ns is not None else []
        if self.waits and self._begin_ns is not None and self._length_ns is not None:
            ends.append(self._begin_ns + self._length_ns)
        return bool(ends) and min(ends) <= self._stream.times.now().timestamp() * _NANOSECONDS

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
        if (late := late_ns / _NANOSECONDS) > _LATE_SECONDS:
            self._warn(f"the take begins {late:.3g} s late; its end stays where it was")
            ends = [] if self._length_ns is None else [self._begin_ns + self._length_ns]
            self._end_ns = min((*ends, *([] if self._end_ns is None else [self._end_ns])), default=None)

    def _monotonic(self, wall_ns: int) -> int:
        return wall_ns - self._stream.times.wall.epoch_ns
