"""Knows a text where sound was expected: mostly a list of what is to be played. Loaded for mistakes only."""

from __future__ import annotations

from pathlib import PurePath

from pastream_cli.errors import typed

_LOOK_BYTES = 4096
_ENTRIES_OF = {
    ".m3u": "grep -v ^#",
    ".m3u8": "grep -v ^#",
    ".pls": "sed -n 's/^File[0-9]*=//p'",
    ".cue": "sed -n 's/^FILE \"\\(.*\\)\".*/\\1/p'",
}
"""What prints the names that are in a list, one a line."""


def of_a_text(path: str) -> str | None:
    """Return the way out for a file that is a text, `None` for any other."""
    try:
        with open(path, "rb") as file:
            text = file.read(_LOOK_BYTES).decode(errors="replace")
    except OSError:
        return None
    if not all(character.isprintable() or character.isspace() for character in text):
        return None
    entries = _ENTRIES_OF.get(PurePath(path).suffix.lower())
    if entries is None:
        return "it is a text, and no sound"
    return f'it is a list of files: {entries} {typed(path)} | while read -r f; do pastream "$f"; done'
