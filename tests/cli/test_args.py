"""What a user types, and what the program understands by it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pastream_cli import args
from pastream_cli.args import ListDevices, Show, help_text, parse
from pastream_cli.command.job import Job, Pair, Route
from pastream_cli.command.option import Kind, Option
from pastream_cli.command.options import EXAMPLES, OPTIONS
from pastream_cli.errors import ExitCode, UsageError
from pastream_cli.pages.man_page import sections
from pastream_cli.units import TIME_FORMS, Time

ROOT = Path(__file__).parents[2]


def seconds(number: float) -> Time:
    return Time(seconds=Fraction(number))


def job_of(line: str) -> Job:
    """Return what a command line asks for, without the program's name."""
    job = parse(shlex.split(line))
    assert isinstance(job, Job)
    return job


def mistake_in(line: str) -> UsageError:
    """Return the error that a command line ends in."""
    with pytest.raises(UsageError) as caught:
        parse(shlex.split(line))
    assert caught.value.exit_code is ExitCode.USAGE
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("in.wav", ("in.wav", None)),
        ("in.wav out.wav", ("in.wav", "out.wav")),
        ("null out.wav", (None, "out.wav")),
        ("NULL out.wav", (None, "out.wav")),
        ("Null ^", (None, None)),
        ("^ out.wav", (None, "out.wav")),
        ("null", (None, None)),
        ("- out.wav", ("-", "out.wav")),
        ("- - -t au", ("-", "-")),
        ("-- -in.wav -out.wav", ("-in.wav", "-out.wav")),
        ("-q -- -d @out.wav", ("-d", "@out.wav")),
        ("in.wav -- out.wav", ("in.wav", "out.wav")),
        ("./null nullify", ("./null", "nullify")),
        ("'a b.wav'", ("a b.wav", None)),
    ],
)
def test_the_words_are_what_is_played_and_what_is_recorded(line: str, words: tuple[str | None, str | None]) -> None:
    job = job_of(line)
    assert (job.input, job.output) == words
    assert job.warnings == ()


@pytest.mark.parametrize(
    "line",
    ["-d 5 null out.wav", "null -d 5 out.wav", "null out.wav -d 5", "null out.wav -d5", "--duration=5 null out.wav"],
)
def test_options_stand_before_between_and_after_the_words(line: str) -> None:
    assert job_of(line) == Job(input=None, output="out.wav", duration=seconds(5))


def test_an_empty_word_is_null_with_a_warning() -> None:
    job = job_of("'' ''")
    assert (job.input, job.output) == (None, None)
    assert [warning.partition(":")[0] for warning in job.warnings] == [
        "an empty INPUT counts as null",
        "an empty OUTPUT counts as null",
    ]


def test_no_arguments_at_all_are_answered_with_a_short_usage() -> None:
    mistake = mistake_in("")
    assert mistake.way_out == args.USAGE
    assert len(args.USAGE.splitlines()) <= 8


def test_options_without_a_word_are_refused() -> None:
    assert mistake_in("-d 10").message == "cannot start: no INPUT was given"


def test_a_third_word_is_named() -> None:
    mistake = mistake_in("my take one.wav")
    assert mistake.message == "cannot use one.wav: INPUT is my and OUTPUT is take"
    assert mistake.way_out == "put quotes around a name that has spaces"


def test_a_length_as_third_word_meets_the_option_for_it() -> None:
    assert mistake_in("null out.wav 10:00").way_out == "a length is -d 10:00"


@pytest.mark.parametrize("line", ["-d 10", "-d10", "-d=10", "--duration 10", "--duration=10", "-qd10", "-yqd 10"])
def test_a_value_is_attached_or_not(line: str) -> None:
    assert job_of(f"in.wav {line}").duration == seconds(10)


