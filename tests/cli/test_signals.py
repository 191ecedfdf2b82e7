"""Signals: a take that is asked to stop is whole, or was none."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from pastream_cli.screen.status_line import status_line
from tests.homes import need, wait_until
from tests.runner import Pastream
from tests.screens import STANDING
from tests.servers import JackServer, PulseServer
from tests.sounds import RATE, make_noise
from tests.takes import PATIENT, blocked_signals, handles, read_by_sox, told, wait_for_frames


def stop(pastream: Pastream, process: subprocess.Popen[bytes], recording: Path, number: signal.Signals) -> None:
    """Stop a recording once it has a second, and check that it is whole."""
    need("sox")
    wait_for_frames(recording, RATE)
    process.send_signal(number)
    result = pastream.finish(process)
    assert result.returncode == 0, result.stderr
    in_header = int(subprocess.run(["soxi", "-s", recording], capture_output=True, check=True).stdout)
    assert in_header > RATE
    assert told(result) == {recording.name: in_header}
    assert len(read_by_sox(recording)) == in_header


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_take_that_is_asked_to_stop_is_whole(pastream: Pastream, tmp_path: Path, number: signal.Signals) -> None:
    process = pastream.start("null", "take.wav", "-e", "pcm_24", "-D", "virtual:noise", "--json")
    stop(pastream, process, tmp_path / "take.wav", number)


def test_a_take_on_pulse_that_is_asked_to_stop_is_whole(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    process = pastream.start("null", "take.wav", "-e", "pcm_24", "-D", "pulse", "--json", server=pulseaudio)
    stop(pastream, process, tmp_path / "take.wav", signal.SIGINT)


@pytest.mark.parametrize("arguments", ["null take.wav -o 60", "in.wav take.wav -o 60 -p 60"])
def test_a_take_that_is_stopped_before_its_first_frame_leaves_no_file(
    pastream: Pastream, tmp_path: Path, arguments: str
) -> None:
    make_noise(tmp_path / "in.wav", 100)
    process = pastream.start(*arguments.split(), "-D", "virtual")
    wait_until((tmp_path / "take.wav").exists, "the file")
    process.send_signal(signal.SIGINT)
    assert pastream.finish(process).returncode == 0
    assert not (tmp_path / "take.wav").exists()


def test_a_take_whose_input_says_nothing_stops_all_the_same(pastream: Pastream, tmp_path: Path) -> None:
    process = pastream.start("-", "take.wav", "-D", "virtual", stdin=subprocess.PIPE)
    wait_until(lambda: handles(process.pid, signal.SIGTERM), "a handler of the signal")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert not (tmp_path / "take.wav").exists()


def test_a_take_whose_input_is_a_header_alone_stops_all_the_same(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in", 0, file_type="AU")
    process = pastream.start("-", "take.wav", "-D", "virtual", stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write((tmp_path / "in").read_bytes())
    process.stdin.flush()
    wait_until((tmp_path / "take.wav").exists, "the file")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert not (tmp_path / "take.wav").exists()


def test_a_take_says_how_it_stands_when_it_is_asked(pastream: Pastream, tmp_path: Path) -> None:
    words = ("null", "take.wav", "--also", "copy.wav", "-q", "-D", "virtual:sine:xrun=0.2", "-d", "9", *PATIENT)
    process = pastream.start(*words)
    wait_for_frames(tmp_path / "take.wav", RATE)
    process.send_signal(signal.SIGUSR2)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    result = pastream.finish(process)
    assert result.returncode == 0
    files = r"take\.wav \d\.\d MB, copy\.wav"
    said = rf"pastream: recording at 00:00:0\d\.\d of 00:00:09\.0, 1 xrun, [ \d]+ frames lost, {files}, disk .+\d+%\n"
    assert re.search(said, result.stderr), result.stderr


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "recording at 00:00:00.0, nothing lost, take.wav 0.0 MB, buffer 0%"),
        (
            {"is_paused": True, "missing_frames": 9},
            "paused at 00:00:00.0, about 9 never came, take.wav 0.0 MB, buffer 0%",
        ),
        ({"away_seconds": 7.2, "file_name": None}, "device away for 7 s, at 00:00:00.0, nothing lost, buffer 0%"),
        ({"wait_seconds": 61.0, "file_name": None}, "starts in 61 s, at 00:00:00.0, nothing lost, buffer 0%"),
        ({"armed_level": 0.01, "file_name": None}, "waiting for -40.0 dBFS at 00:00:00.0, nothing lost, buffer 0%"),
        ({"file_name": None, "disk_seconds": 60.0}, "running at 00:00:00.0, nothing lost, disk 60 s, buffer 0%"),
    ],
)
def test_the_line_of_a_state(fields: dict[str, Any], said: str) -> None:
    assert status_line(STANDING._replace(**fields)) == said


def test_the_main_thread_alone_hears_signals(pastream: Pastream, tmp_path: Path, jackd: JackServer) -> None:
    # libjack takes a system call that a signal has ended for the end of its server
    one_thread = {"OPENBLAS_NUM_THREADS": "1"}
    process = pastream.start("null", "take.wav", "-e", "pcm_24", "-D", "system", server=jackd, env=one_thread)
    wait_for_frames(tmp_path / "take.wav")
    heard = {
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGCONT,
        signal.SIGTSTP,
    }
    of_threads = blocked_signals(process.pid)
    assert len(of_threads) >= 3  # writer, device worker, libjack's own
    assert all(heard <= blocked for blocked in of_threads), of_threads
