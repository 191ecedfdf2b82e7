"""The virtual device as fast as it goes: it waits for what will come, and for nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from pastream_cli import engine as ps

DEVICES = ["virtual", "virtual:fast"]
SOURCE = np.random.default_rng(7).uniform(-1, 1, (6000, 2)).astype("float32")


@pytest.fixture(params=DEVICES)
def stream(request: pytest.FixtureRequest) -> Iterator[ps.DuplexStream]:
    with ps.DuplexStream(request.param) as stream:
        yield stream


def ring_of(frames: Any, size: int = 8192) -> ps.RingBuffer:
    ring = ps.RingBuffer(8, size)
    ring.write(frames)
    return ring


def write_and_stay(stream: ps.DuplexStream, ring: ps.RingBuffer, frames: Any, loop: bool) -> None:
    """Write so many frames, and do not return before the run has ended."""
    assert not loop
    ring.write(frames)
    while stream.active or not stream.finished:
        time.sleep(0.001)


def return_at_once(_stream: ps.DuplexStream, _ring: ps.RingBuffer) -> None:
    """Be a sink that takes nothing."""


# ---- exactly as much as there is ----


@pytest.mark.parametrize("frames", [1, 100, 2048, 2049, 6000])
def test_a_ring_that_holds_exactly_the_frames_is_played_to_its_end(stream: ps.DuplexStream, frames: int) -> None:
    recorded = stream.playrec(ring_of(SOURCE[:frames]), frames=frames, blocking=True)
    assert np.array_equal(recorded, SOURCE[:frames])


@pytest.mark.parametrize("frames", [100, 6000])
def test_padding_follows_a_ring_that_holds_exactly_the_frames(stream: ps.DuplexStream, frames: int) -> None:
    recorded = stream.playrec(ring_of(SOURCE[:frames]), frames=frames, pad=3000, blocking=True)
    assert np.array_equal(recorded[:frames], SOURCE[:frames])
    assert recorded.shape == (frames + 3000, 2)
    assert not recorded[frames:].any()


def test_a_function_that_stays_ends_with_the_frames_that_were_asked_for(stream: ps.DuplexStream) -> None:
    for frames in (100, 6000):
        recorded = np.zeros((frames, 2), "float32")
        stream.set_source(write_and_stay, args=(SOURCE[:frames],))
        stream.set_sink(recorded)
        stream.start()
        assert stream.wait(10)
        assert np.array_equal(recorded, SOURCE[:frames])


@pytest.mark.parametrize("offset", [0, 500])
def test_a_ring_is_filled_to_its_last_frame(stream: ps.DuplexStream, offset: int) -> None:
    with ps.DuplexStream(stream.device[0], blocksize=1000) as odd:
        ring = ps.RingBuffer(8, 2048)
        odd.playrec(SOURCE, frames=2048 + offset, offset=offset, out=ring, blocking=True)
        assert np.array_equal(np.frombuffer(ring.read(), "float32").reshape(-1, 2), SOURCE[offset : 2048 + offset])


# ---- less ----


def play_half_a_ring(device: str) -> tuple[Any, Any]:
    with ps.DuplexStream(device) as stream:
        recorded = np.zeros((6000, 2), "float32")
        with pytest.raises(ps.BufferEmpty):
            stream.playrec(ring_of(SOURCE[:3000]), frames=6000, out=recorded, blocking=True)
        assert stream.aborted
    return recorded[:3000], SOURCE[:3000]


def play_half_a_function(device: str) -> tuple[Any, Any]:
    with ps.DuplexStream(device) as stream:
        recorded = np.zeros((6000, 2), "float32")
        stream.set_source(write_and_stay, buffersize=4096, args=(SOURCE[:3000],))
        stream.set_sink(recorded)
        stream.start()
        with pytest.raises(ps.BufferEmpty):
            stream.wait(20)
    return recorded[:3000], SOURCE[:3000]


def play_an_empty_ring(device: str) -> tuple[Any, Any]:
    with ps.DuplexStream(device) as stream:
        recorded = stream.playrec(ring_of(b""), frames=6000, blocking=True)
        assert not recorded.any()
        return stream.frame_count, 6000


def fill_a_ring_that_nobody_empties(device: str) -> tuple[Any, Any]:
    ring = ps.RingBuffer(8, 2048)
    with ps.DuplexStream(device) as stream, pytest.raises(ps.BufferFull):
        stream.playrec(SOURCE, out=ring, frames=6000, blocking=True)
    recorded = np.frombuffer(ring.read(), "float32").reshape(-1, 2)
    return recorded, SOURCE[: len(recorded)]


def record_to_a_function_that_takes_nothing(device: str) -> tuple[Any, Any]:
    with ps.DuplexStream(device) as stream:
        stream.set_source(SOURCE)
        ring = stream.set_sink(return_at_once, buffersize=2048)
        stream.start()
        with pytest.raises(ps.BufferFull):
            stream.wait(20)
    recorded = np.frombuffer(ring.read(), "float32").reshape(-1, 2)
    return recorded, SOURCE[: len(recorded)]


CASES: list[Callable[[str], tuple[Any, Any]]] = [
    play_half_a_ring,
    play_half_a_function,
    play_an_empty_ring,
    fill_a_ring_that_nobody_empties,
    record_to_a_function_that_takes_nothing,
]


def test_what_stands_still_ends_a_run_as_in_real_time() -> None:
    results: dict[tuple[str, str], tuple[Any, Any]] = {}

    def run(case: Callable[[str], tuple[Any, Any]], device: str) -> None:
        results[case.__name__, device] = case(device)

    threads = [threading.Thread(target=run, args=(case, device)) for case in CASES for device in DEVICES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(results) == {(case.__name__, device) for case in CASES for device in DEVICES}
    for case, (got, expected) in results.items():
        assert np.array_equal(got, expected), case


# ---- what will come ----


def test_a_chunk_may_be_looked_at_for_as_long_as_it_takes() -> None:
    with ps.DuplexStream("virtual:fast") as stream:
        chunks = stream.chunks(500, playback=SOURCE, pad=0, buffersize=512)
        heard = [bytes(next(chunks))]
        time.sleep(2.3)
        heard += map(bytes, chunks)
    assert b"".join(heard) == SOURCE.tobytes()


def test_a_source_that_is_late_is_waited_for() -> None:
    def late(_stream: ps.DuplexStream, ring: ps.RingBuffer, loop: bool) -> None:
        assert not loop
        for half in (SOURCE[:3000], SOURCE[3000:]):
            ring.write(half)
            time.sleep(0.3)

    with ps.DuplexStream("virtual:fast") as stream:
        recorded = np.zeros_like(SOURCE)
        stream.set_source(late)
        stream.set_sink(recorded)
        stream.start()
        stream.wait()
    assert np.array_equal(recorded, SOURCE)
