"""Chunks in programs with an event loop, which goes on while they are awaited; ``async for`` ends the stream."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import Any

import numpy as np
import pytest

from pastream_cli import engine as ps
from tests.sounds import RATE

NOISE = np.random.default_rng(1).uniform(-1, 1, (5000, 2)).astype("float32")


def test_chunks_are_awaited_and_come_back_as_they_are() -> None:
    async def read() -> Any:
        with ps.DuplexStream("virtual:fast") as stream:
            return np.concatenate([chunk.copy() async for chunk in stream.chunks(480, playback=NOISE, pad=0)])

    assert np.array_equal(asyncio.run(read()), NOISE)


def test_the_event_loop_goes_on_while_a_chunk_is_awaited() -> None:
    naps: list[float] = []

    async def nap() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            naps.append(time.monotonic() - before)

    async def read() -> int:
        napping = asyncio.ensure_future(nap())
        frames = 0
        async for chunk in ps.chunks(RATE // 5, frames=RATE // 2, device="virtual"):
            frames += len(chunk)
        napping.cancel()
        return frames

    assert asyncio.run(read()) == RATE // 2
    assert len(naps) > 20, "0.5 s have room for more, but the machine may be busy"


def test_a_loop_that_is_left_ends_its_stream() -> None:
    async def read() -> None:
        stream = ps.InputStream("virtual", blocksize=64)
        async with contextlib.aclosing(stream.chunks(64)) as chunks:
            async for _ in chunks:
                break
        assert stream.aborted
        async for _ in stream.chunks(64):
            break
        for _ in range(200):
            if stream.stopped:
                break
            await asyncio.sleep(0.01)
        assert stream.stopped
        stream.close()

    before = set(threading.enumerate())
    asyncio.run(read())
    assert set(threading.enumerate()) <= before


def test_a_task_that_is_cancelled_ends_its_stream() -> None:
    async def read(stream: ps.InputStream) -> None:
        async for _ in stream.chunks(64):
            pass

    async def cancel_after(seconds: float) -> None:
        with ps.InputStream("virtual", blocksize=64) as stream:
            task = asyncio.ensure_future(read(stream))
            await asyncio.sleep(seconds)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert stream.stopped

    for seconds in (0, 0.001, 0.01, 0.1):
        asyncio.run(cancel_after(seconds))


def test_a_task_that_is_cancelled_twice_ends_its_stream_too() -> None:
    async def cancel_twice(seconds: float, streams: list[ps.Stream]) -> None:
        chunks = ps.chunks(64, device="virtual")
        streams.append(chunks._reading._stream)

        async def read() -> None:
            async for _ in chunks:
                pass

        task = asyncio.ensure_future(read())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = set(threading.enumerate())
    streams: list[ps.Stream] = []
    for seconds in (0, 0.001, 0.01, 0.1):
        asyncio.run(cancel_twice(seconds, streams))
    assert all(stream.stopped and stream.closed for stream in streams)
    assert set(threading.enumerate()) <= before


def test_a_task_is_cancelled_while_its_run_waits_for_the_first_frames() -> None:
    released = threading.Event()

    def play_nothing(stream: ps.OutputStream, ring: ps.RingBuffer, *, loop: bool) -> None:  # noqa: ARG001
        while stream.active:
            released.wait(0.01)

    async def read() -> None:
        async for _ in ps.chunks(64, playback=play_nothing, device="virtual"):
            pass

    async def cancel() -> None:
        task = asyncio.ensure_future(read())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def test_what_a_run_has_failed_with_does_not_replace_a_cancellation() -> None:
    async def read() -> None:
        async with contextlib.aclosing(ps.chunks(64, device="virtual:die=0.05")) as chunks:
            async for _ in chunks:
                await asyncio.sleep(10)

    async def cancel() -> None:
        task = asyncio.ensure_future(read())
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def test_what_fails_is_raised_where_a_chunk_is_awaited() -> None:
    async def read(device: str, **options: Any) -> None:
        async for _ in ps.chunks(4800, device=device, **options):
            pass

    with pytest.raises(ps.DeviceError, match="ended"):
        asyncio.run(read("virtual:die=0.05"))
    with pytest.raises(ps.BufferEmpty):
        asyncio.run(read("virtual:fast", playback=NOISE, frames=6000))


def test_a_reader_in_turn_closes_its_stream_as_ever() -> None:
    before = set(threading.enumerate())
    chunks = ps.chunks(64, device="virtual")
    assert len(next(chunks)) == 64
    chunks.close()
    with pytest.raises(StopIteration):
        next(chunks)
    assert set(threading.enumerate()) <= before