def test_the_examples_of_old_work_as_printed() -> None:
    assert job_of("-c1 -r48k -e=pcm_16 output.raw") == Job(
        input="output.raw",
        output=None,
        channels=Pair(1, 1, lone=True),
        rate=48000,
        encoding=Pair("PCM_16", "PCM_16", True),
    )
    assert job_of("null output.wav -r48k -d10:00") == Job(
        input=None, output="output.wav", rate=48000, duration=seconds(600)
    )
    assert job_of("input.wav output.wav") == Job(input="input.wav", output="output.wav")
    assert job_of("- output.wav") == Job(input="-", output="output.wav")
    assert parse(["-h"]) == Show.HELP
    assert isinstance(parse(["-l"]), ListDevices)


def test_flags_share_a_dash() -> None:
    job = job_of("-qy in.wav out.wav")
    assert job.quiet
    assert job.overwrite


def test_the_last_of_repeated_options_counts() -> None:
    job = job_of("in.wav -d 5 -c 1 -d 7 --channels 2,4")
    assert job.duration == seconds(7)
    assert job.channels == Pair(2, 4)


def test_old_names_are_kept() -> None:
    assert job_of("in.raw --file_type raw").file_type == Pair("RAW", "RAW", lone=True)
    assert job_of("in.wav -s 0,1").channel_select == ((0, 1),)


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("--fatal-xrun", "did you mean --fatal-xruns?"),
        ("--fatal_xruns", "did you mean --fatal-xruns?"),
        ("--dur", "did you mean --duration?"),
        ("--buffer-size=1k", "did you mean --buffersize?"),
        ("--Loop", "did you mean --loop?"),
        ("--ver", "did you mean --verbose or --version?"),
        ("--xyzzy", "pastream -h lists the options"),
        ("-z", "pastream -h lists the options"),
        ("-qz", "pastream -h lists the options"),
        ("--=5", "pastream -h lists the options"),
    ],
)
def test_an_unknown_option_is_refused_and_a_near_miss_named(typed: str, question: str) -> None:
    mistake = mistake_in(f"in.wav {typed}")
    assert mistake.message.startswith("cannot use -")
    assert "there is no" in mistake.message
    assert mistake.way_out == question


def test_no_long_option_can_be_abbreviated() -> None:
    for option in OPTIONS:
        assert "there is no such option" in mistake_in(f"in.wav {option.long_name[:-1]}").message


@pytest.mark.parametrize("typed", ["-duration 10", "-device=hw", "-loop", "-quiet"])
def test_a_long_option_with_one_dash_is_refused(typed: str) -> None:
    mistake = mistake_in(f"in.wav {typed}")
    assert mistake.message.endswith("a long option has two dashes")
    assert mistake.way_out == f"did you mean -{shlex.split(typed)[0]}?"


@pytest.mark.parametrize("typed", ["--quiet=yes", "-q=1", "--loop="])
def test_a_flag_takes_no_value(typed: str) -> None:
    assert mistake_in(f"in.wav {typed}").message.endswith("takes no value")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("in.wav -d", "cannot use -d: its TIME is missing"),
        ("in.wav -d -q", "cannot use -d: its TIME is missing before -q"),
        ("--device --loop in.wav", "cannot use --device: its DEV is missing before --loop"),
        ("-c -- in.wav", "cannot use -c: its N is missing before --"),
    ],
)
def test_a_missing_value_is_told_with_what_the_option_does(line: str, message: str) -> None:
    mistake = mistake_in(line)
    assert mistake.message == message
    assert mistake.way_out is not None
    assert ": " in mistake.way_out


def test_a_dash_is_a_value_too() -> None:
    assert job_of("-D - in.wav").device == "-"
    assert job_of("-D=-q in.wav").device == "-q"


@pytest.mark.parametrize(
    "line", ["-h", "--help", "in.wav -h", "-d abc -h", "--no-such -h", "-d -h", "-qh", "a b c d -h"]
)
def test_help_wins_over_everything_else(line: str) -> None:
    assert parse(shlex.split(line)) == Show.HELP


