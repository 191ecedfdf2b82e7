"""Figures, and the table that they make."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """One figure, measured so many times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """Greatest less least, as a share of the median."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0

    def __str__(self) -> str:
        spread = f" ±{self.spread / 2:.0%}" if len(self.values) > 1 else ""
        return f"{_short(self.median)}{spread}"


@dataclass(frozen=True)
class Row:
    """A line of the table; `is_met` is None where nothing is asked."""

    what: str
    unit: str
    ours: Series | str
    peer: str = ""
    theirs: Series | None = None
    target: str = ""
    is_met: bool | None = None

    @property
    def ratio(self) -> float | None:
        if self.theirs is None or isinstance(self.ours, str) or not self.theirs.median:
            return None
        return self.ours.median / self.theirs.median

    def cells(self) -> tuple[str, ...]:
        met = {True: "met", False: "**missed**", None: ""}[self.is_met]
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        return (self.what, self.unit, str(self.ours), self.peer, str(self.theirs or ""), ratio, self.target, met)


TIMES = "\N{MULTIPLICATION SIGN}"
HEADINGS = ("what", "unit", "pastream", "peer", "its figure", "ratio", "target", "")


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def compare(what: str, unit: str, ours: Series, peer: str, theirs: Series, *, ratio: float) -> Row:
    """Make a row whose target is a ratio to the peer."""
    is_met = ours.median <= ratio * theirs.median
    return Row(what, unit, ours, peer, theirs, f"≤ {ratio:g} {TIMES}", is_met)


def as_text(rows: list[Row]) -> str:
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in table)


def as_markdown(rows: list[Row]) -> str:
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
