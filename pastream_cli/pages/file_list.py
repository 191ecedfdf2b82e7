"""The list of files in docs/architecture.md: each with the first sentence of its docstring or head comment."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_PAGE = _PACKAGE.parent / "docs" / "architecture.md"
_LIST = re.compile(r"(?<=<!-- made by make generate -->\n).*(?=<!-- end of what is made -->)", re.DOTALL)
_HEAD_COMMENT = re.compile(r"/\*(.+?)\*/", re.DOTALL)
_END_OF_SENTENCE = re.compile(r"(?<=[.?!])\s")
_MADE_BY_CFFI = "_native.c"


def architecture() -> str:
    """Return docs/architecture.md with its list of files renewed."""
    lines = "\n".join(_lines())
    return _LIST.sub(lambda _: f"\n{lines}\n", _PAGE.read_text(encoding="utf-8"))


def _lines() -> Iterator[str]:
    rooms: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(_PACKAGE.rglob("*.*")):
        is_source = path.suffix in {".py", ".c", ".h", ".md"} and path.name != _MADE_BY_CFFI
        if is_source and path.stat().st_size:  # the __init__ of most rooms is empty
            rooms[path.parent.relative_to(_PACKAGE.parent).as_posix()].append(path)
    for room, paths in rooms.items():
        yield from (f"### `{room}/`", "", "| file | what is in there |", "|---|---|")
        yield from (f"| `{path.name}` | {first_sentence(path)} |" for path in paths)
        yield ""


def first_sentence(path: Path) -> str:
    """Return the first sentence of the docstring or comment at the top of a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        words = ast.get_docstring(ast.parse(text)) or ""
    elif path.suffix == ".md":
        words = f"The man page: {', '.join(re.findall('^# (.+)$', text, re.MULTILINE))}."
    else:
        comment = _HEAD_COMMENT.match(text)
        words = comment[1].replace("\n *", "\n") if comment else ""
    return _END_OF_SENTENCE.split(" ".join(words.split()))[0].removesuffix(".")
