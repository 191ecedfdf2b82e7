"""The parser of the command line, and the text of its help: arguments in, one frozen value out."""

from __future__ import annotations

from enum import Enum

from pastream_cli.command.line import Given, Line
from pastream_cli.command.option import PAIRS, Group, Kind, Option
from pastream_cli.command.options import EXAMPLES, OPTIONS
from pastream_cli.errors import STANDARD_STREAM, Lines, UsageError, shown

TYPE_CHECKING = False  # see line.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pastream_cli.command.job import Job

_MOST_WORDS = 2
# A smaller block size is probably a bit depth, typed after -b instead of -e.
_SMALLEST_LIKELY_BLOCK = 32
_BIT_DEPTHS = (16, 24)
# A lower rate was probably meant in kHz.
_SMALLEST_LIKELY_RATE = 800
_DOUBTFUL = {
    "duration": r"[0:.]+[kKmM]?s?",
    "latency": r"([3-9]|[1-9][0-9]+)(,.*)?",
    "maps": r"0(?:,[0-9]+)*",
    "sample_format": r"[SUF][0-9A-Z_]+|.*_.*",
}
"""Values, by the field of their option, of which something may have to be said."""


class Show(Enum):
    """What is shown instead of a run."""

    HELP = "the commonest options"
    ALL_OPTIONS = "every option"
    MANUAL = "the manual"
    VERSION = "the version"


class ListDevices:
    """Show the devices."""

    def __init__(self, *, json: bool, verbose: bool, warnings: Sequence[str] = ()) -> None:
        self.json = json
        self.verbose = verbose
        self.warnings = warnings


class Completions:
    """Print the completions for a shell."""

    def __init__(self, shell: str) -> None:
        self.shell = shell


class Complete:
    """Tell a shell what can follow: devices, types or encodings."""

    def __init__(self, what: str, argv: Sequence[str]) -> None:
        self.what = what
        self.argv = argv


COMPLETE = "--complete"
"""The argument with which completions ask for values; what they are for and the line follow. Nobody types it."""

_SHOWN_AT_ONCE = {
    "-h": Show.HELP,
    "--help": Show.ALL_OPTIONS,
    "--man": Show.MANUAL,
    "--version": Show.VERSION,
}


def parse(argv: Sequence[str]) -> Job | ListDevices | Completions | Complete | Show:
    """Turn the arguments after the program's name into what they ask for.

    ``-h``, ``--help``, ``--man`` and ``--version`` win over everything else on the line, mistakes included.

    Raises
    ------
    UsageError
        For the first mistake on the line.
    """
    if not argv:
        raise _no_input(USAGE)
    if argv[0] == COMPLETE and len(argv) > 1:
        return Complete(argv[1], argv[2:])
    line = Line(argv)
    for given in line.given:
        if given.name in _SHOWN_AT_ONCE:
            return _SHOWN_AT_ONCE[given.name]
    if line.mistakes:
        raise line.mistakes[0]
    values = _values(line.given)
    if shell := values.pop("completions", None):
        return Completions(shell)
    if values.pop("list", False):
        warnings = _beside_the_list(line.words)
        return ListDevices(json=values.get("json", False), verbose=values.get("verbose", False), warnings=warnings)
    from pastream_cli.command.job import Job
    from pastream_cli.command.job_checks import check
    from pastream_cli.command.value_types import as_output

    playback, capture = _words(line)
    capture = as_output(capture) if capture is not None else None
    if "also" in values:
        values["also"] = tuple(map(as_output, values["also"]))
    job = Job(
        input=playback, output=capture, warnings=tuple(_warnings(line, values, plays=playback is not None)), **values
    )
    check(job)
    return job


def wants_json(argv: Sequence[str]) -> bool:
    """Tell whether ``--json`` is on the line, even if the line has mistakes."""
    return any(given.option.field == "json" for given in Line(argv).given)


def has_sound_on_standard_output(argv: Sequence[str]) -> bool:
    """Tell whether one of the outputs on the line is ``-``, even if the line has mistakes."""
    from pastream_cli.command.value_types import as_output

    line = Line(argv)
    also = (given.value for given in line.given if given.option.field == "also")
    return STANDARD_STREAM in [as_output(word) for word in (*line.words[1:2], *also) if word is not None]


def _words(line: Line) -> tuple[str | None, str | None]:
    """Return INPUT and OUTPUT, `None` for null."""
    words = line.words
    if not words:
        raise _no_input("pastream in.wav plays, pastream null out.wav records, pastream -h says more")
    from pastream_cli.command.value_types import is_null

    if len(words) > _MOST_WORDS:
        from pastream_cli.command.word_hints import of_too_many

        first, second, third = (shown(word) for word in words[:3])
        flags = {given.option.field for given in line.given if given.value is None}
        raise UsageError(f"cannot use {third}: INPUT is {first} and OUTPUT is {second}", of_too_many(words, flags))
    playback, capture = (None if is_null(word) else word for word in (*words, "")[:_MOST_WORDS])
    return playback, capture


