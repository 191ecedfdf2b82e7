"""The program of a host process: it holds PortAudio, and does what the process of the take asks it to do.

Requests come one at a time. The thread that answers them is the only one here that is not a host library's. If a
request takes too long, the process of the take kills this one.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices import hosts
from pastream_cli.engine.devices.choosing import choose_devices, find_again, listed_devices, with_real_rate
from pastream_cli.engine.devices.host_words import (
    END_OF_LINE,
    LIFE,
    MEMORY,
    REQUESTS,
    MovedStream,
    device_of,
    line_of,
    plain_device,
    plain_error,
    value_of,
)
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.opened import new_attachment
from pastream_cli.engine.devices.portaudio import PortAudioStream
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.devices.without_search import without_search
from pastream_cli.engine.native import lib
from pastream_cli.errors import DeviceError, ErrorKind, PastreamError, RateError

if TYPE_CHECKING:
    from pastream_cli.engine.native import AttachmentHandle, EngineHandle, HostStream

_MOST_BYTES_AT_ONCE = 65536
_FIRST_DESCRIPTOR_OF_OTHERS = 6


def serve(parent: int) -> None:
    """Answer the requests of the process `parent`, until there are no more."""
    _close_others()
    if not lib.host_begin(parent):
        return
    with suppress(Exception), without_search():  # if it fails, the first request tries it again, and says why
        hosts.begin()
    program = Program()
    with suppress(OSError):  # the take has ended
        while (request := program.next_request()) is not None:
            os.write(REQUESTS, line_of(program.answer(request)))
    lib.host_end_soon()
    program.end()
    os._exit(0)


def _close_others() -> None:
    """Close what the shell has handed down: it must not stay open for as long as a host library hangs."""
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - pathlib takes longer to load
        if int(name) >= _FIRST_DESCRIPTOR_OF_OTHERS:
            with suppress(OSError):  # that of the list itself
                os.close(int(name))


class Program:
    """What requests are answered from: the hosts, and one stream."""

    def __init__(self) -> None:
        self._engine: EngineHandle
        self._attachment: AttachmentHandle | None = None
        self._stream: PortAudioStream | None = None
        self._running: HostStream | None = None
        """The stream as C looks at it, while it runs."""
        self._received = b""
        self._lock = threading.Lock()
        """Held by whoever writes to the pipe, and while that is closed."""
        self._has_closed_life = False

    def next_request(self) -> Any:
        """Wait for a request; `None` if there will be none. Meanwhile, tell whether the stream runs."""
        while END_OF_LINE not in self._received:
            if self._running is not None and lib.host_wait(self._engine, REQUESTS, self._running):
                self._running = None
                self._close_life()
            data = os.read(REQUESTS, _MOST_BYTES_AT_ONCE)
            if not data:
                return None
            self._received += data
        line, _, self._received = self._received.partition(END_OF_LINE)
        return value_of(line)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked for: a method of this class, by its name."""
        try:
            return {"result": getattr(self, request.pop("act"))(**request)}
        except Exception as error:  # noqa: BLE001 - whoever has asked is told
            return {"error": plain_error(error)}

    def list_devices(self) -> list[list[Any]]:
        """Return all devices."""
        return [plain_device(device) for device in listed_devices()]

    def choose(self, text: str | None, sides: list[str], *, rate_matters: bool) -> dict[str, list[Any]]:
        """Return the device for each side."""
        devices = choose_devices(text, sides, rate_matters=rate_matters)
        return {side: plain_device(device) for side, device in devices.items()}

    def find_again(self, before: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Return the same device for each side, as it is listed now."""
        devices = find_again({side: device_of(plain) for side, plain in before.items()})
        return {side: plain_device(device) for side, device in devices.items()}

    def open(
        self, sides: dict[str, list[Any]], rate: float, block_frames: int, host_options: dict[str, Any]
    ) -> dict[str, Any]:
        """Open a stream. Return what it was opened with."""
        of_sides = {name: Side(device_of(device), *values) for name, (device, *values) in sides.items()}
        playback, capture = of_sides.get(PLAYBACK), of_sides.get(CAPTURE)
        self._attachment = new_attachment(playback, capture)
        try:
            self._stream = PortAudioStream(
                self._attachment,
                rate=rate,
                playback=playback,
                capture=capture,
                block_frames=block_frames,
                host_options=host_options,
            )
        except RateError as error:
            rates = [with_real_rate(side.device, name).default_rate for name, side in of_sides.items()]
            raise RateError(error.message, tuple(dict.fromkeys(map(round, rates)))) from None
        return {
            "samplerate": self._stream.samplerate,
            "blocksize": self._stream.blocksize,
            "latencies": self._stream.latencies,
            "capture_latency": self._stream.capture_latency,
        }

    def start(self) -> None:
        """Have the stream serve the engine that is in the memory by now, and start it."""
        assert self._stream is not None
        assert self._attachment is not None
        self._engine = lib.engine_map(MEMORY)
        if not self._engine:
            raise PastreamError("cannot start the device: its memory is that of another version of pastream")
        if not lib.engine_attach(self._engine, self._attachment):
            raise DeviceError("cannot start the device: the engine has another format", ErrorKind.FORMAT_REFUSED)
        self._stream.start()
        self._running = self._stream.as_seen_by_c()
        lib.host_look(self._engine, self._running)

    def watch(self, names: dict[str, str | None]) -> None:
        """Tell, by the pipe, where a sound server has the stream, and of each move."""
        from pastream_cli.engine.devices.pulse_moves import MoveWatch

        MoveWatch(names, self._tell)

    def _tell(self, moved: MovedStream) -> None:
        with self._lock, suppress(BrokenPipeError):  # the take has ended
            if not self._has_closed_life:
                os.write(LIFE, line_of(moved))

    def _close_life(self) -> None:
        with self._lock:
            self._has_closed_life = True
            os.close(LIFE)

    def stop(self, *, at_once: bool) -> None:
        """End the callbacks: at once, or when what was given to the device has been played."""
        assert self._stream is not None
        (self._stream.abort if at_once else self._stream.stop)()
        self._running = None

    def end(self) -> None:
        """Close the stream, and end the hosts."""
        if self._stream is not None:
            with suppress(Exception):
                self._stream.abort()
            self._stream.close()
        hosts.end()
