"""Stops at any moment: the take is whole or not there at all, and whoever asks twice is not kept waiting."""

from __future__ import annotations

import fcntl
import io
import os
import random
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest
import soundfile

from tests.faults import Rule, faulty_disk
from tests.homes import need, wait_until
from tests.runner import Pastream
from tests.servers import JackServer, PulseServer
from tests.sounds import RATE, make_noise, read
from tests.takes import RAMP, SLACK, gaps_in_ramp, handles, read_by_sox, silences, told, wait_for_frames

AT_ONCE = 4
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RUNS = (
    "null take.wav -D virtual:noise",
    "null take.caf -e float -D virtual:noise -b 64",
    "null take.flac -D virtual:noise:fast -d 60",
    "null take.ogg -D virtual:noise",
    "null old.wav -y -D virtual:noise",
    "null take-{n}.w64 --split 0.2 -D virtual:noise",
    "in.wav take.wav --loop -D virtual",
    "in.wav take.aiff --loop -d 60 -o 0.5 -D virtual:fast",
)
OLD = b"the take of my life"
SECONDS_TO_STOP = 2 * SLACK
SLOW_TO_LOAD = ("_cffi_backend", "_native.", "libsndfile")


def wait_for_handlers(process: subprocess.Popen[bytes]) -> None:
    """Wait until a signal is a request; that of the last handler to be set tells of all."""
    wait_until(lambda: process.poll() is not None or handles(process.pid, signal.SIGUSR1), "handlers of signals", 60)


def check_folder(folder: Path, written: dict[str, int]) -> None:
    """Every file is a whole take, as long as was told, or one that was there before."""
    for path in folder.iterdir():
        if path.name == "in.wav" or (path.name not in written and path.read_bytes() == OLD):
            continue
        assert len(read(path)) == len(read_by_sox(path)) == written.pop(path.name) > 0, path
    assert written == {}


def test_a_signal_is_a_request_before_anything_slow_is_loaded(pastream: Pastream) -> None:
    process = pastream.start("null", "-d", "0.5", "-D", "virtual")
    nanoseconds, looks = 0, 0
    while True:
        loaded = Path(f"/proc/{process.pid}/maps").read_text()
        if handles(process.pid, signal.SIGUSR1):
            break
        # what was loaded before a look at the handlers that found none, was loaded before they stood
        assert not [library for library in SLOW_TO_LOAD if library in loaded]
        nanoseconds = int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0])
        looks += 1
        time.sleep(0.001)
    wait_until(lambda: all(library in Path(f"/proc/{process.pid}/maps").read_text() for library in SLOW_TO_LOAD), "all")
    assert pastream.finish(process).returncode == 0
    assert looks > 3
    assert nanoseconds / 1e9 < 0.1 * SLACK  # of processor time, a tenth of a second is what a start may take


@pytest.mark.parametrize("number", STOPS)
def test_a_stop_at_any_moment_leaves_a_whole_take_or_none(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int], number: signal.Signals
) -> None:
    dice = random.Random(number)
    make_noise(tmp_path / "in.wav", 10_007)

    def stop_one(case: int) -> None:
        folder = tmp_path / f"{case}"
        folder.mkdir()
        (folder / "in.wav").hardlink_to(tmp_path / "in.wav")
        (folder / "old.wav").write_bytes(OLD)
        started = time.monotonic()
        process = pastream.start(*RUNS[case % len(RUNS)].split(), "--json", cwd=folder)
        wait_for_handlers(process)
        time.sleep(max(0.0, started + 0.15 - time.monotonic()) + moments[case])
        process.send_signal(number)
        result = pastream.finish(process, timeout=SECONDS_TO_STOP)
        assert result.returncode == 0, (RUNS[case % len(RUNS)], moments[case], result)
        check_folder(folder, told(result))

    moments = [dice.uniform(0, 1.2) for _ in range(campaign(50))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(stop_one, range(len(moments))))


