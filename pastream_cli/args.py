"""The command line: arguments in, one frozen value out. Loads nothing beside the standard library."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pastream_cli.errors import UsageError
from pastream_cli.job import STANDARD_STREAM, Job, is_null
from pastream_cli.options import EXAMPLES, OPTIONS, PAIRS, Group, Kind, Option
from pastream_cli.units import is_time, shown
from pastream_cli.values import convert

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_WORDS = 2
# Below it a block size is taken for a bit depth that somebody meant.
_SMALLEST_LIKELY_BLOCK = 32
_MOST_ARGUMENT_FILES = 16
_LONGEST_ARGUMENT_FILE = 2**18

_OPTION_OF = {name: option for option in OPTIONS for name in (*option.names, *option.aliases)}

_NEGATIVE_NUMBER = re.compile(r"-[0-9.].*", re.DOTALL)
# A # within a word is part of it, as in a shell; shlex would cut take#1.wav short.
_QUOTED_OR_COMMENT = re.compile(r"""('[^']*'|"(?:\\.|[^"\\])*"|\\.)|(?<!\S)#.*""")


@dataclass(frozen=True, slots=True)
class ListDevices:
    """Show the devices."""

    json: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Complete:
    """Tell a shell what can follow: devices, types or encodings."""

    what: str


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """Show the help."""


@dataclass(frozen=True, slots=True)
class ShowVersion:
    """Show the version."""


COMPLETE = "--complete"
"""What the completions of shells ask with; nobody types it."""

_SHOWN_AT_ONCE: dict[str, ShowHelp | ShowVersion] = {"help": ShowHelp(), "version": ShowVersion()}


def parse(argv: Sequence[str]) -> Job | ListDevices | ShowHelp | ShowVersion | Complete:
    """Turn the arguments after the program's name into what they ask for.

    ``-h`` and ``--version`` win over everything else on the line, mistakes included.

    Raises
    ------
    UsageError
        For the first mistake on the line.
    """
    if not argv:
        raise UsageError("cannot start: no INPUT was given", USAGE)
    if argv[0] == COMPLETE and len(argv) == 2:
        return Complete(argv[1])
    line = _Line(argv)
    for given in line.given:
        if given.option.field in _SHOWN_AT_ONCE:
            return _SHOWN_AT_ONCE[given.option.field]
    if line.mistakes:
        raise line.mistakes[0]
    values = _values(line.given)
    if values.pop("list", False):
        return ListDevices(json=values.get("json", False), verbose=values.get("verbose", False))
    playback, capture = _words(line.words)
    return Job(input=playback, output=capture, warnings=tuple(_warnings(line, values)), **values)


def wants_json(argv: Sequence[str]) -> bool:
    """Tell whether ``--json`` is on the line, whatever mistakes are there too."""
    return any(given.option.field == "json" for given in _Line(argv).given)


def output_of(argv: Sequence[str]) -> str | None:
    """Return the second word of the line, whatever mistakes are there too."""
    return (*_Line(argv).words, None, None)[1]


@dataclass(frozen=True, slots=True)
class _Given:
    """An option as it stands on the line; `value` is `None` where it has none."""

    option: Option
    name: str
    value: str | None


class _Line:
    """A command line taken apart into words and options; values are not looked into.

    Mistakes are collected, because a plea for help behind one is still heard.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self.words: list[str] = []
        self.given: list[_Given] = []
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
        option = _option(name, argument)
        if equals and option.kind is Kind.FLAG:
            raise UsageError(f"cannot use {shown(argument)}: {name} takes no value")
        self._add(option, name, value if equals else None)

    def _take_short(self, argument: str) -> None:
        """Take one dash and its letters: flags, up to an option that takes the rest as its value."""
        _refuse_single_dash(argument)
        letters = argument[1:]
        while letters:
            name, letters = f"-{letters[0]}", letters[1:]
            option = _option(name, argument)
            if option.kind is not Kind.FLAG:
                self._add(option, name, letters.removeprefix("=") if letters else None)
                return
            if letters.startswith("="):
                raise UsageError(f"cannot use {shown(argument)}: {name} takes no value")
            self._add(option, name, None)

    def _take_file(self, argument: str) -> None:
        """Put the arguments in a file in the place of its name."""
        self._argument_files += 1
        if self._argument_files > _MOST_ARGUMENT_FILES:
            self._rest.clear()
            raise UsageError(
                f"cannot read arguments from {shown(argument)}: more than {_MOST_ARGUMENT_FILES} files",
                "a file of arguments must not name itself",
            )
        self._rest.extendleft(reversed(_arguments_in(argument)))

    def _add(self, option: Option, name: str, attached: str | None) -> None:
        value = attached
        if attached is None and option.kind is not Kind.FLAG:
            value = self._next_value(option, name)
        self.given.append(_Given(option, name, value))

    def _next_value(self, option: Option, name: str) -> str | None:
        """Take the next argument as the value of `option`, if it can be one."""
        following = self._rest[0] if self._rest else None
        if option.kind is Kind.PAD:
            is_value = following is not None and (is_time(following) or _is_negative_number(following))
            return self._rest.popleft() if is_value else None
        form = f"{name} {option.metavar}: {option.help}"
        if following is None:
            raise UsageError(f"cannot use {name}: its {option.metavar} is missing", form)
        if following.startswith("-") and following != STANDARD_STREAM and not _is_negative_number(following):
            raise UsageError(f"cannot use {name}: its {option.metavar} is missing before {shown(following)}", form)
        return self._rest.popleft()


def _is_negative_number(text: str) -> bool:
    return bool(_NEGATIVE_NUMBER.fullmatch(text))


def _option(name: str, argument: str) -> Option:
    """Return the option of this name, found in `argument`; `UsageError` with a near miss where there is none."""
    if option := _OPTION_OF.get(name):
        return option
    missing = "such option" if name == argument else f"option {shown(name)}"
    raise UsageError(f"cannot use {shown(argument)}: there is no {missing}", _near_miss(name))


def _near_miss(name: str) -> str:
    """Return the question whether a similar long option was meant, or where all are listed."""
    if name.startswith("--") and len(name) > len("--"):
        from difflib import get_close_matches

        wanted = name.lower().replace("_", "-")
        longs = [option.long_name for option in OPTIONS]
        starts = [long for long in longs if long.startswith(wanted)]
        if near := starts or get_close_matches(wanted, longs, n=1):
            return f"did you mean {' or '.join(near)}?"
    return "pastream -h lists the options"


def _refuse_single_dash(argument: str) -> None:
    """Refuse ``-duration``, which would otherwise be -d with a value of "uration"."""
    if "-" + argument.partition("=")[0] in _OPTION_OF:
        raise UsageError(f"cannot use {shown(argument)}: a long option has two dashes", f"did you mean -{argument}?")


def _arguments_in(argument: str) -> list[str]:
    """Return the arguments in the file that ``@FILE`` names, by a shell's rules for quotes and comments."""
    import shlex

    try:
        text = _QUOTED_OR_COMMENT.sub(lambda match: match[1] or "", _text_of(argument[1:]))
        return shlex.split(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).lower()
        raise UsageError(
            f"cannot read arguments from {shown(argument)}: {reason}",
            f"for a sound file whose name begins with @ write ./{shown(argument)}",
        ) from None


