"""What is typed after an option, and what the program understands by it."""

from __future__ import annotations

import shlex

import pytest

from pastream_cli.command.job import Job
from pastream_cli.command.value_types import Pair, Route
from pastream_cli.units import TIME_FORMS, Time
from tests.command_lines import job_of, mistake_in, seconds


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
    assert mistake_in("null out.wav -o 1h").way_out == f"write -o 1:00:00; {TIME_FORMS}"


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


SAMPLE_FORMATS = "at the device: float32 int32 int24 int16 int8 uint8; in the file: -t and -e"


@pytest.mark.parametrize(
    ("typed", "way_out"),
    [
        ("float64", f"write -f float32; {SAMPLE_FORMATS}"),
        ("pcm_16", "for the file write -e pcm_16, for the device -f int16"),
        ("wav", "write -t wav"),
        ("S16_BE", "for the file write -e pcm_16 --endian big, for the device -f int16"),
        ("16", "for the file write -e pcm_16, for the device -f int16"),
        ("fine", SAMPLE_FORMATS),
    ],
)
def test_what_is_no_sample_format_is_refused_with_where_to_look(typed: str, way_out: str) -> None:
    mistake = mistake_in(f"in.wav -f {typed}")
    assert mistake.message == f"cannot use -f {typed}: not a sample format"
    assert mistake.way_out == way_out


def test_names_of_types_and_encodings_may_be_in_any_case() -> None:
    job = job_of("in.raw out.flac -t raw,Flac -e Pcm_16,PCM_24 --endian BIG,file")
    assert job.file_type == Pair("RAW", "FLAC")
    assert job.encoding == Pair("PCM_16", "PCM_24")
    assert job.endian == Pair("big", "file")


def test_what_is_no_byte_order_is_refused() -> None:
    assert mistake_in("in.wav --endian middle").way_out == "one of file, big, little"
    assert mistake_in("in.wav --endian BE").way_out == "write --endian big; one of file, big, little"


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
        ("1-3", [(1, 1), (2, 2), (3, 3)]),
        ("3-3", [(3, 1)]),
        ("3-1", [(3, 1), (2, 2), (1, 3)]),
        ("5,1-2,4", [(5, 1), (1, 2), (2, 3), (4, 4)]),
        ("1:1,4-5", [(1, 1), (4, 2), (5, 3)]),
    ],
)
def test_a_map_says_which_channel_goes_where(typed: str, routes: list[tuple[int, int]]) -> None:
    assert job_of(f"null out.wav -m {typed}").maps == (tuple(Route(*route) for route in routes),)


@pytest.mark.parametrize(
    "typed",
    [
        "1,",
        "1:",
        ":1",
        "1-",
        "-2",
        "0-2",
        "1-2-3",
        "1-2:3",
        "a",
        "1:2:3",
        "-1",
        "''",
        "1:0",
        "1,2:1",
        "9999",
        "1:9999",
    ],
)
def test_what_is_no_map_is_refused_with_the_form(typed: str) -> None:
    way_out = mistake_in(f"null out.wav -m {typed}").way_out
    assert way_out is not None
    assert "IN[:OUT][,IN[:OUT]...]" in way_out


def test_a_map_that_is_missing_is_told_with_its_form() -> None:
    assert mistake_in("null -m in.wav").way_out == "its MAP is missing: -m 1,2 in.wav"
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
