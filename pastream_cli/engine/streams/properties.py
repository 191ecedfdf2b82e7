"""What a library stream says of itself: its device and formats, its state, its losses, levels and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar, cast, overload

from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.gate import Gate
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.facts import Levels, Loss
from pastream_cli.engine.flags import CallbackFlags
from pastream_cli.engine.run import Run
from pastream_cli.engine.streams.watcher import Watcher

if TYPE_CHECKING:
    from pastream_cli.engine.hints import SampleFormat

Value = TypeVar("Value")


class PerSide(Generic[Value]):
    """A property that each side has: its value, or a pair of values where the stream is duplex, capture first."""

    def __init__(self, value_of: Callable[[Any, Side], Value]) -> None:
        self._value_of = value_of
        self.__doc__ = value_of.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, stream: None, owner: type) -> PerSide[Value]: ...
    @overload
    def __get__(self, stream: _Duplex, owner: type) -> tuple[Value, Value]: ...
    @overload
    def __get__(self, stream: _Capturing | _Playing, owner: type) -> Value: ...
    @overload
    def __get__(self, stream: Properties, owner: type) -> Value | tuple[Value, Value]: ...
    def __get__(self, stream: Any, owner: type) -> Any:
        if stream is None:
            return self
        values = tuple(self._value_of(stream, side) for side in stream._core.open_device.sides)  # noqa: SLF001 - it is a part of the stream
        return values if stream.isduplex else values[0]

    def __set__(self, stream: Any, value: NoReturn) -> None:
        raise AttributeError(f"cannot set {self._name}: a stream keeps what it was opened with")


# By these a type checker tells the streams apart.


class _Duplex(Protocol):
    @property
    def playrec(self) -> Callable[..., Any]: ...


class _Capturing(Protocol):
    @property
    def record(self) -> Callable[..., Any]: ...


class _Playing(Protocol):
    @property
    def play(self) -> Callable[..., Any]: ...


class Properties:
    """The properties of a stream, most of which are those of its core. Any thread may ask."""

    _core: Core
    _gate: Gate
    _watcher: Watcher | None = None
    _is_closed = False

    # ---- its device ----

    @property
    def isduplex(self) -> bool:
        """Whether the stream both plays and captures."""
        return self._core.isduplex

    @PerSide
    def device(self, side: Side) -> int | str:
        """Device number, or the name where it is virtual; a pair where the stream is duplex."""
        return side.device.name if side.device.number is None else side.device.number

    @property
    def samplerate(self) -> float:
        """Frames per second, as the device runs."""
        return self._core.samplerate

    @PerSide
    def channels(self, side: Side) -> int:
        """Channels of the device; a pair where the stream is duplex."""
        return side.channels

    @PerSide
    def dtype(self, side: Side) -> SampleFormat:
        """Type of the samples; a pair where the stream is duplex."""
        return cast("SampleFormat", side.sample_format)

    @PerSide
    def samplesize(self, side: Side) -> int:
        """Bytes of one sample; a pair where the stream is duplex."""
        return side.sample_bytes

    @property
    def blocksize(self) -> int:
        """Frames per callback, 0 where the host chooses."""
        return self._core.blocksize

    @PerSide
    def latency(self, side: Side) -> float:
        """Seconds as the host reports them, 0 where that cannot be true; a pair where the stream is duplex."""
        device = self._core.open_device
        return device.stream.latencies[device.sides.index(side)]

    @property
    def cpu_load(self) -> float:
        """Share of the available time that the callback takes, where the host measures it."""
        return self._core.cpu_load

    @property
    def time(self) -> float:
        """Seconds on the clock of the stream."""
        return self._core.open_device.stream.time

    # ---- how it goes ----

    @property
    def active(self) -> bool:
        """Whether the stream runs: from `start` until its device has ended."""
        watcher = self._watcher
        if watcher is None or watcher.finished or not self._gate.is_ours:
            return False
        return self._gate.active if watcher.run.device_is_started else not watcher.run.is_ending

    @property
    def stopped(self) -> bool:
        """Whether the stream has not been started, or has ended completely."""
        return not self._is_going

    @property
    def closed(self) -> bool:
        """Whether the stream was closed, and is of no further use."""
        return self._is_closed or self._gate.is_closed or (self._watcher is not None and self._watcher.is_to_close)

    @property
    def finished(self) -> bool:
        """Whether the stream was started and has completed, or was stopped or aborted.

        What it recorded is then in its place; functions may still be about to return.
        """
        return self._watcher is not None and self._watcher.finished

    @property
    def aborted(self) -> bool:
        """Whether the last run has ended by `abort`, `close` or an error."""
        return self._watcher is not None and self._watcher.aborted

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Each place since the start where frames were lost or silence was played, once it is over.

        Every look returns all of them. Beyond a thousand they are kept in a temporary file; if none can be written,
        they are left out.
        """
        losses = self._run.losses if self._run is not None else None
        if losses is None:
            return ()
        losses.take()  # what has come since the watcher's last look
        return losses.so_far()

    @property
    def levels(self) -> Levels | None:
        """Peak and sum of squares per channel since the last look; `None` before the first block.

        They are those of the capture, or of the playback where nothing is captured.
        """
        levels = self._run.levels if self._run is not None else None
        return levels.take() if levels is not None else None

    @property
    def dead_channels(self) -> tuple[int, ...]:
        """Channels of the device, one-based, that captured nothing but zeros for 10 s at any time since the start."""
        levels = self._run.levels if self._run is not None else None
        return levels.dead_channels if levels is not None else ()

    @property
    def _run(self) -> Run | None:
        """The last run; `None` in a forked child, where threads that do not exist there may hold its locks."""
        return self._watcher.run if self._watcher is not None and self._gate.is_ours else None

    @property
    def _is_going(self) -> bool:
        return self._watcher is not None and not self._watcher.ended.is_set() and self._gate.is_ours

    # ---- its counts ----

    @property
    def frame_count(self) -> int:
        """Frames since the start, lost ones included; each start resets it to zero."""
        return self._core.frame_count

    @property
    def xruns(self) -> int:
        """Places since the start where capture or playback went wrong."""
        return self._core.xruns

    @property
    def status(self) -> CallbackFlags:
        """The flags that the host has raised since the start, and those for losses that it did not flag.

        They are PortAudio's, ``PaStreamCallbackFlags``.
        """
        return self._core.status

    def pause(self) -> None:
        """Let frames go by without counting: capture is dropped, playback waits."""
        self._core.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._core.resume()

    @property
    def is_paused(self) -> bool:
        """Whether frames go by without counting."""
        return self._core.is_paused
