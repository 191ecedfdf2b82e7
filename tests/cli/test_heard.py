"""What is played is heard to its last frame, says somebody else who listens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.homes import wait_until
from tests.listeners import Listener, listening, write_numbers
from tests.runner import Pastream
from tests.servers import PipeWireServer, PulseServer
from tests.sounds import RATE
from tests.takes import report_of

BEEP = RATE // 10
FRAMES = RATE // 2
PIPEWIRE_DEVICES = ("pulse", "virt, JACK")


def assert_all_heard(listener: Listener, frames: int, times: int = 1, told: str = "") -> None:
    numbers = listener.heard()
    expected = np.tile(np.arange(1, frames + 1), times)
    assert len(numbers) == len(expected), f"{len(numbers)} of {len(expected)} frames were heard: {told}"
    assert np.array_equal(numbers, expected)


@pytest.mark.parametrize("latency", ["0.02", "0.2", "0.5", "1"])
def test_every_frame_of_a_file_is_heard_on_pulseaudio_at_every_latency(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer, latency: str, campaign: Callable[[int], int]
) -> None:
    write_numbers(tmp_path / "numbers.wav", FRAMES)
    for _ in range(campaign(20)):
        with listening(pulseaudio) as listener:
            result = pastream("numbers.wav", "-D", "pulse", "--latency", latency, env=listener.environment)
            assert result.returncode == 0, result.stderr
            assert_all_heard(listener, FRAMES)


def test_a_beep_that_is_shorter_than_the_latency_is_heard_on_pulseaudio(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer, campaign: Callable[[int], int]
) -> None:
    write_numbers(tmp_path / "beep.wav", BEEP)
    for _ in range(campaign(20)):
        with listening(pulseaudio) as listener:
            result = pastream("beep.wav", "-D", "pulse", env=listener.environment)
            assert result.returncode == 0, result.stderr
            assert_all_heard(listener, BEEP)


@pytest.mark.parametrize("device", PIPEWIRE_DEVICES)
@pytest.mark.parametrize("frames", [FRAMES, BEEP])
def test_every_frame_of_a_file_is_heard_on_pipewire(
    pastream: Pastream,
    tmp_path: Path,
    pipewire: PipeWireServer,
    device: str,
    frames: int,
    campaign: Callable[[int], int],
) -> None:
    write_numbers(tmp_path / "numbers.wav", frames)
    for _ in range(campaign(20)):
        with listening(pipewire) as listener:
            result = pastream("numbers.wav", "-D", device, server=pipewire)
            assert result.returncode == 0, result.stderr
            assert_all_heard(listener, frames, told=result.stderr)


def test_what_comes_from_a_pipe_is_heard_to_its_end(
    pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer
) -> None:
    write_numbers(tmp_path / "numbers.wav", FRAMES)
    with listening(pulseaudio) as listener, (tmp_path / "numbers.wav").open("rb") as file:
        with subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
            assert cat.stdout is not None
            result = pastream("-", "-D", "pulse", stdin=cat.stdout, env=listener.environment)
        assert result.returncode == 0, result.stderr
        assert_all_heard(listener, FRAMES)


def test_a_loop_is_heard_for_all_of_its_duration(pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer) -> None:
    write_numbers(tmp_path / "beep.wav", BEEP)
    with listening(pulseaudio) as listener:
        result = pastream("beep.wav", "--loop", "-d", f"{5 * BEEP}s", "-D", "pulse", env=listener.environment)
        assert result.returncode == 0, result.stderr
        assert_all_heard(listener, BEEP, times=5)


def test_a_run_that_also_records_plays_to_its_end_and_records_no_more_than_its_length(
    pastream: Pastream, tmp_path: Path, pipewire: PipeWireServer
) -> None:
    write_numbers(tmp_path / "numbers.wav", FRAMES)
    with listening(pipewire) as listener:
        result = pastream("numbers.wav", "out.wav", "-D", "pulse", server=pipewire)
        assert result.returncode == 0, result.stderr
        assert f"wrote out.wav: {FRAMES:,} frames".replace(",", " ") in result.stderr
        assert_all_heard(listener, FRAMES)


def test_a_stop_does_not_play_what_is_left(pastream: Pastream, tmp_path: Path, pulseaudio: PulseServer) -> None:
    write_numbers(tmp_path / "numbers.wav", 10 * RATE)
    with listening(pulseaudio) as listener:
        process = pastream.start("numbers.wav", "-D", "pulse", "--latency", "1", env=listener.environment)
        while len(listener.numbers()) < RATE // 2:
            assert process.poll() is None
        process.terminate()
        heard = len(listener.numbers())
        assert pastream.finish(process).returncode == 0
        assert len(listener.heard()) - heard < RATE // 2


def test_a_device_that_dies_before_the_end_is_heard_is_told(
    pastream: Pastream, tmp_path: Path, fresh_pulseaudio: PulseServer
) -> None:
    write_numbers(tmp_path / "beep.wav", BEEP)
    with listening(fresh_pulseaudio) as listener:
        process = pastream.start("beep.wav", "-D", "pulse", "--latency", "3", "--json", env=listener.environment)
        wait_until(lambda: len(listener.numbers()) == BEEP, "the beep")
        fresh_pulseaudio.kill()
        result = pastream.finish(process)
    assert result.returncode == 1
    assert "cannot go on: the device has ended" in result.stderr
    assert report_of(result)["frames"] == BEEP


PLAY = """
import sys
import soundfile
from pastream_cli import engine as ps

