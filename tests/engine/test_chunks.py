"""Chunks of what is captured: every frame once and in order, whatever the chunk, the overlap and the ring."""

from __future__ import annotations

import collections
import itertools
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pastream_cli import engine as ps
from pastream_cli.errors import PastreamError
from tests.sounds import make_noise

FAST = "virtual:fast"
FRAMES = 10_007


def noise(channels: int = 2) -> Any:
    return np.random.default_rng(channels).uniform(-1, 1, (FRAMES, channels)).astype("float32")


def test_chunks_are_what_was_captured_in_order(campaign: Callable[[int], int]) -> None:
    cases = list(itertools.product([1, 31, 512, 1000, 4096, FRAMES, 12_000], [0, 1, 0.5, 0.99], [1, 2, 3], [0, 512]))
    for size, overlap_share, channels, block in random.Random(1).sample(cases, campaign(len(cases))):
        overlap = min(int(size * overlap_share) if overlap_share < 1 else 1, size - 1)
        if size - overlap < 5 and size > 100:
            continue
        source, place = noise(channels), 0
        with ps.DuplexStream(device=FAST, channels=channels, blocksize=block) as stream:
            for chunk in stream.chunks(size, overlap, playback=source, pad=0, atleast_2d=True):
                assert place + len(chunk) == FRAMES or len(chunk) == size
                assert np.array_equal(chunk, source[place : place + len(chunk)])
                place += len(chunk) - overlap
        assert place + overlap == FRAMES


def test_a_chunk_is_as_long_as_a_block_unless_its_size_is_given() -> None:
    with ps.InputStream(device=FAST, blocksize=300) as stream:
        lengths = [len(chunk) for chunk in stream.chunks(frames=1000)]
    assert lengths == [300, 300, 300, 100]


def test_chunks_overlap_where_the_stream_has_a_blocksize() -> None:
    source = noise()
    with ps.DuplexStream(device=FAST, blocksize=300) as stream:
        chunks = [chunk.copy() for chunk in stream.chunks(overlap=100, frames=1000, playback=source)]
        assert [len(chunk) for chunk in chunks] == [300, 300, 300, 300, 200]
        assert all(np.array_equal(a[-100:], b[:100]) for a, b in itertools.pairwise(chunks))
    assert np.array_equal(chunks[-1][-1], source[999])


def test_a_chunk_is_a_view_of_the_ring_wherever_it_lies_there_in_one_piece() -> None:
    source = noise()
    with ps.DuplexStream(device=FAST) as stream:
        chunks = stream.chunks(512, buffersize=2048, playback=source, pad=0)
        places = [chunk.__array_interface__["data"][0] for chunk in itertools.islice(chunks, 8)]
        chunks.close()
    assert [place - places[0] for place in places] == [0, 4096, 8192, 12288] * 2


def test_what_is_played_meanwhile_is_followed_by_silence_unless_padding_is_given() -> None:
    with ps.DuplexStream(device=FAST, blocksize=512) as stream:
        source, frames = noise(), 0
        for chunk in stream.chunks(512, playback=source):
            frames += len(chunk)
            if frames > 2 * FRAMES:
                assert not chunk.any()
                break


def test_chunks_of_one_channel_have_one_dimension() -> None:
    with ps.InputStream(device=FAST, channels=1) as stream:
        assert next(stream.chunks(100)).shape == (100,)
        assert next(stream.chunks(100, atleast_2d=True)).shape == (100, 1)


def test_frames_and_offset_bound_what_is_captured() -> None:
    with ps.DuplexStream(device=FAST) as stream:
        source = noise()
        chunks = [c.copy() for c in stream.chunks(500, frames=2000, offset=300, playback=source)]
        assert np.array_equal(np.concatenate(chunks), source[300:2000])
        chunks = [c.copy() for c in stream.chunks(500, frames=FRAMES + 100, pad=-1, playback=source)]
        assert sum(map(len, chunks)) == FRAMES + 100
        chunks = [c.copy() for c in stream.chunks(500, pad=100, playback=source)]
        assert sum(map(len, chunks)) == FRAMES + 100
        chunks = [c.copy() for c in stream.chunks(500, frames=2 * FRAMES, loop=True, playback=source)]
        assert np.array_equal(np.concatenate(chunks), np.concatenate([source, source]))


