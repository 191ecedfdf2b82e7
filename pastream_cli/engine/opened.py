"""An open device: what it was opened with, what it says of itself, and how it is ended."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices import virtual
from pastream_cli.engine.devices.choosing import sides_for
from pastream_cli.engine.devices.limits import answer
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.sides import DeviceStream, Side
from pastream_cli.engine.native import check_fits, check_memory, ffi, lib
from pastream_cli.engine.progress import Progress

if TYPE_CHECKING:
    from pastream_cli.engine.native import EngineHandle

_MOST_SECONDS_TO_OPEN = 10.0


class OpenDevice(Progress):
    """A device that was opened, and whose callback counts.

    The parameters are those of `Stream`, its options of the host included; a device may be given as
    a DeviceInfo too. Starting, stopping and closing a real device may hang with its host.
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
        **host_options: Any,
    ) -> None:
        if samplerate is not None:
            _check_rate(samplerate)
        self._asked_block = operator.index(blocksize or 0)
        if self._asked_block < 0:
            raise ValueError(f"blocksize must not be negative, and is {blocksize!r}")
        sides = sides_for(kind, device, channels, dtype, latency, rate_matters=samplerate is None)
        engine = ffi.gc(check_memory(lib.engine_new(), "cannot open a stream"), lib.engine_free)
        super().__init__(engine, sides.get(CAPTURE), sides.get(PLAYBACK))
        for side, configure in (
            (self._playback, lib.engine_set_playback),
            (self._capture, lib.engine_set_capture),
        ):
            if side is not None and not configure(self._engine, ffi.NULL, side.format_code, side.channels):
                raise ValueError(f"cannot open {side.device.name} with {side.channels} channels")
        # of each block the device has one, the ring two, and as much is to spare
        block_bytes = self._asked_block * sum(side.frame_bytes for side in self._sides)
        check_fits(4 * block_bytes, f"cannot open a stream with a blocksize of {self._asked_block}")
        self._device = self._open(samplerate or self._sides[0].device.default_rate, host_options)

    def _open(self, rate: float, host_options: dict[str, Any]) -> DeviceStream:
        if self._is_virtual:
            return virtual.VirtualStream(
                self._engine,
                virtual.parse(self._sides[0].device.name),
                rate=rate,
                block_frames=self._asked_block,
                latency=max(side.latency if isinstance(side.latency, float) else 0.1 for side in self._sides),
            )
        from pastream_cli.engine.devices import portaudio

        return answer(
            _MOST_SECONDS_TO_OPEN,
            lambda: portaudio.PortAudioStream(
                self._engine,
                rate=rate,
                playback=self._playback,
                capture=self._capture,
                block_frames=self._asked_block,
                host_options=host_options,
            ),
            f"cannot open {self._sides[0].device.name}: its host does not answer",
            turn=portaudio.TURN,
        )

    @property
    def _sides(self) -> list[Side]:
        return [side for side in (self._capture, self._playback) if side is not None]

    @property
    def _is_virtual(self) -> bool:
        return self._sides[0].device.is_virtual

    def _of_sides(self, values: list[Any]) -> Any:
        return tuple(values) if self.isduplex else values[0]

    @property
    def samplerate(self) -> float:
        """Frames per second, as the device runs."""
        return self._device.samplerate

    @property
    def blocksize(self) -> int:
        """Frames per callback, 0 where the host chooses."""
        return self._device.blocksize

    @property
    def asked_blocksize(self) -> int:
        """Frames per callback as they were asked for; 0 where the device chooses, and heeds the rings."""
        return self._asked_block

    @property
    def longest_latency(self) -> float:
        """Seconds, the greater of both sides; 0 where what the host reports cannot be true."""
        return self._device.latency

    @property
    def is_fast(self) -> bool:
        """Whether the device runs as fast as files allow, and not by the clock."""
        return self._device.is_fast

    @property
    def follows_the_system(self) -> bool:
        """Whether the device's clock is the system's: it owes no frame but those that it says it lost."""
        return self._device.follows_the_system

    @property
    def most_held_back(self) -> float:
        """Seconds of sound that the device may hold back and deliver later."""
        return self._device.most_held_back

    @property
    def isduplex(self) -> bool:
        """Whether the stream both plays and captures."""
        return self._playback is not None and self._capture is not None

    @property
    def engine(self) -> EngineHandle:
        """The C engine, alive as long as this object."""
        return self._engine

    @property
    def device(self) -> Any:
        """Number of the device, the name where it is virtual; a pair where the stream is duplex."""
        return self._of_sides([s.device.name if s.device.is_virtual else s.device.number for s in self._sides])

    @property
    def channels(self) -> Any:
        """Channels of the device; a pair where the stream is duplex."""
        return self._of_sides([side.channels for side in self._sides])

    @property
    def dtype(self) -> Any:
        """Type of the samples; a pair where the stream is duplex."""
        return self._of_sides([side.sample_format for side in self._sides])

    @property
    def samplesize(self) -> Any:
        """Bytes of one sample; a pair where the stream is duplex."""
        return self._of_sides([side.sample_bytes for side in self._sides])

    @property
    def latency(self) -> Any:
        """Seconds as the host reports them, 0 where that cannot be true; a pair where duplex."""
        return self._of_sides(list(self._device.latencies))

    @property
    def time(self) -> float:
        """Seconds on the clock of the stream."""
        return self._device.time

    def stop_device(self) -> None:
        """End the callbacks after the block in flight. May hang with the device's host."""
        self._device.stop()

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


def _check_rate(rate: float) -> None:
    from pastream_cli.units import HIGHEST_RATE  # what units are made of takes a while to load

    if not 1 <= rate <= HIGHEST_RATE:
        raise ValueError(f"samplerate must be 1 to {HIGHEST_RATE}, not {rate!r}")
