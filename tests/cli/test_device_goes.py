"""A device that goes, on real servers: a witness that plays the time proves that what follows a gap is in its place."""

from __future__ import annotations

import logging
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.device_processes import host_of
from tests.ears import write_numbers
from tests.homes import wait_until
from tests.runner import Pastream
from tests.scenes import (
    BACK,
    BLOCK,
    FAULTS,
    RESTART,
    SCENES,
    SECONDS_TO_RETURN,
    Fault,
    Scene,
    Take,
    begin,
    drawn_faults,
    finish,
    suffer,
    witnessed,
)
from tests.sounds import RATE, Samples, read
from tests.takes import SLACK, frames_on_disk, wait_for_frames
from tests.witness import NUMBERS, Stretch, Witness, stretches

LOG = logging.getLogger(__name__)  # --log-cli-level=INFO shows the figures
WITNESS, PLAYED = 1, 0
"""The channels of what is recorded."""


def record(pastream: Pastream, scene: Scene, path: Path, source: str) -> Take:
    """Start a recording, and wait for its first half second."""
    device = scene.device if source == "null" else scene.loopback
    take = begin(pastream, scene, path.parent, source, path.name, "-D", device, "-e", "pcm_24")
    wait_for_frames(path, RATE // 2)
    return take


def suffer_and_record(take: Take, path: Path, fault: Fault) -> None:
    """Have the device of a take go; return when it is back, and half a second of what it delivers is in the file."""
    suffer(take, fault)
    time.sleep(0.5)  # the writer has put the gap into the file
    there = frames_on_disk(path)
    wait_until(lambda: frames_on_disk(path) > there + RATE, "a second more", SECONDS_TO_RETURN)


@dataclass(frozen=True)
class Segment:
    """What a recording has between two gaps."""

    first: int
    end: int
    stretches: list[Stretch]


def segments_of(samples: Samples, channel: int, report: dict[str, Any]) -> list[Segment]:
    """Return what was recorded between the gaps that were told; in the gaps there must be silence."""
    gaps = [xrun for xrun in report["xruns"] if xrun["kind"] == "device-away" and xrun["side"] == "capture"]
    assert report["away_frames"] == report["lost_frames"] == sum(gap["frames"] for gap in gaps)
    edges = [0, *(edge for gap in gaps for edge in (gap["frame"], gap["frame"] + gap["frames"])), len(samples)]
    for first, end in zip(edges[1:-1:2], edges[2:-1:2], strict=True):
        assert not samples[first:end].any()
    heard = stretches(samples, channel)
    return [
        Segment(first, end, [stretch for stretch in heard if first <= stretch.first < end])
        for first, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def is_of_a_loopback(heard: list[Stretch]) -> bool:
    """Tell whether all is there, some of it a period early, as a loopback of JACK has it when a client is late."""
    follow = all(one.end == another.first for one, another in pairwise(heard))
    latest = max(stretch.offset for stretch in heard)
    return follow and all(latest - stretch.offset in {0, BLOCK} for stretch in heard)


def without_holes(segment: Segment, witness: Witness, *, tells: bool) -> list[Stretch]:
    """Join what is apart by what the witness itself did not play, since a busy machine let it or its server be late.

    What a server leaves out is told, but shortly before the device goes: then the gap's length has it.
    """
    whole = segment.stretches[:1]
    for stretch in segment.stretches[1:]:
        last = whole[-1]
        first, end = last.end - last.offset, stretch.first - stretch.offset
        is_told = tells or segment.end - stretch.first < RATE // 2
        if (stretch.offset == last.offset or is_told) and witness.has_lost(first, end - first):
            whole[-1] = Stretch(last.first, stretch.end - last.first, last.offset)
        else:
            whole.append(stretch)
    return whole


def check_place(witness: Witness, samples: Samples, report: dict[str, Any]) -> list[int]:
    """Every frame is the witness's next one, and each segment stands where the first one does by the clock, to a block.

    Returns
    -------
    list of int
        By how many frames each segment is out of its place.
    """
    assert len(samples) == report["frames"]
    segments = segments_of(samples, WITNESS, report)
    others = [xrun for xrun in report["xruns"] if xrun["kind"] != "device-away"]
    places = []
    for segment in segments:
        assert segment.stretches, (segment, report["xruns"])
        # a busy machine may have the server itself lose blocks, which is told; frames before the witness are silent
        heard = without_holes(segment, witness, tells=bool(others))
        assert len(heard) <= 1 + len(others) or is_of_a_loopback(heard), (segment, witness.losses)
        for stretch in heard[1:]:  # a gap may end within a block, and a late client of a loopback reads while it writes
            assert stretch.frames > BLOCK or others or is_of_a_loopback(heard), segment
        last = segment.stretches[-1]
        assert last.end == segment.end, segment
        latest = max(segment.stretches, key=lambda stretch: stretch.offset)
        places.append(latest.offset - witness.late_by(latest.first - latest.offset))
    displaced = [place - places[0] for place in places]
    assert max(map(abs, displaced)) <= BLOCK + report["missing_frames"], (displaced, report["xruns"])
    return displaced[1:]


def test_what_follows_a_gap_is_in_its_place(
    pastream: Pastream, tmp_path: Path, build: Path, campaign: Callable[[int], int]
) -> None:
    record_over_gaps(pastream, tmp_path, build, campaign(10), "PulseAudio")


@pytest.mark.parametrize("name", [name for name in SCENES if name != "PulseAudio"])
def test_what_follows_a_gap_is_in_its_place_on_any_server(
    pastream: Pastream, tmp_path: Path, build: Path, soak_only: None, name: str
) -> None:
    del soak_only
    record_over_gaps(pastream, tmp_path, build, 10, name)


def record_over_gaps(pastream: Pastream, folder: Path, build: Path, count: int, name: str) -> None:
    """Make so many takes, each with all faults."""
    dice = random.Random(name)
    for turn in range(count):
        with witnessed(name, build) as (
            scene,
            witness,
        ):  # a witness of its own, since there are numbers for three minutes
            path = folder / f"{turn}.wav"
            take = record(pastream, scene, path, "null")
            faults = drawn_faults(name, dice, len(FAULTS)) if count > 1 else ["host killed"]
            for fault in faults:
                LOG.info("%s: %s", name, fault)
                suffer_and_record(take, path, FAULTS[fault])
            report = finish(take)
            displaced = check_place(witness, read(path), report)
            LOG.info("%s, frames out of place: %s", name, dict(zip(faults, displaced, strict=True)))
            assert report["ended_away"] is False
            # a server that hands over many blocks at once has not stopped in between
            assert name != "PulseAudio" or count > 1 or report["away_frames"] < SLACK * RATE


@pytest.mark.parametrize("name", SCENES)
def test_what_is_played_and_recorded_stays_tied_over_a_gap(
    pastream: Pastream, tmp_path: Path, build: Path, soak_only: None, name: str
) -> None:
    del soak_only
    dice = random.Random(name)
    write_numbers(tmp_path / "in.wav", 150)
    for turn in range(3):
        with witnessed(name, build) as (scene, witness):
            path = tmp_path / f"{turn}.wav"
            take = record(pastream, scene, path, "in.wav")
            faults = drawn_faults(name, dice, len(FAULTS))
            for fault in faults:
                LOG.info("%s: %s", name, fault)
                suffer_and_record(take, path, FAULTS[fault])
            report, samples = finish(take), read(path)
            displaced = check_place(witness, samples, report)
            LOG.info("%s, frames out of place: %s", name, dict(zip(faults, displaced, strict=True)))
            # a stream of PulseAudio's has another round trip each time that it is opened, within its latency
            check_tie(samples, report, BLOCK if "JACK" in name else RATE // 2)


def check_tie(samples: Samples, report: dict[str, Any], tolerance: int) -> None:
    """What is played has waited in each gap."""
    waited = 0
    first = None
    for segment in segments_of(samples, PLAYED, report):
        assert segment.stretches
        offset = max(stretch.offset for stretch in segment.stretches)
        first = offset if first is None else first
        away = sum(
            xrun["frames"] for xrun in report["xruns"]
            if (xrun["kind"], xrun["side"]) == ("device-away", "playback") and xrun["frame"] < segment.first
        )  # fmt: skip
        waited = offset - first - away
        LOG.info("frames out of tie: %d", waited)
        assert abs(waited) <= tolerance + report["missing_frames"], report["xruns"]


def test_one_file_is_whole_after_thirty_one_kills_in_twenty_seconds(
    pastream: Pastream, tmp_path: Path, build: Path, soak_only: None
) -> None:
    del soak_only
    kills = 31
    dice = random.Random(31)
    moments = sorted(dice.uniform(0, 20) for _ in range(kills))
    path = tmp_path / "take.wav"
    with witnessed("JACK", build) as (scene, witness):
        take = record(pastream, scene, path, "null")
        begun, struck = time.monotonic(), 0
        for moment in moments:
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            host = host_of(take.listener.process.pid)
            if host is not None:
                os.kill(host, signal.SIGKILL)
                struck += 1
        settle(take, path)
        report = finish(take)
        displaced = check_place(witness, read(path), report)
        LOG.info("%d of %d kills, %d gaps, frames out of place: %s", struck, kills, len(displaced), displaced)


def test_one_file_is_whole_after_a_server_was_restarted_ten_times_in_two_minutes(
    pastream: Pastream, tmp_path: Path, build: Path, soak_only: None
) -> None:
    del soak_only
    path = tmp_path / "take.wav"
    with witnessed("JACK", build) as (scene, witness):
        take = record(pastream, scene, path, "null")
        begun = time.monotonic()
        for turn in range(10):
            time.sleep(max(0.0, begun + 12 * turn - time.monotonic()))
            RESTART(take)
        settle(take, path)
        report = finish(take)
        displaced = check_place(witness, read(path), report)
        LOG.info("%d gaps, frames out of place: %s", len(displaced), displaced)
        assert len(read(path)) < NUMBERS


def settle(take: Take, path: Path) -> None:
    """Wait until a device has been there for a second, and is there."""
    deadline = time.monotonic() + SECONDS_TO_RETURN
    while time.monotonic() < deadline:
        gaps, there = take.listener.text.count(BACK), frames_on_disk(path)
        time.sleep(2)
        if take.listener.text.count(BACK) == gaps > 0 and frames_on_disk(path) > there + RATE:
            return
    raise AssertionError(f"the device is not back: {take.listener.text}")
