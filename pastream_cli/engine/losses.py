"""What a run has lost so far: counted by the callback, and found by the clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from pastream_cli.engine.core import Core
from pastream_cli.engine.deficit import Deficit, Gathering
from pastream_cli.engine.facts import Debt, Loss, LossKind
from pastream_cli.engine.loss_list import LossList


class Losses:
    """Every loss and underrun of one run. Any thread may ask.

    Parameters
    ----------
    core : Core
        The core whose losses are taken. Nobody else may take them.
    captures : bool
        Whether the core captures. Only then are frames that never came, by the clock, a loss.
    """

    def __init__(self, core: Core, *, captures: bool) -> None:
        self._core = core
        self._captures = captures
        self._device = core.open_device
        self._deficit = self._new_deficit()
        self._lock = threading.Lock()
        self._losses = LossList()
        self._missing_frames = 0
        self._gatherings = {kind: Gathering() for kind in LossKind if kind.comes_in_parts}

    @property
    def missing_frames(self) -> int:
        """An estimate of the frames that never came, by the clock."""
        return self._missing_frames

    @property
    def all(self) -> LossList:
        """Every loss and underrun by its place, even what `take` has not returned yet. Only after the last `take`."""
        waiting = [loss for gathering in self._gatherings.values() if (loss := gathering.waiting)]
        return LossList(waiting, before=self._losses)

    def so_far(self) -> tuple[Loss, ...]:
        """Return all losses so far, of a run that goes on. They are all in memory then."""
        with self._lock:
            return tuple(self.all)

    def take(self, *, is_last: bool = False) -> list[Loss]:
        """Return the losses since the last call. One that never ends comes in parts."""
        with self._lock:
            return self._take(is_last=is_last)

    def _take(self, *, is_last: bool) -> list[Loss]:
        new = self._core.new_losses()
        losses = [loss for loss in new if not loss.kind.comes_in_parts]
        leads = [loss for loss in new if loss.kind is LossKind.AHEAD]
        for loss in (*self._deficits(is_last=is_last), *leads):
            self._gatherings[loss.kind].add(loss)
        if leads and self._deficit is not None:
            self._deficit.start_over()
        now = time.monotonic_ns()
        gathered = [gathering.take(now, is_last=is_last) for gathering in self._gatherings.values()]
        losses += [loss for loss in gathered if loss is not None]
        for loss in losses:
            self._losses.add(loss)
        return losses

    def sleep(self, frame: int, seconds: float, monotonic_ns: int) -> None:
        """Add what went by while the machine slept: its clock stood still, so no debt shows it."""
        frames = round(seconds * self._core.samplerate)
        with self._lock:
            self._core.times.asleep.pause(frame, frames)
            if self._captures:
                self._missing_frames += frames
                self._gatherings[LossKind.SLEEP].add(Loss(LossKind.SLEEP, frame, frames, monotonic_ns))

    def _new_deficit(self) -> Deficit | None:
        """Return what judges the present device by the clock; `None` where it has no clock of its own."""
        if not self._captures or self._core.follows_the_system:
            return None
        return Deficit(self._core.samplerate, self._core.most_held_back)

    def _deficits(self, *, is_last: bool) -> list[Loss]:
        """Return the losses of frames that were now found never to have come."""
        debts = self._core.new_debts()
        found: list[Loss | None] = []
        attached_ns = self._core.attached_ns
        if self._device is not self._core.open_device:
            found = self._judge([debt for debt in debts if debt.monotonic_ns < attached_ns], is_last=True)
            self._device, self._deficit = self._core.open_device, self._new_deficit()
            self._core.times.start_over()
        # the last debt of a device comes when the next one delivers, and says nothing of that
        found += self._judge([debt for debt in debts if debt.monotonic_ns >= attached_ns], is_last=is_last)
        for debt in self._core.new_host_debts():
            if debt.monotonic_ns >= attached_ns:
                self._core.times.delay.add(debt, self._core.times.line.told_frames)
        deficits = [loss for loss in found if loss is not None]
        for deficit in deficits:
            self._core.times.lose(deficit)
            self._missing_frames += deficit.frames or 0
        return deficits

    def _judge(self, debts: Sequence[Debt], *, is_last: bool) -> list[Loss | None]:
        for debt in debts:
            self._core.times.line.add(debt)
        if self._deficit is None:
            return []
        found = [self._deficit.add(debt) for debt in debts]
        return [*found, self._deficit.end()] if is_last else found
