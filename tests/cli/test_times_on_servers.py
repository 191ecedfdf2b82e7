"""The time of a frame on real servers: a witness plays the time, and what was recorded is held against what is told."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.runner import Pastream
from tests.servers import JackServer, PipeWireServer, PulseServer, Server
from tests.sounds import RATE, Samples, assert_same, read
from tests.takes import SLACK, joined, report_of
from tests.witness import NUMBERS, Witness, nearest_number, stretches, witness_on

LATENCIES = ("0.02", "0.2", "0.5", "2")
SECONDS_OF_A_ROUND = 10

BLOCK_OF_JACK = 256
"""By so much a client of a JACK server, which the witness is, hears later where it was not in time."""

MOST_APART_BY_PULSE_SECONDS = 0.05
"""On PipeWire, whose PulseAudio side says how much it holds to some 20 ms at first."""

SECONDS_TO_SEE_A_LOSS = 6
"""What a server has lost is found so long after it, and then the next piece begins in time again."""

BLOCK = 1024
"""The longest that a server here has."""


def told_start(file: dict[str, Any]) -> float:
    """Return when the first frame of a file was captured, in seconds of the wall clock, as the report says."""
    return datetime.fromisoformat(file["start"].replace("Z", "+00:00")).timestamp()


def told_less_played(file: dict[str, Any], folder: Path, witness: Witness) -> float:
    """Return by how many seconds what is told of the first frame is later than when the witness played its number."""
    first = stretches(read(folder / file["name"]))[0]
    late = witness.late_by(first.first - first.offset) - first.offset
    return told_start(file) - instant_of(witness) - late / RATE


def instant_of(witness: Witness) -> float:
    """Return when number 0 was due, in seconds of the wall clock."""
    return (time.time_ns() - time.monotonic_ns() + witness.instant_ns) / 1e9


def at_four_latencies(
    pastream: Pastream, witness: Witness, device: str, seconds: float, number: int
) -> list[tuple[float, float]]:
    """Record what the witness plays in four takes at once; return what is told of each, and how far it may be off."""
    takes: list[tuple[str, subprocess.Popen[bytes]]] = []
    for latency in LATENCIES:
        name = f"{number}-{latency}.wav"
        options = ("-e", "pcm_24", "-c", "2", "-d", f"{seconds}", "--latency", latency, "--json")
        takes.append((name, pastream.start("null", name, "-q", "-D", device, *options, server=witness.server)))
    told = []
    for _, process in takes:
        (file,) = report_of(pastream.finish(process, timeout=seconds + 60))["files"]
        told.append((told_less_played(file, pastream.folder, witness), file["start_uncertainty_seconds"]))
    return told


def check_one_click(
    pastream: Pastream, server: Server, device: str, build: Path, rounds: int, most_apart_seconds: float = 0.02
) -> None:
    """What is told of the takes differs by no more than the limit, and by no more than each says that it may be off."""
    with witness_on(server, build) as witness:
        for number in range(rounds):
            told = at_four_latencies(pastream, witness, device, 4, number)
            slipped = witness.slipped_before(witness.ties[-1][0], SECONDS_OF_A_ROUND)
            slip = (2 * BLOCK_OF_JACK + slipped) / RATE
            assert np.ptp([moment for moment, _ in told]) < most_apart_seconds + slipped / RATE, (number, told)
            for (moment, uncertainty), (other, others_uncertainty) in combinations(told, 2):
                assert abs(moment - other) <= uncertainty + others_uncertainty + slip, (told, slip)


def test_one_click_has_one_time_at_every_latency_on_pulseaudio(
    pastream: Pastream, pulseaudio: PulseServer, build: Path, campaign: Callable[[int], int], soak_only: None
) -> None:
    del soak_only
    check_one_click(pastream, pulseaudio, "pulse", build, campaign(10))


@pytest.mark.parametrize("device", ["virt, JACK", "pulse"])
def test_one_click_has_one_time_at_every_latency_on_pipewire(
    pastream: Pastream,
    pipewire: PipeWireServer,
    build: Path,
    campaign: Callable[[int], int],
    device: str,
    soak_only: None,
) -> None:
    del soak_only
    most = (MOST_APART_BY_PULSE_SECONDS,) if device == "pulse" else ()
    check_one_click(pastream, pipewire, device, build, campaign(10), *most)


def test_one_click_has_one_time_at_every_latency_on_jack(
    pastream: Pastream, jackd: JackServer, build: Path, campaign: Callable[[int], int], soak_only: None
) -> None:
    del soak_only
    check_one_click(pastream, jackd, "loopback", build, campaign(10))


# ---- a frame that is played at a known time ----


def check_known_frames(pastream: Pastream, server: Server, device: str, build: Path, seconds_before: float) -> None:
    """Takes that begin at a time and at a level do so at the frame that was played then.

    Before it, they have `seconds_before` to be started.
    """
    options = ("-e", "pcm_24", "-c", "2", "-D", device, "-q", "--json")
    with witness_on(server, build) as witness:
        number = int((time.monotonic_ns() / 1e9 - witness.instant_ns / 1e9 + seconds_before) * RATE)
        begin = round(instant_of(witness) + number / RATE, 3)
        level = 20 * np.log10((number - 0.5) / NUMBERS)
        takes = {
            "at.wav": ("--at", f"{datetime.fromtimestamp(begin, timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}"),
            "level.wav": ("--trigger", f"{level:.9f}dB"),
            "preroll.wav": ("--trigger", f"{level:.9f}dB", "--preroll", "0.5"),
        }
        started = {
            name: pastream.start("null", name, *times, "-d", "2", *options, server=server)
            for name, times in takes.items()
        }
        for name, process in started.items():
            result = pastream.finish(process, timeout=60)
            (file,) = report_of(result)["files"]
            numbers = read(pastream.folder / name)[:, 1].astype("int64") >> 8
            assert len(numbers) == file["frames"] == 2 * RATE
            late_seconds = told_start(file) - instant_of(witness) - (numbers[0] + witness.late_by(numbers[0])) / RATE
            slipped_seconds = witness.slipped_before(number, SECONDS_TO_SEE_A_LOSS) / RATE
            within = file["start_uncertainty_seconds"] + slipped_seconds
            assert abs(late_seconds) <= BLOCK / RATE + within, (name, late_seconds, within, file)
            if name == "at.wav":
                assert abs(told_start(file) - begin) <= within + 1 / RATE
            else:
                before = RATE // 2 if name == "preroll.wav" else 0
                assert list(numbers[:before] >= number) == [False] * before
                assert 0 <= numbers[before] - number <= BLOCK, result


def test_takes_begin_at_the_frame_of_a_time_and_of_a_level_on_jack(
    pastream: Pastream, jackd: JackServer, build: Path
) -> None:
    check_known_frames(pastream, jackd, "loopback", build, 4 * SLACK)


def test_takes_begin_at_the_frame_of_a_time_and_of_a_level_on_pulseaudio(
    pastream: Pastream, pulseaudio: PulseServer, build: Path, soak_only: None
) -> None:
    del soak_only
    check_known_frames(pastream, pulseaudio, "pulse", build, 5 * SLACK)


@pytest.mark.parametrize("device", ["virt, JACK", "pulse"])
def test_takes_begin_at_the_frame_of_a_time_and_of_a_level_on_pipewire(
    pastream: Pastream, pipewire: PipeWireServer, build: Path, device: str, soak_only: None
) -> None:
    del soak_only
    check_known_frames(pastream, pipewire, device, build, 7 * SLACK)


# ---- pieces that end by the clock ----


def check_boundaries(pastream: Pastream, server: Server, device: str, build: Path, boundaries: int) -> None:
    """Each piece begins within its uncertainty of the clock's second, and joined they are what another take has."""
    options = ("-e", "pcm_24", "-c", "2", "-D", device, "-q", "--json")
    with witness_on(server, build) as witness:
        unsplit = pastream.start("null", "unsplit.wav", *options, "-d", f"{boundaries + 60}", server=server)
        pieces = ("-d", f"{boundaries + 3}", "--split", "1", "--align")
        result = pastream("null", "{n:04}.wav", *pieces, *options, server=server, timeout=boundaries + 90)
        unsplit.send_signal(signal.SIGINT)
        pastream.finish(unsplit, timeout=60)
        files = report_of(result)["files"]
        assert len(files) > boundaries, result.stderr
        sound = joined(pastream.folder / file["name"] for file in files)
        for file in files[1:]:
            moment, uncertainty = told_start(file), file["start_uncertainty_seconds"]
            due = round((round(moment) - instant_of(witness)) * RATE)
            number = nearest_number(int(sound[file["first_frame"], 1] >> 8), due)
            slipped_seconds = witness.slipped_before(number, SECONDS_TO_SEE_A_LOSS) / RATE
            assert abs(moment - round(moment)) <= uncertainty + slipped_seconds + 1 / RATE, file
            late_seconds = (number + witness.late_by(number) - due) / RATE
            assert abs(late_seconds) <= uncertainty + slipped_seconds + BLOCK / RATE, (late_seconds, file)
    check_part(sound, read(pastream.folder / "unsplit.wav"))


def check_part(part: Samples, whole: Samples) -> None:
    """Samples are a part of others, bit for bit, but for the first second, in which a server may still be silent."""
    part = part[RATE:]
    first = part[:RATE, 1]
    begin = next(n for n in np.flatnonzero(whole[:, 1] == first[0]) if np.array_equal(whole[n : n + RATE, 1], first))
    assert_same(whole[begin : begin + len(part)], part)


def test_boundaries_on_pulseaudio_are_on_the_second(
    pastream: Pastream, pulseaudio: PulseServer, build: Path, soak_only: None
) -> None:
    del soak_only
    check_boundaries(pastream, pulseaudio, "pulse", build, 200)


def test_boundaries_on_jack_are_on_the_second(
    pastream: Pastream, jackd: JackServer, build: Path, soak_only: None
) -> None:
    del soak_only
    check_boundaries(pastream, jackd, "loopback", build, 200)


@pytest.mark.parametrize("device", ["virt, JACK", "pulse"])
def test_boundaries_on_pipewire_are_on_the_second(
    pastream: Pastream, pipewire: PipeWireServer, build: Path, device: str, soak_only: None
) -> None:
    del soak_only
    check_boundaries(pastream, pipewire, device, build, 200)
