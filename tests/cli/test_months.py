"""Takes of a month on a fast device, as if they kept to the clock: names, ends, counts and memory, right to the end.

In the middle of the month is the last Sunday of October, which has 25 hours.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.bursts import Spans, bursts
from tests.runner import Pastream
from tests.set_clocks import Clocks
from tests.sounds import assert_same, read

BERLIN = ZoneInfo("Europe/Berlin")
RATE = 20
HOUR = 3600 * RATE
SILENCE = 20 * RATE
PREROLL = 5 * RATE
TRIGGER = ("--trigger", "-40", "--silence", f"-40,{SILENCE}s", "--preroll", f"{PREROLL}s")
MOST_SECONDS_TO_START = 30
MOST_MORE_MIB = 8
"""What a take of a month needs beyond one of a day: lists of a thousand files and losses, and no more."""


class Take(NamedTuple):
    """What a take has left."""

    begin: datetime
    """When the command was started, by its own clock."""
    frames: int
    files: list[tuple[Path, int]]
    """Each file, and the frame of the take at which it says that it begins."""
    mebibytes: float


def take(pastream: Pastream, sound: Path, folder: Path, days: int, *words: str) -> Take:
    folder.mkdir()
    begin = datetime(2026, 10, 25, 0, 17, 1, tzinfo=timezone.utc) - timedelta(days=days / 2)
    Clocks(folder.with_suffix(".clocks")).show(begin)
    command = [sys.executable, "-m", "tests.set_clocks", str(folder.with_suffix(".clocks")), str(sound)]
    command += [
        "--loop",
        "-D",
        "virtual:fast",
        "-d",
        f"{days * 24}:00:00",
        "--split",
        "1:00:00",
        "--json",
        "-q",
        *words,
    ]
    environment = {**pastream.environment, "TZ": "Europe/Berlin", "PYTHONPATH": str(Path(__file__).parents[2])}
    with folder.with_suffix(".json").open("wb") as report:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=report)
    most = 0.0
    while process.poll() is None:
        most = max(most, mebibytes_of(process.pid))
        time.sleep(0.02)
    assert process.returncode == 0
    told = json.loads(folder.with_suffix(".json").read_text())
    assert {path.name for path in folder.iterdir()} == {file["name"] for file in told["files"]}
    files = [(folder / file["name"], file["first_frame"]) for file in told["files"]]
    return Take(begin, days * 24 * HOUR, files, most)


def mebibytes_of(pid: int) -> float:
    """Return the most memory that a process has had; 0 once it has ended."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    most = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(most[1]) / 1024 if most else 0.0


def spans_of(loud: NDArray[np.int64], frames: int) -> Spans:
    """Return first frame and end of what is recorded, by the places of all loud frames."""
    is_last = np.diff(loud, append=loud[-1] + SILENCE + 1) > SILENCE
    ends = np.minimum(loud[is_last] + SILENCE + 1, frames)
    firsts = loud[np.concatenate([[True], is_last[:-1]])]
    begins = np.maximum(firsts - PREROLL, np.concatenate([[0], ends[:-1]]))
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def check_names(made: Take, first_hour: int) -> None:
    """Each file is named by the hour at which it begins; the second one of an hour that comes twice takes a number."""
    hour = made.begin.replace(minute=0, second=0) + timedelta(hours=1)
    zero = hour - timedelta(seconds=first_hour / RATE)
    assert made.begin <= zero <= made.begin + timedelta(seconds=MOST_SECONDS_TO_START)
    seen = set[str]()
    for number, (path, _) in enumerate(made.files[1:]):
        name = f"{(hour + timedelta(hours=number)).astimezone(BERLIN):%m%d-%H%M%S}"
        assert path.stem == f"{name}-002" if name in seen else name
        seen.add(name)


@pytest.mark.parametrize("is_triggered", [False, True])
def test_a_month_is_right_to_its_end(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int], is_triggered: bool
) -> None:
    """With files that end on the hour, and with files of bursts that are split after an hour."""
    sound = bursts(17, 100, most_gap=30_000, most_burst=4_000)
    soundfile.write(tmp_path / "in.wav", sound.samples[:, 1], RATE, subtype="PCM_24")
    words = ("{n:05}.wav", *TRIGGER) if is_triggered else ("{start:%m%d-%H%M%S}.wav", "--align")
    short = take(pastream, tmp_path / "in.wav", tmp_path / "short", 1, *words)
    made = take(pastream, tmp_path / "in.wav", tmp_path / "long", campaign(30), *words)
    assert made.mebibytes < short.mebibytes + MOST_MORE_MIB
    if is_triggered:
        loud = np.flatnonzero(np.resize(sound.is_loud, made.frames))
        spans = spans_of(loud, made.frames)
    else:
        first_hour = made.files[1][1]
        check_names(made, first_hour)
        spans = [(0, first_hour), (first_hour, made.frames)]
    pieces = [(begin, min(begin + HOUR, end)) for first, end in spans for begin in range(first, end, HOUR)]
    assert [first for _, first in made.files] == [begin for begin, _ in pieces]
    for (path, _), (begin, end) in zip(made.files, pieces, strict=True):
        assert_same(read(path), sound.samples[np.arange(begin, end) % len(sound.samples), 1:])