path, device = sys.argv[1:]
numbers, rate = soundfile.read(path, dtype="int32")
with ps.OutputStream(device, rate, 2, "int32") as stream:
    stream.play(numbers, blocking=True)
"""


@pytest.mark.parametrize("frames", [FRAMES, BEEP])
def test_what_the_library_plays_is_heard_to_its_last_frame(
    tmp_path: Path, pulseaudio: PulseServer, frames: int
) -> None:
    write_numbers(tmp_path / "numbers.wav", frames)
    with listening(pulseaudio) as listener:
        program = [sys.executable, "-c", PLAY, str(tmp_path / "numbers.wav"), "pulse"]
        subprocess.run(program, env=listener.environment, check=True, timeout=30)
        assert_all_heard(listener, frames)


PLAY_FROM_A_SMALL_BUFFER = """
import sys
import time
import soundfile
from pastream_cli import engine as ps

path, device, buffersize, how = sys.argv[1:]
numbers, rate = soundfile.read(path, dtype="int32")

def write(stream, ring, *, loop):
    data = memoryview(numbers.tobytes())
    while data and stream.active:
        written = ring.write(data) * ring.elementsize
        data = data[written:]
        if not written:
            time.sleep(0.005)

sources = {"array": numbers, "file": soundfile.SoundFile(path), "function": write}
with ps.OutputStream(device, rate, 2, "int32") as stream:
    stream.set_source(sources[how], int(buffersize))
    stream.start()
    stream.wait()
    assert stream.xruns == 0, stream.losses
"""


@pytest.mark.parametrize("how", ["array", "file", "function"])
@pytest.mark.parametrize("buffersize", [2048, 8192])
def test_a_small_buffer_of_the_librarys_holds_what_the_device_takes_at_once(
    tmp_path: Path, pulseaudio: PulseServer, buffersize: int, how: str
) -> None:
    write_numbers(tmp_path / "numbers.wav", FRAMES)
    with listening(pulseaudio) as listener:
        arguments = [str(tmp_path / "numbers.wav"), "pulse", str(buffersize), how]
        program = [sys.executable, "-c", PLAY_FROM_A_SMALL_BUFFER, *arguments]
        subprocess.run(program, env=listener.environment, check=True, timeout=30)
        assert_all_heard(listener, FRAMES)
