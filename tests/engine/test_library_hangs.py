"""A function that never returns, and a caller who will not wait: the stream can be ended and dropped all the same."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from pastream_cli import engine as ps
from tests.homes import wait_until
from tests.sounds import RATE


class Stubborn:
    """A function that keeps its ring full, or empty, until it is released, whatever the stream says."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def play(self, stream: ps.OutputStream, ring: ps.RingBuffer, *, loop: bool) -> None:  # noqa: ARG002
        while not self.released.wait(0.001):
            ring.write(bytes(ring.write_available * ring.elementsize))

    def record(self, stream: ps.InputStream, ring: ps.RingBuffer) -> None:  # noqa: ARG002
        while not self.released.wait(0.001):
            ring.read()


def end_of_block(stream: ps.Stream) -> None:
    with stream:
        pass


@pytest.mark.parametrize("end", [ps.Stream.stop, ps.Stream.close, end_of_block])
def test_an_end_names_the_function_that_does_not_return(end: Callable[[ps.Stream], None]) -> None:
    stubborn = Stubborn()
    stream = ps.InputStream(device="virtual")
    stream.set_sink(stubborn.record)
    stream.start()
    began = time.monotonic()
    with pytest.raises(ps.PastreamError, match=r"cannot end the stream: the sink, Stubborn\.record, has not returned"):
        end(stream)
    assert 4.9 < time.monotonic() - began < 8
    assert stream.finished
    assert not stream.stopped
    if not stream.closed:
        with pytest.raises(ps.PastreamError, match=r"cannot start: the sink, Stubborn\.record, has not returned"):
            stream.start()
    stubborn.released.set()
    assert stream.wait(10)
    assert stream.stopped
    if not stream.closed:
        assert len(stream.record(100, blocking=True)) == 100
        stream.close()


def read_in_turn(stream: ps.DuplexStream, stubborn: Stubborn) -> None:
    for _ in stream.chunks(480, frames=4800, playback=stubborn.play):
        pass


def read_as_they_come(stream: ps.DuplexStream, stubborn: Stubborn) -> None:
    async def read() -> None:
        async for _ in stream.chunks(480, frames=4800, playback=stubborn.play):
            pass

    asyncio.run(read())


@pytest.mark.parametrize("read", [read_in_turn, read_as_they_come])
def test_chunks_end_with_the_name_of_the_function_that_does_not_return(
    read: Callable[[ps.DuplexStream, Stubborn], None],
) -> None:
    stubborn = Stubborn()
    with ps.DuplexStream(device="virtual") as stream:
        threading.Timer(15, stubborn.released.set).start()
        began = time.monotonic()
        with pytest.raises(ps.PastreamError, match=r"the source, Stubborn\.play, has not returned"):
            read(stream, stubborn)
        assert 4.9 < time.monotonic() - began < 9
        stubborn.released.set()
        assert stream.wait(10)
        assert sum(map(len, stream.chunks(480, frames=4800))) == 4800


def test_an_end_names_the_iterator_or_callback_that_does_not_return() -> None:
    released = threading.Event()

    def stubborn_chunks() -> Iterator[bytes]:
        yield bytes(8 * RATE)
        released.wait()

    with ps.DuplexStream(device="virtual", finished_callback=released.wait) as stream:
        stream.play(stubborn_chunks())
        with pytest.raises(ps.PastreamError, match=r"the source, .*stubborn_chunks, has not returned"):
            stream.stop()
        released.set()
        assert stream.wait(10)
        released.clear()
        stream.record(100)
        with pytest.raises(ps.PastreamError, match="finished_callback has not returned"):
            stream.stop()
        released.set()


def test_a_stream_is_dropped_although_its_function_does_not_return() -> None:
    stubborn = Stubborn()
    has_ended = threading.Event()
    stream = ps.OutputStream(device="virtual", finished_callback=has_ended.set)
    stream.set_source(stubborn.play)
    stream.start()
    dropped, gate = weakref.ref(stream), stream._gate
    del stream
    gc.collect()
    assert dropped() is None
    wait_until(lambda: gate.is_closed, "the device is closed")
    stubborn.released.set()
    assert has_ended.wait(10)


def test_a_function_is_told_that_its_stream_was_dropped() -> None:
    seen: list[tuple[bool, bool]] = []
    has_ended = threading.Event()

    def record(stream: ps.InputStream, ring: ps.RingBuffer) -> None:
        while stream.active:
            ring.read()
            time.sleep(0.001)
        seen.append((stream.aborted, stream.closed))

    stream = ps.InputStream(device="virtual", finished_callback=has_ended.set)
    stream.set_sink(record)
    stream.start()
    time.sleep(0.05)
    del stream
    gc.collect()
    assert has_ended.wait(3)
    assert seen == [(True, True)]


def test_a_function_that_still_takes_what_is_left_has_all_the_time_there_is() -> None:
    taken = []

    def record(stream: ps.InputStream, ring: ps.RingBuffer) -> None:
        while stream.active:
            time.sleep(0.01)
        while ring.read_available:
            taken.append(len(ring.read(ring.size // 8)) // ring.elementsize)
            time.sleep(0.8)

    with ps.InputStream(device="virtual:fast") as stream:
        ring = stream.set_sink(record, buffersize=4096)
        stream.start()
        wait_until(lambda: ring.write_available < 512, "the ring is nearly full")
        began = time.monotonic()
        stream.stop()
        assert time.monotonic() - began > 5
        assert sum(taken) == stream.frame_count


def of_the_module(stubborn: Stubborn) -> None:
    ps.play(stubborn.play, RATE, blocking=True, device="virtual")


def blocking(stubborn: Stubborn) -> None:
    with ps.OutputStream(device="virtual") as stream:
        stream.play(stubborn.play, blocking=True)


def in_a_block(stubborn: Stubborn) -> None:
    with ps.OutputStream(device="virtual") as stream:
        stream.play(stubborn.play)
        stream.wait()


def chunk_by_chunk(stubborn: Stubborn) -> None:
    for _ in ps.chunks(480, playback=stubborn.play, device="virtual"):
        pass


@pytest.mark.parametrize("act", [of_the_module, blocking, in_a_block, chunk_by_chunk])
def test_an_interrupt_does_not_wait_for_a_function_that_never_returns(act: Callable[[Stubborn], None]) -> None:
    stubborn = Stubborn()
    began = time.monotonic()
    threading.Timer(0.3, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        act(stubborn)
    assert time.monotonic() - began < 3
    stubborn.released.set()


@pytest.mark.parametrize("act", ["record", "play", "playrec"])
def test_an_interrupted_call_leaves_no_run_behind(act: str) -> None:
    frames = np.full((20 * RATE, 2), 0.5, "float32")
    caller = threading.get_ident()
    with ps.DuplexStream(device="virtual") as stream:
        threading.Timer(0.3, signal.pthread_kill, (caller, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            getattr(stream, act)(20 * RATE if act == "record" else frames, blocking=True)
        assert stream.stopped
        assert not stream.aborted
        assert RATE // 10 < stream.frame_count < 10 * RATE