def _no_input(way_out: str) -> UsageError:
    """Return the error for a line without words; what comes through a pipe was meant to be INPUT."""
    import os
    import stat

    try:
        mode = os.fstat(0).st_mode
    except OSError:
        mode = 0
    is_piped = stat.S_ISFIFO(mode) or (stat.S_ISREG(mode) and os.fstat(0).st_size > 0)
    return UsageError(
        "cannot start: no INPUT was given", "for what comes through a pipe it is -: pastream -" if is_piped else way_out
    )


def _values(given_options: Sequence[Given]) -> dict[str, Any]:
    """Return the fields that the options set. If an option that takes one value is repeated, the last one counts."""
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
                "the first is for playback, the second for the recording" if option.most == 2 else None,
            )
    return values


def _value(given: Given) -> object:
    if given.option.kind is Kind.FLAG:
        return given.option.constant
    from pastream_cli.command.values import convert

    # Where a limit is optional, leaving it out is no limit.
    return None if given.value is None else convert(given.option.kind, given.value, given.name, given.argument)


def _warnings(line: Line, values: dict[str, Any], *, plays: bool) -> list[str]:
    """Return a line for each thing that is allowed and was probably not meant."""
    unset = "is a shell variable unset?"
    words = zip(("INPUT", "OUTPUT"), line.words, strict=False)
    warnings = [f"an empty {role} counts as null: {unset}" for role, word in words if not word]
    empty = [given.name for given in line.given if given.option.kind in PAIRS and not given.value]
    warnings += [f"an empty value after {name} counts as the default: {unset}" for name in empty]
    block_frames = values.get("block_frames", 0)
    if 0 < block_frames < _SMALLEST_LIKELY_BLOCK:
        from pastream_cli.units import format_frames

        bits = block_frames if block_frames in _BIT_DEPTHS else 24
        block = f"-b {block_frames} is a block of {format_frames(block_frames)}"
        warnings.append(f"{block}: a bit depth is -e, as in -e pcm_{bits}")
    if (rate := values.get("rate")) and rate < _SMALLEST_LIKELY_RATE:
        warnings.append(f"-r {rate} is {rate} Hz; {rate} kHz is -r {rate}k")
    channels = values.get("channels")
    if channels is not None and channels.playback and not channels.lone and not plays:
        of_playback, of_capture = channels.playback, channels.capture
        warnings.append(
            f"the {of_playback} of -c is for playback, of which there is none;"
            f" channels {of_playback} and {of_capture} are -m {of_playback},{of_capture}"
            if of_capture
            else f"the {of_playback} of -c is for playback, of which there is none"
        )
    return warnings + _doubts(line, values)


def _doubts(line: Line, values: dict[str, Any]) -> list[str]:
    """Return a line for each value that was probably meant otherwise, or is for a file that there is not."""
    if not line.given:
        return []
    import re

    from pastream_cli.command.value_types import is_null

    output = (*line.words, "")[1]
    warnings: list[str] = []
    for given in line.given:
        if given.value and re.fullmatch(_DOUBTFUL.get(given.option.field, "(?!)"), given.value):
            from pastream_cli.command.doubts import warning_of

            warnings += filter(None, [warning_of(given, values, records=not is_null(output))])
        if given.option.field in {"file_type", "encoding", "endian"} and all(map(is_null, line.words)):
            warnings.append(
                f"{given.name} is for a file or a pipe, and there is none; a pipe is - as in: pastream null - -t au"
            )
    return warnings


def _beside_the_list(words: Sequence[str]) -> list[str]:
    """Return the warning for words beside -l, which does nothing but list."""
    if not words:
        return []
    last = words[-1]
    meant = f"a latency is --latency {last}" if last in {"low", "high"} else "without -l it plays or records"
    return [f"-l lists the devices and does nothing with {' and '.join(map(shown, words))}; {meant}"]


_SYNOPSIS = "pastream [OPTIONS] INPUT [OUTPUT]"
_EXAMPLE_LINES = [f"  {command:<32} {what}" for command, what in EXAMPLES]
_WORDS_LINES = [
    "INPUT is played, OUTPUT is recorded: each a file, - (a pipe) or null (nothing).",
    "A TIME is in seconds, with an s behind it in frames: 90, 10:00, 48000s.",
]

USAGE = Lines("\n".join([f"usage: {_SYNOPSIS}", *_EXAMPLE_LINES, f"  {'pastream -h':<32} more"]))


def help_text() -> str:
    """Return what fits one screen: the commonest commands and options."""
    lines = [f"usage: {_SYNOPSIS}", *_EXAMPLE_LINES, ""]
    lines += [_help_line(option) for option in OPTIONS if option.is_common]
    lines += ["", *_WORDS_LINES, "All options: pastream --help. The manual: pastream --man"]
    return "\n".join(lines) + "\n"


def all_options_text() -> str:
    """Return the commonest commands, then every option under its heading."""
    lines = [f"usage: {_SYNOPSIS}", *_EXAMPLE_LINES]
    for group in Group:
        lines += ["", f"{group.value}:"]
        lines += [_help_line(option) for option in OPTIONS if option.group is group]
    lines += ["", *_WORDS_LINES, "The manual: pastream --man, or man pastream"]
    return "\n".join(lines) + "\n"


def _help_line(option: Option) -> str:
    short = f"{option.names[0]}, " if len(option.names) > 1 else "    "
    return f"  {short}{option.long_name} {option.value_form}".ljust(31) + option.help