@pytest.mark.parametrize("run", ["null take.wav -D virtual:noise", "null take.wav -D virtual:noise:fast -d 10"])
def test_a_hangup_that_comes_again_and_again_is_one_stop(pastream: Pastream, tmp_path: Path, run: str) -> None:
    process = pastream.start(*run.split(), "--json")
    wait_for_frames(tmp_path / "take.wav")
    while process.poll() is None:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.0005)
    result = pastream.finish(process)
    assert result.returncode == 0, result
    check_folder(tmp_path, told(result))


@pytest.mark.parametrize(("first", "second"), [("INT", "INT"), ("TERM", "INT"), ("HUP", "TERM")])
def test_a_second_stop_while_a_pipe_is_stuck_gives_up_at_once(pastream: Pastream, first: str, second: str) -> None:
    process = pastream.start("null", "-", "-t", "au", "-D", RAMP)
    assert process.stdout
    assert process.stdout.read(4) == b".snd"
    time.sleep(0.5)  # to fill the pipe
    process.send_signal(signal.Signals[f"SIG{first}"])
    time.sleep(0.3)  # two that are pending at once are one
    assert process.poll() is None
    process.send_signal(signal.Signals[f"SIG{second}"])
    assert process.wait(timeout=0.5 * SLACK) == 130


@pytest.mark.parametrize("signals", [("TERM", "TERM"), ("INT", "TERM"), ("HUP", "INT", "TERM")])
@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_signals_that_come_together_are_one_stop(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int], signals: tuple[str, ...], pause: float
) -> None:
    for case in range(campaign(10)):
        process = pastream.start("null", f"{case}.wav", "-D", "virtual:noise", "--json")
        wait_for_frames(tmp_path / f"{case}.wav")
        for name in signals:
            process.send_signal(signal.Signals[f"SIG{name}"])
            time.sleep(pause)
        result = pastream.finish(process)
        assert result.returncode == 0, result
        assert told(result) == {f"{case}.wav": len(read(tmp_path / f"{case}.wav"))}


def waiting_bytes(pipe: IO[bytes] | None) -> int:
    """Return how much there is to be read from a pipe."""
    assert pipe
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_a_third_stop_gives_up_at_once_and_tells_what_the_pipe_took(pastream: Pastream) -> None:
    process = pastream.start("null", "-", "-t", "au", "-e", "pcm_16", "-D", RAMP, "--json")
    assert process.stdout
    wait_until(lambda: waiting_bytes(process.stdout) > 60_000, "the pipe to be full")
    for _ in range(3):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.05)
    asked = time.monotonic()
    assert process.stderr
    process.stderr.read()
    assert time.monotonic() - asked < 0.5 * SLACK
    assert process.wait() == 130
    header = int.from_bytes(process.stdout.read(8)[4:], "big")
    recording = process.stdout.read()[header - 8 :]
    assert len(recording) > 0


def test_a_run_that_is_given_up_tells_what_can_be_read_of_its_files(pastream: Pastream, tmp_path: Path) -> None:
    need("gcc")
    stalls = faulty_disk(tmp_path, tmp_path / "disk", Rule(calls="write", hang_seconds=20, after_bytes=400_000))
    (tmp_path / "disk").mkdir()
    process = pastream.start("null", "disk/take.wav", "-D", RAMP, "--json", env=stalls)
    time.sleep(3.5)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.7)
    process.send_signal(signal.SIGTERM)
    result = pastream.finish(process, timeout=SECONDS_TO_STOP)
    assert result.returncode == 130, result
    recording = read(tmp_path / "disk/take.wav")
    assert len(recording) > 0
    assert gaps_in_ramp(recording) == []
    assert told(result) == {"disk/take.wav": len(recording)}


def test_whoever_reads_a_pipe_has_all_the_time_there_is(pastream: Pastream) -> None:
    process = pastream.start("null", "-", "-t", "au", "-e", "pcm_16", "-d", "1", "-D", RAMP, "--json")
    assert process.stdout
    time.sleep(5)
    data = process.stdout.read()
    result = pastream.finish(process)
    assert result.returncode == 0, result
    assert "waiting for the reader of standard output" in result.stderr
    recording, _rate = soundfile.read(io.BytesIO(data), dtype="int32")
    assert len(recording) == RATE
    assert told(result) == {"-": RATE}


