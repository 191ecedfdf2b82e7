"""The ends of a core: the rings beside its device, and the file or memory that a loop moves frames from and to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.attached import Attached
from pastream_cli.engine.channel_maps import check_entries, indices_of
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.facts import Loss, LossKind
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.ring_sizes import frames_taken_at_once, least_ring_frames, ring_frames
from pastream_cli.engine.ringbuffer import RingBuffer, check_size
from pastream_cli.engine.writer import Writer, cut

if TYPE_CHECKING:  # soundfile, and with it numpy, is loaded where a file is played or recorded
    from pastream_cli.engine.files.input_file import InputFile
    from pastream_cli.engine.files.missing_file import MissingFile
    from pastream_cli.engine.files.output_file import OutputFile
    from pastream_cli.engine.native import Int32Array, OutputFileHandle, Pointer, SndfileFunctions
    from pastream_cli.engine.trigger import Rules, Trigger

# How long a loop may sleep. A file can wait; whoever reads the other end of a pipe should not have to. A long nap of
# the writer delays no end, because the writer is woken for it. But a crash of the process loses what waits for it.
_READER_NAP_NS = 50_000_000
_WRITER_NAP_NS = 200_000_000
_PIPE_NAP_NS = 5_000_000
_FAST_NAP_NS = 20_000
_LEAST_NAP_NS = 500_000
# What must follow a seek before playing goes on. It is read in some milliseconds, and on a busy machine the reader may
# then be held up for that long; the device itself holds more.
_REFILL_SECONDS = 0.5
# A gap is told soon after the next device has come, so few of them wait for that.
_MOST_GAPS = 16
_FILE_CHUNK_FRAMES = 16384
_PIPE_CHUNK_FRAMES = 256


class Connected(Attached):
    """A device, and what its sides are connected to: a ring each, and behind it a file that a loop reads or writes.

    All of that is connected before a run, and stays when the device is replaced. Parameters are those of `Attached`.
    """

    def __init__(self, device: OpenDevice, buffersize: int | None = None, further_copies: int = 0) -> None:
        super().__init__(device, buffersize, further_copies)
        self._playback_ring: RingBuffer | None = None
        self._capture_ring: RingBuffer | None = None
        self._read: Callable[[], Any] | None = None
        """The reader's loop, which returns when it has ended."""
        self.writers: list[Writer] = []
        """The writers, one for each place that is recorded to; none where the owner takes the frames."""
        self.trigger: Trigger | None = None
        """What says which frames the writers record, if anything does."""
        self.can_seek = False
        """Whether `seek` may be called while the loops run."""
        self._gaps: deque[tuple[int, int]] = deque(maxlen=_MOST_GAPS)
        """Where the device was taken away of late: on the timeline, and in the input."""

    def connect_input(
        self,
        source: InputFile,
        *,
        start_frame: int = 0,
        loop: bool = False,
        is_sought: bool = False,
        channel_map: Sequence[int] | None = None,
    ) -> RingBuffer:
        """Play a file. Return the ring that its frames go through.

        Parameters
        ----------
        source : InputFile
            Stays the caller's; it must outlive the run.
        start_frame : int
            Where in the file to begin; what comes before is read and dropped where the file cannot seek.
        loop : bool
            Start again at the end, without a gap.
        is_sought : bool
            Whether `seek` may be called. The reader then waits for that at the end of a file that can seek, and must
            be stopped. A core that captures too cannot seek.
        channel_map : sequence of int, optional
            For each channel of the device, which channel of the file, zero-based, or -1 for silence.
        """
        from pastream_cli.engine.files.formats import file_sample_code

        assert self._playback is not None
        ring = self._new_ring(self._playback)
        self.connect_playback(ring)
        self.connect_reader(
            source.functions,
            source.handle,
            file_sample_code(source.encoding),
            source.channels,
            indices_of(channel_map, self._playback.channels, source.channels),
            loop=loop,
            is_pipe=source.is_stream,
        )
        lib.reader_begin_at(self._engine, start_frame, source.frames or 0, source.seekable)
        self.can_seek = is_sought and source.seekable and self._capture is None
        if self.can_seek:
            lib.reader_expect_seeks(self._engine, int(_REFILL_SECONDS * self.samplerate))
        return ring

    def seek(self, frames: int) -> None:
        """Have what is played jump by so many frames, soon and exactly, but within the file."""
        assert self.can_seek
        lib.reader_seek(self._engine, frames)

    def detach(self) -> None:
        """Take the device away; see `Attached.detach`."""
        had_device = self.has_device
        super().detach()
        if had_device and self._read is not None:
            self._gaps.append((self.counts().position, self.heard_frame(0)))

    def new_losses(self) -> list[Loss]:
        """Return the losses since the last call; see `Progress.new_losses`."""
        return [
            loss._replace(input_frame=self._input_frame_of(loss)) if loss.kind is LossKind.AWAY else loss
            for loss in super().new_losses()
        ]

    def _input_frame_of(self, gap: Loss) -> int | None:
        """Return the frame of the input at which playing went on after a gap."""
        before = [input_frame for frame, input_frame in self._gaps if frame <= gap.frame]
        return before[-1] if before else None

    @property
    def is_seeking(self) -> bool:
        """Whether the last seek has not taken effect yet."""
        return bool(lib.reader_is_seeking(self._engine))

    @property
    def skipped_frames(self) -> int:
        """How many frames all seeks together have skipped; fewer than 0 were repeated."""
        return lib.reader_skipped(self._engine)

    def heard_frame(self, latency_frames: int) -> int:
        """Return the frame of the file that is heard by way of a device of this latency."""
        return lib.reader_heard_frame(self._engine, latency_frames)

    def connect_output(
        self,
        channels: int,
        *,
        channel_map: Sequence[int] | None = None,
        is_pipe: bool = False,
        outlives_failures: bool = False,
    ) -> Writer:
        """Record into files; called again, into further copies of these. Return the writer that is to be offered them.

        Parameters
        ----------
        channels : int
            How many channels the files have.
        channel_map : sequence of int, optional
            For each channel of the file, which channel of the device, zero-based, or -1 for silence.
        is_pipe : bool
            Whether somebody may wait at the other end of what is recorded to.
        outlives_failures : bool
            Whether a file that cannot be written is not the end of the writer, which then goes on with the next one.
        """
        from pastream_cli.engine.files.libsndfile import FUNCTIONS

        assert self._capture is not None
        ring = self._new_ring(self._capture)
        if not self.writers:
            self.connect_capture(ring)
        writer = self._new_writer(ring)
        indices = indices_of(channel_map, channels, self._capture.channels)
        nap_ns = self._nap_ns(ring, _PIPE_NAP_NS if is_pipe else _WRITER_NAP_NS)
        writer.configure(FUNCTIONS, channels, indices, nap_ns, outlives_failures=outlives_failures)
        return writer

    def obey(self, rules: Rules) -> None:
        """Have all writers record what these rules say, from the next run on. Call when all outputs are connected."""
        from pastream_cli.engine.trigger import Trigger

        self.trigger = Trigger(self._engine, rules)
        for writer in self.writers:
            writer.preroll_frames = rules.preroll_frames

    @property
    def is_armed(self) -> bool:
        """Whether a trigger waits for the beginning of a file."""
        return self.trigger is not None and self.trigger.state.is_armed

    def _new_writer(self, ring: RingBuffer) -> Writer:
        self.writers.append(Writer(self._engine, ring, is_first=not self.writers))
        return self.writers[-1]

    def connect_playback(
        self, ring: RingBuffer | None, channel_map: Int32Array | None = None, channels: int = 0
    ) -> None:
        """Play what a ring holds; without one, play nothing.

        Parameters
        ----------
        ring : RingBuffer, optional
            Its frames have the device's channels, or with a map `channels`.
        channel_map : Int32Array, optional
            For each channel of the device, which channel of the ring, zero-based, or -1 for silence.
        channels : int
            Channels of a frame in the ring; only with a map.
        """
        side = self._playback
        assert side is not None
        handle = ffi.NULL if ring is None else ring.handle
        if channel_map is None:
            connected = lib.engine_set_playback(self._engine, handle, side.format_code, side.channels)
        else:
            check_entries(channel_map, side.channels)
            connected = lib.engine_map_playback(self._engine, handle, channel_map, channels)
        if not connected:
            raise ValueError("cannot play a ring whose elements are not frames of so many channels")
        self._playback_ring, self._read = ring, None

    def connect_capture(
        self, ring: RingBuffer | None, channel_map: Int32Array | None = None, channels: int = 0
    ) -> None:
        """Capture into a ring; without one, frames are counted and dropped.

        The parameters are those of `connect_playback`; the map has an entry for each channel of the
        ring.
        """
        side = self._capture
        assert side is not None
        handle = ffi.NULL if ring is None else ring.handle
        if channel_map is None:
            connected = lib.engine_set_capture(self._engine, handle, side.format_code, side.channels)
        else:
            check_entries(channel_map, channels)
            connected = lib.engine_map_capture(self._engine, handle, channel_map, channels)
        if not connected:
            raise ValueError("cannot record to a ring whose elements are not frames of so many channels")
        lib.engine_leave_gaps(self._engine)
        self._capture_ring, self.writers = ring, []

    def connect_reader(
        self,
        functions: SndfileFunctions,
        file: Pointer,
        sample_code: int,
        channels: int,
        channel_map: Int32Array,
        *,
        loop: bool,
        is_pipe: bool = False,
    ) -> None:
        """Have the reader loop fill the playback ring from a file, or from memory in its place."""
        ring = self._playback_ring
        assert ring is not None
        assert self._playback is not None
        check_entries(channel_map, self._playback.channels)
        chunk_frames = _PIPE_CHUNK_FRAMES if is_pipe else _FILE_CHUNK_FRAMES
        nap_ns = self._nap_ns(ring, _PIPE_NAP_NS if is_pipe else _READER_NAP_NS)
        status = lib.reader_configure(
            self._engine, functions, file, sample_code, channels, channel_map, loop, chunk_frames, nap_ns
        )
        check_memory(status == lib.LOOP_OK, "cannot start the reader")
        engine = self._engine
        self._read = lambda: lib.reader_run(engine)

    def connect_writer(
        self,
        functions: SndfileFunctions,
        channels: int,
        channel_map: Int32Array,
        first: OutputFileHandle,
        *,
        is_pipe: bool = False,
    ) -> None:
        """Have the writer loop empty the capture ring into a file, or into memory in its place."""
        ring = self._capture_ring
        assert ring is not None
        check_entries(channel_map, channels)
        nap_ns = self._nap_ns(ring, _PIPE_NAP_NS if is_pipe else _WRITER_NAP_NS)
        writer = self._new_writer(ring)
        writer.configure(functions, channels, channel_map, nap_ns, outlives_failures=False)
        writer.offer_handle(first)

    def new_ring(self, side: Side, buffersize: int | None, channels: int | None = None) -> RingBuffer:
        """Return a ring for frames of one side, of `buffersize` frames if that is given and enough for the device."""
        frame_bytes = (channels or side.channels) * side.sample_bytes
        if buffersize is not None:
            check_size(buffersize)
            frames = max(buffersize, least_ring_frames(self.open_device, side))
        else:
            frames = ring_frames(self.open_device, side, None)
        return RingBuffer(frame_bytes, frames, dtype=side.sample_format)

    def _new_ring(self, side: Side) -> RingBuffer:
        """Return a ring for a file, where the device can use it."""
        frames = ring_frames(self.open_device, side, self._buffersize)
        return self.open_device.new_ring(self._engine, side.frame_bytes, frames)

    @property
    def frames_taken_at_once(self) -> int:
        """How many frames a device takes at once when it starts, to fill a buffer of its own (priming)."""
        return frames_taken_at_once(self.open_device)

    def cut(
        self,
        files: Sequence[OutputFile | MissingFile],
        first_frame: int,
        most_frames: int | None,
        end_frame: int = 0,
    ) -> int:
        """End the piece of the recording that these files are of; see `writer.cut`."""
        return cut(self._engine, files, first_frame, most_frames, end_frame)

    def sync(self) -> None:
        """Have each writer update its file's header, and sync its data to disk."""
        for writer in self.writers:
            writer.sync()

    @property
    def progress(self) -> int:
        """A number that grows as long as one of the loops makes progress."""
        return sum(writer.place for writer in self.writers) + lib.reader_frames(self._engine)

    def stop_writing(self) -> None:
        """Have the writers give up the frames that wait for a file, because none will come."""
        for writer in self.writers:
            writer.stop()

    def _nap_ns(self, ring: RingBuffer, most_ns: int) -> int:
        if self.is_fast:
            return _FAST_NAP_NS
        eighth_of_the_ring = int(ring.size / self.samplerate * 1e9 / 8)
        return max(_LEAST_NAP_NS, min(most_ns, eighth_of_the_ring))
