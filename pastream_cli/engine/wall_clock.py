"""The wall clock beside the monotonic one: read once, its steps noticed, and the sleep of the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from pastream_cli.engine.facts import Synchronisation
from pastream_cli.engine.native import ffi, lib

# Two clocks that are read one after the other differ by a little more where the reader was held up in between.
_TRIES = 3
_LEAST_STEP_NS = 5_000_000


class Clocks(Protocol):
    """The three clocks of a machine, in nanoseconds."""

    def wall_ns(self) -> int:
        """Since 1970; somebody may set it."""

    def monotonic_ns(self) -> int:
        """Stands still while the machine sleeps."""

    def with_sleep_ns(self) -> int:
        """Monotonic too, and goes on while the machine sleeps, where the system has such a clock."""


class SystemClocks:
    """The clocks of this machine."""

    _WITH_SLEEP = getattr(time, "CLOCK_BOOTTIME", None)

    def wall_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def with_sleep_ns(self) -> int:
        return time.monotonic_ns() if self._WITH_SLEEP is None else time.clock_gettime_ns(self._WITH_SLEEP)


def synchronisation() -> Synchronisation | None:
    """Return what the kernel says of the wall clock; `None` where it says nothing."""
    error_us = ffi.new("int64_t *")
    answer = lib.clock_synchronisation(error_us)
    return None if answer < 0 else Synchronisation(bool(answer), error_us[0] / 1e6)


class WallClock:
    """What the wall clock shows at a time of the monotonic clock.

    Until `hold` is called the wall clock is followed: somebody may set it. From then on it is never looked at again,
    but for its steps.

    Parameters
    ----------
    clocks : Clocks, optional
        Those of the machine by default.
    """

    def __init__(self, clocks: Clocks | None = None) -> None:
        self._clocks = clocks or SystemClocks()
        self._held_ns: int | None = None
        self._seen_ns = 0
        self.seen_again()

    def seen_again(self) -> None:
        """Look at the clocks, and let nothing that was before count."""
        self._seen_ns = self._wall_less(self._clocks.with_sleep_ns)

    def hold(self) -> None:
        """Read the wall clock for the last time."""
        if self._held_ns is None:
            self.seen_again()
            self._held_ns = self._wall_less(self._clocks.monotonic_ns)

    @property
    def epoch_ns(self) -> int:
        """What the wall clock shows when the monotonic clock shows 0."""
        return self._wall_less(self._clocks.monotonic_ns) if self._held_ns is None else self._held_ns

    def now_ns(self) -> int:
        """Return the monotonic time."""
        return self._clocks.monotonic_ns()

    def step(self) -> float:
        """Return by how many seconds the wall clock was set since the last call; 0 if it was not."""
        seen_ns = self._wall_less(self._clocks.with_sleep_ns)
        step_ns = seen_ns - self._seen_ns
        self._seen_ns = seen_ns  # the kernel may let it catch up slowly, which is no step
        return step_ns / 1e9 if abs(step_ns) >= _LEAST_STEP_NS else 0.0

    @property
    def asleep_seconds(self) -> float:
        """For how long the machine has slept since it was started; 0 where the system does not say."""
        return _difference(self._clocks.with_sleep_ns, self._clocks.monotonic_ns) / 1e9

    def _wall_less(self, other: Callable[[], int]) -> int:
        """Return what the wall clock shows, less another clock."""
        return _difference(self._clocks.wall_ns, other)


def _difference(clock: Callable[[], int], other: Callable[[], int]) -> int:
    """Return what a clock shows, less another one, by the try that took the least time."""
    tries = []
    for _ in range(_TRIES):
        before, shown, after = other(), clock(), other()
        tries.append((after - before, shown - (before + after) // 2))
    return min(tries)[1]
