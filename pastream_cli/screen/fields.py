"""Fields of words, laid out on lines: each is shown whole, in a shorter form, or not at all. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

from pastream_cli.screen.bars import Line

Field: TypeAlias = tuple[Line, ...]
"""What is said in one place: its forms, the longest first."""

_GAP = "  "


def field(style: str, *forms: str) -> Field:
    """Return a field in one style."""
    return tuple([(form, style)] for form in forms)


def flow(groups: Iterable[Sequence[Field]], width: int, behind: Sequence[Line] = ()) -> list[Line]:
    """Return groups of fields on as few lines as they take.

    What belongs together stays together: a group begins a line, unless all of it fits behind the one before.

    Parameters
    ----------
    groups : iterable of sequences of Field
        The groups, the most important one first.
    width : int
        Columns of a line.
    behind : sequence of Line
        Lines to begin with.
    """
    lines = list(behind)
    for group in groups:
        shown = _on_one_line(group, width)
        if lines and shown and _width_of_all([lines[-1], *shown]) <= width:
            shown.insert(0, lines.pop())
        if shown:
            lines.append(_joined(shown))
        else:
            lines += _balanced([_form(forms, width) for forms in group], width)
    return lines


def first_that_fit(fields: Sequence[Field], width: int) -> Line:
    """Return one line with the first of the fields, as many as fit; in their shortest forms if not all fit."""
    shown = _on_one_line(fields, width) or [_cut(forms[-1], width) for forms in fields]
    while len(shown) > 1 and _width_of_all(shown) > width:
        shown.pop()
    return _joined(shown)


def width_of(line: Line) -> int:
    """Return how many columns a line takes."""
    return sum(cell_len(text) for text, _ in line)


def _on_one_line(fields: Sequence[Field], width: int) -> list[Line]:
    """Return the fields in forms that all fit on one line; the first ones are shortened first. Empty if none do."""
    shown = [forms[0] for forms in fields]
    excess = _width_of_all(shown) - width
    for index, forms in enumerate(fields):
        for form in forms[1:]:
            if excess > 0:
                excess -= width_of(shown[index]) - width_of(form)
                shown[index] = form
    return shown if excess <= 0 else []


def _form(forms: Field, width: int) -> Line:
    """Return the longest form that fits, or as much as fits of the shortest one."""
    return next((form for form in forms if width_of(form) <= width), _cut(forms[-1], width))


def _width_of_all(fields: Sequence[Line]) -> int:
    return sum(map(width_of, fields)) + len(_GAP) * (len(fields) - 1)


def _joined(fields: Iterable[Line]) -> Line:
    line: Line = []
    for spans in fields:
        line += [(_GAP, ""), *spans] if line else spans
    return line


def _balanced(fields: Sequence[Line], width: int) -> list[Line]:
    """Return fields on as few lines as possible, of about the same width: none is left alone without need."""
    lines = _packed(fields, width)
    while len(lines) < len(fields):
        narrower = _packed(fields, max(map(width_of, lines)) - 1)
        if len(narrower) > len(lines) or narrower == lines:
            break
        lines = narrower
    return lines


def _packed(fields: Sequence[Line], width: int) -> list[Line]:
    """Return fields beside each other, on as many lines as that takes; a field that is too wide has one of its own."""
    lines: list[list[Line]] = []
    for one in fields:
        if lines and _width_of_all([*lines[-1], one]) <= width:
            lines[-1].append(one)
        else:
            lines.append([one])
    return [_joined(line) for line in lines]


def _cut(line: Line, width: int) -> Line:
    """Return as much of a line as fits."""
    cut: Line = []
    for text, style in line:
        if cell_len(text) > width:
            return [*cut, (set_cell_size(text, width), style)]
        cut.append((text, style))
        width -= cell_len(text)
    return cut
