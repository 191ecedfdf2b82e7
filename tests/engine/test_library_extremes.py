"""Numbers that no stream can have, or hardly any: each is a ValueError with its name in it, or does what it says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pastream_cli import engine as ps
from pastream_cli.engine.native import ffi
from tests.homes import wait_until

FAST = "virtual:fast"
MOST = 2**63 - 1
STREAMS = [ps.InputStream, ps.OutputStream, ps.DuplexStream]


@pytest.fixture
def stream() -> Iterator[ps.DuplexStream]:
    with ps.DuplexStream(FAST) as stream:
        yield stream


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("blocksize", (2**40, 2**52, 2**52 + 1, 2**60 + 1, MOST, 2**64, 10**400)),
        ("samplerate", (0, 1e-300, 0.5, -1.0, 2.0**31, 1e300, math.inf, math.nan, 10**400)),
        ("channels", (0, -1, 1025, 2**31, 2**40, 2**64, 10**400)),
        ("latency", (-1, 61, 1e300, math.inf, math.nan)),
    ],
)
def test_a_stream_is_not_opened_with_what_cannot_be(kind: Any, name: str, values: tuple[Any, ...]) -> None:
    for device, value in product((FAST, "virtual:sine"), values):
        with pytest.raises(ValueError, match=name):
            kind(device, **{name: value})


def test_a_block_of_many_channels_is_no_longer_than_the_memory() -> None:
    with pytest.raises(ValueError, match="blocksize of 1073741824: it takes 17592 GB"):
        ps.InputStream(FAST, blocksize=2**30, channels=1024)


def test_a_rate_may_be_as_low_and_as_high_as_a_file_has_it() -> None:
    for rate in (1, 2**31 - 1):
        with ps.DuplexStream(FAST, samplerate=rate, blocksize=64) as stream:
            assert stream.playrec(np.ones((100, 2), "float32"), blocking=True).all()


@pytest.mark.parametrize("name", ["frames", "pad", "offset"])
@pytest.mark.parametrize("value", [2**63, 2**64, 10**400])
def test_a_length_that_no_count_can_hold_is_refused(
    stream: ps.DuplexStream, name: str, value: int, tmp_path: Path
) -> None:
    source, out = bytes(800), bytearray(800)
    length: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"{name}|room|memory"):
        stream.playrec(source, **{"frames": 10, **length}, out=out)
    with stream.to_file(str(tmp_path / "out.wav")) as file, pytest.raises(ValueError, match=name):
        stream.playrec(source, **{"frames": 10, **length}, out=file)
    with pytest.raises(ValueError, match=name):
        next(stream.chunks(10, playback=source, **length))
    if name != "offset":
        with pytest.raises(ValueError, match=name):
            stream.play(source, **length)
    assert not stream.active
    assert stream.playrec(source, blocking=True).shape == (100, 2)


def test_no_more_is_recorded_to_memory_than_there_is(stream: ps.DuplexStream) -> None:
    for frames in (2**45, 2**62, MOST, 10**400):
        with pytest.raises(ValueError, match="frames to memory"):
            stream.record(frames)


def test_an_offset_is_not_negative(stream: ps.DuplexStream) -> None:
    for offset in (-1, -(2**63), -(2**64)):
        with pytest.raises(ValueError, match="offset"):
            next(stream.chunks(10, offset=offset))


@pytest.mark.parametrize("size", [3, 0, -8, 2**40, 2**62, 2**5000])
def test_a_buffer_that_cannot_be_is_refused(stream: ps.DuplexStream, size: int) -> None:
    with pytest.raises(ValueError, match=r"ring|power of 2"):
        stream.set_source(bytes(800), size)
    with pytest.raises(ValueError, match=r"ring|power of 2"):
        stream.set_sink(lambda _stream, _ring: None, size)


@pytest.mark.parametrize("size", [-1, 2**40, 2**62, 10**400])
def test_a_chunk_that_cannot_be_is_refused(stream: ps.DuplexStream, size: int) -> None:
    with pytest.raises(ValueError, match="chunk"):
        stream.chunks(size)


def test_a_ring_of_more_channels_than_a_device_can_have_is_refused(stream: ps.DuplexStream) -> None:
    stream.txmapping = [1, 1]
    stream.set_source(ps.RingBuffer(4 * 1025, 1))
    with pytest.raises(ValueError, match="so many channels"):
        stream.start()


def test_a_ring_or_a_map_that_does_not_fit_the_device_is_not_kept(stream: ps.DuplexStream) -> None:
    ring = ps.RingBuffer(7, 4)
    beyond = ffi.new("int32_t[]", [0, 2])
    for connect in (stream._core.connect_playback, stream._core.connect_capture):
        with pytest.raises(ValueError, match="frames"):
            connect(ring)
        with pytest.raises(ValueError, match="frames"):
            connect(ps.RingBuffer(8, 4), beyond, 2)
        with pytest.raises(ValueError, match="1 entries are not 2"):
            connect(ps.RingBuffer(8, 4), ffi.new("int32_t[]", [0]), 2)
    del ring
    assert stream.playrec(bytes(800), blocking=True).shape == (100, 2)


@pytest.mark.parametrize("lengths", [{"pad": MOST}, {"pad": MOST, "frames": MOST}, {"pad": -1}, {"loop": True}])
def test_a_run_that_is_as_good_as_endless_goes_on(stream: ps.DuplexStream, lengths: dict[str, Any]) -> None:
    stream.play(bytes(800), **lengths)
    wait_until(lambda: stream.frame_count > 100_000, "frames")
    stream.stop()
    assert not stream.aborted


def test_an_offset_beyond_the_end_of_time_leaves_nothing(stream: ps.DuplexStream) -> None:
    out = bytearray(b"x" * 800)
    stream.record(offset=MOST, out=out)
    wait_until(lambda: stream.frame_count > 100_000, "frames")
    stream.stop()
    assert out == b"x" * 800
