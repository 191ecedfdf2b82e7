"""Takes that are killed: all but the last moment can be read, by everybody, without a repair."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import Popen

import numpy as np
import soundfile

from tests.runner import Pastream
from tests.sounds import RATE, assert_same, read
from tests.takes import PATIENT, RAMP, ramp, read_by_sox, starved_seconds, wait_for_frames

TYPES = ("wav", "rf64", "w64", "aiff", "au", "caf")
AT_MOST_LOST_SECONDS = 1.2
AT_ONCE = 8


def kill_while_recording(process: Popen[bytes], path: Path, seconds: float) -> float:
    """Kill a recording so long after its first frames were seen; return for how many seconds it must have them.

    That is less the longer the machine was too busy to let it work.
    """
    seen = wait_for_frames(path)
    time.sleep(seconds)
    recorded_seconds = time.monotonic() - seen - starved_seconds(process.pid)
    process.kill()
    process.wait()
    return recorded_seconds - AT_MOST_LOST_SECONDS


def test_sox_and_libsndfile_read_all_but_the_last_moment_of_a_killed_take(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    dice = random.Random(9)
    count = campaign(200)
    takes = [(tmp_path / f"{n}.{TYPES[n % len(TYPES)]}", dice.uniform(0, 3)) for n in range(count)]

    def missing_seconds(take: tuple[Path, float]) -> float:
        path, seconds = take
        process = pastream.start("null", path, "-q", "-D", RAMP, *PATIENT)
        due_seconds = kill_while_recording(process, path, seconds)
        readings = [read(path), read_by_sox(path)]
        path.unlink()
        for reading in readings:
            assert_same(reading, ramp(len(reading)))
        return due_seconds - min(map(len, readings)) / RATE

    with ThreadPoolExecutor(AT_ONCE) as pool:
        missing = dict(zip(takes, pool.map(missing_seconds, takes), strict=True))
    assert {take: seconds for take, seconds in missing.items() if seconds > 0} == {}


HOLD_THE_LOCK = """
import ctypes
import os
import sys
from pastream_cli import args
from pastream_cli.take.session import Session
from pastream_cli.take.signals import Requests

HELD_SECONDS = 30

class Holder:
    is_live = True
    looks = 0

    def opened(self, opening):
        pass

    def warned(self, text):
        print("warning:", text)

    def progressed(self, snapshot):
        self.looks += os.path.exists("take-002.wav")
        if self.looks > 2:  # the writer has it by then
            ctypes.PyDLL(None).usleep(HELD_SECONDS * 1_000_000)

with Requests() as requests:
    Session(args.parse(sys.argv[1:]), Holder(), requests).run()
"""


def test_a_killed_take_keeps_a_piece_that_nobody_came_to_close(pastream: Pastream, tmp_path: Path) -> None:
    words = ["null", "take.wav", "--split", "1.6", "-e", "pcm_24", "-D", RAMP, *PATIENT]
    with Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, *words],
        env=dict(pastream.environment),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for_frames(tmp_path / "take-002.wav")
        finally:
            process.kill()
    piece = tmp_path / "take-001.wav"
    for reading in (read(piece), read_by_sox(piece)):
        assert_same(reading, ramp(RATE * 8 // 5))


def test_a_killed_take_keeps_every_piece_that_was_finished(pastream: Pastream, tmp_path: Path) -> None:
    pieces = [tmp_path / f"take-00{n}.wav" for n in (1, 2, 3)]
    process = pastream.start("null", "take.wav", "--split", "1", "-q", "-D", RAMP, *PATIENT)
    due_seconds = 2 + kill_while_recording(process, pieces[-1], 0.5)
    assert [soundfile.info(path).frames for path in pieces[:-1]] == [RATE, RATE]
    readings = [np.concatenate([one(path) for path in pieces]) for one in (read, read_by_sox)]
    for reading in readings:
        assert_same(reading, ramp(len(reading)))
        assert len(reading) >= due_seconds * RATE