@pytest.mark.parametrize("line", ["--version", "in.wav --version", "--bogus --version", "--version -h"])
def test_version_wins_over_everything_else(line: str) -> None:
    assert parse(shlex.split(line)) == Show.VERSION


def test_help_behind_two_dashes_is_a_word() -> None:
    assert job_of("-- -h").input == "-h"


@pytest.mark.parametrize("line", ["-l", "--list", "in.wav out.wav -l", "-ql", "a b c -l"])
def test_list_wins_over_the_words(line: str) -> None:
    assert isinstance(parse(shlex.split(line)), ListDevices)


def test_a_mistake_beside_list_is_told() -> None:
    assert "there is no such option" in mistake_in("-l --jsno").message


def test_the_list_can_be_json() -> None:
    wish = parse(["-l", "--json"])
    assert isinstance(wish, ListDevices)
    assert (wish.json, wish.verbose) == (True, False)


def test_minus_one_is_no_limit() -> None:
    assert job_of("in.wav -d -1").duration is None
    assert job_of("in.wav -d-1").duration is None
    assert job_of("in.wav --duration=-1").duration is None


@pytest.mark.parametrize("line", ["-p", "-p -1", "-p-1", "--pad", "--pad=-1", "-p -q", "-qp"])
def test_a_pad_without_a_time_fills_up(line: str) -> None:
    assert job_of(f"in.wav {line}").pad is None
    assert job_of("in.wav").pad == Time(frames=0)


def test_a_pad_takes_the_next_word_only_if_it_is_a_time() -> None:
    job = job_of("-p in.wav")
    assert (job.input, job.pad) == ("in.wav", None)
    job = job_of("-p 5 in.wav")
    assert (job.input, job.pad) == ("in.wav", seconds(5))
    assert job_of("-p 10s in.wav").pad == Time(frames=10)


@pytest.mark.parametrize(
    "line",
    ["-d 1h", "-d 1m30", "-d abc", "-d nan", "-d 1e400", "-d -2", "-d ''", "-p -2", "-p=x", "--pad=", "-o -1", "-d -0"],
)
def test_what_is_no_time_is_refused_with_the_accepted_forms(line: str) -> None:
    mistake = mistake_in(f"in.wav out.wav {line}")
    assert "not a time" in mistake.message
    assert mistake.way_out is not None
    assert mistake.way_out.endswith(TIME_FORMS)


def test_a_value_is_refused_under_the_name_that_was_typed() -> None:
    assert mistake_in("in.wav -dabc").message == "cannot use -d abc: not a time"
    assert mistake_in("in.wav --duration=abc").message == "cannot use --duration abc: not a time"


def test_milliseconds_are_refused_and_not_taken_for_a_file() -> None:
    assert "million frames" in mistake_in("in.wav -p 10ms").message


@pytest.mark.parametrize("name", ["out.wav", "take", "takes/1.wav", "01.flac", "-"])
def test_a_file_after_o_meets_the_second_word(name: str) -> None:
    mistake = mistake_in(f"null -o {name}")
    assert mistake.way_out is not None
    assert mistake.way_out.startswith(f"OUTPUT is the second word, as in pastream null {name}; ")


def test_a_time_gone_wrong_after_o_does_not() -> None:
    assert mistake_in("null out.wav -o 1h").way_out == TIME_FORMS


@pytest.mark.parametrize(
    "line",
    [
        "null out.wav -d 5 -o 5",
        "null out.wav -d 5 -o 6",
        "null out.wav -d 48ks -o 48ks",
        "null out.wav -d 0 -o 1",
        "in.wav out.wav -d 5 -p 2 -o 7",
        "in.wav out.wav -d 5 -p -o 5",
        "null out.wav -d 10s -o 10",
    ],
)
def test_an_offset_that_leaves_nothing_is_refused(line: str) -> None:
    assert mistake_in(line).message == "cannot use --offset: it drops the whole recording"


