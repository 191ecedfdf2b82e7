"""A level as it is typed, and the silence that ends a file. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from pastream_cli.errors import BadValueError, shown
from pastream_cli.units import Time, parse_time

_LEVEL = r"(-?[0-9]{1,3}(?:\.[0-9]{0,9})?) ?(?:dB(?:FS)?)?"
_KEY = "key"
_LOWEST = -200.0

LEVEL_FORMS = "a level is in dB of full scale, as in -40dB or -40"
TRIGGER_FORMS = f"{LEVEL_FORMS}, or key"
SILENCE_FORMS = f"it is a level and a time, as in -50dB,3; {LEVEL_FORMS}"


class Level(NamedTuple):
    """A level as the user gave it."""

    text: str
    decibels: float | None
    """Of full scale; `None`: no sound reaches it."""

    @property
    def amplitude(self) -> float:
        """The sample that has this level, where full scale is 1."""
        return float("inf") if self.decibels is None else 10 ** (self.decibels / 20)


class Silence(NamedTuple):
    """What is below a level for some time."""

    level: Level
    time: Time


def parse_trigger(text: str, option: str) -> Level:
    """Parse a level, or the word that stands for none."""
    if text.lower() == _KEY:
        return Level(_KEY, None)
    return _level(text, text, option, TRIGGER_FORMS)


def parse_silence(text: str, option: str) -> Silence:
    """Parse a level and a time with a comma between."""
    level, comma, time = text.partition(",")
    if not comma:
        raise BadValueError(option, shown(text), "not a level and a time", SILENCE_FORMS)
    parsed = parse_time(time.strip(), option)
    if parsed.is_zero():
        raise BadValueError(option, shown(text), "silence that ends a file has a length", SILENCE_FORMS)
    return Silence(_level(level.strip(), text, option, SILENCE_FORMS), parsed)


def _level(level: str, text: str, option: str, forms: str) -> Level:
    match = re.fullmatch(_LEVEL, level, re.IGNORECASE)
    if match is None:
        raise BadValueError(option, shown(text), "not a level", forms)
    decibels = float(match[1])
    if decibels > 0:
        raise BadValueError(option, shown(text), f"no sample is above full scale; write -{match[1]}", forms)
    if decibels < _LOWEST:
        raise BadValueError(option, shown(text), f"less than {_LOWEST:g} dB is no sound", forms)
    return Level(level, decibels)
