"""What the library takes and gives, in the words of type checkers. They alone read this module; nothing loads it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import IO, Any, Literal, Protocol, SupportsIndex, TypeAlias, TypedDict, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.ringbuffer import BufferOrArray, RingBuffer

Value = TypeVar("Value")
ForEachSide: TypeAlias = Value | tuple[Value | None, Value | None]
"""One value for both sides of a duplex stream, or a pair, capture first."""

# ---- how a stream is opened ----

Device: TypeAlias = SupportsIndex | str | DeviceInfo
Latency: TypeAlias = float | Literal["low", "high"]
SampleFormat: TypeAlias = Literal["float32", "int32", "int24", "int16", "int8", "uint8"]
SampleType: TypeAlias = SampleFormat | type[Any] | np.dtype[Any]
SideName: TypeAlias = Literal["input", "output"]


class DeviceDescription(TypedDict):
    """What `query_devices` tells of a device."""

    name: str
    index: int | None
    hostapi: str
    max_input_channels: int
    max_output_channels: int
    default_low_input_latency: float
    default_high_input_latency: float
    default_low_output_latency: float
    default_high_output_latency: float
    default_samplerate: float


class Options(TypedDict, total=False):
    """The options of every stream that have no sides."""

    finished_callback: Callable[[], object] | None
    clip_off: bool | None
    dither_off: bool | None
    never_drop_input: bool | None
    prime_output_buffers_using_stream_callback: bool | None
    extra_settings: object


class OptionsOfBothSides(Options, total=False):
    """The options of a stream that do not follow from what is played or recorded."""

    device: ForEachSide[Device] | None
    blocksize: int | None
    latency: ForEachSide[Latency] | None


class StreamOptions(OptionsOfBothSides, total=False):
    """All options of a stream."""

    samplerate: float | None
    channels: ForEachSide[SupportsIndex] | None
    dtype: ForEachSide[SampleType] | None


# ---- what is played and recorded ----


class OpenFile(Protocol):
    """What tells a SoundFile from other objects; soundfile itself has no types."""

    @property
    def samplerate(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def subtype(self) -> str: ...
    def seekable(self) -> bool: ...


SoundFile: TypeAlias = soundfile.SoundFile
FileOrName: TypeAlias = OpenFile | str | os.PathLike[str] | int | IO[bytes]
Frames: TypeAlias = NDArray[Any]
"""The new memory of a recording. Where there is no numpy, and for int24, it is a bytearray."""
Path: TypeAlias = str | os.PathLike[str]
Sink: TypeAlias = BufferOrArray | OpenFile | Path | RingBuffer | Callable[..., object]
Source: TypeAlias = Sink | Iterator[BufferOrArray]
OutT = TypeVar("OutT", bound=Sink)
BufferT = TypeVar("BufferT", bound=BufferOrArray)
