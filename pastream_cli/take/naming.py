"""Names of recordings: fills in the fields of a name such as `{date}` or `{n}`, and numbers its pieces. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import cycle
from pathlib import PurePath
from typing import NamedTuple

from pastream_cli.errors import UsageError

_TOKEN = re.compile(r"\{\{|\}\}|\{[^{}]*\}|\{")
_DIRECTIVE = "%(?:[zZf%]|[-_0^#]?(?:E[cCxXyY]|O[deHImMSuUVwWy]|[aAbBcCdDeFgGhHIjklmMpPrRsSTuUVwWxXyY]))"
"""What strftime fills in. It leaves anything else as it is or drops it, such as a width with many digits."""
_MOST_FILES = 1_000_000


class _Field(NamedTuple):
    name: str
    form: str


class NameTemplate(NamedTuple):
    """The name of a recording, with fields for a number and for the time of its first frame.

    ``{n}`` and ``{n:03}`` count from 1; ``{date}`` is 20261123 and ``{time}`` 060000, local;
    ``{start:FMT}`` and ``{utc:FMT}`` go through strftime. ``{{`` and ``}}`` are braces.
    """

    parts: tuple[str | _Field, ...]

    @classmethod
    def parse(cls, text: str) -> NameTemplate:
        """Parse a name as typed; `UsageError` for a field that is not known."""
        parts: list[str | _Field] = []
        position = 0
        for match in _TOKEN.finditer(text):
            parts.append(text[position : match.start()])
            position = match.end()
            if match[0] in {"{{", "}}"}:
                parts.append(match[0][0])
            elif match[0] == "{":
                raise _unclosed(text, text[match.start() :])
            else:
                parts.append(_field(text, match[0]))
        parts.append(text[position:])
        return cls(tuple(part for part in parts if part))

    @property
    def has_fields(self) -> bool:
        return any(isinstance(part, _Field) for part in self.parts)

    @property
    def has_number(self) -> bool:
        return any(isinstance(part, _Field) and part.name == "n" for part in self.parts)

    @property
    def has_time(self) -> bool:
        return any(isinstance(part, _Field) and part.name != "n" for part in self.parts)

    def fill(self, number: int, first_frame: datetime) -> str:
        """Return the name of file `number`, whose first frame is at `first_frame` (aware)."""
        return "".join(part if isinstance(part, str) else _fill(part, number, first_frame) for part in self.parts)


def _field(text: str, match: str) -> _Field:
    name, _, form = match.strip("{}").partition(":")
    good = (
        (name == "n" and re.fullmatch("0?[0-9]?", form))
        or (name in {"date", "time"} and not form)
        or (name in {"start", "utc"} and re.fullmatch(rf"(?:[^%]|{_DIRECTIVE})*", form) and "%" in form)
    )
    if not good:
        from pastream_cli.take.field_hints import of_field

        raise UsageError(f"cannot use the name {text}: {match} is no field", of_field(match))
    return _Field(name, form)


def _unclosed(text: str, rest: str) -> UsageError:
    """Return the error for a name that ends, or goes on with another brace, within a field."""
    from pastream_cli.take.field_hints import of_unclosed_field

    return UsageError(f"cannot use the name {text}: its field {rest} has no end", of_unclosed_field(rest))


def warnings_of(text: str) -> list[str]:
    """Return a line for what is kept in a name as it stands, though it was probably meant to be filled in."""
    if not re.search(r"[%$\\]", text):
        return []
    from pastream_cli.take.field_hints import literal_warning

    parts = NameTemplate.parse(text).parts
    if any("\\%" in part.form for part in parts if isinstance(part, _Field)):
        return [r"a backslash before % stays in the name; only in a crontab it does not"]
    warning = literal_warning(text, "".join(part for part in parts if isinstance(part, str)))
    return [warning] if warning else []


def _fill(field: _Field, number: int, first_frame: datetime) -> str:
    if field.name == "n":
        return str(number).zfill(int(field.form or 0))
    moment = first_frame.astimezone(timezone.utc if field.name == "utc" else None)
    form = {"date": "%Y%m%d", "time": "%H%M%S"}.get(field.name, field.form)
    # strftime is given directives alone: of text that is not UTF-8 it would return nothing
    return re.sub(_DIRECTIVE, lambda directive: _directed(directive[0], moment), form)


def _directed(directive: str, moment: datetime) -> str:
    # strftime takes the moment for one of local time
    return str(int(moment.timestamp())) if directive == "%s" else moment.strftime(directive)


class Names:
    """The names of one recording's files, in order.

    Parameters
    ----------
    text : str
        OUTPUT as typed.
    is_split : bool
        Whether there will be several files; without a field they are numbered from ``-001``.
    """

    def __init__(self, text: str, *, is_split: bool) -> None:
        self.template = NameTemplate.parse(text)
        self._is_split = is_split
        has_one = not (self.template.has_fields or is_split)
        self._only = self.template.fill(0, datetime.now(timezone.utc)) if has_one else None
        self._number = 0
        self._filled: str | None = None  # the last name made from fields, for which `_number` counts the tries

    def candidates(self, first_frame: datetime) -> Iterator[str]:
        """Return names for the next file, to be tried until one is free."""
        if self.template.has_number:
            return (self.template.fill(number, first_frame) for number in self._numbers())
        name = self.template.fill(0, first_frame)
        if self.template.has_fields:
            return self._repeats(name)
        if self._is_split or self._number:
            return (_numbered(name, number) for number in self._numbers())
        self._number = 1
        return iter([name])

    def may_replace(self, path: str) -> bool:
        """Tell whether -y is about a name: not about one with a number that nobody has asked for."""
        return self._only is None or path == self._only

    @property
    def is_fixed(self) -> bool:
        """Whether there is one name, and no other to be tried; false once a search for it has begun."""
        return not (self.template.has_fields or self._is_split or self._number)

    def candidates_without_end(self, first_frame: datetime) -> Iterator[str]:
        """Return names for the next file as `candidates` does, but the only one again and again."""
        is_fixed = self.is_fixed
        names = self.candidates(first_frame)
        return cycle(names) if is_fixed else names

    def _repeats(self, name: str) -> Iterator[str]:
        """Yield a name, then the same with numbers. A new search for the name begins where the last one ended."""
        if name != self._filled:
            self._filled, self._number = name, 1
            yield name
        yield from (_numbered(name, number) for number in self._numbers())

    def _numbers(self) -> Iterator[int]:
        while self._number < _MOST_FILES:
            self._number += 1
            yield self._number


class NameMemory:
    """Remembers any number of names in memory that does not grow (a Bloom filter).

    It forgets no name. It may take a new name for an old one: three times in a million when it knows ten thousand,
    which is a week of one-minute files.
    """

    _HASH_BITS = 21  # in each of three parts of a 64-bit hash
    _SHIFTS = (0, 21, 42)

    def __init__(self) -> None:
        self._bits = bytearray((1 << self._HASH_BITS) // 8)

    def add(self, name: str) -> None:
        """Remember a name."""
        for bit in self._bits_of(name):
            self._bits[bit // 8] |= 1 << bit % 8

    def __contains__(self, name: str) -> bool:
        return all(self._bits[bit // 8] >> bit % 8 & 1 for bit in self._bits_of(name))

    def _bits_of(self, name: str) -> Iterator[int]:
        return (hash(name) >> shift & (1 << self._HASH_BITS) - 1 for shift in self._SHIFTS)


def _numbered(path: str, number: int) -> str:
    """Return `path` with ``-001`` and so on at the end of its stem."""
    pure = PurePath(path)
    return str(pure.with_name(f"{pure.stem}-{number:03}{pure.suffix}"))
