"""Takes that are killed: all but the last moment can be read, by everybody, without a repair."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import soundfile

from tests.runner import Pastream
from tests.sounds import RATE, assert_same, read
from tests.takes import RAMP, ramp, read_by_sox, wait_for_frames

TYPES = ("wav", "rf64", "w64", "aiff", "au", "caf")
AT_MOST_LOST_SECONDS = 1.2
AT_ONCE = 8


def kill_while_recording(pastream: Pastream, path: Path, seconds: float, *options: str) -> float:
    """Kill a recording so long after its first frames were seen; return for how long it had recorded, at least."""
    process = pastream.start("null", path, "-q", "-D", RAMP, *options)
    seen = wait_for_frames(path)
    time.sleep(seconds)
    recorded_seconds = time.monotonic() - seen
    process.kill()
    process.wait()
    return recorded_seconds


def test_sox_and_libsndfile_read_all_but_the_last_moment_of_a_killed_take(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    dice = random.Random(9)
    count = campaign(200)
    takes = [(tmp_path / f"{n}.{TYPES[n % len(TYPES)]}", dice.uniform(0, 4)) for n in range(count)]

    def lost_seconds(take: tuple[Path, float]) -> float:
        path, seconds = take
        recorded_seconds = kill_while_recording(pastream, path, seconds)
        by_libsndfile = read(path)
        assert_same(by_libsndfile, ramp(len(by_libsndfile)))
        assert_same(read_by_sox(path), by_libsndfile)
        path.unlink()
        return recorded_seconds - len(by_libsndfile) / RATE

    with ThreadPoolExecutor(AT_ONCE) as pool:
        losses = dict(zip(takes, pool.map(lost_seconds, takes), strict=True))
    assert {take: lost for take, lost in losses.items() if lost > AT_MOST_LOST_SECONDS} == {}


def test_a_killed_take_keeps_every_piece_that_was_finished(pastream: Pastream, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"take-00{n}.wav" for n in (1, 2, 3))
    process = pastream.start("null", "take.wav", "--split", "1", "-q", "-D", RAMP)
    seen = wait_for_frames(third)
    time.sleep(0.5)
    recorded_seconds = 2 + time.monotonic() - seen
    process.kill()
    process.wait()
    assert [soundfile.info(path).frames for path in (first, second)] == [RATE, RATE]
    frames = 2 * RATE + len(read(third))
    assert frames >= (recorded_seconds - AT_MOST_LOST_SECONDS) * RATE
    for path in (first, second, third):
        assert_same(read_by_sox(path), read(path))
