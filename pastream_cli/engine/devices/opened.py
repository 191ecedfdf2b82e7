"""An open device: what it was opened with, what its callback is given, and how it is closed."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices import virtual
from pastream_cli.engine.devices.checking import check_rate, checked_blocksize
from pastream_cli.engine.devices.choosing import sides_for
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.sides import DeviceStream, Side
from pastream_cli.engine.devices.time_limits import answer
from pastream_cli.engine.native import check_fits, check_memory, ffi, lib
from pastream_cli.engine.ringbuffer import RingBuffer

if TYPE_CHECKING:
    from pastream_cli.engine.native import AttachmentHandle, EngineHandle

_MOST_SECONDS_TO_OPEN = 10.0


class OpenDevice:
    """An open device. Its callback serves the engine that it is attached to, and never another one.

    Parameters
    ----------
    kind : {'input', 'output', 'duplex'}
        Whether it captures, plays, or both.
    device, samplerate, channels, dtype, blocksize, latency, **host_options
        As for `Stream`, host options included; a device may also be given as a DeviceInfo.
    since_ns : int, optional
        When the clock of a virtual device was started that was open before, and is opened again.

    Notes
    -----
    `close`, and the methods of `stream` that start and stop the device, may hang with its host.
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
        since_ns: int = 0,
        **host_options: Any,
    ) -> None:
        if samplerate is not None:
            check_rate(samplerate)
        self.asked_blocksize = checked_blocksize(blocksize)
        """Frames per callback that were asked for; 0 where the device chooses a number that fits the rings."""
        sides = sides_for(kind, device, channels, dtype, latency, rate_matters=samplerate is None)
        self.capture, self.playback = sides.get(CAPTURE), sides.get(PLAYBACK)
        self.sides: list[Side] = [side for side in (self.capture, self.playback) if side is not None]
        for side in self.sides:
            if not 1 <= side.channels <= lib.MOST_DEVICE_CHANNELS:
                raise ValueError(f"cannot open {side.device.name} with {side.channels} channels")
        # one block is in the device, two are in the ring, and one is to spare
        block_bytes = self.asked_blocksize * sum(side.frame_bytes for side in self.sides)
        check_fits(4 * block_bytes, f"cannot open a stream with a blocksize of {self.asked_blocksize}")
        self._attachment: AttachmentHandle | None = None
        self._since_ns = since_ns
        self.kind = kind
        self.host_options = host_options
        self._lock = threading.Lock()
        self._is_closed = False
        self.stream = self._open(samplerate or self.sides[0].device.default_rate, host_options)
        """The device as its host has it."""

    def _open(self, rate: float, host_options: dict[str, Any]) -> DeviceStream:
        # Only freed after `close`: the callback of a device that never answers may still look at it.
        attachment = self._attachment = new_attachment(self.playback, self.capture)
        try:
            return self._open_with(attachment, rate, host_options)
        except BaseException:
            lib.attachment_free(attachment)
            raise

    def _open_with(self, attachment: AttachmentHandle, rate: float, host_options: dict[str, Any]) -> DeviceStream:
        if self.is_virtual:
            name = self.sides[0].device.name
            device = virtual.parse(name)
            device.check_free(name)
            return virtual.VirtualStream(
                attachment,
                device,
                rate=rate,
                block_frames=self.asked_blocksize,
                latency=max(side.latency if isinstance(side.latency, float) else 0.1 for side in self.sides),
                since_ns=self._since_ns,
            )
        from pastream_cli.engine.devices import hosts, portaudio

        return answer(
            _MOST_SECONDS_TO_OPEN,
            lambda: portaudio.PortAudioStream(
                attachment,
                rate=rate,
                playback=self.playback,
                capture=self.capture,
                block_frames=self.asked_blocksize,
                host_options=host_options,
            ),
            f"cannot open {self.sides[0].device.name}: its host does not answer",
            lock=hosts.stream_lock(),
        )

    @property
    def is_virtual(self) -> bool:
        return self.sides[0].device.is_virtual

    @property
    def is_duplex(self) -> bool:
        """Whether it both plays and captures."""
        return len(self.sides) > 1

    @property
    def name(self) -> str:
        """The name of the device; both names where there are two."""
        return " and ".join(dict.fromkeys(side.device.name for side in self.sides))

    def new_engine(self, _buffersize: int | None, further_copies: int = 0) -> EngineHandle:
        """Return an engine that the device can serve, with room for rings where they cannot be elsewhere.

        Parameters
        ----------
        buffersize : int, optional
            Frames in a ring, as far as that was asked for.
        further_copies : int, optional
            How many copies of what is captured there will be, beside the first.
        """
        made = lib.engine_new_in(-1, 0, further_copies)
        return ffi.gc(check_memory(made, "cannot open a stream"), lib.engine_free)

    def new_ring(self, _engine: EngineHandle, frame_bytes: int, frames: int) -> RingBuffer:
        """Return a ring that the device can use."""
        return RingBuffer(frame_bytes, frames)

    def attach(self, engine: EngineHandle) -> bool:
        """Have its callback serve an engine; called before it is started.

        Returns
        -------
        bool
            False where the engine has a device already, or another format, or where this device has had an engine.
        """
        with self._lock:
            return self._attachment is not None and bool(lib.engine_attach(engine, self._attachment))

    def detach(self) -> None:
        """Have its callback neither take nor give frames any more, whatever the device does."""
        with self._lock:
            if self._attachment is not None:
                lib.attachment_detach(self._attachment)

    def close(self) -> None:
        """Close the device, once. May hang with its host."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self.stream.close()
        with self._lock:
            attachment, self._attachment = self._attachment, None
            if attachment is not None:
                lib.attachment_detach(attachment)
                # freed later: a host that is slow to notice the close finds it detached
                weakref.finalize(self, lib.attachment_free, attachment).atexit = False


def new_attachment(playback: Side | None, capture: Side | None) -> AttachmentHandle:
    """Return what the callback of a device with these sides is given."""
    formats = [(side.format_code, side.channels) if side is not None else (0, 0) for side in (playback, capture)]
    return check_memory(lib.attachment_new(*formats[0], *formats[1]), "cannot open a stream")
