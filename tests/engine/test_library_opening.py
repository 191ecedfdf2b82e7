"""What a stream can be opened with: types as numpy has them, numbers of any kind, and what sounddevice.default says."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sounddevice

from pastream_cli import engine as ps

FAST = "virtual:fast"


@pytest.fixture
def default() -> Iterator[Any]:
    """Give sounddevice's defaults, and set them back after the test."""
    yield sounddevice.default
    sounddevice.default.reset()


@pytest.mark.parametrize("dtype", [ctypes.c_int16, "i2", "h", np.int16, np.dtype("int16"), np.dtype("=i2")])
def test_a_type_is_anything_of_which_numpy_makes_one(dtype: Any) -> None:
    with ps.DuplexStream(FAST, dtype=(dtype, np.float32)) as stream:
        assert stream.dtype == ("int16", "float32")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"dtype": ">i2"}, ValueError, "dtype must have the byte order of this machine, not '>i2'"),
        ({"dtype": float}, ValueError, "dtype must be one of float32, int32, int24, int16, int8, uint8, not 'float64'"),
        ({"dtype": "float33"}, ValueError, "not 'float33'"),
        ({"channels": "2"}, TypeError, "channels must be a whole number, not '2'"),
        ({"channels": 1.5}, TypeError, "channels must be a whole number, not 1.5"),
        ({"channels": 5000}, ValueError, "channels must be 1 to 1024, not 5000"),
        ({"device": "virtual:channels=5000"}, ValueError, "'5000' is not 1 to 1024 channels"),
        ({"samplerate": float("inf")}, ValueError, "samplerate must be 1 to 2147483647, not inf"),
        ({"samplerate": "48000"}, TypeError, "samplerate must be a number, not '48000'"),
        ({"blocksize": 1e12}, TypeError, "blocksize must be a whole number, not 1000000000000.0"),
        ({"blocksize": 10**12}, ValueError, "cannot open a stream with a blocksize of 1000000000000"),
        ({"latency": "medium"}, ValueError, "latency must be 'low', 'high' or a number of seconds up to 60"),
        ({"extra_settings": object()}, TypeError, "extra_settings must be of one of sounddevice's classes"),
    ],
)
def test_what_cannot_be_is_refused_in_words_before_anything_is_opened(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as raised:
        ps.InputStream(**{"device": FAST, **options})
    assert words in str(raised.value)


def test_settings_of_a_host_are_taken_on_any_device() -> None:
    with ps.InputStream(FAST, extra_settings=sounddevice.WasapiSettings(exclusive=True)) as stream:
        assert stream.stopped


def test_what_a_program_set_in_sounddevice_holds_where_nothing_else_is_said(default: Any) -> None:
    default.channels, default.samplerate, default.dtype = (1, 4), 44100, ("int16", "int32")
    default.latency, default.blocksize, default.device = (0.05, "low"), 256, FAST
    with ps.DuplexStream() as stream:
        assert (stream.samplerate, stream.blocksize) == (44100, 256)
        assert (stream.channels, stream.dtype) == ((1, 4), ("int16", "int32"))
        assert stream.device == (FAST, FAST)
    with ps.OutputStream(latency=0.3) as player:
        assert (player.channels, player.dtype, player.latency) == (4, "int32", 0.3)
    with ps.InputStream() as recorder:
        assert (recorder.channels, recorder.dtype, recorder.latency) == (1, "int16", 0.05)
    with ps.DuplexStream(channels=(None, 3), dtype="float32", samplerate=8000, blocksize=0) as stream:
        assert (stream.channels, stream.dtype, stream.samplerate) == ((1, 3), ("float32", "float32"), 8000)
        assert stream.blocksize != 256


def test_what_sounddevice_has_of_itself_changes_nothing(default: Any) -> None:
    assert default.latency[0] == "high"
    with ps.InputStream(FAST) as stream:
        assert (stream.latency, stream.channels, stream.dtype) == (0.5, 2, "float32")


def test_a_ring_of_a_stream_takes_no_numbers_that_would_be_noise() -> None:
    with ps.OutputStream(FAST) as stream:
        ring = stream.set_source(lambda *_args, **_options: None)
        with pytest.raises(TypeError, match=r"cannot write float64: the ring holds float32, as array\.astype"):
            ring.write(np.zeros((4, 2)))
        assert ring.write(np.zeros((4, 2), "float32")) == 4
        assert ring.write(bytes(16)) == 2


def test_an_array_with_gaps_is_written_to_a_ring_without_them() -> None:
    ring = ps.RingBuffer(8, 16)
    frames = np.arange(40, dtype="float32").reshape(10, 4)[::2, ::2]
    assert ring.write(frames) == 5
    assert bytes(ring.read()) == frames.tobytes()


@pytest.mark.parametrize("wrong", ["100", 100.5, b"100"])
def test_numbers_of_frames_are_whole_and_say_so(wrong: Any) -> None:
    with ps.DuplexStream(FAST) as stream:
        source = np.zeros((100, 2), "float32")
        for act in (
            lambda: stream.record(wrong),
            lambda: stream.record(100, offset=wrong),
            lambda: stream.play(source, wrong),
            lambda: stream.playrec(source, 100, pad=wrong),
            lambda: stream.chunks(wrong),
            lambda: stream.chunks(64, overlap=wrong),
            lambda: stream.play(source, buffersize=wrong),
            lambda: stream.chunks(64, buffersize=wrong),
        ):
            with pytest.raises(TypeError, match="whole number, not"):
                act()
            assert stream.stopped


def test_numbers_of_frames_may_be_those_of_numpy() -> None:
    whole: Any = np.int64
    with ps.DuplexStream(FAST) as stream:
        source = np.zeros((1000, 2), "float32")
        taken = stream.playrec(source, whole(100), whole(8), whole(4), buffersize=whole(1024), blocking=True)
        assert taken.shape == (104, 2)
        chunks = stream.chunks(whole(512), whole(12), whole(1000), buffersize=whole(2048))
        assert [len(chunk) for chunk in chunks] == [512, 500]
    assert ps.RingBuffer(whole(8), whole(16)).size == 16
