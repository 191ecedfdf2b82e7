"""Where pieces end by the clock on the wall, in zones that set it forward and back; a look at every minute decides."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest

from pastream_cli.take.grid import last_moment, next_moment
from pastream_cli.take.window import Zone
from tests.test_window import moment, zone_of

MINUTE, HOUR, DAY = 60, 3600, 86_400


def by_looking(begin: int, seconds: int, zone: Zone) -> list[int]:
    """Return the moments of three days: the clock shows a multiple, or has just been set forward over one."""
    found = []
    for now in range(begin + MINUTE, begin + 3 * DAY, MINUTE):
        before, shown = now - MINUTE + zone(now - MINUTE), now + zone(now)
        if shown % seconds == 0 or (shown > before + MINUTE and shown // seconds > (before + MINUTE - 1) // seconds):
            found.append(now)
    return found


@pytest.mark.parametrize(
    ("place", "day"),
    [
        ("Europe/Berlin", "2026-03-28"),
        ("Europe/Berlin", "2026-10-24"),
        ("America/St_Johns", "2026-03-07"),
        ("America/St_Johns", "2026-10-31"),
        ("Australia/Lord_Howe", "2026-04-04"),
        ("Australia/Lord_Howe", "2026-10-03"),
    ],
)
def test_ends_of_pieces_are_where_the_clock_shows_them(place: str, day: str) -> None:
    zone, begin = cache(zone_of(place)), int(moment(f"{day}T00:00+00:00"))
    for seconds in (10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY):
        looked = by_looking(begin, seconds, zone)
        found = [next_moment(Fraction(begin), Fraction(seconds), zone)]
        while found[-1] < looked[-1]:
            found.append(next_moment(found[-1], Fraction(seconds), zone))
        assert found == looked
        for earlier, later in pairwise(found):
            assert last_moment(later - Fraction(1, 9), Fraction(seconds), zone) == earlier
            assert last_moment(later, Fraction(seconds), zone) == later


def test_parts_of_a_second_divide_a_day_too() -> None:
    assert next_moment(Fraction(1, 3), Fraction(1, 8), lambda _: 0) == Fraction(3, 8)