@pytest.mark.parametrize(
    "line",
    [
        "null out.wav -d 5 -o 4.99",
        "null out.wav -d 0",
        "null out.wav -o 5",
        "in.wav out.wav -d 5 -p 2 -o 6",
        "null out.wav -d 5 -o 48000s",
        "null out.wav -d 48000s -o 0.5",
    ],
)
def test_an_offset_that_may_leave_something_is_taken(line: str) -> None:
    assert not job_of(line).offset_drops_all(48000)


def test_an_offset_in_frames_is_judged_once_the_rate_is_known() -> None:
    job = job_of("null out.wav -d 1 -o 48000s")
    assert job.offset_drops_all(48000)
    assert not job.offset_drops_all(96000)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("null out.wav -p 5", "cannot use --pad: there is no INPUT to follow"),
        ("null out.wav -p", "cannot use --pad: there is no INPUT to follow"),
        ("null out.wav --loop", "cannot use --loop: there is no INPUT to repeat"),
        ("in.wav -o 1", "cannot use --offset: there is no OUTPUT"),
        ("in.wav --buffersize 0", "cannot use --buffersize 0: a buffer holds at least one frame"),
        ("null -", "cannot write to standard output: no file type was given"),
        ("in.wav - -t au,null", "cannot write to standard output: no file type was given"),
    ],
)
def test_options_that_need_what_is_not_there_are_refused(line: str, message: str) -> None:
    assert mistake_in(line).message == message


@pytest.mark.parametrize(
    ("typed", "pair"),
    [
        ("2", Pair(2, 2, lone=True)),
        ("2,4", Pair(2, 4)),
        ("null,4", Pair(None, 4)),
        ("^,4", Pair(None, 4)),
        (",4", Pair(None, 4)),
        ("2,", Pair(2, None)),
        ("2,NULL", Pair(2, None)),
        ("null", Pair()),
        ("'1, 2'", Pair(1, 2)),
    ],
)
def test_a_pair_is_one_value_or_one_for_each_side(typed: str, pair: Pair[int]) -> None:
    job = job_of(f"in.wav out.wav -c {typed}")
    assert job.channels == pair
    assert job.warnings == ()


@pytest.mark.parametrize("option", ["-c", "-t", "-e", "-f", "-D", "--endian", "--latency"])
def test_an_empty_value_is_the_default_with_a_warning(option: str) -> None:
    job = job_of(f"in.wav out.wav {option} ''")
    assert job.warnings == (f"an empty value after {option} counts as the default: is a shell variable unset?",)
    assert job == Job(input="in.wav", output="out.wav", warnings=job.warnings)


@pytest.mark.parametrize("typed", ["two", "0", "-1", "1025", "1.5", "2x", "99999999999", "2,two", "\u0663"])
def test_what_is_no_number_of_channels_is_refused(typed: str) -> None:
    message = mistake_in(f"in.wav -c {typed}").message
    assert message == f"cannot use -c {typed.removeprefix('2,')}: not a number of channels"


def test_three_values_are_too_many_for_a_pair() -> None:
    assert mistake_in("in.wav -c 1,2,3").message == "cannot use -c 1,2,3: more than two values"


@pytest.mark.parametrize(
    ("typed", "sample_format"),
    [
        ("float32", "float32"),
        ("F32", "float32"),
        ("FLOAT_LE", "float32"),
        ("int32", "int32"),
        ("s32", "int32"),
        ("S32_LE", "int32"),
        ("int24", "int24"),
        ("S24_3LE", "int24"),
        ("s24_le", "int24"),
        ("int16", "int16"),
        ("s16", "int16"),
        ("S16_LE", "int16"),
        ("int8", "int8"),
        ("S8", "int8"),
        ("uint8", "uint8"),
        ("U8", "uint8"),
    ],
)
def test_a_sample_format_has_many_names(typed: str, sample_format: str) -> None:
    assert job_of(f"in.wav -f {typed}").sample_format == Pair(sample_format, sample_format, lone=True)


