"""Write the files that are made out of the option table, or check that they are up to date.

Run as ``python -m pastream_cli.pages.generate --write`` or ``--check`` from a checkout.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from pastream_cli import __version__
from pastream_cli.command.options import OPTIONS, Group, Option
from pastream_cli.pages import manual, shells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Changed by hand when the manual says something new: a date of its own would make every build another one.
MANUAL_DATE = "2026-11-26"

_WIDTH = 78
_SENTENCE_END = re.compile(r"(?<=[.:;]) *\n")
_MARKUP = re.compile(r"`([^`]+)`|\*([A-Z]+)\*")


def manual_page() -> str:
    """Return the manual page, in the man macros."""
    lines = [
        '.\\" Made by "python -m pastream_cli.pages.generate --write"; do not edit.',
        f'.TH PASTREAM 1 "{MANUAL_DATE}" "pastream {__version__}" "User Commands"',
        ".SH NAME",
        _literal(manual.NAME),
    ]
    for title, text in manual.BEFORE_OPTIONS:
        lines += _section(title, text)
    lines += [*_section("OPTIONS", manual.OPTIONS), *_options()]
    for title, text in manual.AFTER_OPTIONS:
        lines += _section(title, text)
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


def _option(option: Option) -> Iterator[str]:
    yield ".TP"
    form = option.value_form.replace(option.metavar, rf"\fI{option.metavar}\fR") if option.metavar else ""
    yield ", ".join(rf"\fB{_literal(name)}\fR" for name in option.names) + (f" {form}" if form else "")
    first, *others = option.manual.split("\n\n")
    if option.default:
        others.append(f"Default: {option.default}.")
    if option.aliases:
        names = " and ".join(f"`{name}`" for name in option.aliases)
        others.append(f"{names}, from older scripts, is the same.")
    yield from _filled(first)
    for paragraph in others:
        yield ".IP"
        yield from _filled(paragraph)


def _blocks(text: str) -> Iterator[str]:
    """Yield the lines of a section's paragraphs, examples and terms."""
    for block in text.strip("\n").split("\n\n"):
        first, *rest = block.split("\n")
        if first.startswith("# "):
            yield f'.SS "{_literal(first[2:])}"'
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
    """Return `text` for roff, with what is typed in bold and what is put in for in italics."""
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


GENERATED: dict[str, Callable[[], str]] = {
    "man/pastream.1": manual_page,
    "completions/pastream.bash": shells.bash,
    "completions/_pastream": shells.zsh,
    "completions/pastream.fish": shells.fish,
}
"""Files below the root of the checkout, and what makes them."""


def write(root: Path) -> None:
    """Write every generated file below `root`."""
    for name, make in GENERATED.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="ascii")


def outdated(root: Path) -> list[str]:
    """Return the names of the generated files below `root` that are missing or not what they should be."""
    return [name for name, make in GENERATED.items() if not _says(root / name, make())]


def _says(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode("ascii")


def main(arguments: Sequence[str]) -> int:
    """Do what the one argument says; return the exit status."""
    root = Path(__file__).resolve().parents[1]
    if list(arguments) == ["--write"]:
        write(root)
        return 0
    if list(arguments) == ["--check"]:
        names = outdated(root)
        for name in names:
            sys.stderr.write(f"{name} is not up to date: run python -m pastream_cli.pages.generate --write\n")
        return 1 if names else 0
    sys.stderr.write("usage: python -m pastream_cli.pages.generate --write|--check\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
