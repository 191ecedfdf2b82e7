"""Turns the lines of the meter into coloured text for a terminal. Nothing else needs rich's styles."""

from __future__ import annotations

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

from pastream_cli.screen.bars import Line


class Painter:
    """Turns styled lines into text with escape sequences, or into plain text if colours are not wanted.

    It uses only the sixteen basic colours: users choose their shades so that they can read them.
    """

    def __init__(self, *, has_colours: bool) -> None:
        self._has_colours = has_colours
        self._escapes: dict[str, tuple[str, str]] = {"": ("", "")}

    def paint(self, line: Line) -> str:
        """Return the line as it is written."""
        if not self._has_colours:
            return "".join(text for text, _ in line)
        parts = []
        for text, style in line:
            start, end = self._escapes.get(style) or self._learn(style)
            parts.append(f"{start}{text}{end}")
        return "".join(parts)

    def _learn(self, style: str) -> tuple[str, str]:
        start, _, end = Style.parse(style).render("\0", color_system=ColorSystem.STANDARD).partition("\0")
        self._escapes[style] = start, end
        return start, end

    def width(self, line: Line) -> int:
        """Return how many columns a line takes."""
        return sum(cell_len(text) for text, _ in line)
