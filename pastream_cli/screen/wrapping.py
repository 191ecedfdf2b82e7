"""Sentences wrapped to the columns of a terminal: no word is broken, and none is left alone on the last line. Pure."""

from __future__ import annotations

import re
from itertools import chain, repeat

# A number is not wrapped between its groups of digits.
_BREAK = re.compile(r"(?<!\d) | (?!\d{3}\b)")
_LEAST_SHARE_OF_WORDS = 4
_LEAST_WORDS_LEFT = 2


def wrapped(line: str, width: int, indent: str = "") -> list[str]:
    """Return a line as lines of at most `width` columns; only a single word can be wider.

    Parameters
    ----------
    line : str
        The line. If it begins with `indent`, it is indented like those that follow.
    width : int
        Columns of a line.
    indent : str
        What the lines after the first one begin with. In a narrow terminal it is shortened to a quarter of the width.
    """
    margin = indent[: width // _LEAST_SHARE_OF_WORDS]
    first = margin if indent and line.startswith(indent) else ""
    lines: list[list[str]] = [[]]
    free = width - len(first)
    for word in _BREAK.split(line.removeprefix(indent) if first else line):
        needed = _columns(word)
        if lines[-1] and needed + 1 > free:
            lines.append([])
            free = width - len(margin)
        free -= needed + (1 if lines[-1] else 0)
        lines[-1].append(word)
    if len(lines) > 1 and len(lines[-1]) == 1 and len(lines[-2]) > _LEAST_WORDS_LEFT:
        moved = lines[-2][-1]
        if _columns(moved) + 1 <= free:
            lines[-1].insert(0, lines[-2].pop())
    return [start + " ".join(words) for start, words in zip(chain([first], repeat(margin)), lines, strict=False)]


def _columns(text: str) -> int:
    """Return how many columns a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
