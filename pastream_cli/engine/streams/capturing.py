"""`InputStream`: a stream that captures records, hands out chunks, fills a sink."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, overload

from pastream_cli.engine.channel_maps import ChannelMap
from pastream_cli.engine.devices.checking import MOST_FRAMES, check_whole, whole
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.streams import arrays
from pastream_cli.engine.streams.chunking import Chunks, Reader, Reading, chunk_frames_for
from pastream_cli.engine.streams.lifecycle import Stream
from pastream_cli.engine.streams.sinks import sink_for
from pastream_cli.engine.streams.watcher import Watcher

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from pastream_cli.engine.hints import (
        BufferT,
        Device,
        Frames,
        Latency,
        Options,
        OutT,
        SampleType,
        Sink,
        SoundFile,
        Source,
    )


class InputStream(Stream):
    """A stream that captures; the parameters are those of `Stream` after the first."""

    def __init__(
        self,
        device: Device | None = None,
        samplerate: float | None = None,
        channels: SupportsIndex | None = None,
        dtype: SampleType | None = None,
        blocksize: int | None = None,
        *,
        latency: Latency | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__("input", device, samplerate, channels, dtype, blocksize, latency=latency, **options)

    @property
    def _capture_side(self) -> Side:
        side = self._core.open_device.capture
        assert side is not None
        return side

    @property
    def rxmapping(self) -> list[int]:
        """The channels to record, one-based, in the order in which they are stored; 0 is silence.

        The list may be changed, or assigned with another length. A change applies from the next start on. ``{2: 1}``
        stores channel 2 of the device as channel 1, and silence elsewhere. `None` sets the list back to all channels of
        the device in their order. Sinks that are made to fit, such as the memory that `record` returns, have as many
        channels as the list has entries.

        A `ValueError` is raised where an entry is no channel of the device.
        """
        return self._rxmap

    @rxmapping.setter
    def rxmapping(self, mapping: Iterable[SupportsIndex] | Mapping[int, SupportsIndex] | None) -> None:
        channels = self._capture_side.channels
        new = ChannelMap(channels, mapping)
        new.indices(channels)
        self._rxmap = new

    def set_sink(
        self,
        sink: Sink,
        buffersize: int | None = None,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> RingBuffer:
        """Set where the next runs record to.

        Parameters
        ----------
        sink : ndarray or buffer or SoundFile or path or callable or RingBuffer
            A function is called as ``function(stream, ringbuffer, *args, **kwargs)`` on a thread of its own whenever
            the stream is started. It must return when the stream is no longer `active` and the ring is empty. A
            SoundFile is written in C, from its current position. It may be closed at any time, which ends the run
            first. A path is that of a new file, which is made when the stream starts; its suffix says in which format.
            A buffer is filled in C, from its start, and the run ends when it is full. A RingBuffer is emptied by the
            caller.
        buffersize : int, optional
            Frames in the ring between the device and a file or function, a power of two; about
            10 s if left out.
        args, kwargs : optional
            For a function.

        Returns
        -------
        RingBuffer
            Where the device puts what it captures. An element is a frame.

        Raises
        ------
        PastreamError
            Where the stream is running or closed.
        ValueError
            Where the sink's rate or channels do not fit the stream.
        TypeError
            Where the sink is nothing that can be recorded to.

        See Also
        --------
        OutputStream.set_source
        """
        with self._lock:
            self._check("set a sink")
            new = sink_for(self._core, self._capture_side, sink, self._rxmap, buffersize)
            new.args, new.kwargs = tuple(args), dict(kwargs or {})
            self._sink = new
            self._core.is_consumer_waited_for = False
            return new.ring

    def to_file(self, file: Any, mode: Literal["w", "w+", "x", "x+"] = "w", **kwargs: Any) -> SoundFile:
        """Open a SoundFile that fits what the stream captures.

        Parameters
        ----------
        file : str or int or file-like object
            As SoundFile takes it.
        mode : str, optional
            ``'w'``, ``'w+'``, ``'x'`` or ``'x+'``.
        **kwargs
            For SoundFile. By default `subtype` is the one that holds the stream's samples as they
            are (FLOAT for float32, PCM_24 for int24 and so on), `samplerate` that of the stream,
            and `channels` the number of entries in `rxmapping`.

        Returns
        -------
        SoundFile
            Open; the caller closes it.

        Raises
        ------
        TypeError
            Where the file's format has no such subtype.

        See Also
        --------
        Stream.from_file
        """
        from pastream_cli.engine.streams import soundfiles

        dtype = self._capture_side.sample_format
        return soundfiles.open_for_recording(file, mode, round(self.samplerate), len(self._rxmap), dtype, kwargs)

    @overload
    def record(
        self,
        frames: int,
        offset: int = 0,
        atleast_2d: bool = False,
        buffersize: int | None = None,
        blocking: bool = False,
        out: None = None,
    ) -> Frames: ...

    @overload
    def record(
        self,
        frames: int | None = None,
        offset: int = 0,
        atleast_2d: bool = False,
        buffersize: int | None = None,
        blocking: bool = False,
        *,
        out: OutT,
    ) -> OutT: ...

    def record(
        self,
        frames: int | None = None,
        offset: int = 0,
        atleast_2d: bool = False,
        buffersize: int | None = None,
        blocking: bool = False,
        out: Sink | None = None,
    ) -> Sink:
        """Record to memory or a file. Nothing is played meanwhile.

        Parameters
        ----------
        frames : int, optional
            Frames from the start of the stream to the end of the recording. May be left out, or negative, where `out`
            is given: a buffer is then filled, and a file written until the stream is stopped.
        offset : int, optional
            Frames of these to drop from the start.
        atleast_2d : bool, optional
            Make the array frames by channels even with one channel.
        buffersize : int, optional
            As in `set_sink`; for files.
        blocking : bool, optional
            Return when all is recorded, instead of at once.
        out : ndarray or buffer or SoundFile or path, optional
            Where to record to; also whatever else `set_sink` takes.

        Returns
        -------
        ndarray or bytearray or type(out)
            `out`, or new memory for ``frames - offset`` frames: an array of the stream's `dtype`, with a second
            dimension where there is more than one channel; a bytearray where there is no numpy, and for int24. It fills
            up while the stream runs.

        Raises
        ------
        TypeError
            Where neither `frames` nor `out` is given.
        ValueError
            Where `out` has no room for the frames, or `offset` leaves none.
        """
        with self._lock:
            self._check("record")
            out, frames = self._destination(frames, 0, offset, out, atleast_2d=atleast_2d, buffersize=buffersize)
            self._source = None
            watcher = self._begin(frames, 0, offset)
        self._go(watcher)
        if blocking:
            self._wait_or_stop()
        return out

    def _destination(
        self, frames: int | None, pad: int, offset: int, out: Sink | None, *, atleast_2d: bool, buffersize: int | None
    ) -> tuple[Sink, int]:
        """Make the sink of a recording; return what to give to the caller, and the frames to run for."""
        if frames is None and out is None:
            raise TypeError("either frames or out is needed")
        check_whole(frames=frames, pad=pad, offset=offset)
        if offset < 0:
            raise ValueError("offset must not be negative")
        silence = max(pad, 0)
        if out is None:
            assert frames is not None
            room = frames + silence - offset
            if frames < 0 or room < 0:
                raise ValueError("frames must not be negative, nor less than offset, where out is not given")
            out = arrays.new_frames(room, len(self._rxmap), self._capture_side, atleast_2d=atleast_2d)
        elif atleast_2d and not arrays.is_array(out):
            raise ValueError("atleast_2d is for arrays")
        self.set_sink(out, buffersize)
        assert self._sink is not None
        room_in_sink = self._sink.frames
        if frames is None or frames < 0:
            if room_in_sink is None:
                return out, -1
            frames = max(0, min(room_in_sink + offset - silence, MOST_FRAMES))
        wanted = frames + silence - offset
        if room_in_sink is not None and wanted > room_in_sink:
            raise ValueError(f"out has room for {room_in_sink} frames, not for {wanted}")
        if wanted < 0:
            raise ValueError("offset must not be more than frames and padding")
        return out, frames

    @overload
    def chunks(
        self,
        chunksize: int | None = None,
        overlap: int = 0,
        frames: int = -1,
        pad: int = -1,
        offset: int = 0,
        atleast_2d: bool = False,
        playback: Source | Literal[True] | None = None,
        loop: bool = False,
        buffersize: int | None = None,
        out: Frames | None = None,
    ) -> Chunks[Frames]: ...

    @overload
    def chunks(
        self,
        chunksize: int | None = None,
        overlap: int = 0,
        frames: int = -1,
        pad: int = -1,
        offset: int = 0,
        atleast_2d: bool = False,
        playback: Source | Literal[True] | None = None,
        loop: bool = False,
        buffersize: int | None = None,
        *,
        out: BufferT,
    ) -> Chunks[BufferT | memoryview]: ...

    def chunks(
        self,
        chunksize: int | None = None,
        overlap: int = 0,
        frames: int = -1,
        pad: int = -1,
        offset: int = 0,
        atleast_2d: bool = False,
        playback: Source | Literal[True] | None = None,
        loop: bool = False,
        buffersize: int | None = None,
        out: Any = None,
    ) -> Chunks[Any]:
        """Return an iterator over what the stream captures, chunk by chunk, as it comes.

        The stream starts when the first chunk is asked for, and is aborted when the iteration is left. As in
        SoundFile.blocks, the last chunk may be shorter. If the consumer is too slow, `BufferFull` is raised after the
        last chunk that was captured in time. If a value does not fit, `ValueError` is raised at once.

        ``async for`` lets the event loop go on until there is a chunk. If such a loop is left, the event loop closes
        the iterator soon; `contextlib.aclosing` does at once.

        Parameters
        ----------
        chunksize : int, optional
            Frames in a chunk. If left out, as many as `out` has room for, else the stream's `blocksize`; where that is
            0, as many as there are.
        overlap : int, optional
            Frames that a chunk shares with the one before it; fewer than a chunk has.
        playback, loop, pad
            What a duplex stream plays meanwhile, as in `OutputStream.play`; true for what `set_source` has set.
        frames, offset, atleast_2d, buffersize
            As in `record`; a negative `frames` means no limit. The ring always holds at least a chunk and a block.
        out : ndarray or buffer, optional
            Where each chunk is copied to. A buffer that is no array counts as bytes.

        Yields
        ------
        ndarray or memoryview
            A view of the chunk in the ring, or of a copy if it does not lie there in one piece. It holds the chunk
            **until the next one is asked for**: copy what is to last. A view that is kept longer shows other frames,
            but does no harm. Without numpy, and for int24, it is a view of bytes. With `out`, it is `out`, or as much
            of it as the chunk fills.
        """
        self._check("read chunks")
        if playback is not None and not self.isduplex:
            raise ValueError("cannot play meanwhile: the stream only captures")
        side, channels = self._capture_side, len(self._rxmap)
        arrays.check_atleast_2d(side, atleast_2d=atleast_2d)
        overlap = whole("overlap", overlap)
        size = chunk_frames_for(self, side, channels, chunksize, overlap, out)
        reader = Reader(side, channels, size, overlap, out, atleast_2d=atleast_2d)
        ring = self._core.new_ring(side, reader.buffer_frames(self._core, buffersize), channels)
        begin = partial(self._begin_chunks, ring, playback, buffersize, frames, pad, offset, loop=loop)
        return Chunks(Reading(reader, self, ring, begin, self._go))

    def _begin_chunks(
        self,
        ring: RingBuffer,
        playback: Source | Literal[True] | None,
        buffersize: int | None,
        frames: int,
        pad: int,
        offset: int,
        *,
        loop: bool,
    ) -> Watcher:
        """Start all of a run but the device, on the thread that asks for the first chunk; it captures into a ring."""
        with self._lock:
            self._check("read chunks")
            self.set_sink(ring)
            self._core.is_consumer_waited_for = True
            if playback is None:
                self._source = None
            else:
                self._set_playback(playback, buffersize, loop=loop)
            return self._begin(frames, pad if playback is not None else 0, offset)

    def _set_playback(self, playback: Source | Literal[True], buffersize: int | None, *, loop: bool) -> None:
        raise NotImplementedError
