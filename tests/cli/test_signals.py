"""Signals: a take that is asked to stop is whole, and one that is killed is readable."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest
import soundfile

from tests.homes import need, wait_until
from tests.runner import Pastream, Result
from tests.servers import PulseServer
from tests.sounds import RATE, make_noise

FRAME_BYTES = 2 * 3
"""Of a recording of two channels in PCM_24."""


def frames_sox_reads(path: Path) -> int:
    """Return how many frames come out when sox reads the whole file, whatever its header says."""
    need("sox")
    decoded = subprocess.run(["sox", path, "-t", "raw", "-b", "24", "-"], capture_output=True, check=True)
    return len(decoded.stdout) // FRAME_BYTES


def frames_told(result: Result) -> int:
    """Return how many frames the summary says were written."""
    match = re.search(r"wrote .*?: ([0-9 ]+) frames", result.stderr)
    assert match, result.stderr
    return int(match[1].replace(" ", ""))


def frames_on_disk(path: Path) -> int:
    """Return how many frames the file is long, whatever its header says."""
    return path.stat().st_size // FRAME_BYTES if path.exists() else 0


def stop(pastream: Pastream, process: subprocess.Popen[bytes], recording: Path, number: signal.Signals) -> None:
    """Stop a recording once it has a second, and check that it is whole."""
    wait_until(lambda: frames_on_disk(recording) > RATE, "a second of recording")
    process.send_signal(number)
    result = pastream.finish(process)
    assert result.returncode == 0, result.stderr
    in_header = int(subprocess.run(["soxi", "-s", recording], capture_output=True, check=True).stdout)
    assert RATE < frames_told(result) == frames_sox_reads(recording) == in_header


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_take_that_is_asked_to_stop_is_whole(pastream: Pastream, tmp_path: Path, number: signal.Signals) -> None:
    process = pastream.start("null", "take.wav", "-e", "pcm_24", "-D", "virtual:noise")
    stop(pastream, process, tmp_path / "take.wav", number)


def test_a_take_on_pulse_that_is_asked_to_stop_is_whole(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    process = pastream.start("null", "take.wav", "-e", "pcm_24", "-D", "pulse", server=pulseaudio)
    stop(pastream, process, tmp_path / "take.wav", signal.SIGINT)


def test_a_take_that_is_killed_lacks_its_last_second_at_most(pastream: Pastream, tmp_path: Path) -> None:
    recordings = [tmp_path / f"take.{suffix}" for suffix in ("wav", "w64", "au", "aiff")]
    processes = [pastream.start("null", path, "-e", "pcm_24", "-D", "virtual:noise") for path in recordings]
    wait_until(lambda: all(frames_on_disk(path) > 3 * RATE for path in recordings), "three seconds of recording")
    for process in processes:
        process.kill()
        process.wait()
    for path in recordings:
        least = frames_on_disk(path) - int(1.2 * RATE)
        assert frames_sox_reads(path) >= least, path
        assert soundfile.info(path).frames >= least, path


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


@pytest.mark.parametrize("beginning", [b"", b".snd\0\0\0\x18\xff\xff\xff\xff\0\0\0\x03\0\0\xbb\x80\0\0\0\x02"])
def test_a_take_that_waits_for_its_input_stops_all_the_same(
    pastream: Pastream, tmp_path: Path, beginning: bytes
) -> None:
    process = pastream.start("-", "take.wav", "-D", "virtual", stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write(beginning)
    process.stdin.flush()
    if beginning:
        wait_until((tmp_path / "take.wav").exists, "the file")
    else:
        wait_until(lambda: handles(process.pid, signal.SIGTERM), "a handler of the signal")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert not (tmp_path / "take.wav").exists()


def handles(pid: int, number: signal.Signals) -> bool:
    """Tell whether the process has a handler of its own for the signal."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