@pytest.mark.parametrize("make", [lambda: np.zeros((600, 2), "float32"), lambda: np.zeros(1200, "float32")])
def test_chunks_are_copied_to_an_array(make: Callable[[], Any]) -> None:
    out, source = make(), noise()
    with ps.DuplexStream(device=FAST) as stream:
        parts = [c.copy() for c in stream.chunks(playback=source, pad=0, out=out) if c is out or c.base is out]
    assert np.array_equal(np.concatenate([part.reshape(-1, 2) for part in parts]), source)


def test_chunks_are_copied_to_a_buffer() -> None:
    out, source = bytearray(512 * 8), noise()
    with ps.DuplexStream(device=FAST) as stream:
        chunks = [bytes(chunk) for chunk in stream.chunks(512, playback=source, pad=0, out=out)]
    assert b"".join(chunks) == source.tobytes()


def test_a_chunk_that_is_kept_too_long_shows_other_frames_and_no_worse() -> None:
    stream = ps.InputStream(device="virtual:fast:noise")
    kept = list(itertools.islice(stream.chunks(256, buffersize=1024), 50))
    stream.close()
    del stream
    assert all(np.isfinite(chunk).all() for chunk in kept)


def test_leaving_the_iteration_aborts_the_stream_which_can_be_used_again() -> None:
    with ps.InputStream(device="virtual", blocksize=64) as stream:
        for _ in range(2):
            for chunk in stream.chunks(64):
                assert len(chunk) == 64
                break
            assert stream.aborted
            assert not stream.active


def test_stopping_the_stream_ends_the_iteration_after_what_was_captured() -> None:
    with ps.InputStream(device="virtual", blocksize=64) as stream:
        frames = 0
        for number, chunk in enumerate(stream.chunks(64)):
            frames += len(chunk)
            if number == 10:
                stream.stop()
        assert frames == stream.frame_count


def test_a_consumer_that_is_too_slow_gets_what_was_captured_in_time_and_then_an_error() -> None:
    lengths: list[int] = []

    def consume(chunk: Any) -> None:
        lengths.append(len(chunk))
        time.sleep(0.1)

    with ps.InputStream(device="virtual", blocksize=64) as stream:
        chunks = stream.chunks(64, buffersize=1024)
        with pytest.raises(ps.BufferFull):
            collections.deque(map(consume, chunks), maxlen=0)
    assert sum(lengths) >= 1024


def test_the_function_opens_and_closes_a_stream_of_its_own(tmp_path: Path) -> None:
    assert sum(map(len, ps.chunks(500, frames=1300, device=FAST, channels=1))) == 1300
    source = noise()
    chunks = [chunk.copy() for chunk in ps.chunks(512, playback=source, device=FAST)]
    assert np.array_equal(np.concatenate(chunks), source)
    make_noise(tmp_path / "in.wav", 1000, 3, rate=8000)
    with soundfile.SoundFile(tmp_path / "in.wav") as file:
        assert sum(map(len, ps.chunks(512, playback=file, device=FAST, channels=(2, 3)))) == 1000


@pytest.mark.parametrize(
    "arguments",
    [
        {"chunksize": 100, "overlap": 100},
        {"chunksize": 100, "overlap": -1},
        {"chunksize": 100, "out": bytearray(8)},
        {"out": np.zeros((100, 2))},
        {"out": bytes(800)},
        {"chunksize": 100, "buffersize": 64},
        {"chunksize": 100, "buffersize": 1000},
    ],
)
def test_chunks_that_cannot_be_are_refused_at_once(arguments: dict[str, Any]) -> None:
    with ps.InputStream(device=FAST) as stream, pytest.raises((ValueError, TypeError)):
        stream.chunks(**arguments)
    with pytest.raises((ValueError, TypeError)):
        ps.chunks(device=FAST, **arguments)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"chunksize": -5}, "chunksize must not be negative, and is -5"),
        ({"chunksize": 9, "overlap": -1}, "overlap must not be negative, and is -1"),
        ({"chunksize": 9, "overlap": 9}, "overlap must be less than the 9 frames of a chunk, and is 9"),
        ({"out": bytearray(7)}, "out has no room for a frame"),
    ],
)
def test_a_chunk_that_cannot_be_is_refused_with_the_reason(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ps.chunks(device=FAST, **arguments)


def test_a_stream_that_only_captures_plays_nothing_meanwhile() -> None:
    with ps.InputStream(device=FAST) as stream, pytest.raises(ValueError, match="captures"):
        stream.chunks(playback=bytes(8))


def test_chunks_of_a_stream_that_runs_are_refused() -> None:
    with ps.InputStream(device="virtual") as stream:
        stream.start()
        with pytest.raises(PastreamError, match="running"):
            stream.chunks(100)
