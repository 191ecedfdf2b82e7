"""What sources and sinks have in common: the file, memory, function or ring at either end of a stream.

An endpoint is made when it is set, and all that can be checked by then is checked. It is connected anew at each start,
so that a changed channel map takes effect.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from pastream_cli.engine.channel_maps import ChannelMap
from pastream_cli.engine.core import Core
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.ringbuffer import RingBuffer
from pastream_cli.errors import PastreamError


class Endpoint:
    """One end of a stream. `function`, if any, runs on a thread of its own for each run."""

    function: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    frames: int | None = None
    """Frames that it holds or takes, where that is known."""
    ends_when_empty = False
    ring: RingBuffer

    @property
    def function_name(self) -> str:
        """What messages call the function."""
        return name_of(self.function)

    def hold(self, end: Callable[[], bool]) -> None:
        """Begin a run. `end` ends that run, and tells whether nothing of it uses this endpoint any more."""

    def connect(self, stream: Core, channel_map: ChannelMap) -> None:
        """Connect to a stream that is about to start."""
        raise NotImplementedError

    @property
    def is_on_a_disk(self) -> bool:
        """Whether it is a regular file. If one takes no more data, its disk may only be busy."""
        return False

    def poll(self) -> None:
        """Tell what has been met in this run; called again and again."""

    def failure(self) -> PastreamError | None:
        """Return what went wrong with it in this run, if anything did."""
        return None

    def give_up(self) -> None:
        """Drop what is of no use after a run that was aborted or has failed; called before `release`."""

    def release(self) -> None:
        """End a run, even one that came no further than `hold`. No loop uses the endpoint any more."""


def name_of(thing: Any) -> str:
    """Return the name of a function, a generator, or the class of another object."""
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))


def is_sound_file(thing: Any) -> bool:
    """Tell whether it is a SoundFile, without loading soundfile: whoever has one has loaded it."""
    soundfile = sys.modules.get("soundfile")
    return soundfile is not None and isinstance(thing, soundfile.SoundFile)


def is_path(thing: Any) -> bool:
    """Tell whether it is the path of a file. Bytes are not: they are samples."""
    return isinstance(thing, (str, os.PathLike))


def check_rate(file: Any, stream: Core) -> None:
    """Raise `ValueError` where a sound file has another rate than the stream."""
    if file.samplerate != round(stream.samplerate):
        raise ValueError(f"the file has {file.samplerate} frames per second and the stream {stream.samplerate:g}")


def channels_of_ring(ring: RingBuffer, side: Side) -> int:
    """Return how many channels a frame in the ring has; `ValueError` where its elements are no frames."""
    channels, rest = divmod(ring.elementsize, side.sample_bytes)
    if rest:
        raise ValueError(f"an element of the ring must be a frame: a multiple of {side.sample_bytes} bytes")
    return channels
