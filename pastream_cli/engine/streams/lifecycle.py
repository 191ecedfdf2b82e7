"""The life of a stream of the library: opened, started, ended, started again, closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

from pastream_cli.engine.channel_maps import ChannelMap
from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.checking import MOST_FRAMES, check_extra_settings, check_lengths
from pastream_cli.engine.devices.defaults import with_defaults
from pastream_cli.engine.devices.gate import Gate
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.native import lib
from pastream_cli.engine.prebuffer import Prebuffer
from pastream_cli.engine.streams.arrays import named_types
from pastream_cli.engine.streams.properties import Properties
from pastream_cli.engine.streams.sinks import Sink
from pastream_cli.engine.streams.sources import Source
from pastream_cli.engine.streams.watcher import FUNCTION_SECONDS, Watcher, patience_after
from pastream_cli.errors import DeviceError, ErrorKind, PastreamError

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from pastream_cli.engine.hints import Device, FileOrName, ForEachSide, Latency, SampleType, StreamOptions


class Stream(Properties):
    """An open stream; the base of `InputStream`, `OutputStream` and `DuplexStream`.

    Parameters
    ----------
    kind : {'input', 'output', 'duplex'}
        Whether it captures, plays, or both. Where it does both, `device`, `channels`, `dtype` and
        `latency` may be pairs, capture first, and so are the properties of these names.
    device : int or str, optional
        Number, name or part of a name as PortAudio lists them, or ``'virtual'`` with its settings;
        the host's default device if left out.
    samplerate : float, optional
        Frames per second; the device's default if left out.
    channels : int, optional
        As many as the device has, at most two, if left out.
    dtype : str, optional
        ``'float32'`` (the default), ``'int32'``, ``'int24'`` (packed), ``'int16'``, ``'int8'`` or
        ``'uint8'``.
    blocksize : int, optional
        Frames per callback; 0, the default, lets the host choose.
    latency : float or {'low', 'high'}, optional
        Seconds; 0.5 by default where the stream only captures, else 0.2.
    finished_callback : callable, optional
        Called without arguments, on a thread of the stream's, when a run has ended.
    clip_off, dither_off : bool, optional
        Whether PortAudio leaves samples alone when it converts them; true if left out.
    never_drop_input, prime_output_buffers_using_stream_callback : bool, optional
        As in sounddevice.
    extra_settings : optional
        Settings of the host: an object of one of sounddevice's classes for that, or a pair.

    Raises
    ------
    DeviceError
        Where the device is not there or refuses.
    ValueError
        Where no stream can be opened with such a value.

    Notes
    -----
    The methods may be called from any thread. An exception that ended the stream, or that the function of a source or
    sink raised, is raised again once: when the owner next calls `wait`, `stop` or `close`, leaves the ``with`` block or
    asks for a chunk.

    `stop`, `abort`, `close` and the end of the ``with`` block wait for the functions of the stream. If one neither
    returns nor takes what is left in its ring for 5 s, it is left alone: a `PastreamError` names it, and until it
    returns the stream cannot be started again. After Ctrl-C none of them waits so long.

    A stream that is dropped while it runs is aborted and closed; one that its own function refers to is not dropped
    before that has returned. In a forked child `stop`, `abort`, `close` and `wait` do nothing.
    """

    __slots__ = ("_is_lent",)

    def __init__(
        self,
        kind: Literal["input", "output", "duplex"],
        device: ForEachSide[Device] | None = None,
        samplerate: float | None = None,
        channels: ForEachSide[SupportsIndex] | None = None,
        dtype: ForEachSide[SampleType] | None = None,
        blocksize: int | None = None,
        *,
        latency: ForEachSide[Latency] | None = None,
        finished_callback: Callable[[], object] | None = None,
        clip_off: bool | None = None,
        dither_off: bool | None = None,
        never_drop_input: bool | None = None,
        prime_output_buffers_using_stream_callback: bool | None = None,
        extra_settings: object = None,
    ) -> None:
        self._is_lent = False
        options = {
            "device": device,
            "samplerate": samplerate,
            "channels": channels,
            "dtype": dtype,
            "blocksize": blocksize,
            "latency": latency,
            "clip_off": clip_off,
            "dither_off": dither_off,
            "never_drop_input": never_drop_input,
            "prime_output_buffers_using_stream_callback": prime_output_buffers_using_stream_callback,
            "extra_settings": extra_settings,
        }
        given = {name: value for name, value in with_defaults(kind, options).items() if value is not None}
        check_extra_settings(given.get("extra_settings"))
        opened = OpenDevice(kind, **{**given, "dtype": named_types(given.get("dtype"))})
        self._core = Core(opened)
        self._gate = Gate(opened)
        self._lock = threading.RLock()
        self._is_closed = False
        self._watcher: Watcher | None = None
        self._source: Source | None = None
        self._sink: Sink | None = None
        self._txmap = ChannelMap(opened.playback.channels if opened.playback else 0)
        self._rxmap = ChannelMap(opened.capture.channels if opened.capture else 0)
        self.finished_callback = finished_callback
        """What is called when a run has ended, or `None`."""

    @classmethod
    def from_file(cls, file: FileOrName, *args: Any, **options: Unpack[StreamOptions]) -> Self:
        """Open a stream with the rate and the channels of a sound file.

        Parameters
        ----------
        file : SoundFile or str or int or file-like object
            The file is only looked at; one that is given by its name is closed again.
        *args, **options
            For the stream. A rate or channels given here by name take precedence over the file's.

        Returns
        -------
        Stream
            Of the class that this is called on.
        """
        from pastream_cli.engine.streams import soundfiles

        rate, channels = soundfiles.describe(file)
        if options.get("samplerate") is None:
            options["samplerate"] = rate
        if options.get("channels") is None:
            options["channels"] = channels
        return cls(*args, **options)

    # ---- start and end ----

    def _check(self, act: str, *, at_rest: bool = True) -> None:
        """Raise `PastreamError` where the stream cannot be used, or runs and should be at rest."""
        if self.closed:
            raise PastreamError(f"cannot {act}: the stream is closed")
        if not self._gate.is_ours:
            raise PastreamError(f"cannot {act}: the stream belongs to another process")
        if self._gate.is_lost:
            raise DeviceError(f"cannot {act}: the device does not answer", ErrorKind.NOT_ANSWERING)
        if self._watcher is not None and self._watcher.is_stuck:
            raise PastreamError(f"cannot {act}: a file of the last run takes or gives no more data")
        if at_rest and self._is_going:
            watcher = self._watcher
            assert watcher is not None
            # one that has finished is at rest as soon as its functions return
            if not watcher.finished or watcher.is_in_it or watcher.await_end():
                raise PastreamError(f"cannot {act}: {watcher.what_goes_on}")

    def start(self, prebuffer: bool | int = True) -> None:
        """Start the stream with what `set_source` and `set_sink` have set. Once it has ended, it can be started again.

        It runs until the source has ended, a buffer to record into is full, or it is stopped. A file goes on from its
        current position, a buffer begins anew. If the stream runs already, nothing happens.

        Parameters
        ----------
        prebuffer : bool or int, optional
            Frames that must be in the output buffer before the device starts. If true, as many as the device takes at
            once; a function that pauses after its first frames is not waited for. If the source is a `RingBuffer`, or
            there is none, this has no effect.

        Raises
        ------
        PastreamError
            Where the stream is closed or the device refuses.
        ValueError
            Where a channel map does not fit what it maps.
        Exception
            Whatever the function of a source or sink raised before the device was started.
        """
        with self._lock:
            self._check("start", at_rest=False)
            if self._is_going and not self.finished:
                return
            self._check("start")
            watcher = self._begin(-1, 0, 0)
        self._go(watcher, prebuffer)

    def _begin(self, frames: int, pad: int, offset: int, *, may_end_early: bool = False) -> Watcher:
        """Connect both ends and start all but the device; a negative number means no limit."""
        check_lengths(frames, pad, offset)
        source, sink = self._source, self._sink
        if source is not None:
            source.needed_frames = max(0, frames) if pad == 0 and not may_end_early else 0
        if frames < 0 and sink is not None and sink.frames is not None:
            frames = min(sink.frames + offset, MOST_FRAMES)
        watcher = Watcher(self._core, self._gate, source, sink, self.finished_callback)
        try:
            watcher.hold()
            self._connect(frames, pad, offset)
            watcher.connect(length_frames=frames + max(pad, 0) if frames >= 0 else None)
        except BaseException:
            watcher.give_up()
            raise
        self._watcher = watcher
        watcher.start(self._lend())
        return watcher

    def _lend(self) -> Self:
        """Return another object of this stream for its functions: so their threads do not hold the owner's object."""
        lent = object.__new__(type(self))
        lent.__dict__ = self.__dict__
        lent._is_lent = True
        return lent

    def _connect(self, frames: int, pad: int, offset: int) -> None:
        """Connect both ends by their present maps, for a run of these lengths."""
        source, sink, core = self._source, self._sink, self._core
        if core.open_device.playback is not None:
            if source is None:
                core.connect_playback(None)
            else:
                source.connect(core, self._txmap)
        if core.open_device.capture is not None:
            if sink is None:
                core.connect_capture(None)
            else:
                sink.connect(core, self._rxmap)
        core.prepare(None if frames < 0 else frames, None if pad < 0 else pad, offset)
        if source is not None and source.ends_when_empty and (frames < 0 or pad < 0):
            lib.reader_finish(core.engine)

    def _go(self, watcher: Watcher, prebuffer: bool | int = True) -> None:
        """Wait for the first frames to play, then start the device."""
        run = watcher.run
        try:
            run.prebuffer(self._is_prebuffered(prebuffer), time.sleep)
            watcher.start_device()
        except BaseException as error:
            watcher.ask(abort=True)
            if isinstance(error, Exception):
                watcher.await_end()
                watcher.take_error()  # dropped: the error at hand is raised
            raise
        if run.is_ending and not run.device_is_started and not watcher.is_in_it:
            watcher.await_end_and_raise()

    def _is_prebuffered(self, prebuffer: bool | int) -> Callable[[], bool]:
        """Return a function that tells whether there is enough to play for the device to start."""
        source, core = self._source, self._core
        if source is None or source.ends_when_empty or not prebuffer:
            return lambda: True
        if prebuffer is True and source.function is None:
            return core.is_prebuffered
        wanted = core.frames_taken_at_once if prebuffer is True else prebuffer
        return Prebuffer(core.engine, source.ring, wanted, is_patient=prebuffer is not True).is_full

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the stream has completed, or was stopped or aborted, and its functions have returned.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        bool
            False if the time ran out, else true. True also where the stream was never started.

        Raises
        ------
        BufferFull, BufferEmpty
            Where the sink, or the source, was too slow.
        DeviceError
            Where the device has died, or its host does not answer.
        FileError
            Where a file could not be read or written any more.
        Exception
            Whatever a function of the stream has raised.
        RuntimeError
            On a thread that the stream itself waits for: in a function that is its source or sink,
            or in `finished_callback`.
        """
        watcher = self._watcher
        if watcher is None or not self._gate.is_ours:
            return True
        if watcher.is_in_it:
            raise RuntimeError("cannot wait for the stream on a thread that it waits for")
        if not watcher.ended.wait(timeout):
            return False
        watcher.raise_error()
        return True

    def _wait_or_stop(self) -> None:
        """Wait for the end of a run; Ctrl-C, or whatever else interrupts that, stops the stream."""
        try:
            self.wait()
        except BaseException as error:
            if self._watcher is not None:
                self._watcher.end(abort=False, raises=False, function_seconds=patience_after(error))
            raise

    def stop(self) -> None:
        """End the stream; recordings get every frame that was captured.

        What the device has not played yet is dropped; to hear all of it, call `wait` instead. Returns when the stream
        has ended, but at once on a thread that the stream itself waits for. Raises what `wait` does.
        """
        if self._watcher is not None:
            self._watcher.end(abort=False)

    def abort(self) -> None:
        """End the stream at once; recordings keep what they have.

        Returns as `stop` does, and raises nothing.
        """
        if self._watcher is not None:
            self._watcher.end(abort=True, raises=False)

    def close(self) -> None:
        """Close the stream for good; one that runs is aborted first.

        Returns and raises as `stop` does; the stream is closed in any case.
        """
        self._close(FUNCTION_SECONDS)

    def _close(self, function_seconds: float) -> None:
        if not self._gate.is_ours:
            return
        with self._lock:  # a run that was about to begin has begun, and no other will
            self._is_closed = True
            watcher = self._watcher
        if watcher is not None:
            watcher.ask(abort=True, close=True)
            if watcher.is_in_it:
                return
        try:
            if watcher is not None:
                watcher.await_end_and_raise(function_seconds)
        finally:
            self._gate.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._close(patience_after(error))
        except Exception:
            if error is None:
                raise

    def __del__(self) -> None:
        gate: Gate | None = getattr(self, "_gate", None)
        if gate is None or self._is_lent or not gate.is_ours or gate.is_closed:
            return
        watcher = getattr(self, "_watcher", None)
        if watcher is not None and not watcher.ended.is_set():
            watcher.ask(abort=True, close=True)
        else:
            gate.drop()

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.device!r}, samplerate={self.samplerate:g}, channels={self.channels}, "
            f"dtype={self.dtype!r}, blocksize={self.blocksize})"
        )
