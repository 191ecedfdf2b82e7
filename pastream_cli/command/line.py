"""Splits a command line into words and options, and suggests names for mistyped ones; values stay text.

The help, the version and most usage errors need no more than this, so it has to load quickly.
"""

from __future__ import annotations

from collections import deque

from pastream_cli.command.argument_file import arguments_in
from pastream_cli.command.option import Kind, Option
from pastream_cli.command.options import OPTIONS
from pastream_cli.errors import STANDARD_STREAM, UsageError, shown, typed

TYPE_CHECKING = False  # importing it from typing takes a quarter of the time that Python needs to start
if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_ARGUMENT_FILES = 16
ALL_OPTIONS = "pastream --help lists the options"

_OPTION_OF = {name: option for option in OPTIONS for name in (*option.names, *option.aliases)}


class Given:
    """An option as it stands on the line; `value` is `None` where it has none."""

    def __init__(self, option: Option, name: str, value: str | None, argument: str) -> None:
        self.option = option
        self.name = name
        self.value = value
        self.argument = argument
        """The whole argument that the option is in, with others and a value that are attached to it."""


class Line:
    """A command line taken apart.

    Mistakes are collected and not raised, because -h counts even behind a mistake.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self.words: list[str] = []
        self.given: list[Given] = []
        self.mistakes: list[UsageError] = []
        self._rest = deque(argv)
        self._argument_files = 0
        while self._rest:
            self._take(self._rest.popleft())

    def _take(self, argument: str) -> None:
        try:
            self._sort(argument)
        except UsageError as mistake:
            self.mistakes.append(mistake)

    def _sort(self, argument: str) -> None:
        if argument == "--":
            self.words.extend(self._rest)
            self._rest.clear()
        elif argument.startswith("--"):
            self._take_long(argument)
        elif argument.startswith("-") and argument != STANDARD_STREAM:
            self._take_short(argument)
        elif argument.startswith("@"):
            self._take_file(argument)
        else:
            self.words.append(argument)

    def _take_long(self, argument: str) -> None:
        name, equals, value = argument.partition("=")
        option = self._option(name, argument)
        if equals and option.kind is Kind.FLAG:
            raise UsageError(f"cannot use {shown(argument)}: {name} takes no value")
        self._add(option, name, value if equals else None, argument)

    def _take_short(self, argument: str) -> None:
        """Take one dash and its letters: flags, up to an option that takes the rest as its value."""
        _refuse_single_dash(argument)
        for place, letter in enumerate(argument[1:], 2):
            name = f"-{letter}"
            option = self._option(name, argument)
            if option.kind is not Kind.FLAG:
                self._add(option, name, argument[place:].removeprefix("=") if argument[place:] else None, argument)
                return
            if argument[place : place + 1] == "=":
                raise UsageError(f"cannot use {shown(argument)}: {name} takes no value")
            self._add(option, name, None, argument)

    def _option(self, name: str, argument: str) -> Option:
        """Return the option `name`, typed in `argument`. If there is none, raise `UsageError` with a suggestion."""
        if option := _OPTION_OF.get(name):
            return option
        missing = "such option" if name == argument else f"option {shown(name)}"
        way_out = _near_miss(name, argument, list(self._rest))
        raise UsageError(f"cannot use {shown(argument)}: there is no {missing}", way_out)

    def _take_file(self, argument: str) -> None:
        """Replace the name of an argument file by the arguments in it."""
        self._argument_files += 1
        if self._argument_files > _MOST_ARGUMENT_FILES:
            self._rest.clear()
            raise UsageError(
                f"cannot read arguments from {shown(argument)}: more than {_MOST_ARGUMENT_FILES} files",
                "a file of arguments must not name itself",
            )
        self._rest.extendleft(reversed(arguments_in(argument)))

    def _add(self, option: Option, name: str, attached: str | None, argument: str) -> None:
        value = attached
        if attached is None and option.kind is not Kind.FLAG:
            value = self._next_value(option, name)
        self.given.append(Given(option, name, value, argument))

    def _next_value(self, option: Option, name: str) -> str | None:
        """Take the next argument as the value of `option`, if it can be one."""
        following = self._rest[0] if self._rest else None
        if option.kind is Kind.OPTIONAL_LIMIT:
            from pastream_cli.units import is_time

            is_value = following is not None and (is_time(following) or _is_negative_number(following))
            return self._rest.popleft() if is_value else None
        form = f"{name} {option.metavar}: {option.help}"
        if following is None:
            raise UsageError(f"cannot use {name}: its {option.metavar} is missing", form)
        if following.startswith("-") and following != STANDARD_STREAM and not _is_negative_number(following):
            raise UsageError(f"cannot use {name}: its {option.metavar} is missing before {shown(following)}", form)
        return self._rest.popleft()


def _is_negative_number(text: str) -> bool:
    return text.startswith("-") and text[1:2] in tuple("0123456789.")


def _near_miss(name: str, argument: str, rest: Sequence[str]) -> str:
    """Return the way out after an unknown option: what was probably meant, or where all are listed.

    `rest` is what follows the argument on the line.
    """
    from pastream_cli.command.synonyms import way_out_of
    from pastream_cli.spelling import closest

    written, equals, attached = argument.partition("=")
    following = [attached, *rest] if equals else rest
    if name.startswith("--") and len(name) > len("--"):
        if way_out := way_out_of(name, following):
            return way_out
        wanted = name.lower().replace("_", "-")
        longs = [option.long_name for option in OPTIONS if option.long_name.startswith("--")]
        starts = [long for long in longs if long.startswith(wanted)]
        near = starts or list(filter(None, [closest(wanted, longs)]))
        if near:
            return f"did you mean {' or '.join(near)}?"
    if _is_negative_number(name):
        return "a number belongs to an option, or to effects of SoX: sox in.wav -t au - gain -3 | pastream -"
    suffix = argument.rpartition(".")[2]
    if suffix != argument and not equals and suffix.isalnum() and suffix[0].isalpha():
        return f"for a file whose name begins with - write {typed(argument)}"
    if not name.startswith("--"):
        return _near_miss_of_a_letter(name, written, following)
    return ALL_OPTIONS


def _near_miss_of_a_letter(name: str, written: str, following: Sequence[str]) -> str:
    """Return the way out after an unknown letter behind one dash; `written` is all that stands behind the dash."""
    from pastream_cli.command.synonyms import way_out_of
    from pastream_cli.spelling import closest

    longs = [option.long_name for option in OPTIONS]
    if len(written) > len("-ar") and (near := closest(f"-{written}", longs)):
        return f"did you mean {near}?"
    if way_out := way_out_of(written, following):
        return way_out
    if name == "-?":
        return "did you mean -h?"
    if name == "-V":
        return "--version shows the version, and -v more of what goes on"
    other_case = name.swapcase()
    return f"did you mean {other_case}?" if other_case in _OPTION_OF else ALL_OPTIONS


def _refuse_single_dash(argument: str) -> None:
    """Refuse ``-duration``, which would otherwise be -d with a value of "uration"."""
    if "-" + argument.partition("=")[0] in _OPTION_OF:
        raise UsageError(f"cannot use {shown(argument)}: a long option has two dashes", f"did you mean -{argument}?")
