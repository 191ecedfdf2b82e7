"""Losses as they are told during a take: one by one while they are few, many in a line where nobody could read them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pastream_cli.engine.facts import Loss
from pastream_cli.errors import PROGRAM
from pastream_cli.screen.lines import loss_line
from pastream_cli.units import format_clock, format_count, format_frames

_MOST_LINES = 10
_FIRST_SECONDS = 1.0
_MOST_SECONDS = 10.0


class LossLines:
    """Says what was lost: ten lines a second at most.

    Further losses wait, and are told in one line: after a second, and less and less often while they go on. The report
    has each of them.
    """

    def __init__(self) -> None:
        self._seconds = _FIRST_SECONDS
        self._begun = -math.inf
        self._room = 0
        self._waiting: list[Loss] = []  # the first and the last
        self._count = 0
        self._frames = 0

    def lines(self, losses: Iterable[Loss], rate: float, now: float) -> list[str]:
        """Return the lines for losses that are new at a monotonic time, and for those that have waited long enough."""
        told = []
        if now - self._begun >= self._seconds:
            goes_on = self._count > 0
            told = self.rest(rate)
            self._begun = now
            self._seconds = min(2 * self._seconds, _MOST_SECONDS) if goes_on else _FIRST_SECONDS
            self._room = 0 if goes_on else _MOST_LINES
        for loss in losses:
            if self._room:
                self._room -= 1
                told.append(loss_line(loss, rate))
            else:
                self._wait(loss)
        return told

    def rest(self, rate: float) -> list[str]:
        """Return the line for the losses that wait, if there are any."""
        if not self._count:
            return []
        first, last = self._waiting[0], self._waiting[-1]
        count, frames = self._count, self._frames
        self._waiting, self._count, self._frames = [], 0, 0
        if count == 1:
            return [loss_line(first, rate)]
        places = f"from {format_clock(first.frame, rate)} to {format_clock(last.frame, rate)}"
        return [f"{PROGRAM}: {format_count(count)} more {places}, {format_frames(frames)} in all; --json lists each"]

    def _wait(self, loss: Loss) -> None:
        self._waiting = [*self._waiting[:1], loss]
        self._count += 1
        self._frames += loss.frames or 0
