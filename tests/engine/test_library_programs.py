"""What programs for pastream 0.2 do: their functions, rings and chunks, and what they rely on from run to run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pastream_cli import engine as ps
from tests.homes import wait_until
from tests.sounds import RATE, assert_same, make_noise, read

FAST = "virtual:fast"
NOISE = np.random.default_rng(7).integers(-(2**31), 2**31, (RATE // 2, 2), "int32")


def write(stream: Any, ring: ps.RingBuffer, data: Any, loop: bool = False) -> None:
    """Write blocks of any length, as there is room, and silence after them until the stream has ended."""
    assert not loop
    place = 0
    while not stream.finished:
        room = ring.write_available
        block = data[place : place + room] if place < len(data) else np.zeros((room, 2), data.dtype)
        place += ring.write(block)
        time.sleep(0.001)


@pytest.mark.parametrize("has_out", [False, True])
def test_chunks_play_what_set_source_has_set(has_out: bool) -> None:
    with ps.DuplexStream("virtual", dtype="int32", blocksize=256) as stream:
        stream.set_source(write, args=(NOISE,))
        out: Any = bytearray(8 * 1024) if has_out else None
        heard = b""
        for chunk in stream.chunks(1024, playback=True, out=out):
            heard += bytes(chunk)
            if len(heard) >= NOISE.nbytes // 2:
                break
    assert heard == NOISE.tobytes()[: len(heard)]


def test_chunks_cannot_play_what_was_never_set() -> None:
    with ps.DuplexStream(FAST) as stream, pytest.raises(ValueError, match="what set_source has set"):
        next(stream.chunks(64, playback=True))


@pytest.mark.parametrize("side", ["txmapping", "rxmapping"])
def test_a_permutation_made_by_numpy_maps_channels_of_a_function(side: str) -> None:
    source = np.random.default_rng(8).integers(-(2**31), 2**31, (9600, 4), "int32")
    for seed in range(7):
        mapping = np.random.default_rng(seed).permutation(4) + 1
        with ps.DuplexStream(FAST, channels=4, dtype="int32") as stream:
            setattr(stream, side, mapping)
            chunks = stream.chunks(960, playback=iter([source]), pad=0, atleast_2d=True)
            heard = np.concatenate([chunk.copy() for chunk in chunks])
        assert np.array_equal(heard, source[:, mapping - 1])


def test_rings_of_the_callers_carry_what_frames_pad_and_offset_say() -> None:
    with ps.DuplexStream(FAST, dtype="int32") as stream:
        source, sink = ps.RingBuffer(8, 2**17), ps.RingBuffer(8, 2**17)
        for power in range(7):
            frames, pad, offset = 2 ** (power + 8), 2 ** (16 - power), 2 ** (power + 6)
            source.write(NOISE, frames)
            stream.playrec(source, frames, pad, offset, out=sink, blocking=True)
            heard = np.frombuffer(sink.read(), "int32").reshape(-1, 2)
            assert len(heard) == frames + pad - offset
            assert np.array_equal(heard[: frames - offset], NOISE[offset:frames])
            assert not heard[frames - offset :].any()


def test_padding_begins_where_a_ring_has_run_empty_and_what_comes_later_waits() -> None:
    with ps.DuplexStream("virtual", dtype="int32", blocksize=64) as stream:
        source, sink = ps.RingBuffer(8, 2**11), ps.RingBuffer(8, 2**16)
        source.write(NOISE, 1024)
        stream.playrec(source, frames=-1, pad=RATE // 4, out=sink)
        wait_until(lambda: source.read_available == 0 and stream.frame_count > 1500, "padding", 10)
        source.write(NOISE, 1024)
        stream.wait()
        assert sink.read_available == 1024 + RATE // 4
        assert source.read_available == 1024
        assert not any(bytes(sink.read())[8 * 1024 :])


def test_a_ring_is_played_again_after_an_end_an_abort_and_a_stop() -> None:
    with ps.OutputStream("virtual", dtype="int32", blocksize=64) as stream:
        ring = ps.RingBuffer(8, 8192)
        stream.set_source(ring)
        ring.advance_write_index(len(ring))
        stream.start()
        assert stream.wait(10)
        assert stream.finished
        for end, is_aborted in ((stream.abort, True), (stream.stop, False)):
            ring.flush()
            ring.advance_write_index(len(ring))
            stream.start()
            assert stream.active
            stream.wait(0.001)
            end()
            assert (stream.stopped, stream.aborted) == (True, is_aborted)
            assert 0 < ring.read_available < len(ring)


def test_a_ring_with_fewer_frames_than_are_asked_for_is_an_error() -> None:
    with ps.DuplexStream("virtual", dtype="int32", blocksize=64) as stream:
        ring = ps.RingBuffer(8, 8192)
        ring.write(NOISE, 8192)
        with pytest.raises(ps.BufferEmpty):
            stream.playrec(ring, frames=9000, blocking=True)


@pytest.mark.parametrize("offset", [256, 512])
def test_a_file_that_is_rewound_is_played_from_its_start_again(tmp_path: Path, offset: int) -> None:
    source = make_noise(tmp_path / "in.wav", 3000)
    with ps.DuplexStream(FAST, dtype="int32") as stream, soundfile.SoundFile(tmp_path / "in.wav") as file:
        for _ in range(2):
            heard = stream.playrec(file, 1024, offset=offset, blocking=True)
            assert np.array_equal(heard, source[offset:1024])
            file.seek(0)


def test_a_file_is_looped_into_a_file(tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", 3000)
    with (
        ps.DuplexStream(FAST, dtype="int32") as stream,
        soundfile.SoundFile(tmp_path / "in.wav") as file,
        stream.to_file(tmp_path / "out.wav") as out,
    ):
        stream.playrec(file, frames=5 * len(file), out=out, loop=True, blocking=True)
    assert_same(read(tmp_path / "out.wav"), np.concatenate([source] * 5))


def start_and_wait(stream: ps.Stream) -> None:
    stream.start()
    stream.wait(10)


@pytest.mark.parametrize("end", ["source", "sink"])
def test_an_error_of_a_function_is_raised_where_the_stream_is_waited_for(end: str) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise LookupError("this function")

    with ps.DuplexStream("virtual", blocksize=64) as stream:
        ring = stream.set_source(fail, 8192) if end == "source" else stream.set_sink(fail, 8192)
        ring.advance_write_index(len(ring))
        with pytest.raises(LookupError, match="this function"):
            start_and_wait(stream)


def test_a_stream_for_a_stereo_file_captures_as_many_channels_as_are_asked_for(tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 100)
    with soundfile.SoundFile(tmp_path / "in.wav") as file:
        with ps.DuplexStream.from_file(file, device=FAST, channels=1) as stream:
            assert stream.channels == (1, 2)
            assert isinstance(stream, ps.InputStream)
            assert isinstance(stream, ps.OutputStream)
        chunks = ps.chunks(50, playback=file, device=FAST, channels=1, atleast_2d=True)
        assert [chunk.shape for chunk in chunks] == [(50, 1), (50, 1)]
