"""`play`, `rec`, `playrec`, `wait` and `stop`, which open a stream of their own, and `query_devices`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pastream_cli import engine as ps
from pastream_cli.engine.streams import of_the_module
from tests.sounds import RATE, make_noise, read

FAST = "virtual:fast"
NOISE = np.random.default_rng(1).uniform(-1, 1, (1000, 2))


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    ps.stop()
    assert of_the_module._current.stream is None


def test_what_is_played_is_recorded_as_it_was_given() -> None:
    for source in (NOISE, NOISE.astype("float32"), (NOISE * 2**15).astype("int16"), (NOISE * 2**31).astype("int32")):
        taken = ps.playrec(source, RATE, channels=2, blocking=True, device=FAST)
        assert taken.dtype == ("float32" if source.dtype == "float64" else source.dtype)
        assert np.array_equal(taken, source.astype(taken.dtype))


def test_a_recording_is_frames_by_channels() -> None:
    assert ps.rec(100, blocking=True, device="virtual:sine:fast").shape == (100, 2)
    mono = ps.rec(100, RATE, 1, "int16", blocking=True, device="virtual:sine:fast")
    assert (mono.shape, mono.dtype) == ((100, 1), np.dtype("int16"))
    out = np.zeros((100, 3), "int32")
    assert ps.rec(out=out, blocking=True, device="virtual:sine:fast") is out
    assert out.any(axis=0).all()


def test_play_returns_at_once_and_wait_when_all_is_heard() -> None:
    began = time.monotonic()
    ps.play(np.zeros(RATE // 4), RATE, device="virtual")
    assert time.monotonic() - began < 0.2
    ps.wait()
    assert time.monotonic() - began >= 0.25
    ps.wait()


def test_the_next_call_stops_what_still_plays() -> None:
    ps.play(np.zeros(RATE), RATE, loop=True, device="virtual")
    before = of_the_module._current.stream
    assert before is not None
    assert len(ps.rec(100, blocking=True, device=FAST)) == 100
    assert before.closed
    ps.play(np.zeros(RATE), RATE, loop=True, device="virtual")
    ps.stop()
    ps.stop()


def test_a_sound_file_has_its_own_rate_and_channels(tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 3000, 3, rate=8000)
    ps.play(tmp_path / "in.wav", blocking=False, device="virtual")
    stream = of_the_module._current.stream
    assert stream is not None
    assert (stream.samplerate, stream.channels) == (8000, 3)
    ps.stop()
    mono = make_noise(tmp_path / "mono.wav", 100, 1)
    heard = ps.playrec(tmp_path / "mono.wav", out=np.zeros((100, 2), "int32"), blocking=True, device=FAST)
    assert np.array_equal(heard, mono.reshape(-1, 1).repeat(2, axis=1))
    ps.rec(500, 8000, 3, "int16", out=tmp_path / "out.wav", blocking=True, device=FAST)
    assert read(tmp_path / "out.wav").shape == (500, 3)
    assert source.shape == (3000, 3)


@pytest.mark.parametrize(
    ("data", "output_mapping", "expected"),
    [
        (NOISE, [3, 1], [NOISE[:, 1], 0 * NOISE[:, 0], NOISE[:, 0]]),
        (NOISE[:, 0], [1, 3], [NOISE[:, 0], 0 * NOISE[:, 0], NOISE[:, 0]]),
        (NOISE[:, :1], [2], [0 * NOISE[:, 0], NOISE[:, 0]]),
    ],
)
def test_a_mapping_says_where_each_channel_is_heard(data: Any, output_mapping: list[int], expected: list[Any]) -> None:
    taken = ps.playrec(data, RATE, channels=len(expected), output_mapping=output_mapping, blocking=True, device=FAST)
    assert np.allclose(taken, np.array(expected).T)


@pytest.mark.parametrize("data", [NOISE, NOISE[:, 0]])
def test_a_mapping_that_plays_two_channels_on_one_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"each channel once, not \[1, 1\]"):
        ps.play(data, RATE, mapping=[1, 1], device=FAST)
    with pytest.raises(ValueError, match=r"each channel once, not \[2, 1, 2\]"):
        ps.playrec(np.zeros((10, 3)), RATE, output_mapping=[2, 1, 2], device=FAST)


def test_a_call_of_one_side_takes_its_half_of_a_pair() -> None:
    def opened() -> ps.Stream:
        assert of_the_module._current.stream is not None
        return of_the_module._current.stream

    ps.rec(10, device=("virtual:fast:noise", "no such device"), latency=(0.1, None))
    assert opened().device == "virtual:fast:noise"
    ps.play(NOISE, RATE, device=("no such device", FAST), latency=("low", None))
    assert opened().device == FAST
    assert sum(map(len, ps.chunks(10, frames=20, device=(FAST, None), channels=(1, 2), dtype=("int16", None)))) == 20
    with pytest.raises(ValueError, match="one value, not"):
        ps.rec(10, device=(FAST, FAST, FAST))  # type: ignore[arg-type]


def test_a_mapping_says_what_is_recorded() -> None:
    taken = ps.playrec(NOISE, RATE, input_mapping=[2, 1, 2], blocking=True, device=FAST)
    assert np.allclose(taken, NOISE[:, [1, 0, 1]])
    assert ps.rec(10, mapping=[4], blocking=True, device=FAST).shape == (10, 1)
    for mapping in ([], [0, 1], [1, 2, 3]):
        with pytest.raises(ValueError, match="mapping"):
            ps.play(NOISE, mapping=mapping, device=FAST)


def test_what_has_failed_is_raised_by_wait_and_not_by_stop() -> None:
    ps.rec(RATE, device="virtual:die=0.02")
    with pytest.raises(ps.DeviceError, match="ended"):
        ps.wait()
    ps.rec(RATE, device="virtual:die=0.02")
    ps.wait(ignore_errors=True)
    ps.rec(RATE, device="virtual:die=0.02")
    time.sleep(0.1)
    ps.stop()


def test_a_stream_that_cannot_play_it_is_not_left_open() -> None:
    with pytest.raises(TypeError, match="complex"):
        ps.play(np.zeros((4, 2), "complex64"), device=FAST)
    assert of_the_module._current.stream is None


def test_an_interrupt_stops_what_is_waited_for() -> None:
    program = """
import os, signal, threading
import numpy as np
from pastream_cli import engine as ps
timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
timer.start()
try:
    ps.play(np.zeros(480000), 48000, blocking=True, device="virtual")
except KeyboardInterrupt:
    for thread in set(threading.enumerate()) - {threading.current_thread()}:
        thread.join(5)  # it is done with its work, and may not have come to its end
    print("stopped", threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.stderr) == ("stopped 1\n", "")


def test_a_device_is_described_as_sounddevice_describes_it() -> None:
    device = ps.query_devices("virtual:rate=44100")
    assert device["name"] == "virtual:rate=44100"
    assert device["default_samplerate"] == 44100
    assert (device["index"], device["hostapi"], device["max_input_channels"]) == (None, "virtual", 1024)
    with pytest.raises(ValueError, match="kind"):
        ps.query_devices("virtual", "both")  # type: ignore[call-overload]
