"""A time in digits that can be read from across a room. Pure."""

from __future__ import annotations

from functools import lru_cache

from pastream_cli.screen.bars import Line

# Each character as the five rows of a raster of three columns; the colon needs one.
_RASTER = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": ("## ", " # ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    ":": (" ", "#", " ", "#", " "),
}
_ROWS = 5
# A character of a terminal is about twice as high as it is wide.
_COLUMNS_PER_DOT = 2


@lru_cache(maxsize=1)
def big_clock(clock: str, style: str, width: int, height: int, dot: str) -> list[Line]:
    """Return a time as ``hh:mm:ss`` in digits as large as a space allows; empty if they do not fit.

    Parameters
    ----------
    clock : str
        The time.
    style : str
        How it is drawn.
    width, height : int
        The columns and lines of the space.
    dot : str
        The character that the digits are drawn with.
    """
    rows = [" ".join(_RASTER[character][row] for character in clock) for row in range(_ROWS)]
    size = min(width // (_COLUMNS_PER_DOT * len(rows[0])), height // _ROWS)
    lines: list[Line] = []
    for row in rows:
        text = "".join((dot if place == "#" else " ") * _COLUMNS_PER_DOT * size for place in row)
        lines += [[(text.rstrip(), style)] for _ in range(size)]
    return lines