@pytest.mark.parametrize("typed", ["float64", "pcm_16", "wav", "S16_BE", "16"])
def test_what_is_no_sample_format_is_refused_with_where_to_look(typed: str) -> None:
    mistake = mistake_in(f"in.wav -f {typed}")
    assert mistake.message == f"cannot use -f {typed}: not a sample format"
    assert mistake.way_out == "at the device: float32 int32 int24 int16 int8 uint8; in the file: -t and -e"


def test_names_of_types_and_encodings_may_be_in_any_case() -> None:
    job = job_of("in.raw out.flac -t raw,Flac -e Pcm_16,PCM_24 --endian BIG,file")
    assert job.file_type == Pair("RAW", "FLAC")
    assert job.encoding == Pair("PCM_16", "PCM_24")
    assert job.endian == Pair("big", "file")


def test_what_is_no_byte_order_is_refused() -> None:
    assert mistake_in("in.wav --endian middle").way_out == "one of file, big, little"


@pytest.mark.parametrize(
    ("typed", "pair"),
    [
        ("low", Pair("low", "low", lone=True)),
        ("HIGH,0.1", Pair("high", 0.1)),
        ("0", Pair(0.0, 0.0, lone=True)),
        (".05,null", Pair(0.05, None)),
    ],
)
def test_a_latency_is_low_high_or_seconds(typed: str, pair: Pair[float | str]) -> None:
    assert job_of(f"in.wav --latency {typed}").latency == pair


@pytest.mark.parametrize("typed", ["200", "-1", "10ms", "nan", "inf", "1e-3", "medium"])
def test_what_is_no_latency_is_refused(typed: str) -> None:
    assert "not a latency" in mistake_in(f"in.wav --latency {typed}").message


@pytest.mark.parametrize("typed", ["hw:1,0", "pulse, ALSA", '"a,b",c', "null", "3", "virtual:sine:fast"])
def test_a_device_is_left_as_typed(typed: str) -> None:
    assert job_of(f"in.wav -D {shlex.quote(typed)}").device == typed


def test_a_block_taken_for_a_bit_depth_is_warned_of() -> None:
    job = job_of("null out.wav -b 24")
    assert job.block_frames == 24
    assert job.warnings == ("-b 24 is a block of 24 frames: a bit depth is -e, as in -e pcm_24",)


def test_numbers_of_channels_taken_for_their_count_are_warned_of() -> None:
    job = job_of("null out.wav -c 3,4")
    assert job.warnings == ("the 3 of -c is for playback, of which there is none; channels 3 and 4 are -m 3,4",)


@pytest.mark.parametrize("line", ["null out.wav -c 4", "null out.wav -c null,4", "in.wav out.wav -c 3,4"])
def test_a_likely_number_of_channels_is_not_warned_of(line: str) -> None:
    assert job_of(line).warnings == ()


@pytest.mark.parametrize("typed", ["0", "32", "1K"])
def test_a_likely_block_is_not_warned_of(typed: str) -> None:
    assert job_of(f"null out.wav -b {typed}").warnings == ()


def test_a_buffer_is_a_size() -> None:
    assert job_of("null out.wav --buffersize 64K").buffer_frames == 65536
    assert job_of("null out.wav").buffer_frames is None


def test_plain_flags_are_set() -> None:
    assert job_of("in.wav out.wav --loop -d 1 --fatal-xruns -y -q") == Job(
        input="in.wav", output="out.wav", loop=True, duration=seconds(1), fatal_xruns=True, overwrite=True, quiet=True
    )


@pytest.mark.parametrize(
    ("typed", "routes"),
    [
        ("3,4", [(3, 1), (4, 2)]),
        ("1", [(1, 1)]),
        ("1:2,2:1", [(1, 2), (2, 1)]),
        ("1:3,2", [(1, 3), (2, 2)]),
        ("0,1,1", [(0, 1), (1, 2), (1, 3)]),
    ],
)
def test_a_map_says_which_channel_goes_where(typed: str, routes: list[tuple[int, int]]) -> None:
    assert job_of(f"null out.wav -m {typed}").maps == (tuple(Route(*route) for route in routes),)


