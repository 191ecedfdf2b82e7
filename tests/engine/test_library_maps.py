"""Channel maps of the library: which channel of a source or sink goes where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pastream_cli import engine as ps
from tests.library_ends import FAST, FRAMES, drain, fill
from tests.sounds import RATE, read


def test_maps_are_lists_that_can_be_changed_and_reset(stream: ps.DuplexStream) -> None:
    assert (stream.txmapping, stream.rxmapping) == ([1, 2], [1, 2])
    stream.txmapping[0] = 2
    stream.rxmapping = [2, 0, 1]
    assert (stream.txmapping, stream.rxmapping) == ([2, 2], [2, 0, 1])
    stream.txmapping = stream.rxmapping = None
    assert (stream.txmapping, stream.rxmapping) == ([1, 2], [1, 2])


def test_a_map_may_be_made_of_numbers_of_numpy(stream: ps.DuplexStream, noise: Any) -> None:
    stream.txmapping = np.array([2, 1])
    places: Any = {np.int64(1): np.int16(2), np.int64(2): np.int16(1)}
    stream.rxmapping = places
    channel: Any = np.uint8(2)
    stream.rxmapping[0] = channel
    assert (stream.txmapping, stream.rxmapping) == ([2, 1], [2, 1])
    assert type(stream.txmapping[0]) is int
    assert np.array_equal(stream.playrec(noise, blocking=True), noise)


def test_a_map_may_say_which_channel_goes_where(stream: ps.DuplexStream) -> None:
    stream.txmapping = {2: 1}
    assert stream.txmapping == [2, 0]
    stream.rxmapping = {1: 3, 2: 1}
    assert stream.rxmapping == [2, 0, 1]
    no_channels: Any = {"1": 1}
    for mapping in ({1: 3}, {1: 0}, no_channels):
        with pytest.raises(ValueError, match="map"):
            stream.txmapping = mapping


def test_a_map_that_cannot_be_is_refused(stream: ps.DuplexStream, noise: Any) -> None:
    mappings: list[Any] = [[1], [1, 2, 3], [-1, 1], ["1", 2], [2**70, 1], {1: 2**40}, np.ones(2)]
    for mapping in mappings:
        with pytest.raises(ValueError, match="map"):
            stream.txmapping = mapping
    for mapping in ([], [3], [-1], [1] * 1025, {1: 1025}):
        with pytest.raises(ValueError, match="map"):
            stream.rxmapping = mapping
    stream.txmapping = [1, 3]
    with pytest.raises(ValueError, match="map"):
        stream.play(noise)


@pytest.mark.parametrize("by", ["memory", "file", "function", "ring"])
def test_channels_are_mapped_whatever_the_ends_are(
    stream: ps.DuplexStream, noise: Any, tmp_path: Path, by: str
) -> None:
    stream.txmapping = [2, 0]
    stream.rxmapping = [0, 1, 1]
    expected = np.zeros((FRAMES, 3), "int32")
    expected[:, 1:] = noise[:, 1:]
    parts: list[bytes] = []
    if by == "memory":
        recorded = stream.playrec(noise, blocking=True)
    elif by == "file":
        soundfile.write(tmp_path / "in.wav", noise, RATE, "PCM_32")
        with soundfile.SoundFile(tmp_path / "in.wav") as source, stream.to_file(str(tmp_path / "out.wav")) as sink:
            stream.playrec(source, out=sink, blocking=True)
        recorded = read(tmp_path / "out.wav")
    else:
        source_ring = ps.RingBuffer(8, 8192)
        stream.set_source(source_ring if by == "ring" else fill, args=(noise,))
        ring = stream.set_sink(ps.RingBuffer(12, 8192) if by == "ring" else drain, args=(parts,))
        source_ring.write(noise)
        stream.start()
        stream.wait()
        data = bytes(ring.read()) if by == "ring" else b"".join(parts)
        recorded = np.frombuffer(data, "int32").reshape(-1, 3)
    assert np.array_equal(recorded, expected)


def test_a_mono_function_plays_on_every_channel_that_asks_for_it(stream: ps.DuplexStream, noise: Any) -> None:
    mono = np.ascontiguousarray(noise[:, 0])
    stream.txmapping = [1, 1]
    recorded = np.zeros_like(noise)
    assert stream.set_source(fill, args=(mono,)).elementsize == 4
    stream.set_sink(recorded)
    stream.start()
    stream.wait()
    assert np.array_equal(recorded, mono[:, np.newaxis].repeat(2, axis=1))


@pytest.mark.parametrize("dtype", ["uint8", "int24", "int16"])
def test_a_silent_channel_is_silent_in_every_type(dtype: Any) -> None:
    ring = ps.RingBuffer({"uint8": 1, "int24": 3, "int16": 2}[dtype], 1024)
    with ps.DuplexStream(device=FAST, channels=2, dtype=dtype) as stream:
        stream.rxmapping = [0]
        stream.set_sink(ring)
        source = b"\x55" * (2 * ring.elementsize * 100)
        stream.set_source(source)
        stream.start()
        stream.wait()
    assert bytes(ring.read()) == (b"\x80" if dtype == "uint8" else bytes(ring.elementsize)) * 100
