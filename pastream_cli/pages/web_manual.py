"""The manual as a page of the guide: the prose and the option table of the man page, in the Markdown of MyST."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pastream_cli.command.option import Group, Option
from pastream_cli.command.options import OPTIONS
from pastream_cli.pages.man_page import explanation, sections

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADING = re.compile(r"^## ", re.MULTILINE)


def web_manual() -> str:
    """Return the manual, with a link wherever it says `see` and the title of a section."""
    parts = sections()
    reference = re.compile(rf"(?<=[Ss]ee )({'|'.join(parts)})\b")

    def linked(text: str) -> str:
        return reference.sub(lambda match: _link(match[1]), text)

    lines = ["# The manual: pastream(1)", ":::{program} pastream\n:::"]
    for title, text in parts.items():
        lines += [f"## {title}", linked(_HEADING.sub("### ", text))]
        if title == "OPTIONS":
            lines += map(linked, _options())
    return "\n\n".join(lines) + "\n"


def _link(title: str) -> str:
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _options() -> Iterator[str]:
    """Yield every option under the heading of its group."""
    for group in Group:
        yield f"### Options: {group.value.lower()}"  # a section is called FILES, and links lead there
        yield from (_option(option) for option in OPTIONS if option.group is group)


def _option(option: Option) -> str:
    paragraphs = "\n\n".join(explanation(option))
    return f":::{{option}} {', '.join(option.names)} {option.value_form}".rstrip() + f"\n\n{paragraphs}\n:::"
