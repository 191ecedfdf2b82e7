"""The man page, made from the prose in the folder `manual` and the option table.

The prose is plain ASCII, and each sentence starts a line. ``# `` begins the title of a section, and ``## `` a heading
within it. Empty lines end paragraphs. An indented paragraph is an example; one whose second line begins with a colon
is a term and its explanation. `` `literal` `` is typed as it stands, and a value is typed in place of ``*WORD*``.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from pastream_cli import __version__
from pastream_cli.command.option import Group, Option
from pastream_cli.command.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Changed by hand when the manual says something new: with the date of the build, no two builds would be equal.
MANUAL_DATE = "2026-11-26"

_WIDTH = 78
_SENTENCE_END = re.compile(r"(?<=[.:;]) *\n")
_MARKUP = re.compile(r"`([^`]+)`|\*([A-Z]+)\*")
_TITLE = re.compile(r"^# (.+)\n", re.MULTILINE)
_PROSE = Path(__file__).parent / "manual"


def sections() -> dict[str, str]:
    """Return the prose of each section by its title, in the order of the page."""
    prose = "\n".join(path.read_text(encoding="ascii") for path in sorted(_PROSE.glob("*.md")))
    _, *parts = _TITLE.split(prose)
    return {title: text.strip("\n") for title, text in zip(parts[::2], parts[1::2], strict=True)}


def man_page() -> str:
    """Return the manual page, in the man macros."""
    lines = [
        '.\\" Made by "make generate"; do not edit.',
        f'.TH PASTREAM 1 "{MANUAL_DATE}" "pastream {__version__}" "User Commands"',
    ]
    for title, text in sections().items():
        if title == "NAME":  # indexes of manuals are made from this line, which has no markup
            lines += [".SH NAME", _literal(text)]
            continue
        lines += _section(title, text)
        if title == "OPTIONS":
            lines += _options()
    return "\n".join(lines) + "\n"


def _section(title: str, text: str) -> Iterator[str]:
    heading = f'.SH "{title}"' if " " in title else f".SH {title}"
    before = ""
    for line in (heading, *_blocks(text)):
        if line != ".PP" or not before.startswith(".S"):  # a heading starts a paragraph by itself
            yield line
        before = line


def _options() -> Iterator[str]:
    """Yield every option under the heading of its group."""
    for group in Group:
        yield f".SS {group.value}"
        for option in OPTIONS:
            if option.group is group:
                yield from _option(option)


def explanation(option: Option) -> list[str]:
    """Return the paragraphs that explain an option, with its default and its old names."""
    paragraphs = option.manual.split("\n\n")
    if option.default:
        paragraphs.append(f"Default: {option.default}.")
    if option.aliases:
        names = " and ".join(f"`{name}`" for name in option.aliases)
        paragraphs.append(f"{names}, from older scripts, is the same.")
    return paragraphs


def _option(option: Option) -> Iterator[str]:
    yield ".TP"
    form = option.value_form.replace(option.metavar, rf"\fI{option.metavar}\fR") if option.metavar else ""
    yield ", ".join(rf"\fB{_literal(name)}\fR" for name in option.names) + (f" {form}" if form else "")
    first, *others = explanation(option)
    yield from _filled(first)
    for paragraph in others:
        yield ".IP"
        yield from _filled(paragraph)


def _blocks(text: str) -> Iterator[str]:
    """Yield the lines of a section's paragraphs, examples and terms."""
    for block in text.split("\n\n"):
        first, *rest = block.split("\n")
        if first.startswith("## "):
            yield f'.SS "{_literal(first[3:])}"'
        elif first.startswith("    "):
            yield from (".PP", ".RS 4", ".EX", *(_literal(line[4:]) for line in (first, *rest)), ".EE", ".RE")
        elif rest and rest[0].startswith(": "):
            yield from (".TP", _marked(first), *_filled("\n".join((rest[0][2:], *rest[1:]))))
        else:
            yield from (".PP", *_filled(block))


def _filled(paragraph: str) -> Iterator[str]:
    """Yield a paragraph with each sentence on a line of its own, or on several where it is long."""
    for sentence in _SENTENCE_END.split(paragraph):
        for line in textwrap.wrap(_marked(sentence), _WIDTH, break_long_words=False, break_on_hyphens=False):
            yield rf"\&{line}" if line[0] in ".'" else line


def _marked(text: str) -> str:
    """Return `text` for roff, with literals in bold and placeholders in italics."""
    parts: list[str] = []
    end = 0
    for match in _MARKUP.finditer(text):
        parts.append(_escape(text[end : match.start()]))
        parts.append(rf"\fB{_literal(match[1])}\fR" if match[1] else rf"\fI{match[2]}\fR")
        end = match.end()
    return "".join(parts) + _escape(text[end:])


def _escape(text: str) -> str:
    """Return `text` so that roff prints it as it stands."""
    return text.replace("\\", r"\e").replace("^", r"\(ha").replace("~", r"\(ti")


def _literal(text: str) -> str:
    """Return `text` so that it can be copied out of the manual: dashes and quotes stay what they are."""
    return _escape(text).replace("-", r"\-").replace("'", r"\(aq")
