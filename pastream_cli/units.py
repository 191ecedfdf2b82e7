"""Times, sizes and rates: parsed as they are typed, printed as they are shown. Pure."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from pastream_cli.errors import BadValueError, shown

_MULTIPLIERS = {"": 1, "k": 1000, "K": 1024, "m": 1000**2, "M": 1024**2}
# Patterns are compiled when they are used: a command line needs few of them.
# The number of digits is bounded, because Python refuses to convert thousands of them, with an error of its own.
_WHOLE = "[0-9]{1,18}"
_NUMBER = rf"(?:{_WHOLE}(?:\.[0-9]{{0,18}})?|\.[0-9]{{1,18}})"
_CLOCK = rf"(?:(?:({_WHOLE}):)?({_WHOLE}):)?({_NUMBER})"
_FRAMES = rf"({_NUMBER})([kKmM]?)s"
_MILLIONS_OR_MILLISECONDS = rf"({_NUMBER})ms"
_SIZE = rf"({_NUMBER})([kKmM]?)"
_RATE = rf"({_NUMBER})([kK]?)"

# Counts travel as signed 64-bit integers; this leaves room for sums of a few of them.
_MOST_FRAMES = 2**60
_MOST_SECONDS = 10**9
HIGHEST_RATE = 2**31 - 1
MOST_CHANNELS = 1024
"""Of a device or a file. It is MOST_DEVICE_CHANNELS of _engine.h; the engine is not loaded to read a command line."""
MOST_LATENCY_SECONDS = 60

TIME_FORMS = "a time is 90, 1.5, 10:00 or 1:30:00, or in frames 48000s or 48ks"
SIZE_FORMS = "a size is a whole number; k, K, m or M after it stand for 1000, 1024, 1000*1000 and 1024*1024"
RATE_FORMS = "a rate is in Hz or kHz, as in 48000, 48k or 44.1k"


class Time(NamedTuple):
    """A length of time, in seconds or in frames, as the user gave it.

    Exactly one of the two is set. Seconds become frames when the rate of the stream is known.
    """

    seconds: Fraction | None = None
    frames: int | None = None

    def to_frames(self, rate: float) -> int:
        """Return the length in frames at `rate` frames per second, rounded to the nearest frame."""
        if self.seconds is None:
            return self.frames or 0
        return int(self.seconds * Fraction(rate) + Fraction(1, 2))

    def is_zero(self) -> bool:
        """Tell whether the length is zero, whatever the rate."""
        return not self.seconds and not self.frames


def parse_time(text: str, option: str) -> Time:
    """Parse a time as typed after `option`.

    Raises
    ------
    UsageError
        If `text` is not a time; the way out shows the accepted forms.
    """
    if match := re.fullmatch(_CLOCK, text):
        hours, minutes, seconds = (Fraction(field or 0) for field in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if total > _MOST_SECONDS:
            raise BadValueError(option, text, "too long", TIME_FORMS)
        return Time(seconds=total)
    if re.fullmatch(_MILLIONS_OR_MILLISECONDS, text):
        raise _two_readings(text, option)
    if match := re.fullmatch(_FRAMES, text):
        frames = Fraction(match[1]) * _MULTIPLIERS[match[2]]
        if frames.denominator != 1:
            raise BadValueError(option, text, "not a whole number of frames", TIME_FORMS)
        if frames > _MOST_FRAMES:
            raise BadValueError(option, text, "too long", TIME_FORMS)
        return Time(frames=int(frames))
    raise BadValueError(option, shown(text), "not a time", TIME_FORMS)


def _two_readings(text: str, option: str) -> BadValueError:
    """Refuse ``10ms``, which SoX reads as ten million frames and everybody else as a hundredth of a second."""
    number = Fraction(text.removesuffix("ms"))
    seconds = format_number(number / 1000)
    return BadValueError(
        option,
        text,
        f"it reads as {format_number(number)} million frames or as {seconds} seconds",
        f"write {format_number(number * 1000)}ks for the frames, or {seconds} for the seconds",
    )


def is_time(text: str) -> bool:
    """Tell whether `text` is meant as a time: one of the forms, ``-1``, or ``10ms``, which is then refused."""
    forms = (_FRAMES, _CLOCK, _MILLIONS_OR_MILLISECONDS)
    return text == "-1" or any(re.fullmatch(form, text) for form in forms)


def parse_size(text: str, option: str) -> int:
    """Parse a number of frames with an optional suffix; `UsageError` if it is something else."""
    match = re.fullmatch(_SIZE, text)
    size = Fraction(match[1]) * _MULTIPLIERS[match[2]] if match else Fraction(-1)
    if size < 0 or size.denominator != 1:
        raise BadValueError(option, shown(text), "not a size", SIZE_FORMS)
    if size > 2**31:
        raise BadValueError(option, text, "too large", SIZE_FORMS)
    return int(size)


def parse_rate(text: str, option: str) -> int:
    """Parse a sample rate in Hz, or in kHz with k or K; `UsageError` if it is something else."""
    match = re.fullmatch(_RATE, text)
    rate = Fraction(match[1]) * (1000 if match[2] else 1) if match else Fraction(0)
    if rate.denominator != 1 or not 1 <= rate <= HIGHEST_RATE:
        raise BadValueError(option, shown(text), "not a sample rate", RATE_FORMS)
    return int(rate)


def format_number(value: Fraction) -> str:
    """Return `value` as a decimal number without trailing zeros."""
    return f"{float(value):.9f}".rstrip("0").rstrip(".")


def format_clock(frames: int, rate: float) -> str:
    """Return a length as ``hh:mm:ss.t``, rounded to the nearest tenth of a second."""
    tenths = round(Fraction(frames) * 10 / Fraction(rate))
    minutes, tenths_of_minute = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{tenths_of_minute // 10:02}.{tenths_of_minute % 10}"


def format_length(frames: int, rate: float) -> str:
    """Return a length as ``hh:mm:ss.t``; one that would be shown as nothing is in milliseconds."""
    return f"{frames * 1000 / rate:.3g} ms" if 0 < frames * 20 < rate else format_clock(frames, rate)


def format_count(count: int) -> str:
    """Return `count` with a space between groups of three digits."""
    return f"{count:,}".replace(",", " ")


def format_times(count: int, word: str) -> str:
    """Return a number and what it counts, as in ``3 clips``."""
    return f"{format_count(count)} {word}{'' if count == 1 else 's'}"


def format_frames(count: int) -> str:
    """Return a number of frames as words."""
    return format_times(count, "frame")