def test_a_pipe_that_nobody_reads_ends_with_a_stop(pastream: Pastream) -> None:
    process = pastream.start("null", "-", "-t", "au", "-e", "pcm_16", "-d", "0.5", "-D", RAMP, "--json")
    time.sleep(4)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.stderr
    told_at_the_end = process.stderr.read().decode()
    assert process.wait() == 4
    assert "cannot finish standard output: it takes no more data" in told_at_the_end


def test_a_second_stop_while_the_server_hangs_gives_up_at_once(
    pastream: Pastream, tmp_path: Path, fresh_jackd: JackServer
) -> None:
    process = pastream.start("null", "take.wav", "-e", "pcm_24", "-D", "system", server=fresh_jackd)
    wait_for_frames(tmp_path / "take.wav", RATE)
    fresh_jackd.suspend()
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=0.5 * SLACK) == 130
    fresh_jackd.kill()  # it would take its time to end
    assert len(read(tmp_path / "take.wav")) > 0


def test_a_stop_while_a_slow_reader_drains_the_take_loses_nothing(pastream: Pastream) -> None:
    process = pastream.start("null", "-", "-t", "au", "-e", "pcm_24", "-D", RAMP, "--json")
    assert process.stdout
    data = os.read(process.stdout.fileno(), 4096)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    while chunk := os.read(process.stdout.fileno(), 50_000):
        data += chunk
        time.sleep(0.05)
    result = pastream.finish(process)
    assert result.returncode == 0, result
    recording, _rate = soundfile.read(io.BytesIO(data), dtype="int32")
    assert gaps_in_ramp(recording) == []
    assert told(result) == {"-": len(recording)}


def test_a_stop_while_pulse_settles_leaves_no_file(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer, campaign: Callable[[int], int]
) -> None:
    make_noise(tmp_path / "in.wav", RATE)
    dice = random.Random(7)
    for _ in range(campaign(30)):
        process = pastream.start("in.wav", "take.wav", "-D", "pulse", "--json", server=pulseaudio)
        wait_until((tmp_path / "take.wav").exists, "the file")
        time.sleep(dice.uniform(0, 0.2))
        process.send_signal(dice.choice(STOPS))
        result = pastream.finish(process, timeout=SECONDS_TO_STOP)
        assert result.returncode == 0, result
        assert told(result) == {}
        assert not (tmp_path / "take.wav").exists()


@pytest.mark.parametrize("number", STOPS)
def test_a_stop_while_the_input_is_too_slow_to_begin_leaves_no_file(
    pastream: Pastream, tmp_path: Path, number: signal.Signals
) -> None:
    make_noise(tmp_path / "in.au", RATE, file_type="AU")
    process = pastream.start("-", "take.wav", "-D", "virtual", stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write((tmp_path / "in.au").read_bytes()[: RATE // 2])  # an eighth of a second
    process.stdin.flush()
    wait_until((tmp_path / "take.wav").exists, "the file")
    time.sleep(0.2)
    process.send_signal(number)
    assert process.wait(timeout=SECONDS_TO_STOP) == 0
    assert not (tmp_path / "take.wav").exists()


def test_a_stop_while_the_last_frames_are_played_leaves_the_whole_take(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", RATE // 2)
    process = pastream.start("in.wav", "take.wav", "-p", "0.5", "-b", "48000", "-D", "virtual", "--json")
    wait_for_frames(tmp_path / "take.wav", len(source), 4)
    process.send_signal(signal.SIGINT)
    result = pastream.finish(process)
    assert result.returncode == 0
    assert told(result) == {"take.wav": RATE}
    assert silences(read(tmp_path / "take.wav"))[-1] == (RATE // 2, RATE // 2)
