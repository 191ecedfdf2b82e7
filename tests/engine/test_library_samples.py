"""What can be played, whatever it is: arrays of every type, mono, iterators of chunks."""

from __future__ import annotations

import array
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pastream_cli import engine as ps
from tests.sounds import make_noise

FAST = "virtual:fast"
FORMATS = ["float32", "int32", "int24", "int16", "int8", "uint8"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32"]
EIGHTHS = np.linspace(-1, 0.875, 16).reshape(8, 2)
"""Samples that every type can hold exactly, with the least one of each."""


def as_integers(dtype: str) -> Any:
    bits = 8 * np.dtype(dtype).itemsize
    middle = 2 ** (bits - 1) if dtype.startswith("u") else 0
    return (EIGHTHS * 2 ** (bits - 1) + middle).astype(dtype)


def as_floats(recorded: Any, dtype: str) -> Any:
    """Return what was recorded as numbers from -1 to 1."""
    if dtype == "float32":
        return recorded.astype("float64")
    if dtype == "int24":
        packed = np.frombuffer(recorded, "uint8").reshape(-1, 2, 3)
        return np.pad(packed, ((0, 0), (0, 0), (1, 0))).view("int32")[..., 0] / 2**31
    bits = 8 * recorded.dtype.itemsize
    return (recorded.astype("float64") - (128 if dtype == "uint8" else 0)) / 2 ** (bits - 1)


@pytest.fixture
def stream() -> Iterator[ps.DuplexStream]:
    with ps.DuplexStream(device=FAST, dtype="int32") as stream:
        yield stream


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("given", ["float16", "float32", "float64", "longdouble", *INTEGERS, ">i2", ">f4", ">f8"])
def test_numbers_of_any_type_sound_the_same_on_a_stream_of_any_type(given: str, dtype: Any) -> None:
    if (given, dtype) == ("uint8", "int24"):
        return  # numpy has no packed 24 bits, so these are taken for their bytes
    is_float = np.dtype(given).kind == "f"
    source = EIGHTHS.astype(given) if is_float else as_integers(given.replace(">i2", "int16")).astype(given)
    with ps.DuplexStream(device=FAST, dtype=dtype) as stream:
        by_memory = stream.playrec(source, blocking=True)
        by_chunks = stream.playrec(iter([source[:3], source[3:]]), frames=8, blocking=True)
    assert np.array_equal(as_floats(by_memory, dtype), EIGHTHS)
    assert np.array_equal(as_floats(by_chunks, dtype), EIGHTHS)


def test_float64_keeps_on_an_int32_stream_what_float32_would_round(stream: ps.DuplexStream) -> None:
    exact = np.random.default_rng(1).integers(-(2**31), 2**31, (1000, 2), "int32")
    assert np.array_equal(stream.playrec(exact / 2**31, blocking=True), exact)


def test_floats_beyond_full_scale_are_clipped_and_no_number_is_silence(stream: ps.DuplexStream) -> None:
    recorded = stream.playrec(np.array([[1.5, -1.5], [np.inf, -np.inf], [np.nan, 0]]), blocking=True)
    most, least = 2**31 - 1, -(2**31)
    assert recorded.tolist() == [[most, least], [most, least], [0, 0]]


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("dtype", ["int16", "int24", "float32"])
def test_an_array_of_one_dimension_is_mono_and_plays_on_every_channel(channels: int, dtype: Any) -> None:
    mono = np.random.default_rng(2).integers(-(2**15), 2**15, 1000, "int16")
    with ps.DuplexStream(device=FAST, channels=channels, dtype=dtype) as stream:
        recorded = [
            stream.playrec(source, 1000, out=np.zeros((1000, channels), "int16"), blocking=True)
            for source in (mono, mono[:, np.newaxis], iter([mono[:7], mono[7:]]), (mono / 2**15))
        ]
    for take in recorded:
        assert np.array_equal(take, mono[:, np.newaxis].repeat(channels, axis=1))


def test_a_map_says_where_mono_is_to_be_heard(stream: ps.DuplexStream) -> None:
    mono = np.arange(1, 101, dtype="int32")
    stream.txmapping = [0, 1]
    recorded = stream.playrec(mono, blocking=True)
    assert not recorded[:, 0].any()
    assert np.array_equal(recorded[:, 1], mono)


def test_what_only_looks_like_an_array_is_one(stream: ps.DuplexStream) -> None:
    class Tensor:
        def __array__(self, *_args: Any, **_kwargs: Any) -> Any:
            return np.arange(8, dtype="int32").reshape(4, 2)

    tensor: Any = Tensor()
    assert stream.playrec(tensor, 4, blocking=True).ravel().tolist() == list(range(8))
    assert stream.playrec(array.array("d", [0.5, 0.25]), blocking=True).tolist() == [[2**30, 2**29]]


def test_an_array_of_16_bits_is_recorded_into(stream: ps.DuplexStream) -> None:
    out = np.zeros((8, 2), "int16")
    stream.playrec(EIGHTHS, out=out, blocking=True)
    assert np.array_equal(out, as_integers("int16"))
    with pytest.raises(TypeError, match="cannot record into float64: a buffer may hold int32, float32, int16"):
        stream.record(out=np.zeros((8, 2)))


# ---- iterators of chunks ----


def test_a_generator_is_played_chunk_by_chunk(stream: ps.DuplexStream) -> None:
    noise = np.random.default_rng(3).integers(-(2**31), 2**31, (5000, 2), "int32")
    parts = (noise[place : place + 37] for place in range(0, 5000, 37))
    assert np.array_equal(stream.playrec(parts, 5000, blocking=True), noise)


def test_chunks_of_bytes_are_frames_as_the_device_has_them(stream: ps.DuplexStream) -> None:
    noise = np.random.default_rng(3).integers(-(2**31), 2**31, (500, 2), "int32")
    assert np.array_equal(stream.playrec(iter([noise.tobytes()]), 500, blocking=True), noise)


def test_what_a_file_yields_is_played_and_what_an_error_in_it_says_is_raised(
    stream: ps.DuplexStream, tmp_path: Path
) -> None:
    source = make_noise(tmp_path / "in.wav", 5000)
    with soundfile.SoundFile(tmp_path / "in.wav") as file:
        assert np.array_equal(stream.playrec(file.blocks(512, dtype="int32"), 5000, blocking=True), source)

    def broken() -> Iterator[Any]:
        yield source[:100]
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        stream.play(broken(), blocking=True)


def test_an_endless_iterator_ends_with_the_stream() -> None:
    before = set(threading.enumerate())
    with ps.OutputStream(device="virtual", blocksize=64) as stream:
        stream.play(repeat(np.zeros((64, 2), "float32")))
        assert not stream.wait(0.1)
        stream.stop()
    assert set(threading.enumerate()) <= before


def test_an_iterator_that_cannot_be_played_is_refused(stream: ps.DuplexStream, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="loop"):
        stream.play(iter([np.zeros(5)]), loop=True)
    with pytest.raises(ValueError, match="the chunk has 3 channels and the stream plays 2"):
        stream.play(iter([np.zeros((5, 3))]), blocking=True)
    make_noise(tmp_path / "in.wav", 10)
    with (tmp_path / "in.wav").open("rb") as file, pytest.raises(TypeError, match=r"soundfile\.SoundFile"):
        stream.play(file)


def test_without_numpy_numbers_of_another_type_are_refused() -> None:
    program = """
import array, sys
sys.modules["numpy"] = None
from pastream_cli import engine as ps
with ps.DuplexStream(device="virtual:fast", dtype="int16") as stream:
    out = stream.playrec(array.array("f", [0.5, -0.5]), blocking=True)
    assert memoryview(out).cast("h").tolist() == [2**14, -(2**14)], out
    try:
        stream.play(array.array("d", [0.5, 0.5]))
    except TypeError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr == ""
    assert "cannot play samples of type 'd'" in done.stdout
