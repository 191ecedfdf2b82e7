"""A disk that refuses what is written keeps what it took, and the exit code tells; one that is slow costs nothing."""

from __future__ import annotations

import errno
import json
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import Rule, faulty_disk
from tests.runner import Pastream
from tests.sounds import RATE, read, readable
from tests.takes import PATIENT, RAMP, SLACK, Listener, gaps_in_ramp, report_of, told, wait_for_frames

FAILED = "Input/output error"
WAITING = "waiting for the disk"
SECOND = RATE * 2 * 3
"""Bytes of one second, of two channels in PCM_24."""

REFUSED_SYNC = Rule(calls="fsync", error=errno.EIO)
SYNCS_AT_THE_START = 3
"""Of the first frame, its folder, and what follows it: a refusal of these ends the take."""


def stall(seconds: float) -> Rule:
    """A disk that holds up the first data after half a second."""
    return Rule(calls="write", hang_seconds=seconds, after_bytes=SECOND // 2, times=1)


LIMITS = {"wav": SECOND * 3 // 2, "aiff": SECOND * 3 // 2, "raw": SECOND * 3 // 2, "flac": 30_000}


@pytest.mark.parametrize("file_type", sorted(LIMITS))
@pytest.mark.parametrize("is_gone", [False, True], ids=["a bad place", "a disk that is gone"])
def test_a_disk_that_refuses_to_write_ends_the_take_with_what_it_took(
    pastream: Pastream, build: Path, tmp_path: Path, file_type: str, is_gone: bool
) -> None:
    take = tmp_path / f"take.{file_type}"
    options = ("-e", "pcm_24", "--json", "-d", "60", "-D", RAMP if is_gone else f"{RAMP}:fast", *PATIENT[: 2 * is_gone])
    limit = LIMITS[file_type]
    after, beyond = (limit, None) if is_gone else (None, limit)
    refusal = Rule(calls="write", error=errno.EIO, after_bytes=after, beyond_bytes=beyond)
    disk = faulty_disk(build, tmp_path, refusal)
    result = pastream("null", take.name, *options, env=disk)
    assert (result.returncode, report_of(result)["stop_reason"]) == (4, "failed")
    assert f"cannot write {take.name}: {FAILED}" in result.stderr
    format_of_raw = {"format": "RAW", "samplerate": RATE, "channels": 2, "subtype": "PCM_24"}
    samples = read(take, **(format_of_raw if file_type == "raw" else {}))
    assert told(result) == {take.name: len(samples)}
    assert gaps_in_ramp(samples) == []
    assert len(samples) > RATE / 4


@pytest.mark.parametrize("skip", range(4))
@pytest.mark.parametrize("is_redirected", [False, True], ids=["a file", "standard output"])
@pytest.mark.parametrize(("file_type", "limit"), [("ogg", 20_000), ("mp3", 60_000)])
def test_a_take_in_packets_ends_where_the_disk_refused_one(
    pastream: Pastream, build: Path, tmp_path: Path, file_type: str, limit: int, is_redirected: bool, skip: int
) -> None:
    # the codec still holds what it writes behind that packet, as if nothing were missing
    refusal = Rule(calls="write", error=errno.ENOTCONN, after_bytes=limit, skip=skip, times=1)
    env = faulty_disk(build, tmp_path, refusal)
    take = tmp_path / f"take.{file_type}"
    words = ("-t", file_type, "--json", "-d", "20", "-D", "virtual:noise:fast")
    if is_redirected:
        with take.open("wb") as target:
            result = pastream.finish(pastream.start("null", "-", *words, stdout=target, env=env))
        report = json.loads(result.stderr.splitlines()[-1])
    else:
        result = pastream("null", take.name, *words, env=env)
        report = report_of(result)
    assert result.returncode == 4, result
    assert sum(file["frames"] for file in report["files"]) == len(readable(take, 2))


@pytest.mark.parametrize("file_type", ["wav", "flac", "ogg"])
def test_a_disk_that_refuses_what_it_had_taken_is_told_at_the_end(
    pastream: Pastream, build: Path, tmp_path: Path, file_type: str
) -> None:
    take = tmp_path / f"take.{file_type}"
    result = pastream(
        "null",
        take.name,
        "-d",
        "1",
        "--json",
        "-D",
        f"{RAMP}:fast",
        env=faulty_disk(build, tmp_path, replace(REFUSED_SYNC, skip=SYNCS_AT_THE_START)),
    )
    assert result.returncode == 4
    assert f"cannot finish {take.name}: {FAILED}" in result.stderr
    assert told(result) == {take.name: RATE} == {take.name: len(read(take))}


def test_a_disk_that_refuses_the_end_is_told_beside_a_device_that_has_ended(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    words = ("take.wav", "-d", "60", "--json", "-D", f"{RAMP}:die=0.5", "-b", "480", *PATIENT)
    disk = faulty_disk(build, tmp_path, replace(REFUSED_SYNC, skip=SYNCS_AT_THE_START))
    result = pastream("null", *words, env=disk)
    assert (result.returncode, report_of(result)["error"]["message"]) == (1, "cannot go on: the device has ended")
    assert f"warning: cannot finish take.wav: {FAILED}\n" in result.stderr
    assert told(result) == {"take.wav": RATE // 2} == {"take.wav": len(read(tmp_path / "take.wav"))}


def test_a_disk_that_refuses_what_it_had_taken_ends_the_take_within_seconds(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    disk = faulty_disk(build, tmp_path, REFUSED_SYNC)
    result = pastream("null", "take.wav", "-d", "60", "--json", "-D", RAMP, *PATIENT, env=disk, timeout=5 * SLACK + 5)
    assert result.returncode == 4
    assert f"cannot write take.wav: {FAILED}" in result.stderr
    assert told(result) == {"take.wav": len(read(tmp_path / "take.wav"))}


def test_a_disk_that_stalls_for_8_seconds_costs_nothing(pastream: Pastream, build: Path, tmp_path: Path) -> None:
    disk = faulty_disk(build, tmp_path, stall(8))
    result = pastream("null", "take.wav", "-d", "9", "--json", "-e", "pcm_24", "-D", RAMP, *PATIENT, env=disk)
    assert result.returncode == 0, result
    samples = read(tmp_path / "take.wav")
    assert (len(samples), gaps_in_ramp(samples)) == (9 * RATE, [])
    assert report_of(result)["buffer"]["high_water_frames"] > 7 * RATE


def test_a_stop_while_the_disk_stalls_waits_for_it(pastream: Pastream, build: Path, tmp_path: Path) -> None:
    disk = faulty_disk(build, tmp_path, stall(5))
    process = pastream.start("null", "take.wav", "--json", "-e", "pcm_24", "-D", RAMP, *PATIENT, env=disk)
    listener = Listener(process)
    wait_for_frames(tmp_path / "take.wav", RATE // 4)
    time.sleep(1)  # the disk takes a quarter more, and stalls
    process.send_signal(signal.SIGINT)
    listener.wait_for(WAITING, 30)
    result = listener.finish(30)
    assert result.returncode == 0, result
    samples = read(tmp_path / "take.wav")
    assert told(result) == {"take.wav": len(samples)}
    assert gaps_in_ramp(samples) == []


def test_a_second_stop_while_the_disk_stalls_gives_up(pastream: Pastream, build: Path, tmp_path: Path) -> None:
    disk = faulty_disk(build, tmp_path, stall(300))
    process = pastream.start("null", "take.wav", "-e", "pcm_24", "-D", RAMP, *PATIENT, env=disk)
    listener = Listener(process)
    wait_for_frames(tmp_path / "take.wav", RATE // 4)
    time.sleep(1)  # the disk takes a quarter more, and stalls
    process.send_signal(signal.SIGINT)
    listener.wait_for(WAITING, 30)
    process.send_signal(signal.SIGINT)
    assert listener.finish(30).returncode == 130


def test_a_header_that_cannot_be_updated_ends_the_take_before_it_is_written_over(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    disk = faulty_disk(build, tmp_path, Rule(calls="fstat", error=errno.EIO, after_bytes=SECOND // 2, times=1))
    result = pastream("null", "take.wav", "-e", "pcm_24", "-d", "3", "--json", "-D", RAMP, *PATIENT, env=disk)
    assert result.returncode == 4
    assert f"cannot write take.wav: {FAILED}" in result.stderr
    samples = read(tmp_path / "take.wav")
    assert told(result) == {"take.wav": len(samples)}
    assert gaps_in_ramp(samples) == []
    assert len(samples) > RATE / 4
