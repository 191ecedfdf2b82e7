"""A device in a host process: opened, started and stopped by requests, and gone with that process at the latest."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices.host_process import Host
from pastream_cli.engine.devices.host_words import device_of, plain_device
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.devices.time_limits import ANSWER_SECONDS, NO_LOCK, STOP_SECONDS
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.ring_sizes import ring_bytes
from pastream_cli.engine.ringbuffer import EngineRing, RingBuffer
from pastream_cli.errors import DeviceError, ErrorKind, PastreamError

if TYPE_CHECKING:
    from pastream_cli.engine.facts import OwnClock
    from pastream_cli.engine.native import EngineHandle

# What a host has for closing a stream that is given up: a client of JACK that is killed leaves a semaphore behind.
_SECONDS_TO_CLOSE = 0.2


def listed_devices(host: Host) -> list[DeviceInfo]:
    """Return all devices of a host process, as `choosing.listed_devices` does."""
    answer = host.process.ask("list_devices", ANSWER_SECONDS, "cannot list the devices")
    return [device_of(plain) for plain in answer]


def choose_devices(
    host: Host, text: str | None, sides: list[str], *, rate_matters: bool = False
) -> dict[str, DeviceInfo]:
    """Return the device for each side from those of a host process, as `choosing.choose_devices` does."""
    failure = "cannot look for a device"
    answer = host.process.ask("choose", ANSWER_SECONDS, failure, text=text, sides=sides, rate_matters=rate_matters)
    return {side: device_of(plain) for side, plain in answer.items()}


class HostedDevice(OpenDevice):
    """An open device in a host process. It serves one engine, which is in the memory of the host.

    Parameters
    ----------
    host : Host
        Its process must not have a stream.
    kind, **options
        As for `OpenDevice`; the device is given as a DeviceInfo for each side.
    answer_seconds : float, optional
        How long it may take to be opened, and then to be started.
    """

    stream: HostedStream

    def __init__(self, host: Host, kind: str, *, answer_seconds: float = ANSWER_SECONDS, **options: Any) -> None:
        self.host = host
        self._answer_seconds = answer_seconds
        self._engine: EngineHandle | None = None
        self._options = options
        super().__init__(kind, **options)

    def open_again(self, answer_seconds: float) -> HostedDevice:
        """Open the same device in a new process, with the same values, after it was taken away.

        Call this on a thread that lives as long as the take's process does. If it fails, it may be called again.

        Raises
        ------
        DeviceError
            Where the device is not there, or cannot be opened.
        """
        self.host.renew()
        before = {name: side for name, side in ((CAPTURE, self.capture), (PLAYBACK, self.playback)) if side is not None}
        answer = self.host.process.ask(
            "find_again",
            answer_seconds,
            "cannot look for a device",
            before={name: plain_device(side.device) for name, side in before.items()},
        )
        devices = [device_of(answer[name]) for name in before]
        options = {**self._options, "device": devices, "samplerate": self.stream.samplerate}
        return HostedDevice(self.host, self.kind, answer_seconds=answer_seconds, **options)

    def _open(self, rate: float, host_options: dict[str, Any]) -> HostedStream:
        sides = {
            name: [plain_device(side.device), side.channels, side.sample_format, side.latency]
            for name, side in ((PLAYBACK, self.playback), (CAPTURE, self.capture))
            if side is not None
        }
        answer = self.host.process.ask(
            "open",
            self._answer_seconds,
            f"cannot open {self.name}",
            sides=sides,
            rate=rate,
            block_frames=self.asked_blocksize,
            host_options=host_options,
        )
        return HostedStream(self.host, self._answer_seconds, **answer)

    def new_engine(self, buffersize: int | None, further_copies: int = 0) -> EngineHandle:
        made = lib.engine_new_in(self.host.memory, ring_bytes(self, buffersize, further_copies), further_copies)
        if not made and ffi.errno == errno.EFBIG:  # the system takes shared memory for a file
            reason = "its buffers are larger than the system lets a file be"
            raise PastreamError(f"cannot open a stream: {reason}", "ulimit tells how large one may be")
        return ffi.gc(check_memory(made, "cannot open a stream"), lib.engine_free)

    def new_ring(self, engine: EngineHandle, frame_bytes: int, frames: int) -> RingBuffer:
        return EngineRing(engine, frame_bytes, frames)

    def attach(self, engine: EngineHandle) -> bool:
        """Have it serve an engine, which its process finds when the device is started."""
        if self._engine is not None:
            return False
        self._engine = self.stream.engine = engine
        return True

    def detach(self) -> None:
        """End its process, so that it neither takes nor gives frames any more.

        This takes 0.2 s as a rule, and 2.2 s where a driver holds it in the kernel.
        """
        self.stream.process.end(_SECONDS_TO_CLOSE)
        engine, self._engine = self._engine, None
        if engine is not None:
            lib.engine_release(engine)

    def close(self) -> None:
        """End its process."""
        self.stream.process.end(_SECONDS_TO_CLOSE)


class HostedStream:
    """The stream of a device in a host process; the same protocol as `portaudio.PortAudioStream`."""

    is_fast = False
    follows_the_system = False
    own_clock: OwnClock | None = None
    lock = NO_LOCK

    def __init__(
        self,
        host: Host,
        answer_seconds: float,
        *,
        samplerate: float,
        blocksize: int,
        latencies: list[float],
        capture_latency: float,
    ) -> None:
        self._answer_seconds = answer_seconds
        self.process = host.process
        self.engine: EngineHandle | None = None
        """The engine that it serves."""
        self.samplerate = samplerate
        self.blocksize = blocksize
        self.latencies = tuple(latencies)
        self.latency = self.most_held_back = max(latencies)
        self.capture_latency = capture_latency

    @property
    def active(self) -> bool:
        runs = self.engine is not None and bool(lib.engine_device_is_active(self.engine))
        return runs and self.process.is_alive

    @property
    def has_crashed(self) -> bool:
        return self.process.has_crashed

    @property
    def cpu_load(self) -> float:
        return lib.engine_device_load(self.engine) if self.engine is not None else 0.0

    @property
    def time(self) -> float:
        return lib.engine_monotonic_ns() / 1e9

    def start(self) -> None:
        self.process.ask("start", self._answer_seconds, "cannot start the device")

    def stop(self) -> None:
        self._stop(at_once=False)

    def abort(self) -> None:
        self._stop(at_once=True)

    def _stop(self, *, at_once: bool) -> None:
        try:
            self.process.ask("stop", STOP_SECONDS, "cannot stop the device", at_once=at_once)
        except DeviceError as error:
            # a process that does not answer has been killed, and what it has delivered is in the engine's memory
            if error.kind is not ErrorKind.NOT_ANSWERING:
                raise

    def close(self) -> None:
        self.process.end(_SECONDS_TO_CLOSE)
