"""A time of day, or a date and time, as it is typed. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from pastream_cli.errors import BadValueError, shown

_CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,9})?))?"
_ZONE = r"Z|[+-][0-9]{2}:[0-9]{2}"
_WHEN = rf"(?:([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})T)?{_CLOCK}({_ZONE})?"

WHEN_FORMS = (
    "a time of day is 06:00 or 06:00:00; with its date 2026-12-24T06:00, and with its zone ...T06:00Z or +01:00"
)

_HOURS, _MINUTES, _SECONDS = 24, 60, 60
_MOST_OFFSET_HOURS = 14
_LAST_YEAR = 9998  # the next one has moments that datetime has not


class When(NamedTuple):
    """A moment as the user gave it: of one date, or of any day."""

    text: str
    day: date | None
    """`None`: any day."""
    second: Fraction
    """Since midnight, by the clock on the wall."""
    offset: timedelta | None
    """How far that clock is ahead of UTC; `None` for local time."""


def parse_when(text: str, option: str) -> When:
    """Parse what is typed after `option`; `UsageError` with the accepted forms if it is something else."""
    match = re.fullmatch(_WHEN, text)
    if match is None or (match[7] and not match[1]):
        raise BadValueError(option, shown(text), "not a time of day", WHEN_FORMS)
    hour, minute, second = int(match[4]), int(match[5]), Fraction(match[6] or 0)
    if hour >= _HOURS or minute >= _MINUTES or second >= _SECONDS:
        raise BadValueError(option, text, "no clock shows it", WHEN_FORMS)
    if match[1] and int(match[1]) > _LAST_YEAR:
        raise BadValueError(option, text, "there is no such day", WHEN_FORMS)
    if match[7] not in {None, "Z"} and (int(match[7][1:3]) > _MOST_OFFSET_HOURS or int(match[7][4:6]) >= _MINUTES):
        raise BadValueError(option, text, "no clock is so far from UTC", WHEN_FORMS)
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])) if match[1] else None
        offset = _offset(match[7])
    except ValueError:
        raise BadValueError(option, text, "there is no such day", WHEN_FORMS) from None
    return When(text, day, hour * 3600 + minute * 60 + second, offset)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone == "Z":
        return timedelta(0)
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return ahead if zone[0] == "+" else -ahead
