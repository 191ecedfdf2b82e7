"""One side of a device, playback or capture: what it is opened with, and how much is buffered for it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from pastream_cli.engine.devices import latency_and_buffer
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.facts import OwnClock
from pastream_cli.engine.native import SAMPLE_BYTES, SAMPLE_FORMATS, memory_bytes
from pastream_cli.errors import ErrorKind, UsageError


class Side(NamedTuple):
    """One side of a device: which one, how many channels, in which sample format and latency."""

    device: DeviceInfo
    channels: int
    sample_format: str
    latency: float | str

    @property
    def format_code(self) -> int:
        return SAMPLE_FORMATS[self.sample_format]

    @property
    def sample_bytes(self) -> int:
        return SAMPLE_BYTES[self.sample_format]

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.sample_bytes

    def buffer_frames(self, rate: float, asked: int | None, block_frames: int) -> int:
        """Return the size of the ring in frames; see `latency_and_buffer.buffer_frames`."""
        return latency_and_buffer.buffer_frames(rate, self.frame_bytes, asked, block_frames)


def check_room(sides: Iterable[Side], rate: float, asked: int | None, block_frames: int) -> None:
    """Raise unless the machine has memory for the rings of all sides, and as much to spare."""
    wanted = sum(side.buffer_frames(rate, asked, block_frames) * side.frame_bytes for side in sides)
    there = memory_bytes()
    if wanted > there // 2:
        raise UsageError(
            f"cannot buffer so much: it takes {wanted / 1e9:.1f} GB of {there / 1e9:.1f} GB of memory",
            kind=ErrorKind.BUFFER_TOO_LARGE,
        )


class DeviceStream(Protocol):
    """An open device, which calls the callback in C. `stop` and `close` may hang with its host."""

    samplerate: float
    blocksize: int
    latency: float
    is_fast: bool
    follows_the_system: bool
    """Whether its clock is the system's. It then owes no frames but those that it reports as lost."""
    capture_latency: float
    """Seconds from the end of a block at the converter to its callback, as far as the host knows."""
    most_held_back: float
    """Seconds of sound that it may hold back and deliver later."""
    lock: AbstractContextManager[Any]
    """Held while it, or another device of its kind, is started, stopped or closed."""

    @property
    def active(self) -> bool:
        """Whether callbacks come, or may still come. Never blocks."""

    @property
    def own_clock(self) -> OwnClock | None:
        """Its clock where that is the system's, once it is started; time then needs no estimate."""

    @property
    def has_crashed(self) -> bool:
        """Whether its host library has crashed, which says nothing about the device. Never blocks."""

    @property
    def cpu_load(self) -> float:
        """Share of the available time that the callback takes, where the host measures it."""

    @property
    def latencies(self) -> tuple[float, ...]:
        """Seconds for each side, capture first; 0 where what the host reports cannot be true."""

    @property
    def time(self) -> float:
        """Seconds on the clock of the device, or of the system where it has none."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """Let the block in flight be delivered, then end the callbacks."""

    def abort(self) -> None:
        """End the callbacks at once."""

    def close(self) -> None: ...