def _text_of(path: str) -> str:
    """Return what is in a text file; `ValueError` for any other."""
    with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
        text = file.read(_LONGEST_ARGUMENT_FILE + 1)
    if len(text) > _LONGEST_ARGUMENT_FILE or "\0" in text:
        raise ValueError("not a text of arguments")
    return text


def _words(words: Sequence[str]) -> tuple[str | None, str | None]:
    """Return INPUT and OUTPUT, `None` for null."""
    if not words:
        way_out = "pastream in.wav plays, pastream null out.wav records, pastream -h says more"
        raise UsageError("cannot start: no INPUT was given", way_out)
    if len(words) > _MOST_WORDS:
        first, second, third = (shown(word) for word in words[:3])
        way_out = f"a length is -d {third}" if is_time(third) else "put quotes around a name that has spaces"
        raise UsageError(f"cannot use {third}: INPUT is {first} and OUTPUT is {second}", way_out)
    playback, capture = (None if is_null(word) else word for word in (*words, "")[:_MOST_WORDS])
    return playback, capture


def _values(given_options: Sequence[_Given]) -> dict[str, Any]:
    """Return the fields that the options set; where one may not be repeated, the last counts."""
    values: dict[str, Any] = {}
    for given in given_options:
        option = given.option
        value = _value(given)
        if option.most == 1:
            values[option.field] = value
            continue
        values[option.field] = (*values.get(option.field, ()), value)
        if len(values[option.field]) > option.most:
            raise UsageError(
                f"cannot use {given.name} {shown(given.value or '')}: it was given {option.most} times before",
                "the first is for playback, the second for the recording",
            )
    return values


def _value(given: _Given) -> object:
    if given.option.kind is Kind.FLAG:
        return given.option.constant
    # Only a pad can be without a value, and then it fills up.
    return None if given.value is None else convert(given.option.kind, given.value, given.name)


def _warnings(line: _Line, values: dict[str, Any]) -> list[str]:
    """Return a line for each thing that is allowed and was probably not meant."""
    unset = "is a shell variable unset?"
    words = zip(("INPUT", "OUTPUT"), line.words, strict=False)
    warnings = [f"an empty {role} counts as null: {unset}" for role, word in words if not word]
    empty = [given.name for given in line.given if given.option.kind in PAIRS and not given.value]
    warnings += [f"an empty value after {name} counts as the default: {unset}" for name in empty]
    block_frames = values.get("block_frames", 0)
    if 0 < block_frames < _SMALLEST_LIKELY_BLOCK:
        warnings.append(f"-b {block_frames} is a block of {block_frames} frames: a bit depth is -e, as in -e pcm_24")
    return warnings


_SYNOPSIS = "pastream [OPTIONS] INPUT [OUTPUT]"
_EXAMPLE_LINES = [f"  {command:<32} {what}" for command, what in EXAMPLES]

USAGE = "\n".join([f"usage: {_SYNOPSIS}", *_EXAMPLE_LINES, f"  {'pastream -h':<32} all options"])


def help_text() -> str:
    """Return the help: the commonest commands, then every option under its heading."""
    lines = [f"usage: {_SYNOPSIS}", *_EXAMPLE_LINES]
    for group in Group:
        lines += ["", f"{group.value}:"]
        lines += [_help_line(option) for option in OPTIONS if option.group is group]
    lines += ["", "INPUT is played, OUTPUT is recorded: each a file, - (a pipe) or null (nothing)."]
    lines += ["A TIME is in seconds, with an s behind it in frames. See also: man pastream"]
    return "\n".join(lines) + "\n"


def _help_line(option: Option) -> str:
    short = f"{option.names[0]}, " if len(option.names) > 1 else "    "
    return f"  {short}{option.long_name} {option.value_form}".ljust(31) + option.help
