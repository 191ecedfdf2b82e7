"""Sources: the file, memory, function, iterator or ring that a stream plays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.channel_maps import ChannelMap
from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.streams.endpoints import (
    Endpoint,
    channels_of_ring,
    check_rate,
    is_path,
    is_sound_file,
    name_of,
)
from pastream_cli.engine.streams.memory import Memory
from pastream_cli.engine.streams.paths import PlayedFile, played_file, warn
from pastream_cli.engine.streams.samples import bytes_to_play, samples_to_play
from pastream_cli.errors import FileError, PastreamError

if TYPE_CHECKING:
    from pastream_cli.engine.files.input_file import InputFile
    from pastream_cli.engine.native import Int32Array

# How long an iterator waits where the ring is full.
_FULL_RING_SECONDS = 0.005


class Source(Endpoint):
    """What is played, through a ring of the device's sample format."""

    needed_frames = 0
    """How many frames it must have in this run."""

    def __init__(self, stream: Core, side: Side) -> None:
        self.side = side
        self._engine = stream.engine

    def check_channels(self, channel_map: ChannelMap, channels: int) -> None:
        """Raise `ValueError` where channels would be left out or missing, and no map says so."""
        if channel_map.is_default and channels != self.side.channels:
            raise ValueError(
                f"the source has {channels} channels and the stream plays {self.side.channels}: set txmapping"
            )
        if len(channel_map) != self.side.channels:
            raise ValueError(f"txmapping must have {self.side.channels} entries, one per channel of the device")

    def indices_for(self, channel_map: ChannelMap, channels: int) -> Int32Array:
        """Return, for a source of so many channels, which of them each channel of the device plays.

        One channel plays on all of them, unless a map says otherwise.
        """
        if channels == 1 and channel_map.is_default:
            return ffi.new("int32_t[]", self.side.channels)  # of zeros
        self.check_channels(channel_map, channels)
        return channel_map.indices(channels)

    def _connect_ring(self, stream: Core, channel_map: ChannelMap, channels: int) -> None:
        self.check_channels(channel_map, channels)
        indices = channel_map.indices(channels)
        stream.connect_playback(self.ring, None if channel_map.is_identity(channels) else indices, channels)


class FileSource(Source):
    """A SoundFile, read by the C loop from its current position."""

    def __init__(self, stream: Core, side: Side, file: Any, buffersize: int | None, *, loop: bool) -> None:
        from pastream_cli.engine.streams import soundfiles

        super().__init__(stream, side)
        soundfiles.check_readable(file, loop=loop)
        check_rate(file, stream)
        self._files = soundfiles
        self._file, self._loop = file, loop
        self._guard: Any = None
        self._start: int | None = None
        self.ring = stream.new_ring(side, buffersize)

    def hold(self, end: Callable[[], bool]) -> None:
        self._guard = self._files.Guard(self._file, end)
        self._files.check_readable(self._file, loop=self._loop)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        from pastream_cli.engine.files.libsndfile import FUNCTIONS, handle_of

        indices = self.indices_for(channel_map, self._file.channels)
        self.ring.flush()
        stream.connect_playback(self.ring)
        stream.connect_reader(
            FUNCTIONS,
            handle_of(self._file),
            self._files.sample_code(self._file),
            self._file.channels,
            indices,
            loop=self._loop,
            is_pipe=not self._file.seekable(),
        )
        self._start = self._file.tell() if self._file.seekable() and not self._loop else None

    def failure(self) -> PastreamError | None:
        code = lib.reader_file_error(self._engine)
        return self._files.reading_failure(self._file, code) if code else None

    def release(self) -> None:
        start, self._start = self._start, None
        guard, self._guard = self._guard, None
        try:
            if start is not None and not self._file.closed and not self.failure():
                # back to the first frame that was read and not played
                self._file.seek(start + lib.reader_frames(self._engine) - self.ring.read_available)
        finally:  # the guard goes last: without it the file could be closed during the seek
            if guard is not None:
                guard.remove()


class MemorySource(Source):
    """A buffer, read by the C loop from its start."""

    def __init__(self, stream: Core, side: Side, data: Any, buffersize: int | None, *, loop: bool) -> None:
        super().__init__(stream, side)
        self._samples = samples_to_play(data, side)
        self._memory = Memory(self._samples, is_written=False)
        self._loop = loop
        self.frames = self._memory.frames
        self.ring = stream.new_ring(side, buffersize)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        channels = self._samples.channels
        indices = self.indices_for(channel_map, channels)
        self.ring.flush()
        stream.connect_playback(self.ring)
        functions, memory = lib.memory_file_functions(), self._memory.open()
        stream.connect_reader(functions, memory, self._samples.code, channels, indices, loop=self._loop)

    def release(self) -> None:
        self._memory.close()


