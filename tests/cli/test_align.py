"""Pieces that end by the clock on the wall; on a fast device, as if the take began now and kept to the clock."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.forks import Forks
from tests.runner import Pastream, Result
from tests.sounds import assert_same, read
from tests.takes import joined, report_of

BERLIN = ZoneInfo("Europe/Berlin")
SET_CLOCK = """
import sys, time
from pastream_cli.engine.wall_clock import SystemClocks
ahead_ns = int(sys.argv.pop(1)) * 10**9 - time.time_ns()
SystemClocks.wall_ns = lambda self: time.time_ns() + ahead_ns
from pastream_cli.__main__ import main
main()
"""
"""Runs the command with the wall clock set to its first argument."""


def start_of(file: dict[str, str]) -> datetime:
    return datetime.fromisoformat(file["start"].replace("Z", "+00:00"))


def test_pieces_end_on_the_minute_and_join_into_the_unsplit_take(pastream: Pastream, tmp_path: Path) -> None:
    rate, seconds = 8000, 200
    options = ("-D", f"virtual:noise:fast:channels=1:rate={rate}", "-e", "pcm_16", "-d", str(seconds), "--json")
    assert pastream("null", "whole.wav", *options).returncode == 0
    name = "{utc:%H%M%S}.wav"
    result = pastream("null", name, "--also", "{n}.flac", "--split", "1:00", "--align", *options)
    assert result.returncode == 0, result.stderr
    assert "a new file each 00:01:00.0 by the clock, first at " in result.stderr
    files = report_of(result)["files"]
    assert [file["frames"] for file in files[1:-1]] == [60 * rate] * (len(files) - 2)
    minutes = [start_of(file) + timedelta(seconds=1 / rate) for file in files[1:]]
    assert all((minute.second, minute.microsecond // 1000) == (0, 0) for minute in minutes)
    assert [file["name"] for file in files[1:]] == [f"{minute:%H%M%S}.wav" for minute in minutes]
    assert [file["copies"][0]["frames"] for file in files] == [file["frames"] for file in files]
    whole = read(tmp_path / "whole.wav")
    assert_same(joined(tmp_path / file["name"] for file in files), whole)
    assert_same(joined(tmp_path / file["copies"][0]["name"] for file in files), whole)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "there is no --split"),
        (("--split", "480000s"), "--split is a number of frames"),
        (("--split", "7:00:00"), "--split 25200 does not divide a day evenly"),
        (("--split", "25:00:00"), "--split 90000 does not divide a day evenly"),
    ],
)
def test_pieces_that_the_clock_cannot_end_are_refused(
    pastream: Pastream, forks: Forks, options: tuple[str, ...], reason: str
) -> None:
    result = forks("null", "out.wav", "-D", "virtual", "--align", *options, cwd=pastream.folder)
    assert (result.returncode, reason in result.stderr) == (2, True), result.stderr


def test_a_month_of_hours_is_right_to_its_end(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    """Over the end of October's last Sunday, which has 25 hours: names, boundaries and counts, with little memory."""
    rate, days = 20, campaign(30)
    begin = datetime(2026, 10, 25, 0, 17, 1, tzinfo=timezone.utc) - timedelta(days=days / 2)
    take = ("null", "{start:%m%d-%H%M}.wav", "-D", f"virtual:silence:fast:channels=1:rate={rate}", "-e", "pcm_16")
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            SET_CLOCK,
            str(round(begin.timestamp())),
            *take,
            "-d",
            f"{days * 24}:00:00",
            "--split",
            "1:00:00",
            "--align",
            "--json",
        ],
        cwd=tmp_path,
        env={**pastream.environment, "TZ": "Europe/Berlin"},
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    files = report_of(Result(process.returncode, process.stdout, ""))["files"]
    starts = [start_of(file) + timedelta(seconds=0.5 / rate) for file in files]
    assert abs((starts[0] - begin).total_seconds()) < 30
    assert all((start.minute, start.second, start.microsecond // 100_000) == (0, 0, 0) for start in starts[1:])
    assert sum(file["frames"] for file in files) == days * 86_400 * rate
    assert {file["frames"] for file in files[1:-1]} == {3600 * rate}
    twice = 25, 1  # the day and the hour, in UTC
    for file, start in zip(files[1:], starts[1:], strict=True):
        stem = f"{start.astimezone(BERLIN):%m%d-%H%M}" + ("-002" if (start.day, start.hour) == twice else "")
        assert Path(file["name"]).stem == stem
    assert len(list(tmp_path.iterdir())) == len(files) == days * 24 + 1
