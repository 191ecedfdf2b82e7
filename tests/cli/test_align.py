"""Pieces that end by the clock on the wall; on a fast device, as if the take began now and kept to the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.forks import Forks
from tests.runner import Pastream
from tests.sounds import RATE, Samples, assert_same, read
from tests.takes import PATIENT, RAMP, joined, losses_told, ramp, report_of

BLOCK = 480
"""Frames of a block of the virtual device: so well is it known when one that was away is back."""


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


def test_pieces_end_by_the_clock_behind_gaps_of_the_device(pastream: Pastream, tmp_path: Path) -> None:
    """What is heard shows the time: the sound goes on while the device is away."""
    gaps = {"within-a-piece": "die=2.2:back=2.7", "of-whole-pieces": "die=2.2:back=4.4"}
    options = (
        "--also",
        "{n}.wav",
        "--split",
        "1",
        "--align",
        "--reconnect",
        "-d",
        "6",
        "-b",
        str(BLOCK),
        "-e",
        "pcm_24",
        "--json",
    )
    started = {}
    for name, gap in gaps.items():
        (tmp_path / name).mkdir()
        words = ("null", "{utc:%H%M%S}.wav", "-D", f"{RAMP}:{gap}", *PATIENT, *options)
        started[name] = pastream.start(*words, cwd=tmp_path / name)
    for name, process in started.items():
        result = pastream.finish(process)
        assert result.returncode == 0, result.stderr
        (away,) = losses_told(result, "device-away")
        files = report_of(result)["files"]
        pieces = [read(tmp_path / name / file["name"]) for file in files]
        check_places(pieces, [file["name"] for file in files], away)
        copies = [tmp_path / name / file["copies"][0]["name"] for file in files]
        assert np.array_equal(joined(copies), np.concatenate(pieces))


def check_places(pieces: list[Samples], names: list[str], away: tuple[int, int]) -> None:
    """Pieces begin on whole seconds of the sound, as many as their names are apart; none is all silence."""
    sound = ramp(10 * RATE)[:, 0]
    seconds = [int(name[4:6]) for name in names]
    heard = [(int(np.searchsorted(sound, piece[0, 0])), second) for piece, second in zip(pieces, seconds, strict=True)]
    heard = [(place, second) for place, second in heard[1:] if place]  # the silence of the gap has no place
    (first, zero), later = heard[0], heard[1:]
    assert first < away[0] < later[-1][0]
    for place, second in later:
        off = place - first - (second - zero) % 60 * RATE
        assert abs(off) <= (BLOCK if place > away[0] else 1), (off, heard, away)
    for piece, second in zip(pieces[1:-1], seconds[1:-1], strict=True):
        assert piece.any(), (second, away)
        assert abs(len(piece) - RATE) <= BLOCK
