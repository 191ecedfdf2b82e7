"""The moments at which the clock on the wall shows a multiple of some time since midnight. Pure: the zone is passed in.

A multiple that the clock leaves out is the moment at which it goes on. One that it shows twice is two moments.
"""

from __future__ import annotations

from fractions import Fraction

from pastream_cli.take.window import Zone, change_between


def next_moment(after: Fraction, seconds: Fraction, zone: Zone) -> Fraction:
    """Return the first such moment after another one.

    Parameters
    ----------
    after : Fraction
        Seconds since 1970, as what is returned.
    seconds : Fraction
        Divides a day evenly.
    zone : callable
        The local time.
    """
    while True:
        offset = zone(int(after // 1))
        # midnight is a multiple too, since a day is one
        found = ((after + offset) // seconds + 1) * seconds - offset
        if zone(int(found // 1)) == offset:
            return found
        change = Fraction(change_between(int(after // 1), int(found // 1), zone))
        shown_before, shown = change + offset, change + zone(int(change))
        # set forward over a multiple, or to one
        if shown // seconds > (shown_before - 1) // seconds or shown % seconds == 0:
            return change
        after = change


def last_moment(until: Fraction, seconds: Fraction, zone: Zone) -> Fraction:
    """Return the last such moment that is not after another one; the parameters are those of `next_moment`."""
    last = until - 2 * seconds - 2 * 3600  # a clock that is set back by some hours shows no multiple for that long
    while (following := next_moment(last, seconds, zone)) <= until:
        last = following
    return last
