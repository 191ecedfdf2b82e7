"""Which moments the times of day of a job are, by a clock and a zone that are passed in.

Moments are seconds since 1970, exact. A local time that the clock leaves out is the moment at which it goes on. One
that it shows twice is the first that follows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pastream_cli.errors import UsageError

if TYPE_CHECKING:
    from pastream_cli.command.when import When

_DAY = 86_400
# A start without an end that was missed by less than this is taken at once.
_LATE_AT_MOST = 600
_EPOCH = date(1970, 1, 1)

Zone = Callable[[int], int]
"""Returns how many seconds local time is ahead of UTC at a moment."""


def offset_here(moment: int) -> int:
    """Return the offset of this machine's local time."""
    return time.localtime(moment).tm_gmtoff


class Moment(NamedTuple):
    """A moment, and what had to be decided about it, in words."""

    at: Fraction
    note: str | None = None


class Window(NamedTuple):
    """When a take begins and ends; `None` where no time was given for that."""

    begin: Fraction | None = None
    end: Fraction | None = None
    notes: tuple[str, ...] = ()
    """What had to be decided, one line each."""
    again: Callable[[Fraction], Window] | None = None
    """Finds it anew by another clock; `None` where its begin has a date, or is now."""


def find_window(at: When | None, until: When | None, seconds: Fraction | None, now: Fraction, zone: Zone) -> Window:
    """Find the moments that are meant.

    Parameters
    ----------
    at, until : When, optional
        As typed after `--at` and `--until`.
    seconds : Fraction, optional
        How long the take is at most, if that is known.
    now : Fraction
        The present moment.
    zone : callable
        The local time.

    Raises
    ------
    UsageError
        Where the whole window is past, or has no length.
    """
    begin = _begin(at, until, seconds, now, zone) if at is not None else None
    start = begin.at if begin is not None else now
    end = _end(until, start, zone) if until is not None else None
    ends = [limit for limit in (end.at if end else None, begin.at + seconds if begin and seconds else None) if limit]
    if end is not None and until is not None and end.at <= start:
        what = f"--until {until.text}"
        if at is not None:
            raise UsageError(f"cannot use {what}: it is not after --at {at.text}", "a take ends after its start")
        raise UsageError(f"cannot use {what}: it is past", "06:00 without a date is the next time that it is six")
    if at is not None and ends and min(ends) <= now:
        raise UsageError(
            f"cannot use --at {at.text}: the whole take is past",
            "06:00 without a date is the next time that it is six",
        )
    notes = tuple(moment.note for moment in (begin, end) if moment is not None and moment.note)
    is_daily = at is not None and at.day is None
    again = partial(find_window, at, until, seconds, zone=zone) if is_daily else None
    return Window(begin.at if begin else None, end.at if end else None, notes, again)


def _begin(at: When, until: When | None, seconds: Fraction | None, now: Fraction, zone: Zone) -> Moment:
    """Return the last such moment if a take that began there would still run, else the next."""
    if at.day is not None:
        return _on(at, at.day, zone)[0]
    moments = list(_days_around(at, now, zone))
    last = max((moment for moment in moments if moment.at <= now), key=lambda moment: moment.at)
    ends = [last.at + seconds] if seconds is not None else []
    if until is not None:
        ends.append(_end(until, last.at, zone).at)
    if now < min(ends, default=last.at + _LATE_AT_MOST):
        return last
    return min(moments, key=lambda moment: (moment.at <= now, moment.at))


def _end(until: When, start: Fraction, zone: Zone) -> Moment:
    """Return the first such moment after the start."""
    if until.day is None:
        return min(_days_around(until, start, zone), key=lambda moment: (moment.at <= start, moment.at))
    moments = _on(until, until.day, zone)
    return next((moment for moment in moments if moment.at > start), moments[0])


def _days_around(when: When, moment: Fraction, zone: Zone) -> Iterator[Moment]:
    today = _EPOCH + timedelta(days=(int(moment) + zone(int(moment))) // _DAY)
    for days in range(-2, 3):
        yield from _on(when, today + timedelta(days=days), zone)


def _on(when: When, day: date, zone: Zone) -> list[Moment]:
    """Return the moments of a day at which the clock shows the time: one, or two where it is set back."""
    shown = (day - _EPOCH).days * _DAY + when.second  # as if the clock showed UTC
    if when.offset is not None:
        return [Moment(shown - int(when.offset.total_seconds()))]
    guesses = sorted({shown - zone(int(shown) + days * _DAY) for days in (-1, 1)})
    found = [guess for guess in guesses if guess + zone(int(guess // 1)) == shown]
    if not found:
        after = Fraction(change_between(int(guesses[0] // 1), int(guesses[-1] // 1) + 1, zone))
        return [Moment(after, f"{when.text} is left out by the clock on {day}: it is {local_text(after, zone)}")]
    twice = f"{when.text} comes twice on {day}: it is {{}}"
    return [Moment(one, twice.format(local_text(one, zone)) if len(found) > 1 else None) for one in found]


def change_between(before: int, after: int, zone: Zone) -> int:
    """Return the first second with the zone's later offset."""
    while after - before > 1:
        middle = (before + after) // 2
        if zone(middle) == zone(before):
            before = middle
        else:
            after = middle
    return after


def in_utc(moment: Fraction) -> datetime:
    """Return a moment as a datetime, to the microsecond."""
    return datetime.fromtimestamp(float(moment), tz=timezone.utc)


def local_text(moment: Fraction, zone: Zone) -> str:
    """Return a moment in local time with its zone, as it is shown to people."""
    local = timezone(timedelta(seconds=zone(int(moment // 1))))
    whole = datetime.fromtimestamp(int(moment // 1), tz=local)
    milliseconds = int(moment % 1 * 1000)
    return f"{whole:%Y-%m-%d %H:%M:%S}{f'.{milliseconds:03}' if milliseconds else ''} {whole:%z}"
