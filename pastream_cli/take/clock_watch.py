"""Watches the wall clock during a take, and tells of its steps, which move nothing."""

from __future__ import annotations

from collections.abc import Callable

from pastream_cli.engine.facts import ClockStep, Counts
from pastream_cli.engine.frame_times import FrameTimes
from pastream_cli.engine.spool import Spool


class ClockWatch:
    """The wall clock of one run, from its first frame on.

    Parameters
    ----------
    warn : callable
        Called with each warning, one line.
    times : FrameTimes
        Has the clocks.
    """

    def __init__(self, warn: Callable[[str], None], times: FrameTimes) -> None:
        self._warn = warn
        self._times = times
        self.steps: Spool[ClockStep] = Spool()
        """Every step so far."""

    def tell(self, counts: Counts) -> None:
        """Look at the clock, and tell if it was set since the last look."""
        if not counts.time_zero_ns:
            return
        self._times.wall.hold()
        if step := self._times.wall.step():
            self.steps.append(ClockStep(counts.position, step))
            direction = "forward" if step > 0 else "back"
            self._warn(f"the machine's clock was set {direction} by {abs(step):.3g} s; the take goes by the old time")