@pytest.mark.parametrize(
    "typed", ["in.wav", "1,", "1:", ":1", "1-2", "a", "1:2:3", "-1", "''", "1:0", "1,2:1", "9999", "1:9999"]
)
def test_what_is_no_map_is_refused_with_the_form(typed: str) -> None:
    way_out = mistake_in(f"null out.wav -m {typed}").way_out
    assert way_out is not None
    assert "IN[:OUT][,IN[:OUT]...]" in way_out


def test_a_map_that_is_missing_is_told_with_its_form() -> None:
    assert mistake_in("null out.wav -m").way_out == "-m MAP: channels IN[:OUT],...: 3,4 takes 3 and 4"


def test_two_maps_are_for_playback_and_recording() -> None:
    job = job_of("in.wav out.wav -m 2,1 --map 3")
    assert job.maps == ((Route(2, 1), Route(1, 2)), (Route(3, 1),))
    assert mistake_in("in.wav out.wav -m 1 -m 2 -m 3").message == "cannot use -m 3: it was given 2 times before"
    assert mistake_in("null out.wav -m 1 -m 2").message == "cannot use --map twice: this run has only one side"


def test_channels_of_a_driver_are_lists() -> None:
    assert job_of("in.wav out.wav --channel-select 0,1 -s 4").channel_select == ((0, 1), (4,))
    assert "not a list of channels" in mistake_in("in.wav -s 1,x").message


def test_the_meter_is_shown_hidden_or_left_to_the_terminal() -> None:
    assert job_of("null").meter is None
    assert job_of("null --meter").meter is True
    assert job_of("null --no-meter").meter is False
    assert job_of("null --meter --no-meter").meter is False


@pytest.mark.parametrize("line", ["null -q -v", "null -q --meter"])
def test_quiet_and_talking_do_not_go_together(line: str) -> None:
    assert mistake_in(line).message.endswith("--quiet says the opposite")


def test_a_recording_is_split() -> None:
    assert job_of("null out.wav --split 1:00").split == seconds(60)
    assert mistake_in("null out.wav --split 0").message == "cannot use --split 0: a file holds at least one frame"
    assert mistake_in("in.wav --split 60").message == "cannot use --split: OUTPUT is not a file"
    assert mistake_in("null - -t au --split 60").message == "cannot use --split: OUTPUT is not a file"
    assert "not a time" in mistake_in("null out.wav --split -1").message


def test_json_and_verbose_are_flags() -> None:
    job = job_of("null out.wav --json -v")
    assert job.json
    assert job.verbose


def test_arguments_come_from_a_file(tmp_path: Path) -> None:
    arguments = tmp_path / "studio"
    arguments.write_text("-r 48k  # the interface's own\n# don't forget the mixer\n-D 'My \"card\"'\nnull take#1.wav\n")
    job = job_of(f"@{arguments} -d 5")
    assert job == Job(input=None, output="take#1.wav", rate=48000, device='My "card"', duration=seconds(5))


def test_arguments_from_a_file_stand_in_the_place_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("-d 1")
    assert job_of(f"null @{tmp_path}/a out.wav -d 2").duration == seconds(2)
    assert job_of(f"null -d 2 @{tmp_path}/a out.wav").duration == seconds(1)


def test_a_file_of_arguments_may_name_another(tmp_path: Path) -> None:
    (tmp_path / "outer").write_text(f"@{tmp_path}/inner out.wav")
    (tmp_path / "inner").write_text("\ufeffnull")
    assert job_of(f"@{tmp_path}/outer") == Job(input=None, output="out.wav")


