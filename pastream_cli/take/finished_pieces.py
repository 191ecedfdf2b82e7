"""The pieces of a take whose copies are all finished, which are handed to the hook one after the other."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

from pastream_cli.engine.facts import RecordedFile


class FinishedPieces:
    """Hands on each piece in order, once no copy of it is written any more.

    Parameters
    ----------
    copies : int
        How many there are, OUTPUT included, whose number is 0.
    hand_on : callable
        Called with OUTPUT's file, the names of the other copies that are whole, and the missing frames.
    missing_frames : callable
        Returns what the clock has missed in the whole run so far.
    """

    def __init__(
        self,
        copies: int,
        hand_on: Callable[[RecordedFile, Sequence[str], int], None],
        missing_frames: Callable[[], int],
    ) -> None:
        self._hand_on = hand_on
        self._missing_frames = missing_frames
        self._last: list[float] = [0] * copies  # the last piece that each copy has finished
        self._names: dict[int, dict[int, str]] = {}
        self._waiting: deque[tuple[int, RecordedFile, int]] = deque()

    def leave_out(self, copy: int) -> None:
        """Wait for no piece of a copy that is not on a disk."""
        self._last[copy] = math.inf

    def note(self, copy: int, piece: int, file: RecordedFile | None) -> None:
        """Note that a copy of a piece is finished, with its file if that is whole."""
        self._last[copy] = max(piece, self._last[copy])
        if file is not None and copy == 0:
            self._waiting.append((piece, file, self._missing_frames()))
        elif file is not None:
            self._names.setdefault(piece, {})[copy] = file.name
        self._hand_on_until(min(self._last))

    def end(self) -> None:
        """Hand on what still waits for a copy, which will not be finished."""
        self._hand_on_until(math.inf)

    def _hand_on_until(self, last: float) -> None:
        while self._waiting and self._waiting[0][0] <= last:
            piece, file, missing_frames = self._waiting.popleft()
            names = self._names.get(piece, {})
            self._hand_on(file, [names[copy] for copy in sorted(names)], missing_frames)
        self._names = {piece: names for piece, names in self._names.items() if piece > last}
