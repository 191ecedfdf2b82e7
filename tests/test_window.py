"""Which moments are meant by times of day, in zones that set their clocks forward and back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from pastream_cli.command.when import parse_when
from pastream_cli.errors import UsageError
from pastream_cli.take.window import Zone, find_window

HOUR = 3600


def zone_of(name: str) -> Zone:
    """Return the offsets of a place; the standard library decides."""
    place = ZoneInfo(name)

    def ahead(moment: int) -> int:
        offset = datetime.fromtimestamp(moment, tz=place).utcoffset()
        assert offset is not None
        return round(offset.total_seconds())

    return ahead


BERLIN = zone_of("Europe/Berlin")


def moment(text: str) -> Fraction:
    return Fraction(datetime.fromisoformat(text).timestamp())


def window(now: str, at: str | None = None, until: str | None = None, seconds: int | None = None) -> list[str | None]:
    """Return begin and end as UTC, for somebody in Berlin."""
    found = find_window(
        parse_when(at, "--at") if at else None,
        parse_when(until, "--until") if until else None,
        None if seconds is None else Fraction(seconds),
        moment(now),
        BERLIN,
    )
    return [
        None if end is None else f"{datetime.fromtimestamp(float(end), timezone.utc):%dT%H:%M:%S}" for end in found[:2]
    ]


@pytest.mark.parametrize(
    "text",
    [
        "6:00",
        "06",
        "24:00",
        "06:60",
        "06:00:60",
        "06:00Z",
        "06:00+01:00",
        "2026-02-30T06:00",
        "2026-12-24",
        "2026-12-24T06",
        "noon",
        "2026-13-01T06:00",
        "06:00:00.",
        "-1",
        "10",
        "0006:00",
        "06:00:00.1234567890",
        "2026-12-24T06:00+1:00",
    ],
)
def test_what_is_no_time_of_day_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_when(text, "--at")
    assert "06:00" in (refusal.value.way_out or "")


@pytest.mark.parametrize(
    ("text", "second"), [("06:00", 21_600), ("23:59:59.999", Fraction(86_399_999, 1000)), ("00:00:00", 0)]
)
def test_a_time_of_day_is_exact(text: str, second: Fraction) -> None:
    assert parse_when(text, "--at")[1:] == (None, second, None)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-24T06:00", "24T05:00:00"),
        ("2026-12-24T06:00Z", "24T06:00:00"),
        ("2026-12-24T06:00-03:30", "24T09:30:00"),
    ],
)
def test_a_date_is_local_unless_it_has_a_zone(text: str, utc: str) -> None:
    assert window("2026-12-20T12:00:00+00:00", at=text) == [utc, None]


@pytest.mark.parametrize(
    ("now", "wanted", "expected"),
    [
        # cron is a little late, and then a machine that was off
        ("2026-11-28T06:00:00.4+01:00", {"at": "06:00", "seconds": HOUR}, ["28T05:00:00", None]),
        ("2026-11-28T06:20+01:00", {"at": "06:00", "until": "07:00"}, ["28T05:00:00", "28T06:00:00"]),
        ("2026-11-28T07:00+01:00", {"at": "06:00", "until": "07:00"}, ["29T05:00:00", "29T06:00:00"]),
        ("2026-11-28T06:00+01:00", {"at": "06:00", "seconds": HOUR}, ["28T05:00:00", None]),
        ("2026-11-28T05:59:59+01:00", {"at": "06:00", "seconds": HOUR}, ["28T05:00:00", None]),
        # without an end, ten minutes
        ("2026-11-28T06:09:59+01:00", {"at": "06:00"}, ["28T05:00:00", None]),
        ("2026-11-28T06:10+01:00", {"at": "06:00"}, ["29T05:00:00", None]),
        # over midnight
        ("2026-11-28T00:05+01:00", {"at": "23:50", "until": "00:10"}, ["27T22:50:00", "27T23:10:00"]),
        ("2026-11-28T12:00+01:00", {"until": "12:00"}, [None, "29T11:00:00"]),
        ("2026-11-28T12:00+01:00", {"until": "12:00:00.5"}, [None, "28T11:00:00"]),
    ],
)
def test_a_time_of_day_is_the_one_that_is_meant(
    now: str, wanted: dict[str, str | int], expected: list[str | None]
) -> None:
    assert window(now, **wanted) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"until": "2026-11-27T12:00"}, "it is past"),
        ({"at": "2026-11-27T06:00", "seconds": HOUR}, "the whole take is past"),
        ({"at": "2026-11-27T06:00", "until": "2026-11-27T07:00"}, "the whole take is past"),
        ({"at": "2026-11-29T06:00", "until": "2026-11-29T05:00"}, "not after --at"),
    ],
)
def test_a_window_that_is_past_or_has_no_length_is_refused(wanted: dict[str, str | int], refusal: str) -> None:
    with pytest.raises(UsageError, match=refusal):
        window("2026-11-28T12:00+01:00", **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"])
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_every_quarter_of_an_hour_of_days_that_are_longer_or_shorter(place: str, month: int) -> None:
    zone = zone_of(place)
    for day in range(1, 31):
        midnight = datetime(2026, month, day, tzinfo=ZoneInfo(place))
        length = (midnight + timedelta(days=1)).timestamp() - midnight.timestamp()
        if length == 24 * HOUR:
            continue
        shown_at: dict[str, list[int]] = {}
        for at in range(round(midnight.timestamp()), round(midnight.timestamp() + length), 900):
            shown_at.setdefault(f"{datetime.fromtimestamp(at, ZoneInfo(place)):%H:%M}", []).append(at)
        for quarter in range(96):
            text = f"{quarter // 4:02}:{quarter % 4 * 15:02}"
            when = parse_when(f"{midnight:%Y-%m-%d}T{text}", "--at")
            found = find_window(when, None, None, Fraction(midnight.timestamp()) - HOUR, zone)
            there = shown_at.get(text, [])
            if there:
                assert found.begin == there[0]
            else:  # the clock goes on at the first moment that shows a later time
                later = min(at for shown, moments in shown_at.items() if shown > text for at in moments)
                assert found.begin == later
            assert bool(found.notes) == (len(there) != 1)
            if len(there) == 2:  # between the two, the second one is the next
                until = find_window(None, parse_when(text, "--until"), None, Fraction(there[0]), zone)
                assert until.end == there[1]