class PathSource(Source):
    """The file of a path, which each run plays from its start, and closes."""

    def __init__(self, stream: Core, side: Side, file: PlayedFile, buffersize: int | None, *, loop: bool) -> None:
        super().__init__(stream, side)
        if loop and not file.is_seekable:
            raise ValueError(f"cannot loop {file.name}: it cannot be rewound")
        check_rate(file, stream)
        file.tell()
        self._file, self._loop = file, loop
        self._rate = round(stream.samplerate)
        self._input: InputFile | None = None
        self.ring = stream.new_ring(side, buffersize)

    def hold(self, end: Callable[[], bool]) -> None:  # noqa: ARG002 - nobody else can close it
        self._input = self._file.take()
        self._file.tell()

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        from pastream_cli.engine.files.formats import file_sample_code

        source = self._input
        assert source is not None
        indices = self.indices_for(channel_map, source.channels)
        self.ring.flush()
        stream.connect_playback(self.ring)
        code = file_sample_code(source.encoding)
        handle, is_pipe = source.handle, source.is_stream
        stream.connect_reader(
            source.functions, handle, code, source.channels, indices, loop=self._loop, is_pipe=is_pipe
        )

    def poll(self) -> None:
        from pastream_cli.engine.files.input_changes import words_of

        source = self._input
        for event in source.events() if source is not None else ():
            assert source is not None
            warn(words_of(event, source.name, source.rate, self._rate))

    def failure(self) -> PastreamError | None:
        code = lib.reader_file_error(self._engine) if self._input is not None else 0
        if not code:
            return None
        assert self._input is not None
        return FileError(f"cannot read {self._input.name}: {self._input.reason_of(code)}")

    def release(self) -> None:
        try:
            self.poll()
        finally:
            source, self._input = self._input, None
            if source is not None:
                source.close()


class RingSource(Source):
    """A ring that the caller fills; the input ends when the ring runs empty."""

    ends_when_empty = True

    def __init__(self, stream: Core, side: Side, ring: RingBuffer) -> None:
        super().__init__(stream, side)
        self.ring = ring
        self.channels = channels_of_ring(ring, side)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        self._connect_ring(stream, channel_map, self.channels)


class FunctionSource(Source):
    """A function on a thread of its own, which writes into a ring; the input ends when it returns."""

    def __init__(
        self, stream: Core, side: Side, function: Callable[..., Any], channel_map: ChannelMap, buffersize: int | None
    ) -> None:
        super().__init__(stream, side)
        self.function = function
        self.channels = side.channels if channel_map.is_default else max([1, *channel_map])
        self.ring = stream.new_ring(side, buffersize, self.channels)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        self.ring.flush()
        self._connect_ring(stream, channel_map, self.channels)


class IteratorSource(FunctionSource):
    """An iterator of chunks, from which a thread of its own fills a ring; the next run goes on with its next chunk."""

    def __init__(
        self, stream: Core, side: Side, chunks: Iterator[Any], channel_map: ChannelMap, buffersize: int | None
    ) -> None:
        super().__init__(stream, side, partial(self._write, chunks), channel_map, buffersize)
        self._name = name_of(chunks)

    @property
    def function_name(self) -> str:
        return self._name

    def _write(self, chunks: Iterator[Any], stream: Any, ring: RingBuffer, *, loop: bool) -> None:
        assert not loop
        for chunk in chunks:
            rest = bytes_to_play(chunk, self.side, self.channels)
            while rest:
                if not stream.active:
                    return
                written = ring.write(rest) * ring.elementsize
                rest = rest[written:]
                if not written:
                    time.sleep(_FULL_RING_SECONDS)


def source_for(
    stream: Core, side: Side, source: Any, channel_map: ChannelMap, buffersize: int | None, *, loop: bool
) -> Source:
    """Return the endpoint for whatever `OutputStream.set_source` takes."""
    if isinstance(source, RingBuffer):
        if loop:
            raise ValueError("cannot loop a RingBuffer: pass the buffer that holds the frames")
        return RingSource(stream, side, source)
    if is_sound_file(source):
        return FileSource(stream, side, source, buffersize, loop=loop)
    if is_path(source) or isinstance(source, PlayedFile):
        return PathSource(stream, side, played_file(source), buffersize, loop=loop)
    if callable(source):
        return FunctionSource(stream, side, source, channel_map, buffersize)
    if hasattr(source, "__next__"):
        if hasattr(source, "read"):  # its chunks are lines
            raise TypeError("cannot play an open file as it is: soundfile.SoundFile reads sound files")
        if loop:
            raise ValueError("cannot loop an iterator: pass its chunks as one array")
        return IteratorSource(stream, side, source, channel_map, buffersize)
    return MemorySource(stream, side, source, buffersize, loop=loop)
