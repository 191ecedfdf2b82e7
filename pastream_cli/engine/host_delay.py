"""How long a host holds what was captured before it delivers it, by what it says now and then. Pure."""

from __future__ import annotations

from collections import deque

from pastream_cli.engine.capture_line import CaptureLine
from pastream_cli.engine.facts import Debt

# What the host says is an estimate too, which jumps; but a delay that changes is to be followed.
_MOST_SAMPLES = 100
_LEAST_SAMPLES = 3
_BELIEVABLE_SECONDS = 10.0
# A server says it in steps of its own blocks, and all of a take's samples may be off alike.
_STEP_SECONDS = 0.005


class HostDelay:
    """The delay behind the line of a device's earliest callbacks.

    A host says how much it holds, and so what the device owes less that. The line says what the device owes. The
    difference is what each frame waits for, at the least, before it is delivered.

    Parameters
    ----------
    rate : float
        Frames per second.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._samples: deque[tuple[int, float]] = deque(maxlen=_MOST_SAMPLES)
        self._found: tuple[float, float] | None = None

    def add(self, debt: Debt, told_frames: float) -> None:
        """Add what the device owes, less what the host holds; `told_frames` of that were told as losses so far."""
        self._samples.append((debt.monotonic_ns, debt.frames - told_frames))
        self._found = None

    def start_over(self) -> None:
        """Forget what was said so far: there is another device."""
        self._samples.clear()
        self._found = None

    def seconds(self, line: CaptureLine) -> tuple[float, float] | None:
        """Return the delay, and how far it may be off; `None` as long as it is not known."""
        if len(self._samples) < _LEAST_SAMPLES or not line.is_known:
            return None
        if self._found is None:
            delays = sorted((line.owed_at(ns) - frames) / self._rate for ns, frames in self._samples)
            delay = delays[len(delays) // 2]
            errors = sorted(abs(other - delay) for other in delays)
            self._found = delay, _STEP_SECONDS + 2 * errors[len(errors) * 9 // 10]
        return self._found if abs(self._found[0]) < _BELIEVABLE_SECONDS else None
