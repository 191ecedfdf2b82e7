"""Sinks: the file, memory, function or ring that a stream records to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.channel_maps import ChannelMap
from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.streams.endpoints import Endpoint, channels_of_ring, check_rate, is_path, is_sound_file
from pastream_cli.engine.streams.memory import Memory
from pastream_cli.engine.streams.samples import samples_to_record
from pastream_cli.errors import PastreamError

if TYPE_CHECKING:
    from pastream_cli.engine.native import OutputFileHandle


_BITS_OF = {lib.FILE_FLOAT32: 0, lib.FILE_INT16: 16}


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
        check_rate(file, stream)
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


class PathSink(FileSink):
    """The path of a new sound file, which a run makes and closes. One that has failed keeps no file without a frame."""

    def __init__(self, stream: Core, side: Side, path: Any, buffersize: int | None) -> None:
        from pastream_cli.engine.streams import soundfiles

        Sink.__init__(self, side)
        soundfiles.check_new(path, side.sample_format)
        self._files, self._path = soundfiles, path
        self._file = self._recording = self._guard = self._made = None
        self.ring = stream.new_ring(side, buffersize)

    def hold(self, end: Callable[[], bool]) -> None:
        """Do nothing: nobody else can close the file."""

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        rate, sample_format = round(stream.samplerate), self.side.sample_format
        self._file, self._made = self._files.open_new(self._path, rate, len(channel_map), sample_format)
        super().connect(stream, channel_map)

    def give_up(self) -> None:
        if self._made is not None and (self._recording is None or not self._recording.frames):
            self._files.remove_made(self._path, self._made)

    def release(self) -> None:
        file, self._file = self._file, None
        self._made = None
        try:
            super().release()
        finally:
            if file is not None:
                file.close()


class MemorySink(Sink):
    """A buffer, written by the C loop from its start; the run ends when it is full."""

    def __init__(self, stream: Core, side: Side, data: Any, channel_map: ChannelMap, buffersize: int | None) -> None:
        super().__init__(side)
        self._samples = samples_to_record(data, side, len(channel_map))
        self._memory = Memory(self._samples, is_written=True)
        self.frames = self._memory.frames
        self._output: OutputFileHandle | None = None
        self.ring = stream.new_ring(side, buffersize)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        code, channels = self._samples.code, self._samples.channels
        self.check_channels(channel_map, channels)
        indices = channel_map.indices(self.side.channels)
        self.ring.flush()
        bits = _BITS_OF.get(code, 32)
        new = lib.output_file_new(self._memory.open(), code, bits, channels, False, -1, -1, -1)
        self._output = ffi.gc(check_memory(new, "cannot record to a buffer"), lib.output_file_free)
        stream.connect_capture(self.ring)
        stream.connect_writer(lib.memory_file_functions(), channels, indices, self._output)

    def release(self) -> None:
        self._memory.close()


class RingSink(Sink):
    """A ring that is emptied by the caller, or by the caller's function on a thread of its own."""

    def __init__(self, side: Side, ring: RingBuffer, function: Callable[..., Any] | None = None) -> None:
        super().__init__(side)
        self.ring = ring
        self.function = function
        self.channels = channels_of_ring(ring, side)

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        self._connect_ring(stream, channel_map, self.channels)


def sink_for(stream: Core, side: Side, sink: Any, channel_map: ChannelMap, buffersize: int | None) -> Sink:
    """Return the endpoint for whatever `InputStream.set_sink` takes."""
    if isinstance(sink, RingBuffer):
        return RingSink(side, sink)
    if is_sound_file(sink):
        return FileSink(stream, side, sink, buffersize)
    if is_path(sink):
        return PathSink(stream, side, sink, buffersize)
    if callable(sink):
        return RingSink(side, stream.new_ring(side, buffersize, len(channel_map)), sink)
    return MemorySink(stream, side, sink, channel_map, buffersize)
