"""The deficit: frames that the clock says a device never delivered, and how often they are told. Pure."""

from __future__ import annotations

import math
from collections import deque
from itertools import takewhile

from pastream_cli.engine.facts import Debt, Loss, LossKind


class Deficit:
    """Finds frames that a device never delivered: it fell behind the clock, and did not catch up.

    What the device owes is compared with a base line. The base line follows the drift between the device's clock and
    the system's, which is never more than `MOST_DRIFT`. Whatever is owed above the base line adds up, until it is
    enough to tell. A late callback raises the debt for a moment, so only the least debt of a window counts.

    Parameters
    ----------
    rate : float
        Frames per second.
    most_held_back : float
        Seconds of sound that a host may begin or cease to hold back at any time. A smaller rise of the debt is
        no proof of a loss.
    """

    WINDOW_SECONDS = 1.5
    MOST_DRIFT = 500e-6
    LEAST_SECONDS = 0.005
    """A smaller rise of the debt may be chance; so may one of fewer blocks than `LEAST_BLOCKS`."""
    LEAST_BLOCKS = 0.75
    SETTLING_SECONDS = 10.0
    """For this long the base line may fall at once: the first callbacks may be late, or the stream may still fill."""
    LAST_SECONDS = 0.35
    """The window at the end of a run, when there is no time to wait for a whole one."""

    def __init__(self, rate: float, most_held_back: float) -> None:
        self._rate = rate
        self._most_held_back = most_held_back * rate
        self._debts: deque[Debt] = deque()
        self._base: float | None = None
        self._begun_ns: int | None = None
        self._risen: Debt | None = None
        self._has_lost = False

    def start_over(self) -> None:
        """Forget all debts: the device has got ahead of the clock, so they say nothing of what follows."""
        self._debts.clear()
        self._base = self._begun_ns = self._risen = None

    def add(self, debt: Debt) -> Loss | None:
        """Add a debt. Return the loss that has now lasted for a window, if any, with an estimate of its frames."""
        since = debt.monotonic_ns - self._debts[-1].monotonic_ns if self._debts else 0
        self._begun_ns = self._begun_ns or debt.monotonic_ns
        self._debts.append(debt)
        if self._seconds_since(self._debts[0]) < self.WINDOW_SECONDS:
            return None
        owed = min(debt.frames for debt in self._debts)
        if self._base is None or (owed < self._base and self._is_settling):
            self._base = owed
        found = self._judge(owed, self._base)
        self._follow(owed, since / 1e9)
        while self._seconds_since(self._debts[0]) > self.WINDOW_SECONDS:
            self._debts.popleft()
        return found

    def end(self) -> Loss | None:
        """Judge by what there is, at the end of a run."""
        if not self._debts:
            return None
        last = [debt for debt in self._debts if self._seconds_since(debt) <= self.LAST_SECONDS]
        base = min(debt.frames for debt in self._debts) if self._base is None else self._base
        owed = min(debt.frames for debt in last)
        lost = owed - base
        if lost < (self._least_frames if self._has_lost else self._certain_frames):
            return None
        *_, first = takewhile(lambda debt: debt.frames - base >= lost / 2, reversed(self._debts))
        return self._loss(self._risen or first, lost)

    def _judge(self, owed: int, base: float) -> Loss | None:
        lost = owed - base
        if lost < self._least_frames / 2:
            self._risen = None
            return None
        self._risen = self._risen or self._debts[0]
        if lost < self._certain_frames or self._is_catching_up():
            return None
        self._base = owed
        risen, self._risen = self._risen, None
        return self._loss(risen, lost)

    def _loss(self, first: Debt, frames: float) -> Loss:
        self._has_lost = True
        return Loss(LossKind.DEFICIT, first.frame, round(frames), first.monotonic_ns)

    def _follow(self, owed: int, seconds: float) -> None:
        """Move the base line towards the debt, but no further than drift can explain."""
        assert self._base is not None
        most = self.MOST_DRIFT * seconds * self._rate
        self._base += max(-most, min(most, owed - self._base))

    @property
    def _least_frames(self) -> float:
        return max(self.LEAST_SECONDS * self._rate, self.LEAST_BLOCKS * max(debt.block_frames for debt in self._debts))

    @property
    def _certain_frames(self) -> float:
        return max(self._least_frames, self._most_held_back)

    @property
    def _is_settling(self) -> bool:
        assert self._begun_ns is not None
        return self._debts[-1].monotonic_ns - self._begun_ns < self.SETTLING_SECONDS * 1e9

    def _is_catching_up(self) -> bool:
        """Whether the debt falls, because a host delivers what it has held back."""
        half = self.WINDOW_SECONDS / 2
        earlier = min(debt.frames for debt in self._debts if self._seconds_since(debt) > half)
        later = min(debt.frames for debt in self._debts if self._seconds_since(debt) <= half)
        return later < earlier - self._least_frames

    def _seconds_since(self, debt: Debt) -> float:
        return (self._debts[-1].monotonic_ns - debt.monotonic_ns) / 1e9


class Gathering:
    """Tells of a loss that goes on and on: at once the first time, and then less and less often."""

    FIRST_SECONDS = 1.0
    MOST_SECONDS = 60.0

    def __init__(self) -> None:
        self._gathered: Loss | None = None
        self._told_ns: int | None = None
        self._seconds = self.FIRST_SECONDS

    @property
    def waiting(self) -> Loss | None:
        """What was not told yet."""
        return self._gathered

    def add(self, loss: Loss) -> None:
        """Add a loss. It is told together with those that wait already, as one loss at the place of the first."""
        gathered = self._gathered
        self._gathered = (
            loss
            if gathered is None
            else gathered._replace(
                frames=(gathered.frames or 0) + (loss.frames or 0),
                left_out_frames=gathered.left_out_frames + loss.left_out_frames,
            )
        )

    def take(self, now_ns: int, *, is_last: bool = False) -> Loss | None:
        """Return what is to be told now, if anything is."""
        since = math.inf if self._told_ns is None else (now_ns - self._told_ns) / 1e9
        gathered = self._gathered
        if gathered is None or (since < self._seconds and not is_last):
            return None
        goes_on = since < 2 * self._seconds
        self._seconds = min(2 * self._seconds, self.MOST_SECONDS) if goes_on else self.FIRST_SECONDS
        self._gathered, self._told_ns = None, now_ns
        return gathered
