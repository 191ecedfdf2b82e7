"""A disk that hangs holds up nothing but what waits for it: signals are answered, and what waits is told."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.agreement import OLD
from tests.faults import CALLS, Rule, faulty_disk
from tests.homes import wait_until
from tests.runner import Pastream
from tests.sounds import RATE, make_noise, read, readable
from tests.takes import PATIENT, RAMP, SLACK, Listener, gaps_in_ramp, report_of, told, wait_for_frames

WAITING = "waiting for the disk"
SECONDS_TO_ANSWER = 1.0 * SLACK
HANG_SECONDS = SECONDS_TO_ANSWER + 2

AT_THE_START = ("open", "fstatvfs")
IN_THE_MIDDLE = ("write", "rename")
AT_THE_FINISH = ("fstat", "fsync", "close", "pwrite")


def at_once(check: Callable[[str], None], calls: tuple[str, ...]) -> None:
    """Check each call of a disk, all at the same time, since it takes some."""
    with ThreadPoolExecutor(len(calls)) as pool:
        list(pool.map(check, calls))


def test_a_stop_is_answered_beside_a_disk_that_hangs_and_the_take_is_whole(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    def check(call: str) -> None:
        folder, switch = tmp_path / call, tmp_path / f"{call}.switch"
        folder.mkdir()
        take = folder / "take.wav"
        if call == "rename":
            take.write_bytes(OLD)
        hang = Rule(calls=call, hang_seconds=HANG_SECONDS, times=1, switch=switch)
        options = ("--json", "-y", "-e", "pcm_24", "-D", RAMP, *PATIENT)
        process = pastream.start("null", "take.wav", *options, cwd=folder, env=faulty_disk(build, folder, hang))
        listener = Listener(process)
        if call == "rename":
            switch.touch()
        wait_until(lambda: any(path.stat().st_size > RATE for path in folder.iterdir()), f"a growing file, {call}", 60)
        switch.touch()
        time.sleep(0.5)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert listener.wait_for(WAITING, 30) - asked < SECONDS_TO_ANSWER, call
        result = listener.finish(30)
        samples = read(take)
        assert (result.returncode, told(result)) == (0, {"take.wav": len(samples)}), (call, result)
        assert len(samples) == report_of(result)["frames"] > RATE // 4
        assert gaps_in_ramp(samples) == []

    at_once(check, (*IN_THE_MIDDLE, *AT_THE_FINISH))


def test_a_stop_is_answered_while_a_disk_hangs_at_the_start_and_no_file_is_left(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    def check(call: str) -> None:
        folder, log = tmp_path / call, tmp_path / f"{call}.log"
        folder.mkdir()
        disk = faulty_disk(build, folder, Rule(calls=call, hang_seconds=HANG_SECONDS, times=1), log=log)
        process = pastream.start("null", "take.wav", "--json", "-D", RAMP, cwd=folder, env=disk)
        listener = Listener(process)
        wait_until(log.exists, f"a disk that hangs, {call}", 30)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert listener.wait_for(WAITING, 30) - asked < SECONDS_TO_ANSWER, call
        result = listener.finish(30)
        assert (result.returncode, told(result), list(folder.iterdir())) == (0, {}, []), (call, result)

    at_once(check, AT_THE_START)


def test_a_stop_ends_the_search_for_a_name_on_a_disk_that_hangs(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    # no folder of Python's own search: it would ask the disk before the first line of ours
    folder, log = tmp_path / "disk", tmp_path / "log"
    folder.mkdir()
    disk = faulty_disk(build, folder, Rule(calls="stat", hang_seconds=30), log=log)
    process = pastream.start("null", "disk/take.wav", "--json", "-D", RAMP, env=disk)
    wait_until(log.exists, "a disk that hangs", 30)
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process, timeout=SECONDS_TO_ANSWER)
    assert (result.returncode, told(result), list(folder.iterdir())) == (0, {}, [])


def test_a_take_that_ends_by_itself_tells_of_a_disk_that_is_stuck_and_not_of_a_slow_one(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    def check(seconds: float) -> bool:
        folder = tmp_path / f"{seconds}"
        folder.mkdir()
        disk = faulty_disk(build, folder, Rule(calls="close", hang_seconds=seconds, times=1))
        result = pastream("null", "take.wav", "-d", "1", "-D", "virtual:noise:fast", cwd=folder, env=disk)
        assert (result.returncode, len(read(folder / "take.wav"))) == (0, RATE), result
        return WAITING in result.stderr

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(check, (1, 5))) == [False, True]


def test_a_disk_that_does_not_tell_its_room_holds_up_nothing(pastream: Pastream, build: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    disk = faulty_disk(build, tmp_path, Rule(calls="fstatvfs", hang_seconds=30, skip=1), log=log)
    process = pastream.start("null", "take.wav", "--json", "-e", "pcm_24", "-D", RAMP, *PATIENT, env=disk)
    wait_until(log.exists, "a disk that hangs", 30)
    wait_for_frames(tmp_path / "take.wav")
    process.send_signal(signal.SIGINT)
    Listener(process).wait_for(WAITING, SECONDS_TO_ANSWER)
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS_TO_ANSWER) == 130


def test_a_piece_that_was_just_begun_is_told_when_the_take_is_given_up(
    pastream: Pastream, build: Path, tmp_path: Path
) -> None:
    switch = tmp_path / "switch"
    folder = tmp_path / "takes"
    folder.mkdir()
    hang = Rule(calls="write", hang_seconds=20, times=1, switch=switch)
    words = ("null", "take.flac", "--json", "--split", "2", "-e", "pcm_24", "-D", "virtual:noise", *PATIENT)
    process = pastream.start(*words, cwd=folder, env=faulty_disk(build, folder, hang))
    listener = Listener(process)
    second = folder / "take-002.flac"
    wait_until(lambda: second.exists() and second.stat().st_size > RATE, "the beginning of a second piece", 60)
    switch.touch()
    process.send_signal(signal.SIGTERM)
    listener.wait_for(WAITING, 30)
    time.sleep(0.7)
    process.send_signal(signal.SIGTERM)
    result = listener.finish(30)
    assert result.returncode == 130, result
    assert set(told(result)) == {"take-001.flac", "take-002.flac"}
    assert told(result)["take-002.flac"] <= len(readable(second, 2))


@pytest.mark.parametrize(
    "words",
    [
        ("null", "disk/take.wav"),
        ("null", "disk/take.flac", "-y"),
        ("null", "disk/take.ogg", "--split", "0.4"),
        ("null", "disk/{n}/take.mp3"),
        ("disk/in.wav", "disk/take.wav"),
        ("disk/in.wav", "--loop"),
    ],
)
def test_the_main_thread_asks_nothing_of_the_disk(
    pastream: Pastream, build: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    folder, log = tmp_path / "disk", tmp_path / "log"
    folder.mkdir()
    make_noise(folder / "in.wav", RATE)
    (folder / "take.flac").write_bytes(OLD)
    disk = faulty_disk(build, folder, Rule(calls=",".join(CALLS)), log=log)
    result = pastream(*words, "-d", "1", "-D", "virtual", env=disk)
    assert result.returncode == 0, result
    calls = [line.split(" ", 3) for line in log.read_text().splitlines()]
    assert [call for call in calls if call[2] == "main"] == []
    assert {"open", "read" if "disk/in.wav" in words else "write"} <= {call[0] for call in calls}
