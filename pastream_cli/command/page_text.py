"""The man page as plain text, for where there is no `man`, or no terminal.

It knows the macros that `pages/man_page.py` writes, and no others.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

_INDENT = 4
_TERM_INDENT = 4
_CHARACTERS = {r"\-": "-", r"\e": "\\", r"\(aq": "'", r"\(ha": "^", r"\(ti": "~", r"\&": ""}
_ESCAPE = re.compile(r"\\f[BIR]|\\\([a-z]{2}|\\[-e&]")


def text_of_page(page: str, columns: int) -> str:
    """Return a page of roff as text, of lines no longer than `columns`."""
    return "\n".join(_Reader(columns).lines(page.splitlines())).strip("\n") + "\n"


class _Reader:
    """Reads the lines of a page, and gathers the words of a paragraph until it ends."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._words: list[str] = []
        self._indent = _INDENT
        self._awaits_term = False
        self._is_example = False

    def lines(self, page: list[str]) -> Iterator[str]:
        """Yield the lines of the text."""
        for line in page:
            if not line.startswith("."):
                yield from self._text(_plain(line))
                continue
            macro, _, rest = line.partition(" ")
            yield from self._paragraph()
            if macro in {".SH", ".SS"}:
                self._indent = _INDENT
                title = _plain(rest.strip('"'))
                yield from ("", title if macro == ".SH" else f"  {title}")
            elif macro in {".PP", ".TP", ".IP", ".EX"}:
                self._indent = _INDENT + (_TERM_INDENT if macro == ".IP" else 0)
                yield ""
            self._awaits_term = macro == ".TP"
            self._is_example = macro == ".EX"
        yield from self._paragraph()

    def _text(self, line: str) -> Iterator[str]:
        if self._is_example:
            yield f"{' ' * (_INDENT + _TERM_INDENT)}{line}"
        elif self._awaits_term:
            yield f"{' ' * _INDENT}{line}"
            self._awaits_term, self._indent = False, _INDENT + _TERM_INDENT
        else:
            self._words.append(line)

    def _paragraph(self) -> Iterator[str]:
        """Yield the lines of the paragraph that has been gathered."""
        text, self._words = " ".join(self._words), []
        indent = " " * self._indent
        yield from textwrap.wrap(
            text,
            self._columns,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _plain(line: str) -> str:
    return _ESCAPE.sub(lambda match: _CHARACTERS.get(match[0], ""), line)
