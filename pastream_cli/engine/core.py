"""Streams: a device, the rings beside it and the loops between the rings and the files.

The device's callback and both loops are C and hold no interpreter lock. This module creates them,
starts them in order and joins them again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime, timezone
from typing import Any

from pastream_cli.engine import files, virtual
from pastream_cli.engine.devices import sides_for
from pastream_cli.engine.files import InputFile, OutputFile
from pastream_cli.engine.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.sides import DeviceStream
from pastream_cli.errors import PastreamError, UsageError
from pastream_cli.report import Counts, Levels, Loss, LossKind, Pause

PREBUFFER_SECONDS = 0.5

_SETTLE_SECONDS = 0.3
_SETTLE_AT_MOST_SECONDS = 2.0

# How long a loop may sleep: a file can wait, a reader at the other end of a pipe should not.
_FILE_NAP_NS = 50_000_000
_PIPE_NAP_NS = 5_000_000
_FAST_NAP_NS = 20_000
_LEAST_NAP_NS = 500_000
_FILE_CHUNK_FRAMES = 16384
_PIPE_CHUNK_FRAMES = 256

_READER, _WRITER = "reader", "writer"

_LOSS_KINDS = {
    lib.LOSS_OVERRUN: LossKind.OVERRUN,
    lib.LOSS_DEVICE: LossKind.DEVICE,
    lib.LOSS_HOST_CAPTURE: LossKind.HOST_CAPTURE,
    lib.LOSS_UNDERRUN: LossKind.UNDERRUN,
    lib.LOSS_HOST_PLAYBACK: LossKind.HOST_PLAYBACK,
}


class Core:
    """An open stream. Frames go from a source to playback and from capture to a sink.

    Parameters
    ----------
    kind : {'input', 'output', 'duplex'}
        Whether it captures, plays, or both. Where it does both, each of the following may be a
        pair, capture first.
    device : int or str or DeviceInfo, optional
        Number, name, part of a name, or ``virtual...``; the default device if left out.
    samplerate : float, optional
        Frames per second; the device's default if left out.
    channels : int, optional
        As many as the device has, at most two, if left out.
    dtype : str, optional
        float32 (the default), int32, int24, int16, int8 or uint8.
    blocksize : int, optional
        Frames per callback; 0, the default, lets the host choose.
    latency : float or {'low', 'high'}, optional
        Seconds; 0.5 by default where the stream only captures, else 0.2.

    Raises
    ------
    DeviceError
        Where the device is not there or refuses.

    Notes
    -----
    Opening, starting, stopping and closing a real device may hang with its host; the rest of the
    methods never block longer than they say. What callbacks and loops count can be read at any
    time, from any thread.
    """

    def __init__(
        self,
        kind: str,
        device: Any = None,
        samplerate: float | None = None,
        channels: Any = None,
        dtype: Any = None,
        blocksize: int | None = None,
        *,
        latency: Any = None,
    ) -> None:
        sides = sides_for(kind, device, channels, dtype, latency)
        self._capture, self._playback = sides.get(CAPTURE), sides.get(PLAYBACK)
        self._engine = ffi.gc(check_memory(lib.engine_new(), "cannot open a stream"), lib.engine_free)
        for side, configure in (
            (self._playback, lib.engine_set_playback),
            (self._capture, lib.engine_set_capture),
        ):
            if side is not None and not configure(self._engine, ffi.NULL, side.format_code, side.channels):
                raise UsageError(f"cannot open {side.device.name} with {side.channels} channels: at most 1024")
        rate = samplerate or next(iter(sides.values())).device.default_rate
        self._asked_block = blocksize or 0
        self._device = self._open_device(rate, self._asked_block)
        self._playback_ring: RingBuffer | None = None
        self._capture_ring: RingBuffer | None = None
        self._loops: list[threading.Thread] = []
        self._offset = 0
        self._device_is_started = False
        self._pauses: list[Pause] = []
        self._paused_at: tuple[int, int] | None = None
        self._read: Callable[[], Any] | None = None
        self._write: Callable[[], Any] | None = None

    def _open_device(self, rate: float, block_frames: int) -> DeviceStream:
        sides = [side for side in (self._playback, self._capture) if side is not None]
        if sides[0].device.is_virtual:
            return virtual.VirtualStream(
                self._engine,
                virtual.parse(sides[0].device.name),
                rate=rate,
                block_frames=block_frames,
                latency=max(side.latency if isinstance(side.latency, float) else 0.1 for side in sides),
            )
        from pastream_cli.engine import portaudio

        return portaudio.PortAudioStream(
            self._engine, rate=rate, playback=self._playback, capture=self._capture, block_frames=block_frames
        )

    # ---- what it is ----

    @property
    def samplerate(self) -> float:
        """Frames per second, as the device runs."""
        return self._device.samplerate

    @property
    def blocksize(self) -> int:
        """Frames per callback, 0 where the host chooses."""
        return self._device.blocksize

    @property
    def latency(self) -> float:
        """Seconds, the greater of both sides; 0 where what the host reports cannot be true."""
        return self._device.latency

    @property
    def isduplex(self) -> bool:
        """Whether the stream both plays and captures."""
        return self._playback is not None and self._capture is not None

    # ---- what runs through it ----

    def set_source(
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
        side = self._playback
        assert side is not None
        ring = self._playback_ring = RingBuffer(side.frame_bytes, self._ring_frames(side, buffersize))
        lib.engine_set_playback(self._engine, ring.handle, side.format_code, side.channels)
        indices = _indices(channel_map, side.channels, source.channels)
        check_memory(
            lib.reader_configure(
                self._engine,
                files.FUNCTIONS,
                files.handle_of(source.sound_file),
                files.file_sample_code(source.encoding),
                source.channels,
                indices,
                loop,
                _PIPE_CHUNK_FRAMES if source.is_stream else _FILE_CHUNK_FRAMES,
                self._nap_ns(ring, is_pipe=source.is_stream),
            )
            == lib.LOOP_OK,
            f"cannot play {source.name}",
        )
        engine = self._engine
        self._read = lambda: lib.reader_run(engine)
        return ring

    def set_sink(
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
        side = self._capture
        assert side is not None
        ring = self._capture_ring = RingBuffer(side.frame_bytes, self._ring_frames(side, buffersize))
        lib.engine_set_capture(self._engine, ring.handle, side.format_code, side.channels)
        indices = _indices(channel_map, sink.channels, side.channels)
        nap_ns = self._nap_ns(ring, is_pipe=sink.path == files.STANDARD_STREAM)
        check_memory(
            lib.writer_configure(self._engine, files.FUNCTIONS, indices, sink.channels, nap_ns) == lib.LOOP_OK,
            f"cannot record to {sink.name}",
        )
        self.offer(sink)
        engine = self._engine
        self._write = lambda: lib.writer_run(engine)
        return ring

    def _ring_frames(self, side: Side, buffersize: int | None) -> int:
        return side.buffer_frames(self.samplerate, buffersize, self._asked_block)

    def cut(self) -> None:
        """Have the writer go on to the offered file now, without waiting for the frame limit."""
        lib.writer_cut(self._engine)

    def sync(self) -> None:
        """Have the writer bring its file's header up to date, and its data to the disk."""
        lib.writer_sync(self._engine)

    def stop_writing(self) -> None:
        """Have the writer give up what still waits for a file that will never come."""
        lib.writer_stop(self._engine)

    def offer(self, sink: OutputFile) -> bool:
        """Hand the writer the file that comes next; false while another one still waits."""
        return bool(lib.writer_offer(self._engine, sink.handle))

    def _nap_ns(self, ring: RingBuffer, *, is_pipe: bool) -> int:
        if self._device.is_fast:
            return _FAST_NAP_NS
        eighth_of_the_ring = int(ring.size / self.samplerate * 1e9 / 8)
        return max(_LEAST_NAP_NS, min(_PIPE_NAP_NS if is_pipe else _FILE_NAP_NS, eighth_of_the_ring))

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
        self._offset = offset
        settle = self.isduplex and not self._is_virtual
        check_memory(
            lib.engine_prepare(
                self._engine,
                -1 if frames is None else frames,
                -1 if pad is None else pad,
                offset,
                int(_SETTLE_SECONDS * self.samplerate) if settle else 0,
                int(_SETTLE_AT_MOST_SECONDS * self.samplerate),
            ),
            "cannot prepare the stream",
        )

    @property
    def _is_virtual(self) -> bool:
        side = self._playback or self._capture
        assert side is not None
        return side.device.is_virtual

    @property
    def is_running(self) -> bool:
        """Whether the loops were started and have not all ended."""
        return any(loop.is_alive() for loop in self._loops) or self._device_is_started

    def start_loops(self) -> None:
        """Start filling the playback ring and emptying the capture ring."""
        for name, run in ((_READER, self._read), (_WRITER, self._write)):
            if run is not None:
                loop = threading.Thread(target=run, name=name)
                self._loops.append(loop)
                loop.start()

    def is_prebuffered(self) -> bool:
        """Whether the playback ring holds half a second, or all there is."""
        ring = self._playback_ring
        if ring is None or lib.reader_is_finished(self._engine):
            return True
        wanted = min(int(PREBUFFER_SECONDS * self.samplerate), ring.size * 3 // 4)
        return ring.read_available >= wanted

    def start_device(self) -> None:
        """Start the callbacks. May hang with the device's host."""
        rings = [ring.size for ring in (self._playback_ring, self._capture_ring) if ring is not None]
        if isinstance(self._device, virtual.VirtualStream):
            self._device.fit_into(min(rings, default=0))
        self._device_is_started = True
        self._device.start()

    def stop_device(self) -> None:
        """End the callbacks after the block in flight. May hang with the device's host."""
        self._device.stop()

    def abort_device(self) -> None:
        """End the callbacks at once. May hang with the device's host."""
        self._device.abort()

    def close_device(self) -> None:
        """Close the device. May hang with its host."""
        self._device.close()

    @property
    def active(self) -> bool:
        """Whether callbacks come, or may still come."""
        return self._device.active

    @property
    def cpu_load(self) -> float:
        """Share of the available time that the callback takes, where the host measures it."""
        return self._device.cpu_load

    def pause(self) -> None:
        """Let frames go by without counting: capture is dropped, playback waits."""
        if not self.is_paused:
            counts = self.counts()
            self._paused_at = (counts.position, counts.paused_frames)
            lib.engine_pause(self._engine, True)

    def resume(self) -> None:
        """Go on after a pause."""
        lib.engine_pause(self._engine, False)
        if self._paused_at is not None:
            frame, paused_before = self._paused_at
            self._pauses.append(Pause(frame, self.counts().paused_frames - paused_before))
            self._paused_at = None

    @property
    def is_paused(self) -> bool:
        """Whether frames go by without counting."""
        return self._paused_at is not None

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """Every pause so far, one that goes on included."""
        if self._paused_at is None:
            return tuple(self._pauses)
        frame, paused_before = self._paused_at
        return (*self._pauses, Pause(frame, self.counts().paused_frames - paused_before))

    def detach(self) -> None:
        """Shut the callback out for good, for a device that cannot be stopped."""
        lib.engine_detach(self._engine)
        while lib.engine_callback_is_running(self._engine):
            time.sleep(0.001)

    def finish(self, seconds: float) -> bool:
        """Let the loops end after the device has: the writer drains, the reader gives up.

        Returns
        -------
        bool
            False where a loop still blocked after `seconds` (a stuck pipe); it is left behind and
            its file must not be closed.
        """
        lib.engine_finish(self._engine)
        lib.reader_stop(self._engine)
        deadline = time.monotonic() + seconds
        for loop in self._loops:
            loop.join(max(0.0, deadline - time.monotonic()))
        return not any(loop.is_alive() for loop in self._loops)

    # ---- how it goes ----

    def counts(self) -> Counts:
        """Return what the callback has counted so far; the values may be a block apart."""
        counts = ffi.new("struct engine_counts *")
        lib.engine_read_counts(self._engine, counts)
        return Counts(**{field.name: getattr(counts, field.name) for field in fields(Counts)})

    @property
    def frames_of_capture(self) -> int:
        """Frames that the recording has or will have by now, lost ones included."""
        return max(0, self.counts().position - self._offset)

    def time_of_capture(self, frame: int) -> datetime | None:
        """Return when a frame of the recording was captured; `None` before the first one was."""
        time_zero_ns = self.counts().time_zero_ns
        if not time_zero_ns:
            return None
        frame += self._offset
        frame += sum(pause.frames for pause in self.pauses if pause.frame <= frame)
        age = time.monotonic() - time_zero_ns / 1e9 - frame / self.samplerate
        return datetime.fromtimestamp(time.time() - age, tz=timezone.utc)

    def new_losses(self) -> list[Loss]:
        """Return the losses that have ended since the last call."""
        losses: list[Loss] = []
        record = ffi.new("struct loss *")
        while lib.engine_next_loss(self._engine, record):
            losses.append(Loss(_LOSS_KINDS[record.kind], record.frame, record.frames or None, record.monotonic_ns))
        return losses

    def levels(self) -> Levels | None:
        """Return the levels since the last call that returned any; `None` before the next callback."""
        side = self._capture or self._playback
        assert side is not None
        peaks = ffi.new("float[]", side.channels)
        square_sums = ffi.new("double[]", side.channels)
        frames = ffi.new("int64_t *")
        if not lib.engine_take_levels(self._engine, peaks, square_sums, frames):
            return None
        return Levels(tuple(peaks), tuple(square_sums), int(frames[0]))

    @property
    def capture_buffer_frames(self) -> int:
        """Frames that the capture ring can hold; 0 without one."""
        return self._capture_ring.size if self._capture_ring is not None else 0

    def buffer_fill(self) -> float:
        """Return how near the buffer is to trouble, from 0 to 1: capture full, or playback empty."""
        fills = []
        if self._capture_ring is not None:
            fills.append(self._capture_ring.read_available / self._capture_ring.size)
        if self._playback_ring is not None and not lib.reader_is_finished(self._engine):
            fills.append(self._playback_ring.write_available / self._playback_ring.size)
        return max(fills, default=0.0)

    def input_error(self) -> int:
        """Return libsndfile's code for what went wrong with reading, 0 for nothing."""
        return int(lib.reader_file_error(self._engine))

    def is_writing(self) -> bool:
        """Whether the writer loop still runs; its file must not be closed until it does not."""
        return any(loop.is_alive() for loop in self._loops if loop.name == _WRITER)


def _indices(channel_map: Sequence[int] | None, targets: int, sources: int) -> Any:
    """Return the map as C takes it; without one, channel to channel and silence beyond."""
    if channel_map is None:
        channel_map = [i if i < sources else -1 for i in range(targets)]
    assert len(channel_map) == targets
    if any(not -1 <= source < sources for source in channel_map):
        raise PastreamError(f"cannot map channels: there are only {sources}")
    return ffi.new("int32_t[]", list(channel_map))
