"""Takes captured frames out of a ring, chunk by chunk, as they come."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any, TypeVar

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.checking import whole
from pastream_cli.engine.devices.latency_and_buffer import power_of_two_above
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.native import check_fits
from pastream_cli.engine.ringbuffer import RingBuffer, check_size
from pastream_cli.engine.streams import arrays
from pastream_cli.engine.streams.lifecycle import Stream
from pastream_cli.engine.streams.watcher import Watcher, patience_after
from pastream_cli.errors import PastreamError

T = TypeVar("T")

_SHORTEST_NAP_SECONDS = 0.001
_LONGEST_NAP_SECONDS = 0.05


def chunk_frames_for(
    stream: Stream, side: Side, channels: int, chunksize: int | None, overlap: int, out: Any
) -> int | None:
    """Return how many frames a chunk has; `None` for as many as there are.

    Raises
    ------
    ValueError
        Where there can be no such chunks.
    """
    room = None if out is None else memoryview(out).nbytes // (channels * side.sample_bytes)
    if chunksize is not None:
        chunksize = whole("chunksize", chunksize)
    for name, frames in (("chunksize", chunksize or 0), ("overlap", overlap)):
        if frames < 0:
            raise ValueError(f"{name} must not be negative, and is {frames}")
    if room == 0:
        raise ValueError("out has no room for a frame")
    size = chunksize or (room if room is not None else stream.blocksize) or None
    if size is None and overlap:
        raise ValueError("overlap needs a chunksize, or a stream with a blocksize")
    if size is not None and overlap >= size:
        raise ValueError(f"overlap must be less than the {size} frames of a chunk, and is {overlap}")
    if room is not None and size is not None and size > room:
        raise ValueError(f"out has room for {room} frames, not for {size}")
    # a copy of a chunk, and a ring for four or more
    check_fits(8 * (size or 0) * channels * side.sample_bytes, f"cannot read chunks of {size} frames")
    return size


class Reader:
    """Takes chunks out of a ring.

    Parameters
    ----------
    side : Side
        Of the device, for the type of the samples.
    channels : int
        Of a frame in the ring.
    size : int, optional
        Frames of a chunk; as many as there are if `None`.
    overlap : int
        Frames that stay for the next chunk.
    out : buffer, optional
        Where chunks are copied to.
    atleast_2d : bool
        Whether arrays always have two dimensions.
    """

    def __init__(
        self, side: Side, channels: int, size: int | None, overlap: int, out: Any, *, atleast_2d: bool
    ) -> None:
        self._side, self._channels = side, channels
        self._frame_bytes = channels * side.sample_bytes
        self._size, self._overlap = size, overlap
        self._out, self._atleast_2d = out, atleast_2d
        self.frames_missing = 0
        self._copy = memoryview(bytearray((size or 0) * self._frame_bytes)) if out is None else _bytes_of(out, side)

    def buffer_frames(self, core: Core, asked: int | None) -> int | None:
        """Return how large the ring must be, `None` for the default."""
        if self._size is None:
            return asked
        if asked is not None:
            check_size(asked)
            if asked < self._size:
                raise ValueError(f"a buffer of {asked} frames has no room for a chunk of {self._size}")
            # with less, there is no room for a block while a chunk is incomplete
            return max(asked, power_of_two_above(self._size + (core.asked_blocksize or self._size)))
        default = core.new_ring(self._side, None).size
        return max(default, power_of_two_above(4 * self._size))

    def steps(self, ring: RingBuffer, watcher: Watcher) -> Generator[Any, None, None]:
        """Yield each chunk of a run, and `None` where there is none yet; `frames_missing` tells how much of it is."""
        kept = 0
        while True:
            has_ended = watcher.finished  # asked before the ring: if it has ended, the ring has all
            available = ring.read_available
            if available < (self._size or 1) and not has_ended:
                self.frames_missing = (self._size or 1) - available
                yield None
                continue
            if available <= kept:
                return
            frames, chunk = self._take(ring, available)
            yield chunk
            kept = min(self._overlap, frames)
            ring.advance_read_index(frames - (self._overlap if frames == self._size else 0))

    def _take(self, ring: RingBuffer, available: int) -> tuple[int, Any]:
        """Return how many frames the next chunk has, and the chunk. Its frames stay in the ring."""
        frames, first, second = ring.get_read_buffers(min(available, self._size or available))
        if self._size is None and self._out is None:
            frames, second = len(first) // self._frame_bytes, second[:0]
        if not second and self._out is None:
            return frames, self._view(first)
        size = len(first) + len(second)
        self._copy[: len(first)] = first
        self._copy[len(first) : size] = second
        if self._out is None:
            return frames, self._view(self._copy[:size])
        return frames, self._part_of_out(frames, size)

    def _view(self, data: memoryview) -> Any:
        return arrays.frames_view(data, self._side, self._channels, atleast_2d=self._atleast_2d)

    def _part_of_out(self, frames: int, size: int) -> Any:
        if size == len(self._copy):
            return self._out
        if not arrays.is_array(self._out):
            return self._copy[:size]
        return self._out[:frames] if self._out.ndim > 1 else self._out[: frames * self._channels]


class Reading:
    """A run whose chunks are read. It begins with the first one, and is aborted when the iteration is left.

    Parameters
    ----------
    reader : Reader
        Takes the chunks out.
    stream : Stream
        What runs.
    ring : RingBuffer
        What the stream captures into.
    begin : callable
        Starts all of the run but the device.
    go : callable
        Starts the device, as soon as there is enough to play.
    """

    def __init__(
        self,
        reader: Reader,
        stream: Stream,
        ring: RingBuffer,
        begin: Callable[[], Watcher],
        go: Callable[[Watcher], None],
    ) -> None:
        self._reader, self._stream, self._ring, self._begin, self._go = reader, stream, ring, begin, go
        self.closes_stream = False
        """Whether the stream is closed at the end."""

    def in_turn(self) -> Generator[Any, None, None]:
        """Yield one chunk after another, and block until there is one."""
        with self._stream if self.closes_stream else nullcontext():
            watcher = self._begin()
            try:
                self._go(watcher)
                for chunk in self._reader.steps(self._ring, watcher):
                    if chunk is None:
                        watcher.ended.wait(self._nap_seconds())
                    else:
                        yield chunk
                watcher.end(abort=False)
            except BaseException as error:
                watcher.end(abort=True, raises=False, function_seconds=patience_after(error))
                raise

    async def as_they_come(self) -> AsyncGenerator[Any, None]:
        """Yield one chunk after another, and let others run until there is one. Nothing here blocks the event loop."""
        import asyncio  # a program that gets here has loaded it

        in_a_thread = partial(asyncio.get_running_loop().run_in_executor, None)
        run = _LeavableRun(self._begin, self._go)
        try:
            watcher = await asyncio.shield(in_a_thread(run.begin))
            for chunk in self._reader.steps(self._ring, watcher):
                if chunk is None:
                    await asyncio.sleep(self._nap_seconds())
                else:
                    yield chunk
            await asyncio.shield(in_a_thread(self._finish, watcher))
        finally:
            run.leave()
            # shielded: a task may be cancelled again while it waits for the end
            await asyncio.shield(in_a_thread(self._clean_up, run))

    def _finish(self, watcher: Watcher) -> None:
        """End a run that is over; raises what it, or the closing of its stream, has failed with."""
        watcher.end(abort=False)
        if self.closes_stream:
            self._stream.close()

    def _clean_up(self, run: _LeavableRun) -> None:
        """End a run that was left; raises nothing, because whoever leaves it has an error, or an end, of their own."""
        run.end()
        if self.closes_stream:
            with suppress(Exception):
                self._stream.close()

    def _nap_seconds(self) -> float:
        """Return about how long the missing frames take."""
        seconds = self._reader.frames_missing / self._stream.samplerate
        return max(_SHORTEST_NAP_SECONDS, min(_LONGEST_NAP_SECONDS, seconds))


class _LeavableRun:
    """A run that is begun on another thread, and may be left at any time, even before it has begun."""

    def __init__(self, begin: Callable[[], Watcher], go: Callable[[Watcher], None]) -> None:
        self._begin, self._go = begin, go
        self._beginning = threading.Lock()
        self._is_left = False
        self._watcher: Watcher | None = None

    def begin(self) -> Watcher:
        """Begin the run, and return when its device has started."""
        with self._beginning:
            if self._is_left:
                raise PastreamError("cannot read chunks: the iteration was left")
            watcher = self._watcher = self._begin()
        if self._is_left:
            watcher.ask(abort=True)
        self._go(watcher)
        return watcher

    def leave(self) -> None:
        """Have the run end, and return at once."""
        self._is_left = True
        if self._watcher is not None:
            self._watcher.ask(abort=True)

    def end(self) -> None:
        """Wait until a run that was left has ended."""
        with self._beginning:  # one that is about to begin finds out here, or has a watcher
            watcher = self._watcher
        if watcher is not None:
            watcher.end(abort=True, raises=False)


class Chunks(Generator[T, None, None]):
    """An iterator over the chunks of a run, for ``for`` and for ``async for``."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._in_turn = reading.in_turn()
        self._awaited: AsyncGenerator[T, None] | None = None

    def send(self, value: None, /) -> T:
        """Return the next chunk, as `next` does."""
        chunk: T = self._in_turn.send(value)
        return chunk

    def throw(self, *error: Any) -> T:
        """Raise an exception where the iteration stands, which ends it."""
        chunk: T = self._in_turn.throw(*error)
        return chunk

    def __aiter__(self) -> AsyncGenerator[T, None]:
        self._awaited = self._reading.as_they_come()
        return self._awaited

    async def aclose(self) -> None:
        """End an ``async for``; `contextlib.aclosing` calls it."""
        if self._awaited is not None:
            await self._awaited.aclose()

    def close_at_the_end(self) -> None:
        """Have the stream closed when the iteration ends or is left."""
        self._reading.closes_stream = True


def _bytes_of(out: Any, side: Side) -> memoryview:
    view = memoryview(out)
    if view.readonly or not view.c_contiguous:
        raise ValueError("out must be writable and contiguous")
    if arrays.is_array(out) and out.dtype != side.sample_format:
        raise ValueError(f"out has samples of {out.dtype}, the stream of {side.sample_format}")
    return view.cast("B")
