"""`OutputStream`: a stream that plays takes its frames from memory, a file, a function or a ring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

from pastream_cli.engine.channel_maps import ChannelMap
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.native import lib
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.engine.streams.lifecycle import Stream
from pastream_cli.engine.streams.sources import source_for

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from pastream_cli.engine.hints import Device, Latency, Options, SampleType, Source


class OutputStream(Stream):
    """A stream that plays; the parameters are those of `Stream` after the first."""

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
        super().__init__("output", device, samplerate, channels, dtype, blocksize, latency=latency, **options)

    @property
    def _playback_side(self) -> Side:
        side = self._core.open_device.playback
        assert side is not None
        return side

    @property
    def txmapping(self) -> list[int]:
        """The channel of the source, one-based, that each channel of the device plays; 0 is silence.

        The list may be changed. A change applies from the next start on. ``{2: 1}`` plays channel 2 of the source on
        channel 1 of the device, and silence elsewhere. `None` sets the list back to all channels in their order; the
        source must then have as many channels as the device.

        A `ValueError` is raised unless there is one entry for each channel of the device.
        """
        return self._txmap

    @txmapping.setter
    def txmapping(self, mapping: Iterable[SupportsIndex] | Mapping[int, SupportsIndex] | None) -> None:
        channels = self._playback_side.channels
        new = ChannelMap(channels, mapping)
        new.indices(lib.MOST_DEVICE_CHANNELS)
        if len(new) != channels:
            raise ValueError(f"txmapping must have {channels} entries, one per channel of the device")
        self._txmap = new

    def set_source(
        self,
        source: Source,
        buffersize: int | None = None,
        loop: bool = False,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> RingBuffer:
        """Set what the next runs play.

        Parameters
        ----------
        source : ndarray or buffer or SoundFile or path or iterator or callable or RingBuffer
            An array of one dimension is one channel, which all channels of the device play; one of two dimensions is
            frames by channels. A sound file of one channel is heard on all of them too.
            The numbers of an array may be of any type with a full scale: floats, of which that is 1, and integers of 8,
            16 and 32 bits. Any other buffer has samples and channels as the device has them.
            A function is called as ``function(stream, ringbuffer, *args, loop=loop, **kwargs)`` on a thread of its own
            whenever the stream is started. It writes frames into the ring, and the input ends when it returns. It must
            return when the stream is no longer `active`. A SoundFile is read in C, from its current position. It may be
            closed at any time, which ends the run first. The file of a path is played by each run from its start to the
            end of its sound, whatever its header says; a `FileWarning` tells what is wrong with it. A buffer is played
            in C, from its start. An iterator yields arrays or buffers, which a thread of its own writes into the ring.
            A RingBuffer is played until it runs empty.
        buffersize : int, optional
            Frames in the ring between the device and a file or function, a power of two; about
            10 s if left out. The ring always holds at least what the device takes at once when it starts.
            A function that writes as much as there is room for has to be ready with that before the device has played
            what was there before; with a smaller ring it works in shorter steps.
        loop : bool, optional
            Play a file or buffer again and again. A function is given the value, and has to repeat by itself.
        args, kwargs : optional
            For a function.

        Returns
        -------
        RingBuffer
            Where the device takes what it plays. An element is a frame.

        Raises
        ------
        PastreamError
            Where the stream is running or closed.
        FileError
            Where the file of a path cannot be opened.
        ValueError
            Where the source's rate or channels do not fit the stream, or the source cannot be looped.
        TypeError
            Where the source is nothing that can be played.

        See Also
        --------
        InputStream.set_sink
        """
        with self._lock:
            self._check("set a source")
            new = source_for(self._core, self._playback_side, source, self._txmap, buffersize, loop=loop)
            new.args, new.kwargs = tuple(args), {"loop": loop, **(kwargs or {})}
            self._source = new
            return new.ring

    def play(
        self,
        playback: Source,
        frames: int = -1,
        pad: int = 0,
        loop: bool = False,
        buffersize: int | None = None,
        blocking: bool = False,
    ) -> None:
        """Play a buffer or a file. Nothing is recorded meanwhile.

        Parameters
        ----------
        playback : ndarray or buffer or SoundFile or path
            What to play; also whatever else `set_source` takes.
        frames : int, optional
            Frames to play, padding not included; a negative number plays to the end. If the source has fewer and there
            is no `pad`, the run fails with `BufferEmpty` when it has ended.
        pad : int, optional
            Frames of silence to play after that. A negative number plays silence until `frames` have been played in
            all, or without end if `frames` is negative too.
        loop : bool, optional
            Play it again and again.
        buffersize : int, optional
            As in `set_source`; for files.
        blocking : bool, optional
            Return when all is played, instead of at once.

        Raises
        ------
        PastreamError, ValueError, TypeError
            As `set_source` and `start`.

        See Also
        --------
        InputStream.record, DuplexStream.playrec
        """
        with self._lock:
            self._check("play")
            self.set_source(playback, buffersize, loop)
            self._sink = None
            watcher = self._begin(frames, pad, 0)
        self._go(watcher)
        if blocking:
            self._wait_or_stop()