def test_a_file_of_arguments_that_names_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "snake").write_text(f"@{tmp_path}/snake " * 9)
    mistake = mistake_in(f"@{tmp_path}/snake")
    assert mistake.message == f"cannot read arguments from @{tmp_path}/snake: more than 16 files"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"-D 'open", "no closing quotation"),
        (b"RIFF\0\0", "not a text of arguments"),
        (b"x" * 300_000, "not a text of arguments"),
    ],
)
def test_a_file_of_arguments_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "options"
    if content is not None:
        path.write_bytes(content)
    assert mistake_in(f"in.wav @{path}").message == f"cannot read arguments from @{path}: {reason}"


def test_help_wins_over_a_missing_file_of_arguments() -> None:
    assert parse(["@missing", "-h"]) == Show.HELP


def test_names_in_any_bytes_pass_through_a_file_of_arguments(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"null 'caf\xe9.wav'")
    assert job_of(f"@{tmp_path}/list").output == "caf\udce9.wav"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.long_name)
def test_every_option_is_in_the_help(option: Option) -> None:
    line = next(
        line for line in help_text().splitlines() if f"{option.long_name} " in f"{line} " and option.help in line
    )
    assert all(name in line for name in option.names)


def test_the_help_fits_two_screens() -> None:
    lines = help_text().splitlines()
    assert len(lines) <= 48
    assert max(map(len, lines)) <= 79
    assert help_text().isascii()


def test_the_commonest_commands_are_at_the_top_of_the_help() -> None:
    assert len(EXAMPLES) == 6
    for line, (command, what) in zip(help_text().splitlines()[1:], EXAMPLES, strict=False):
        assert command in line
        assert what in line


def test_every_option_sets_a_field_of_a_job_or_shows_something() -> None:
    known = {field.name for field in fields(Job)} | {"list", "help", "version"}
    assert {option.field for option in OPTIONS} <= known
    assert known - {option.field for option in OPTIONS} == {"input", "output", "warnings"}


def test_no_name_is_given_to_two_options() -> None:
    names = [name for option in OPTIONS for name in (*option.names, *option.aliases)]
    assert len(names) == len(set(names))


def test_every_option_with_a_value_says_what_it_is() -> None:
    for option in OPTIONS:
        assert bool(option.metavar) == (option.kind is not Kind.FLAG)


def commands_shown() -> list[str]:
    """Return what stands after ``pastream`` in every example of the help and the manual."""
    lines = [command for command, _ in EXAMPLES]
    lines += [line for line in sections()["EXAMPLES"].splitlines() if line.startswith("    ")]
    parts = (part.partition("pastream ")[2] for line in lines for part in line.split(" | "))
    return [re.sub(r" >\S+", "", part) for part in parts if part]


@pytest.mark.parametrize("line", commands_shown())
def test_every_example_is_understood(line: str) -> None:
    parse(shlex.split(line))


def test_understanding_a_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pastream_cli import args; args.parse(['null', 'out.wav', '-d', '5']); args.help_text();"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = (
        "numpy rich sounddevice soundfile cffi argparse difflib shlex importlib.metadata pathlib subprocess threading"
    )
    assert not set(heavy.split()) & set(run.stdout.split())


PLAUSIBLE = [
    *(name for option in OPTIONS for name in (*option.names, *option.aliases)),
    *shlex.split("in.wav out.wav null ^ - -- -1 5 10:00 48ks 0 0s 10ms 1,2 null,2 1:2,2:1 low high,0.1 S16_LE wav"),
    *shlex.split("-qy -d5 -c=2 -r48k --pad=1 -p-1 -b24 @missing --dur -= --= = , virtual:sine:fast hw:1,0"),
    *("", "a\nb", "-\xe9", "-d\udcff", "9" * 5000),
]


@settings(max_examples=1000)
@given(st.lists(st.sampled_from(PLAUSIBLE) | st.text(max_size=6), max_size=9))
def test_whatever_is_typed_is_understood_or_refused_in_one_line(argv: list[str]) -> None:
    lines = []
    try:
        parse(argv)
    except UsageError as mistake:
        lines = [mistake.message, mistake.way_out or ""]
    assert not argv or all(line.isprintable() for line in lines)
