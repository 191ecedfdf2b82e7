"""Readers and devices that stall: nothing is lost that the buffer can hold, and what is lost is told to the frame."""

from __future__ import annotations

import fcntl
import io
import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from subprocess import Popen

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.runner import Pastream, Result
from tests.sounds import RATE
from tests.takes import PATIENT, RAMP, SLACK, gaps_in_ramp, losses_told, report_of

AT_ONCE = 4
TO_A_PIPE = ("null", "-", "-t", "au", "-e", "pcm_24", "--json", *PATIENT)
F_SETPIPE_SZ = 1031
SMALLEST_PIPE = 4096


def read_with_stalls(pastream: Pastream, process: Popen[bytes], stalls: Iterable[float]) -> tuple[Result, bytearray]:
    """Read what the command writes, and stop reading for so many seconds, again and again."""
    assert process.stdout
    pipe = process.stdout.fileno()
    data = bytearray()
    for seconds in stalls:
        data += os.read(pipe, SMALLEST_PIPE)
        time.sleep(seconds)
    while chunk := os.read(pipe, 1 << 20):
        data += chunk
    result = pastream.finish(process)
    assert result.returncode == 0, result
    return result, data


def start_with_little_patience(pastream: Pastream, *options: str) -> Popen[bytes]:
    """Start a recording with a buffer of less than 0.1 s behind a pipe as small as can be."""
    process = pastream.start(*TO_A_PIPE, "--buffersize", "4096", "-b", "256", "-D", RAMP, *options)
    assert process.stdout
    fcntl.fcntl(process.stdout, F_SETPIPE_SZ, SMALLEST_PIPE)
    return process


def decode(data: bytes | bytearray) -> NDArray[np.int32]:
    recording, _rate = soundfile.read(io.BytesIO(data), dtype="int32", always_2d=True)
    return np.asarray(recording)


def loss_lines(result: Result) -> list[int]:
    """Return how many frames each line on the screen says were lost."""
    return [
        int(match.replace(" ", "")) for match in re.findall(r"(?m)^pastream: ([0-9 ]+) frames? lost", result.stderr)
    ]


def test_a_reader_that_stalls_for_eight_seconds_loses_nothing(pastream: Pastream) -> None:
    # at once, or it would take twice as long
    processes = [pastream.start(*TO_A_PIPE, "-c", channels, "-d", "9", "-D", RAMP) for channels in ("2", "32")]
    with ThreadPoolExecutor(len(processes)) as pool:
        runs = list(pool.map(lambda process: read_with_stalls(pastream, process, [8]), processes))
    for (result, data), channels in zip(runs, (2, 32), strict=True):
        recording = decode(data)
        assert recording.shape == (9 * RATE, channels)
        assert gaps_in_ramp(recording) == []
        assert report_of(result)["xruns"] == []


def test_what_a_longer_stall_loses_is_told_to_the_frame_and_the_rest_is_in_its_place(
    pastream: Pastream, campaign: Callable[[int], int]
) -> None:
    def run(case: int) -> None:
        dice = random.Random(case)
        process = start_with_little_patience(pastream, "-d", "2")
        stalls = [dice.uniform(0.2, 0.8) for _ in range(dice.randint(1, 3))]
        result, data = read_with_stalls(pastream, process, stalls)
        recording = decode(data)
        losses = losses_told(result, "overrun")
        assert gaps_in_ramp(recording) == losses != []
        assert len(recording) == 2 * RATE
        assert loss_lines(result) == [frames for _, frames in losses]
        assert report_of(result)["lost_frames"] == sum(loss_lines(result))
        assert report_of(result)["missing_frames"] == 0

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, range(campaign(50))))


