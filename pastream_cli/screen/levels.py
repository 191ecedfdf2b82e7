"""Levels as people read them: decibels, the scale of a meter, the level over a take in one line. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

SILENCE = -math.inf

# IEC 60268-18, as on mixing desks: a level in dBFS, how far up the scale it is, and what each decibel above it adds.
_SCALE = (
    (-20.0, 0.5, 0.025),
    (-30.0, 0.3, 0.02),
    (-40.0, 0.15, 0.015),
    (-50.0, 0.075, 0.0075),
    (-60.0, 0.025, 0.005),
    (-70.0, 0.0, 0.0025),
)
_HEIGHTS = "▁▂▃▄▅▆▇█"
_ASCII_HEIGHTS = "_.:-=+*#"
_LEAST_LOOKS = 4


def decibels(amplitude: float) -> float:
    """Return a peak in dBFS. Full scale is an amplitude of 1.0."""
    return 20 * math.log10(amplitude) if amplitude > 0 else SILENCE


def rms_decibels(square_sum: float, frames: int) -> float:
    """Return the RMS level in dBFS by AES17: a sine that reaches full scale has 0."""
    return 10 * math.log10(2 * square_sum / frames) if square_sum > 0 and frames else SILENCE


def deflection(level: float) -> float:
    """Return how far up the scale a level in dBFS goes, from 0 to 1."""
    for floor, start, slope in _SCALE:
        if level >= floor:
            return min(1.0, start + (level - floor) * slope)
    return 0.0


def format_level(level: float) -> str:
    """Return a level in dBFS on at most five columns."""
    if level == SILENCE:
        return "-inf"
    # adding 0.0 turns -0.0 into 0.0
    return f"{round(level, 1) + 0.0:.1f}" if level > -99.95 else f"{level:.0f}"


def heights(*, is_ascii: bool) -> str:
    """Return characters that show a deflection by their height, the lowest first."""
    return _ASCII_HEIGHTS if is_ascii else _HEIGHTS


def height_index(share: float, steps: int) -> int:
    """Return which of `steps` steps, from 0, stands for a share from 0 to 1."""
    return min(steps - 1, int(share * steps))


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers as text, with neighbouring ones as a range: 1, 3-5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


class Course:
    """The level over a take of any length, in memory that does not grow.

    Parameters
    ----------
    most : int
        The most columns that are stored.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._peaks: list[float] = []
        self._frames_per_column = 1
        self._end = 0
        self._looks = 0

    def add(self, peak: float, end: int) -> None:
        """Add the greatest peak since the last call; the take now has `end` frames."""
        if end <= self._end:
            return
        self._looks += 1
        while end > self._most * self._frames_per_column:
            self._halve()
        first, last = self._end // self._frames_per_column, (end - 1) // self._frames_per_column
        self._end = end
        self._peaks += [0.0] * (last + 1 - len(self._peaks))
        for column in range(first, last + 1):
            self._peaks[column] = max(self._peaks[column], peak)

    def _halve(self) -> None:
        peaks = [*self._peaks, 0.0]
        self._peaks = [max(peaks[i : i + 2]) for i in range(0, len(peaks) - 1, 2)]
        self._frames_per_column *= 2

    def line(self, width: int, *, is_ascii: bool) -> str:
        """Return the course, one character for each stretch of the take; empty for a very short take."""
        if self._looks < _LEAST_LOOKS:
            return ""
        while len(self._peaks) > max(1, width):
            self._halve()
        characters = heights(is_ascii=is_ascii)
        shares = [deflection(decibels(peak)) for peak in self._peaks]
        return "".join(characters[height_index(share, len(characters))] for share in shares)
