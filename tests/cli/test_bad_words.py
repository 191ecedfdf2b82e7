"""Command lines that mean nothing are refused, with what can be typed instead."""

from __future__ import annotations

import pytest

from pastream_cli.args import USAGE
from pastream_cli.command.option import PAIRS, Kind, Option
from pastream_cli.command.options import OPTIONS
from pastream_cli.units import RATE_FORMS, SIZE_FORMS, TIME_FORMS
from tests.refusals import (
    FAST,
    USAGE_ERROR,
    Refused,
    has_sound,
)
from tests.runner import Pastream


def test_no_arguments_are_answered_with_the_usage(refused: Refused) -> None:
    refused(code=USAGE_ERROR, says="cannot start: no INPUT was given", way_out=USAGE)


def test_options_without_a_word_are_answered_with_the_commonest_commands(refused: Refused) -> None:
    way_out = "pastream in.wav plays, pastream null out.wav records, pastream -h says more"
    refused("-d", "10", code=USAGE_ERROR, says="cannot start: no INPUT was given", way_out=way_out)


def test_a_file_of_arguments_that_is_not_there_is_named(refused: Refused) -> None:
    says = "cannot read arguments from @take: No such file or directory"
    way_out = "for a sound file whose name begins with @ write ./@take"
    refused("@take", code=USAGE_ERROR, says=says, way_out=way_out)


SIZE_OR_RATE = {Kind.SIZE: ("not a size", SIZE_FORMS), Kind.RATE: ("not a sample rate", RATE_FORMS)}
TIMES = {Kind.LIMIT, Kind.OFFSET, Kind.OPTIONAL_LIMIT, Kind.TIME}
NUMBERS = [option for option in OPTIONS if option.kind in {*TIMES, *SIZE_OR_RATE, Kind.CHANNELS, Kind.LATENCY}]
NO_NUMBERS = ("", "-5", "1e400", "0x10", "½", "1;5", "9" * 400)


def words_of(option: Option, name: str) -> tuple[str, str]:
    """Return what is said of a value that is no number: the reason and the forms that there are."""
    if option.kind in TIMES:
        return "not a time", TIME_FORMS
    if option.kind is Kind.CHANNELS:
        return "not a number of channels", f"{name} takes 1 to 1024, or two such numbers with a comma between"
    if option.kind is Kind.LATENCY:
        return "not a latency", "a latency is low, high, or seconds up to 60, as in 0.2"
    return SIZE_OR_RATE[option.kind]


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: str(option.long_name))
@has_sound
def test_nonsense_for_a_number_is_answered_with_the_forms_that_there_are(refused: Refused, option: Option) -> None:
    reason, forms = words_of(option, option.long_name)
    for value in NO_NUMBERS:
        if not value and option.kind in PAIRS:
            continue  # the default, with a warning
        says = f"cannot use {option.long_name} {value or repr(value)}: {reason}"
        arguments = ("in.wav", "out.wav", f"{option.long_name}={value}")
        refused(*arguments, *FAST, code=USAGE_ERROR, says=says, way_out=forms)


LOOP = "it repeats what is played: pastream in.wav --loop"
SPLIT = "it is for recordings: pastream null out.wav --split 10:00"


@pytest.mark.parametrize(
    ("line", "message", "way_out"),
    [
        ("null -q", "listen quietly: without an OUTPUT there is nothing but the screen", "leave out -q"),
        ("in.wav -q -v", "use --verbose: --quiet says the opposite", "leave out one of the two"),
        ("in.wav -q --meter", "use --meter: --quiet says the opposite", "leave out one of the two"),
        ("null out.wav -p 1", "use --pad: there is no INPUT to follow", "a recording is as long as -d TIME says"),
        ("null out.wav --loop", "use --loop: there is no INPUT to repeat", LOOP),
        ("in.wav -o 0.01", "use --offset: there is no OUTPUT", "-o drops TIME from the start of a recording"),
        ("in.wav --split 1", "use --split: OUTPUT is not a file", SPLIT),
        ("null - -t au --split 1", "use --split: OUTPUT is not a file", SPLIT),
        ("null out.wav --split 0", "use --split 0: a file holds at least one frame", "leave it out for a single file"),
        (
            "null out.wav --buffersize 0",
            "use --buffersize 0: a buffer holds at least one frame",
            "without it a buffer holds ten seconds",
        ),
        ("null out.wav -d 1 -o 2", "use --offset: it drops the whole recording", "make -o shorter than -d"),
        (
            "in.wav out.wav -o 1",
            "use --offset: it drops 48000 frames of a recording of 4800",
            "make -o shorter than the length",
        ),
        ("in.wav -m 1 -m 2", "use --map twice: this run has only one side", "give it once"),
        ("null out.wav", "run as fast as possible for ever: it would fill the disk", "say how long with -d"),
        (
            "in.wav out.wav third.wav",
            "use third.wav: INPUT is in.wav and OUTPUT is out.wav",
            "that is a word too many: pastream in.wav out.wav",
        ),
        ("null out.wav --durration 5", "use --durration: there is no such option", "did you mean --duration?"),
        ("-x.wav", "use -x.wav: there is no option -x", "for a file whose name begins with - write ./-x.wav"),
        ("null out.wav -z", "use -z: there is no such option", "pastream --help lists the options"),
        (
            "null out-{x}.wav -d 1",
            "use the name out-{x}.wav: {x} is no field",
            "the fields are {n}, {n:03}, {date}, {time}, {start:%H%M} or {utc:%H%M}; {{ is a brace",
        ),
    ],
)
@has_sound
def test_what_does_not_go_together_is_refused(refused: Refused, line: str, message: str, way_out: str | None) -> None:
    refused(*line.split(), *FAST, code=USAGE_ERROR, says=f"cannot {message}", way_out=way_out)


@pytest.mark.parametrize("routes", [1025, 20_000])
def test_more_routes_than_there_are_channels_are_refused_without_a_word_of_them(refused: Refused, routes: int) -> None:
    channels = ",".join(map(str, range(1, routes + 1)))
    says, way_out = "cannot use -m: more than 1024 routes", "a MAP is IN[:OUT][,IN[:OUT]...], counted from 1, as in"
    refused(
        "null", "out.wav", "-m", channels, *FAST, code=USAGE_ERROR, says=says, way_out=f"{way_out} 3,4, 1-8 or 1:2,2:1"
    )


@has_sound
def test_a_meter_needs_a_terminal(refused: Refused) -> None:
    says, way_out = "cannot use --meter: standard error is no terminal", "leave it out, or run in a terminal"
    refused("in.wav", "--meter", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("-d 1s", "-d 1s is 1 frame, 0.0208 ms; 1 second is -d 1"),
        ("-d 0.1 --split 4799s", "--split 4799s is 4 799 frames, 100 ms; 4 799 seconds are --split 4799"),
        ("-d 0 --buffersize 1 -D virtual", "--buffersize 1 holds 0.0208 ms of sound: every disk hesitates for longer"),
        ("-d 0.1 -b 1", "-b 1 is a block of 1 frame: a bit depth is -e, as in -e pcm_24"),
    ],
)
def test_what_was_probably_meant_otherwise_is_warned_of(pastream: Pastream, line: str, warning: str) -> None:
    result = pastream("null", "out.wav", *FAST, *line.split())
    assert result.returncode == 0
    assert f"pastream: warning: {warning}\n" in result.stderr
