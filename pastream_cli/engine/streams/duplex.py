"""`DuplexStream`, which captures and plays, and `chunks()`, which opens a stream for what it iterates over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, overload

from pastream_cli.engine.devices.defaults import of_one_side
from pastream_cli.engine.streams.capturing import InputStream
from pastream_cli.engine.streams.chunking import Chunks
from pastream_cli.engine.streams.endpoints import is_path, is_sound_file
from pastream_cli.engine.streams.lifecycle import Stream
from pastream_cli.engine.streams.paths import PlayedFile
from pastream_cli.engine.streams.playing import OutputStream

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from pastream_cli.engine.hints import (
        BufferT,
        Device,
        FileOrName,
        ForEachSide,
        Frames,
        Latency,
        Options,
        OutT,
        SampleType,
        Sink,
        Source,
        StreamOptions,
    )


class DuplexStream(InputStream, OutputStream):
    """A stream that captures and plays; the parameters are those of `Stream` after the first.

    It is an `InputStream` and an `OutputStream`, and has the methods of both. Frame n is captured while frame n is
    played. A real device is given up to 2 s before the first frame, to settle until it runs without an xrun.
    """

    def __init__(
        self,
        device: ForEachSide[Device] | None = None,
        samplerate: float | None = None,
        channels: ForEachSide[SupportsIndex] | None = None,
        dtype: ForEachSide[SampleType] | None = None,
        blocksize: int | None = None,
        *,
        latency: ForEachSide[Latency] | None = None,
        **options: Unpack[Options],
    ) -> None:
        Stream.__init__(self, "duplex", device, samplerate, channels, dtype, blocksize, latency=latency, **options)

    @classmethod
    def from_file(cls, file: FileOrName, *args: Any, **options: Unpack[StreamOptions]) -> Self:
        """Open a stream with the rate of a sound file, and its channels for playing.

        The parameters are those of `Stream.from_file`, but a single number for `channels` is that of the capture.
        """
        from pastream_cli.engine.streams import soundfiles

        rate, channels_of_file = soundfiles.describe(file)
        channels = options.get("channels")
        capture, playback = channels if isinstance(channels, (tuple, list)) else (channels, None)
        options["channels"] = (capture, playback or channels_of_file)
        if options.get("samplerate") is None:
            options["samplerate"] = rate
        return cls(*args, **options)

    @overload
    def playrec(
        self,
        playback: Source,
        frames: int | None = None,
        pad: int = 0,
        offset: int = 0,
        atleast_2d: bool = False,
        loop: bool = False,
        buffersize: int | None = None,
        blocking: bool = False,
        out: None = None,
    ) -> Frames: ...

    @overload
    def playrec(
        self,
        playback: Source,
        frames: int | None = None,
        pad: int = 0,
        offset: int = 0,
        atleast_2d: bool = False,
        loop: bool = False,
        buffersize: int | None = None,
        blocking: bool = False,
        *,
        out: OutT,
    ) -> OutT: ...

    def playrec(
        self,
        playback: Source,
        frames: int | None = None,
        pad: int = 0,
        offset: int = 0,
        atleast_2d: bool = False,
        loop: bool = False,
        buffersize: int | None = None,
        blocking: bool = False,
        out: Sink | None = None,
    ) -> Sink:
        """Play and record at once.

        Parameters
        ----------
        playback : ndarray or buffer or SoundFile or path
            What to play; also whatever else `set_source` takes.
        frames : int, optional
            Frames to play and record, padding not included. If `out` is given, `frames` may be left out or negative,
            and `out` is filled. If `playback` is a buffer, `frames` may be left out, and the buffer is played to its
            end.
        pad, loop
            As in `OutputStream.play`; padding is recorded too.
        offset, atleast_2d, out
            As in `InputStream.record`.
        buffersize
            As in `set_source` and `set_sink`; for files.
        blocking : bool, optional
            Return when all is played and recorded, instead of at once.

        Returns
        -------
        ndarray or bytearray or type(out)
            `out`, or new memory for ``frames + pad - offset`` frames, where a negative pad counts as 0; see
            `InputStream.record`.

        Raises
        ------
        TypeError, ValueError
            As `InputStream.record` and `set_source`; but `frames` may be missing if `playback` has a length.
        """
        with self._lock:
            self._check("play and record")
            self.set_source(playback, buffersize, loop)
            assert self._source is not None
            is_said = frames is not None and frames >= 0
            if frames is None and out is None:
                frames = self._source.frames
            out, frames = self._destination(frames, pad, offset, out, atleast_2d=atleast_2d, buffersize=buffersize)
            watcher = self._begin(frames, pad, offset, may_end_early=not is_said)
        self._go(watcher)
        if blocking:
            self._wait_or_stop()
        return out

    def _set_playback(self, playback: Source | Literal[True], buffersize: int | None, *, loop: bool) -> None:
        if playback is not True:
            self.set_source(playback, buffersize, loop)
        elif self._source is None:
            raise ValueError("cannot play what set_source has set: it was not called, or something else was done since")


@overload
def chunks(
    chunksize: int | None = None,
    overlap: int = 0,
    frames: int = -1,
    pad: int = 0,
    offset: int = 0,
    atleast_2d: bool = False,
    playback: Source | None = None,
    loop: bool = False,
    buffersize: int | None = None,
    out: Frames | None = None,
    **options: Unpack[StreamOptions],
) -> Chunks[Frames]: ...


@overload
def chunks(
    chunksize: int | None = None,
    overlap: int = 0,
    frames: int = -1,
    pad: int = 0,
    offset: int = 0,
    atleast_2d: bool = False,
    playback: Source | None = None,
    loop: bool = False,
    buffersize: int | None = None,
    *,
    out: BufferT,
    **options: Unpack[StreamOptions],
) -> Chunks[BufferT | memoryview]: ...


def chunks(
    chunksize: int | None = None,
    overlap: int = 0,
    frames: int = -1,
    pad: int = 0,
    offset: int = 0,
    atleast_2d: bool = False,
    playback: Source | None = None,
    loop: bool = False,
    buffersize: int | None = None,
    out: Any = None,
    **options: Unpack[StreamOptions],
) -> Chunks[Any]:
    """Open a stream and return an iterator over what it captures, chunk by chunk.

    The stream is closed when the iteration ends or is left. ``async for`` works too.

    Parameters
    ----------
    chunksize, overlap, frames, pad, offset, atleast_2d, playback, loop, buffersize, out
        As in `InputStream.chunks`.
    **options
        For the stream: an `InputStream`, or a `DuplexStream` where `playback` is given. If that is a SoundFile, its
        rate and channels are those of the stream.

    Yields
    ------
    ndarray or memoryview or type(out)
        A chunk, valid until the next one is asked for; see `InputStream.chunks`.

    See Also
    --------
    InputStream.chunks
    """
    source: Any = PlayedFile(playback) if is_path(playback) else playback
    stream = _open(source, {**options})
    try:
        of_stream = stream.chunks(chunksize, overlap, frames, pad, offset, atleast_2d, source, loop, buffersize, out)
    except BaseException:
        stream.close()
        raise
    of_stream.close_at_the_end()
    return of_stream


def _open(playback: Any, options: dict[str, Any]) -> InputStream:
    """Open the stream that `chunks` is about."""
    if playback is None:
        return InputStream(**of_one_side("input", options))
    if is_sound_file(playback) or isinstance(playback, PlayedFile):
        return DuplexStream.from_file(playback, **options)
    return DuplexStream(**options)
