"""Sources and sinks: the file, memory, function or ring at either end of a stream.

An endpoint is made when it is set, and all that can be checked by then is checked. It is connected anew at each start,
so that a changed channel map takes effect.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.channel_maps import ChannelMap
from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.streams.arrays import Memory
from pastream_cli.errors import PastreamError

if TYPE_CHECKING:
    from pastream_cli.engine.native import OutputFileHandle


class Endpoint:
    """One end of a stream. `function`, if any, runs on a thread of its own for each run."""

    function: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    frames: int | None = None
    """Frames that it holds or takes, where that is known."""
    ends_when_empty = False
    ring: RingBuffer

    def hold(self, end: Callable[[], bool]) -> None:
        """Begin a run. `end` ends that run, and tells whether nothing of it uses this endpoint any more."""

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        """Connect to a stream that is about to start."""
        raise NotImplementedError

    @property
    def is_on_a_disk(self) -> bool:
        """Whether it is a regular file. If one takes no more data, its disk may only be busy."""
        return False

    def failure(self) -> PastreamError | None:
        """Return what went wrong with it in this run, if anything did."""
        return None

    def release(self) -> None:
        """End a run, even one that came no further than `hold`. No loop uses the endpoint any more."""


# ---- sources ----


class Source(Endpoint):
    """What is played, through a ring of the device's sample format."""

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
        _check_rate(file, stream)
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

        self.check_channels(channel_map, self._file.channels)
        indices = channel_map.indices(self._file.channels)
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
        self._memory = Memory(data, side, side.channels, writable=False)
        self._loop = loop
        self.frames = self._memory.frames
        self.ring = stream.new_ring(side, buffersize)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        self.check_channels(channel_map, self._memory.channels)
        indices = channel_map.indices(self._memory.channels)
        self.ring.flush()
        stream.connect_playback(self.ring)
        stream.connect_reader(
            lib.memory_file_functions(),
            self._memory.open(),
            self._memory.sample_code,
            self._memory.channels,
            indices,
            loop=self._loop,
        )

    def release(self) -> None:
        self._memory.close()


class RingSource(Source):
    """A ring that the caller fills; the input ends when the ring runs empty."""

    ends_when_empty = True

    def __init__(self, stream: Core, side: Side, ring: RingBuffer) -> None:
        super().__init__(stream, side)
        self.ring = ring
        self.channels = _channels_of(ring, side)

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


# ---- sinks ----


class Sink(Endpoint):
    """What is recorded to."""

    def __init__(self, side: Side) -> None:
        self.side = side

    def check_channels(self, channel_map: ChannelMap, channels: int) -> None:
        """Raise `ValueError` where the map does not say what each stored channel gets."""
        if len(channel_map) != channels:
            raise ValueError(
                f"the sink has {channels} channels and would be given {len(channel_map)}: "
                "set rxmapping, with one entry per channel of the sink"
            )

    def _connect_ring(self, stream: Core, channel_map: ChannelMap, channels: int) -> None:
        self.check_channels(channel_map, channels)
        indices = channel_map.indices(self.side.channels)
        stream.connect_capture(self.ring, None if channel_map.is_identity(self.side.channels) else indices, channels)


class FileSink(Sink):
    """A SoundFile, written by the C loop from its current position."""

    def __init__(self, stream: Core, side: Side, file: Any, buffersize: int | None) -> None:
        from pastream_cli.engine.streams import soundfiles

        super().__init__(side)
        soundfiles.check_writable(file)
        _check_rate(file, stream)
        self._files = soundfiles
        self._file = file
        self._recording: Any = None
        self._guard: Any = None
        self.ring = stream.new_ring(side, buffersize)

    def hold(self, end: Callable[[], bool]) -> None:
        self._guard = self._files.Guard(self._file, end)
        self._files.check_writable(self._file)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        from pastream_cli.engine.files.libsndfile import FUNCTIONS

        self.check_channels(channel_map, self._file.channels)
        indices = channel_map.indices(self.side.channels)
        self.ring.flush()
        self._recording = self._files.Recording(self._file)
        stream.connect_capture(self.ring)
        stream.connect_writer(
            FUNCTIONS, self._file.channels, indices, self._recording.handle, is_pipe=not self._file.seekable()
        )

    @property
    def is_on_a_disk(self) -> bool:
        return self._recording is not None and self._recording.is_on_a_disk

    def failure(self) -> PastreamError | None:
        return self._recording.failure() if self._recording is not None else None

    def release(self) -> None:
        recording, self._recording = self._recording, None
        guard, self._guard = self._guard, None
        try:
            if recording is not None:
                recording.finish()
        finally:  # the guard goes last, as in a source
            if guard is not None:
                guard.remove()


class MemorySink(Sink):
    """A buffer, written by the C loop from its start; the run ends when it is full."""

    def __init__(self, stream: Core, side: Side, data: Any, channel_map: ChannelMap, buffersize: int | None) -> None:
        super().__init__(side)
        self._memory = Memory(data, side, len(channel_map), writable=True)
        self.frames = self._memory.frames
        self._output: OutputFileHandle | None = None
        self.ring = stream.new_ring(side, buffersize)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        self.check_channels(channel_map, self._memory.channels)
        indices = channel_map.indices(self.side.channels)
        self.ring.flush()
        bits = 0 if self._memory.sample_code == lib.FILE_FLOAT32 else 32
        new = lib.output_file_new(
            self._memory.open(), self._memory.sample_code, bits, self._memory.channels, False, -1, -1
        )
        self._output = ffi.gc(check_memory(new, "cannot record to a buffer"), lib.output_file_free)
        stream.connect_capture(self.ring)
        stream.connect_writer(lib.memory_file_functions(), self._memory.channels, indices, self._output)

    def release(self) -> None:
        self._memory.close()


class RingSink(Sink):
    """A ring that is emptied by the caller, or by the caller's function on a thread of its own."""

    def __init__(self, side: Side, ring: RingBuffer, function: Callable[..., Any] | None = None) -> None:
        super().__init__(side)
        self.ring = ring
        self.function = function
        self.channels = _channels_of(ring, side)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        self._connect_ring(stream, channel_map, self.channels)


# ---- which is which ----


def is_sound_file(thing: Any) -> bool:
    """Tell whether it is a SoundFile, without loading soundfile: whoever has one has loaded it."""
    soundfile = sys.modules.get("soundfile")
    return soundfile is not None and isinstance(thing, soundfile.SoundFile)


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
    if callable(source):
        return FunctionSource(stream, side, source, channel_map, buffersize)
    return MemorySource(stream, side, source, buffersize, loop=loop)


def sink_for(stream: Core, side: Side, sink: Any, channel_map: ChannelMap, buffersize: int | None) -> Sink:
    """Return the endpoint for whatever `InputStream.set_sink` takes."""
    if isinstance(sink, RingBuffer):
        return RingSink(side, sink)
    if is_sound_file(sink):
        return FileSink(stream, side, sink, buffersize)
    if callable(sink):
        return RingSink(side, stream.new_ring(side, buffersize, len(channel_map)), sink)
    return MemorySink(stream, side, sink, channel_map, buffersize)


def _check_rate(file: Any, stream: Core) -> None:
    if file.samplerate != round(stream.samplerate):
        raise ValueError(f"the file has {file.samplerate} frames per second and the stream {stream.samplerate:g}")


def _channels_of(ring: RingBuffer, side: Side) -> int:
    channels, rest = divmod(ring.elementsize, side.sample_bytes)
    if rest:
        raise ValueError(f"an element of the ring must be a frame: a multiple of {side.sample_bytes} bytes")
    return channels
