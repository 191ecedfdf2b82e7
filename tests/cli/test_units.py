"""What a user may type for a time, a size or a rate, and how lengths are shown."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastream_cli import units
from pastream_cli.errors import ExitCode, UsageError, shown
from pastream_cli.units import Time

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5),
        ("60", 60),
        ("3600", 3600),
        ("10:00", 600),
        ("1:30:00", 5400),
        ("36:00:00", 129600),
        ("90:00", 5400),
        ("0:0:1.25", 1.25),
        ("01:02:03", 3723),
    ],
)
def test_a_time_is_hours_minutes_and_seconds(text: str, seconds: float) -> None:
    assert units.parse_time(text, "-d") == Time(seconds=Fraction(seconds))


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("48000s", 48000),
        ("48ks", 48000),
        ("1Ks", 1024),
        ("1.5ks", 1500),
        ("2Ms", 2 * 1024**2),
        ("0s", 0),
        ("10s", 10),
    ],
)
def test_a_time_that_ends_in_s_is_frames(text: str, frames: int) -> None:
    assert units.parse_time(text, "-d") == Time(frames=frames)


@pytest.mark.parametrize(
    "text",
    [
        "1h",
        "1m30",
        "abc",
        "nan",
        "inf",
        "1e400",
        "-2",
        "-1:00",
        "",
        " 1",
        "1 ",
        "1:2:3:4",
        "1:",
        ":1",
        "1.5:00",
        "s",
        "1gs",
    ],
)
def test_what_is_no_time_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError, match="not a time") as caught:
        units.parse_time(text, "-d")
    assert caught.value.way_out == units.TIME_FORMS
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("text", ["\u0663", "1\n", "1\0", "\uff19\uff10"])
def test_only_plain_digits_are_a_time(text: str) -> None:
    with pytest.raises(UsageError, match="not a time"):
        units.parse_time(text, "-d")


def test_milliseconds_are_refused_with_both_readings() -> None:
    with pytest.raises(UsageError, match=r"10 million frames or as 0\.01 seconds") as caught:
        units.parse_time("10ms", "-d")
    assert caught.value.way_out == "write 10000ks for the frames, or 0.01 for the seconds"
    assert units.parse_time("10000ks", "-d") == Time(frames=10_000_000)


def test_milliseconds_with_a_fraction_are_refused_with_a_way_out_that_works() -> None:
    with pytest.raises(UsageError) as caught:
        units.parse_time("1.5ms", "-d")
    assert caught.value.way_out == "write 1500ks for the frames, or 0.0015 for the seconds"
    assert units.parse_time("1500ks", "-d") == Time(frames=1_500_000)


@pytest.mark.parametrize("text", ["1.5s", "0.0001ks"])
def test_a_part_of_a_frame_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a whole number of frames"):
        units.parse_time(text, "-d")


@pytest.mark.parametrize("text", ["2000000000", "999999:00:00", "999999999999999999ks"])
def test_a_time_beyond_all_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="too long"):
        units.parse_time(text, "-d")


@pytest.mark.parametrize("parse", [units.parse_time, units.parse_size, units.parse_rate])
def test_thousands_of_digits_are_a_usage_error(parse: Callable[[str, str], object]) -> None:
    for text in ("9" * 10_000, "0." + "9" * 10_000, "9" * 10_000 + "s"):
        with pytest.raises(UsageError):
            parse(text, "-d")


@pytest.mark.parametrize(
    ("time", "rate", "frames"),
    [
        (Time(seconds=Fraction(1)), 48000, 48000),
        (Time(seconds=Fraction("0.1")), 44100, 4410),
        (Time(seconds=Fraction(1, 3)), 44100, 14700),
        (Time(seconds=Fraction("0.00001")), 48000, 0),
        (Time(seconds=Fraction("0.00002")), 48000, 1),
        (Time(seconds=Fraction(3600)), 44100.0, 158_760_000),
        (Time(frames=7), 44100, 7),
    ],
)
def test_a_time_is_rounded_to_the_nearest_frame(time: Time, rate: float, frames: int) -> None:
    assert time.to_frames(rate) == frames


@given(st.integers(0, 10**9), st.integers(1, 192_000))
def test_whole_seconds_are_exact_at_every_rate(seconds: int, rate: int) -> None:
    assert Time(seconds=Fraction(seconds)).to_frames(rate) == seconds * rate


@pytest.mark.parametrize("text", ["5", "1:00", "10s", "1ks", "-1", "10ms"])
def test_what_is_meant_as_a_time_is_taken_for_one(text: str) -> None:
    assert units.is_time(text)


@pytest.mark.parametrize("text", ["in.wav", "5.wav", "-2", "-", "", "-q", "5 "])
def test_what_is_not_meant_as_a_time_is_not_taken_for_one(text: str) -> None:
    assert not units.is_time(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1024", 1024), ("1k", 1000), ("1K", 1024), ("1.5k", 1500), ("2m", 2_000_000), ("1M", 1024**2)],
)
def test_a_size_is_a_number_with_a_suffix(text: str, size: int) -> None:
    assert units.parse_size(text, "-b") == size


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1kk", "k", "1g", "1s", "0x10", "3M5"])
def test_what_is_no_size_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError, match="not a size") as caught:
        units.parse_size(text, "-b")
    assert caught.value.way_out == units.SIZE_FORMS


def test_a_size_beyond_all_sense_is_refused() -> None:
    with pytest.raises(UsageError, match="too large"):
        units.parse_size("99999M", "-b")


@pytest.mark.parametrize(
    ("text", "rate"),
    [("48000", 48000), ("48k", 48000), ("48K", 48000), ("44.1k", 44100), ("22.05k", 22050), ("8000.", 8000)],
)
def test_a_rate_is_in_hertz_or_kilohertz(text: str, rate: int) -> None:
    assert units.parse_rate(text, "-r") == rate


@pytest.mark.parametrize("text", ["0", "", "-48k", "48m", "44.1", "48kHz", "1e3", "99999999999"])
def test_what_is_no_rate_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError, match="not a sample rate") as caught:
        units.parse_rate(text, "-r")
    assert caught.value.way_out == units.RATE_FORMS


@pytest.mark.parametrize(
    ("text", "as_shown"),
    [("out.wav", "out.wav"), ("", "''"), ("two words", "two words"), ("a\nb", r"'a\nb'"), ("\udcff", r"'\udcff'")],
)
def test_a_message_stays_on_one_line_whatever_was_typed(text: str, as_shown: str) -> None:
    assert shown(text) == as_shown


@pytest.mark.parametrize(
    ("frames", "rate", "clock"),
    [
        (0, 48000, "00:00:00.0"),
        (48000, 48000, "00:00:01.0"),
        (2399, 48000, "00:00:00.0"),
        (2401, 48000, "00:00:00.1"),
        (48000 * 3600 * 25 + 24000, 48000, "25:00:00.5"),
        (44100 * 60 - 1, 44100, "00:01:00.0"),
    ],
)
def test_a_length_is_shown_to_the_nearest_tenth(frames: int, rate: float, clock: str) -> None:
    assert units.format_clock(frames, rate) == clock


def test_a_count_is_shown_in_groups_of_three() -> None:
    assert [units.format_count(count) for count in (0, 999, 1000, 1234567)] == ["0", "999", "1 000", "1 234 567"]
