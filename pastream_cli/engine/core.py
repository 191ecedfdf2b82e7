"""Streams: a device, the rings beside it and the loops between the rings and the files.

The device's callback and both loops are C and hold no interpreter lock. This module creates them,
starts them in order and joins them again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.attached import Attached
from pastream_cli.engine.channel_maps import check_entries, indices_of
from pastream_cli.engine.devices import virtual
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.devices.sides import Side, power_of_two_above
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer, check_size
from pastream_cli.engine.threads import DeafThread

if TYPE_CHECKING:  # soundfile, and with it numpy, is loaded where a file is played or recorded
    from pastream_cli.engine.files.input_file import InputFile
    from pastream_cli.engine.files.output_file import OutputFile
    from pastream_cli.engine.native import Int32Array, OutputFileHandle, Pointer, SndfileFunctions

PREBUFFER_SECONDS = 0.5

# Beside what a device says that it holds: a sound server holds a little more.
_DRAIN_SECONDS = 0.02
# No device holds more of what it plays, but for one that was asked to.
_DRAIN_AT_MOST_SECONDS = 3.0
# PortAudio's latency on ALSA is what a device's own buffer holds less one period, of which there are five or more.
_OWN_BUFFER = 1.25
_SETTLE_SECONDS = 0.3
_SETTLE_AT_MOST_SECONDS = 2.0

# No device that keeps to the clock is early by more.
_LEAST_LEAD_SECONDS = 0.5

# How long a loop may sleep: a file can wait, a reader at the other end of a pipe should not. The writer is woken
# when it is to end, and what waits for it is what a crash of the process would lose.
_READER_NAP_NS = 50_000_000
_WRITER_NAP_NS = 200_000_000
_PIPE_NAP_NS = 5_000_000
_FAST_NAP_NS = 20_000
_LEAST_NAP_NS = 500_000
_FILE_CHUNK_FRAMES = 16384
_PIPE_CHUNK_FRAMES = 256

# How long a fast device waits for a source or a sink that may never come.
_LEAST_PATIENCE_SECONDS = 2.0

_READER, _WRITER = "reader", "writer"


class Core(Attached):
    """A device, the rings beside it, and the loops between these and what is played or recorded.

    The device may be taken away in the middle of a run, and another one given; see `Attached`. What may hang with
    the device's host says so; the rest never blocks longer than it says.
    """

    def __init__(self, device: OpenDevice) -> None:
        super().__init__(device)
        self._playback_ring: RingBuffer | None = None
        self._capture_ring: RingBuffer | None = None
        self._loops: list[threading.Thread] = []
        self.is_consumer_waited_for = False
        """Whether a fast device waits for whoever empties the capture ring for as long as it takes."""
        self._read: Callable[[], Any] | None = None
        self._write: Callable[[], Any] | None = None

    # ---- what runs through it ----

    def connect_input(
        self,
        source: InputFile,
        *,
        loop: bool = False,
        buffersize: int | None = None,
        channel_map: Sequence[int] | None = None,
    ) -> RingBuffer:
        """Play a file. Return the ring that its frames go through.

        Parameters
        ----------
        source : InputFile
            Stays the caller's; it must outlive the run.
        loop : bool
            Start again at the end, without a gap.
        buffersize : int, optional
            Frames in the ring, rounded up to a power of two; about 10 s by default.
        channel_map : sequence of int, optional
            For each channel of the device the file's, zero-based, or -1 for silence.
        """
        from pastream_cli.engine.files.formats import file_sample_code
        from pastream_cli.engine.files.libsndfile import FUNCTIONS, handle_of

        assert self._playback is not None
        ring = RingBuffer(self._playback.frame_bytes, self._ring_frames(self._playback, buffersize))
        self.connect_playback(ring)
        self.connect_reader(
            FUNCTIONS,
            handle_of(source.sound_file),
            file_sample_code(source.encoding),
            source.channels,
            indices_of(channel_map, self._playback.channels, source.channels),
            loop=loop,
            is_pipe=source.is_stream,
        )
        return ring

    def connect_output(
        self, sink: OutputFile, *, buffersize: int | None = None, channel_map: Sequence[int] | None = None
    ) -> RingBuffer:
        """Record into a file. Return the ring that its frames go through.

        Parameters
        ----------
        sink : OutputFile
            The first file; `offer` hands over the next ones.
        buffersize : int, optional
            Frames in the ring, rounded up to a power of two; about 10 s by default.
        channel_map : sequence of int, optional
            For each channel of the file the device's, zero-based, or -1 for silence.
        """
        from pastream_cli.engine.files.libsndfile import FUNCTIONS

        assert self._capture is not None
        ring = RingBuffer(self._capture.frame_bytes, self._ring_frames(self._capture, buffersize))
        self.connect_capture(ring)
        self.connect_writer(
            FUNCTIONS,
            sink.channels,
            indices_of(channel_map, sink.channels, self._capture.channels),
            sink.handle,
            is_pipe=sink.is_stream,
        )
        return ring

    def connect_playback(
        self, ring: RingBuffer | None, channel_map: Int32Array | None = None, channels: int = 0
    ) -> None:
        """Play what a ring holds; nothing without one.

        Parameters
        ----------
        ring : RingBuffer, optional
            Of frames as the device has them, or as the map takes them.
        channel_map : Pointer, optional
            For each channel of the device the ring's, zero-based, or -1 for silence.
        channels : int
            Of a frame in the ring; only with a map.
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
        self._capture_ring, self._write = ring, None

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
        status = lib.writer_configure(self._engine, functions, channel_map, channels, nap_ns)
        check_memory(status == lib.LOOP_OK, "cannot start the writer")
        lib.writer_withdraw(self._engine)
        lib.writer_offer(self._engine, first)
        engine = self._engine
        self._write = lambda: lib.writer_run(engine)

    def new_ring(self, side: Side, buffersize: int | None, channels: int | None = None) -> RingBuffer:
        """Return a ring for frames of one side, of `buffersize` frames if that is given and enough for the device."""
        frame_bytes = (channels or side.channels) * side.sample_bytes
        if buffersize is None:
            return RingBuffer(frame_bytes, self._ring_frames(side, None))
        if buffersize >= self._least_ring_frames(side):
            return RingBuffer(frame_bytes, buffersize)
        check_size(buffersize)
        return RingBuffer(frame_bytes, self._least_ring_frames(side))

    def _ring_frames(self, side: Side, buffersize: int | None) -> int:
        frames = side.buffer_frames(self.samplerate, buffersize, self.asked_blocksize)
        return max(frames, self._least_ring_frames(side))

    def _least_ring_frames(self, side: Side) -> int:
        return power_of_two_above(self.frames_taken_at_once) if side is self._playback else 1

    @property
    def frames_taken_at_once(self) -> int:
        """How many frames a device takes one after the other when it starts, to fill a buffer of its own."""
        if self.open_device.is_virtual:
            return 0
        return int(_OWN_BUFFER * self.longest_latency * self.samplerate) + self.blocksize

    def cut(self) -> None:
        """Have the writer go on to the offered file now, without waiting for the frame limit."""
        lib.writer_cut(self._engine)

    def sync(self) -> None:
        """Have the writer bring its file's header up to date, and its data to the disk."""
        lib.writer_sync(self._engine)

    @property
    def written_until(self) -> int:
        """Where on the timeline the next frame is that the writer writes; all before it are in files."""
        return lib.writer_place(self._engine)

    @property
    def progress(self) -> int:
        """A number that grows as long as a loop gets on."""
        return self.written_until + lib.reader_frames(self._engine)

    def stop_writing(self) -> None:
        """Have the writer give up what still waits for a file that will never come."""
        lib.writer_stop(self._engine)

    def offer(self, sink: OutputFile) -> bool:
        """Hand the writer the file that comes next; false while another one still waits."""
        return bool(lib.writer_offer(self._engine, sink.handle))

    def _nap_ns(self, ring: RingBuffer, most_ns: int) -> int:
        if self.is_fast:
            return _FAST_NAP_NS
        eighth_of_the_ring = int(ring.size / self.samplerate * 1e9 / 8)
        return max(_LEAST_NAP_NS, min(most_ns, eighth_of_the_ring))

    # ---- a run ----

    def prepare(self, frames: int | None = None, pad: int | None = 0, offset: int = 0) -> None:
        """Set the lengths of the next run, in frames, and reset every count.

        Parameters
        ----------
        frames : int, optional
            Frames of input to play, or to record where nothing is played; `None`: no limit.
        pad : int, optional
            Frames of silence after the input; `None` fills up to `frames`, or goes on for ever.
        offset : int
            Frames to drop from the start of the recording.
        """
        self._set_drain()
        settle = self.isduplex and not self.open_device.is_virtual
        check_memory(
            lib.engine_prepare(
                self._engine,
                -1 if frames is None else frames,
                -1 if pad is None else pad,
                offset,
                int(_SETTLE_SECONDS * self.samplerate) if settle else 0,
                int(_SETTLE_AT_MOST_SECONDS * self.samplerate),
                self.samplerate,
            ),
            "cannot prepare the stream",
        )
        self._set_lead()

    def attach(self, device: OpenDevice) -> None:
        """Give the core another device; in the middle of a run too, before that device is started.

        Parameters and exceptions are those of `Attached.attach`.
        """
        super().attach(device)
        self._set_drain()
        self._set_lead()

    def _set_lead(self) -> None:
        """Say how far the device may be ahead of the clock."""
        # a host may hold back less and less, and what it held comes on top
        lead_seconds = _LEAST_LEAD_SECONDS + 2 * self.most_held_back
        lib.engine_expect_clock(self._engine, -1 if self.is_fast else int(lead_seconds * self.samplerate))

    def _set_drain(self) -> None:
        """Have what is played followed by silence until the device has played it; the virtual one holds nothing."""
        if self.open_device.is_virtual:
            lib.engine_drain_after(self._engine, -1, 0)
            return
        held_seconds = self.longest_latency + _DRAIN_SECONDS
        at_most_seconds = max(_DRAIN_AT_MOST_SECONDS, 2 * held_seconds)
        lib.engine_drain_after(
            self._engine, int(held_seconds * self.samplerate), int(at_most_seconds * self.samplerate)
        )

    def start_loops(self, has_ended: Callable[[], object]) -> None:
        """Start filling the playback ring and emptying the capture ring; each loop tells when it has ended."""
        for loop in self.new_loops(has_ended=has_ended):
            loop.start()

    def new_loops(
        self, may_begin: Callable[[], bool] = lambda: True, has_ended: Callable[[], object] = lambda: None
    ) -> list[threading.Thread]:
        """Return the loops that the ends of the stream need, not started; each asks first whether it may begin."""

        def run(loop: Callable[[], Any]) -> None:
            if may_begin():
                loop()
            has_ended()

        loops = ((_READER, self._read), (_WRITER, self._write))
        self._loops = [DeafThread(target=run, args=(loop,), name=name) for name, loop in loops if loop is not None]
        return self._loops

    def is_prebuffered(self) -> bool:
        """Whether the playback ring holds half a second, or all there is."""
        ring = self._playback_ring
        if ring is None or self.is_all_read():
            return True
        wanted = min(int(PREBUFFER_SECONDS * self.samplerate), ring.size * 3 // 4)
        return ring.read_available >= wanted

    def is_all_read(self) -> bool:
        """Whether the reader has ended: what the playback ring holds is the rest."""
        return bool(lib.reader_is_finished(self._engine))

    def start_device(self) -> None:
        """Start the callbacks. May hang with the device's host."""
        rings = [ring.size for ring in (self._playback_ring, self._capture_ring) if ring is not None]
        device = self.open_device.stream
        if isinstance(device, virtual.VirtualStream):
            device.fit_into(min(rings, default=0))
            device.wait_at_most(
                None if self._read else self._real_seconds(self._playback_ring),
                None if self._write or self.is_consumer_waited_for else self._real_seconds(self._capture_ring),
            )
        device.start()

    def _real_seconds(self, ring: RingBuffer | None) -> float:
        """Return how late whoever serves a ring may be on a device that does not wait, and no less than two seconds."""
        return max(_LEAST_PATIENCE_SECONDS, ring.size / self.samplerate if ring is not None else 0.0)

    def finish(self, seconds: float) -> bool:
        """Let the loops end after the device has: the writer drains, the reader gives up.

        Returns
        -------
        bool
            False where a loop still blocked after `seconds` (a stuck pipe); it is leaked and
            its file must not be closed.
        """
        lib.engine_finish(self._engine)
        lib.reader_stop(self._engine)
        deadline = time.monotonic() + seconds
        for loop in self._loops:
            if loop.ident is not None:  # one that could not be started has nothing to be waited for
                loop.join(max(0.0, deadline - time.monotonic()))
        return not any(loop.is_alive() for loop in self._loops)

    # ---- how it goes ----

    @property
    def capture_buffer_frames(self) -> int:
        """Frames that the capture ring can hold; 0 without one."""
        return self._capture_ring.size if self._capture_ring is not None else 0

    def buffer_fill(self) -> float:
        """Return how near the buffer is to trouble, from 0 to 1: capture full, or playback empty."""
        fills = []
        if self._capture_ring is not None:
            fills.append(self._capture_ring.read_available / self._capture_ring.size)
        if self._playback_ring is not None and not self.is_all_read():
            fills.append(self._playback_ring.write_available / self._playback_ring.size)
        return max(fills, default=0.0)

    def input_error(self) -> int:
        """Return libsndfile's code for what went wrong with reading, 0 for nothing."""
        return lib.reader_file_error(self._engine)

    def is_writing(self) -> bool:
        """Whether the writer loop still runs; its file must not be closed until it does not."""
        return any(loop.is_alive() for loop in self._loops if loop.name == _WRITER)