def test_a_take_with_losses_is_as_long_as_the_clock_says(pastream: Pastream) -> None:
    process = start_with_little_patience(pastream)
    assert process.stdout
    data = os.read(process.stdout.fileno(), SMALLEST_PIPE)
    begun = time.monotonic()
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    seconds = time.monotonic() - begun
    result, rest = read_with_stalls(pastream, process, [])
    recording = decode(data + rest)
    assert gaps_in_ramp(recording) == losses_told(result, "overrun") != []
    assert len(recording) / RATE == pytest.approx(seconds, abs=0.1 * SLACK)


def test_a_take_that_ends_with_a_loss_has_its_silence_however_slowly_it_drains(pastream: Pastream) -> None:
    process = start_with_little_patience(pastream)
    assert process.stdout
    data = os.read(process.stdout.fileno(), SMALLEST_PIPE)
    time.sleep(1)  # the buffer is full by now, and a loss goes on
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    result, rest = read_with_stalls(pastream, process, [])
    recording = decode(data + rest)
    losses = losses_told(result, "overrun")
    assert gaps_in_ramp(recording) == losses != []
    assert sum(losses[-1]) == len(recording) == report_of(result)["frames"]


def expected_gaps(faults: list[tuple[int, int]], block: int) -> list[tuple[int, int]]:
    """Return what a device loses that is told to lose so many frames at the first block from these places on."""
    gaps, frame = [], 0
    for place, lost in faults:
        while frame < place:
            frame += block
        gaps.append((frame, lost))
        frame += lost
    return gaps


def test_what_a_device_loses_is_told_to_the_frame_and_the_rest_is_in_its_place(
    pastream: Pastream, campaign: Callable[[int], int]
) -> None:
    def run(case: int) -> None:
        dice = random.Random(case)
        block = dice.choice([64, 100, 256, 1000, 4096])
        frames = RATE
        faults = []
        device = RAMP
        for place in range(dice.randrange(1, 9000), frames - 9000, dice.randrange(8000, 20_000)):
            if dice.random() < 0.5:
                faults.append((place, block))
                device += f":xrun={place}s"
            else:
                faults.append((place, dice.randint(1, 2000)))
                device += f":stall={place}s+{faults[-1][1]}s"
        process = pastream.start(*TO_A_PIPE, "-b", str(block), "-d", f"{frames}s", "-D", device)
        result, data = read_with_stalls(pastream, process, [])
        recording = decode(data)
        assert gaps_in_ramp(recording) == losses_told(result, "device") == expected_gaps(faults, block)
        assert len(recording) == frames
        assert loss_lines(result) == [lost for _, lost in losses_told(result, "device")]
        assert report_of(result)["missing_frames"] == 0

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, range(campaign(100))))


@pytest.mark.parametrize(("begun", "length", "lost"), [(24_000, 19_200, 19_200), (43_200, RATE, 4800)])
def test_a_stall_counts_up_to_the_end_that_was_asked_for(
    pastream: Pastream, begun: int, length: int, lost: int
) -> None:
    process = pastream.start(*TO_A_PIPE, "-b", "480", "-d", "1", "-D", f"{RAMP}:stall={begun}s+{length}s")
    result, data = read_with_stalls(pastream, process, [])
    recording = decode(data)
    assert gaps_in_ramp(recording) == losses_told(result, "device") == [(begun, lost)]
    assert loss_lines(result) == [lost]
    assert len(recording) == RATE


def test_blocks_that_a_device_loses_have_taken_their_time(pastream: Pastream) -> None:
    device = "virtual:sine:xrun=2.0:xrun=2.1:xrun=2.2"
    result = pastream("null", "take.wav", "-r", "8000", "-b", "2048", "-d", "3", "-D", device, "--json", *PATIENT)
    report = report_of(result)
    assert (result.returncode, report["frames"], report["lost_frames"]) == (0, 24_000, 3 * 2048)
    assert report["missing_frames"] == 0
    start, end = (datetime.fromisoformat(moment[:-1]) for moment in (report["files"][0]["start"], report["ended"]))
    assert (end - start).total_seconds() > 3 - 2048 / 8000
