"""Real devices: PortAudio lists them and opens them with the C callback.

Every call here may hang with a host, so none is made on the main thread. Four private names of sounddevice are used:
`_StreamBase` and its `_ptr`, `_ffi` and `_lib`. If one of them changes, tests/engine/test_contracts.py fails.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices import hosts
from pastream_cli.engine.devices.environment import set_for_a_while
from pastream_cli.engine.devices.info import MOST_BELIEVABLE_LATENCY, DeviceInfo, Served
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.native import ffi, lib
from pastream_cli.errors import DeviceError, ErrorKind, HostError, RateError

if TYPE_CHECKING:
    from pastream_cli.engine.devices.sides import Side
    from pastream_cli.engine.facts import OwnClock
    from pastream_cli.engine.native import AttachmentHandle, HostStream

_FLOAT_HOSTS = frozenset({"JACK Audio Connection Kit", "Core Audio"})
# For these, the latency of a stream is that of its device alone. For others it is, or contains, the size of a buffer.
_HOSTS_THAT_KNOW_THE_DEVICE = frozenset({"JACK Audio Connection Kit", "Core Audio"})
_INVALID_SAMPLE_RATE = -9997
_SAMPLE_FORMAT_NOT_SUPPORTED = -9994
_DEVICE_UNAVAILABLE = -9985
_BAD_DEVICE_COMBINATION = -9993


def devices() -> list[DeviceInfo]:
    """Return every device that PortAudio lists: those that were there when the hosts were begun."""
    sounddevice = hosts.begin()
    host_apis = sounddevice.query_hostapis()
    capture, playback = _defaults(sounddevice, host_apis)
    seen: Counter[tuple[str, int]] = Counter()

    def twins_before(device: Any) -> int:
        seen[device["name"], device["hostapi"]] += 1
        return seen[device["name"], device["hostapi"]] - 1

    return [
        DeviceInfo(
            number=index,
            name=device["name"],
            host_api=host_apis[device["hostapi"]]["name"],
            capture_channels=device["max_input_channels"],
            playback_channels=device["max_output_channels"],
            default_rate=device["default_samplerate"],
            capture_latencies=_latencies(device, "input"),
            playback_latencies=_latencies(device, "output"),
            is_default_capture=index == capture,
            is_default_playback=index == playback,
            prefers_float=host_apis[device["hostapi"]]["name"] in _FLOAT_HOSTS,
            twins_before=twins_before(device),
        )
        for index, device in enumerate(sounddevice.query_devices())
    ]


def takes_rate(device: DeviceInfo, side: str, rate: float) -> bool:
    """Tell whether a device runs at that rate; may hang with its host."""
    sounddevice = hosts.begin()
    check = sounddevice.check_input_settings if side == CAPTURE else sounddevice.check_output_settings
    try:
        check(device=device.opened_number, samplerate=rate)
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True


def _latencies(device: Any, side: str) -> tuple[float, float]:
    return device[f"default_low_{side}_latency"], device[f"default_high_{side}_latency"]


def _defaults(sounddevice: Any, host_apis: Any) -> tuple[int, int]:
    """Return sounddevice's default devices, else PortAudio's, else those of the first host that has one."""
    capture, playback = (
        sounddevice.query_devices(device, kind)["index"] if isinstance(device, str) else device
        for device, kind in zip(sounddevice.default.device, ("input", "output"), strict=True)
    )
    for host in host_apis:
        capture = host["default_input_device"] if capture < 0 else capture
        playback = host["default_output_device"] if playback < 0 else playback
    return capture, playback


class PortAudioStream:
    """A stream of a real device.

    Raises
    ------
    DeviceError
        Where the device or its host refuses.
    """

    is_fast = False
    follows_the_system = False
    own_clock: OwnClock | None = None

    def __init__(
        self,
        attachment: AttachmentHandle,
        *,
        rate: float,
        playback: Side | None,
        capture: Side | None,
        block_frames: int,
        host_options: dict[str, Any],
    ) -> None:
        sides = [side for side in (capture, playback) if side is not None]
        kind = "duplex" if len(sides) == 2 else "input" if capture else "output"
        sounddevice = hosts.begin()
        its_ffi = sounddevice._ffi  # noqa: SLF001

        def of_sides(values: list[Any]) -> Any:
            return tuple(values) if kind == "duplex" else values[0]

        callback = ffi.addressof(lib, "attachment_callback")

        def make() -> Any:
            return sounddevice._StreamBase(  # noqa: SLF001
                kind,
                samplerate=rate,
                blocksize=block_frames,
                device=of_sides([side.device.opened_number for side in sides]),
                channels=of_sides([side.channels for side in sides]),
                dtype=of_sides([side.sample_format for side in sides]),
                latency=of_sides([side.latency for side in sides]),
                callback=its_ffi.cast("PaStreamCallback *", int(ffi.cast("uintptr_t", callback))),
                userdata=its_ffi.cast("void *", int(ffi.cast("uintptr_t", attachment))),
                wrap_callback=None,
                **{"clip_off": True, "dither_off": True, **host_options},
            )

        try:
            self._stream = _opened(make, playback, capture)
        except (sounddevice.PortAudioError, ValueError) as error:
            raise _refusal(error, sides, rate) from None
        hosts.note_opened(self)
        self._error = sounddevice.PortAudioError
        self.lock: AbstractContextManager[Any] = hosts.stream_lock()
        self.samplerate: float = self._stream.samplerate
        self.blocksize: int = self._stream.blocksize
        latency = self._stream.latency
        self.latencies = tuple(map(_believable, latency if kind == "duplex" else (latency,)))
        self.latency = self.most_held_back = max(self.latencies)
        knows_the_device = sides[0].device.host_api in _HOSTS_THAT_KNOW_THE_DEVICE
        self.capture_latency = self.latencies[0] if capture is not None and knows_the_device else 0.0

    @property
    def active(self) -> bool:
        try:
            return bool(self._stream.active)
        except self._error:
            return False

    @property
    def has_crashed(self) -> bool:
        return False  # this process would have crashed too

    @property
    def cpu_load(self) -> float:
        return float(self._stream.cpu_load)

    @property
    def time(self) -> float:
        try:
            return float(self._stream.time)
        except self._error:  # ALSA's plug-in for PulseAudio has none at times
            return lib.engine_monotonic_ns() / 1e9

    def start(self) -> None:
        try:
            self._stream.start()
        except self._error as error:
            raise HostError(f"cannot start the stream: {_words(error)}", ErrorKind.NOT_STARTED) from None

    def stop(self) -> None:
        self._stream.stop()

    def abort(self) -> None:
        self._stream.abort()

    def close(self) -> None:
        self._stream.close()
        hosts.note_closed(self)

    def as_seen_by_c(self) -> HostStream:
        """Return the stream with the functions by which C can ask about it, as long as it is open."""
        sounddevice = hosts.begin()
        its_ffi, its_lib = sounddevice._ffi, sounddevice._lib  # noqa: SLF001

        def address(pointer: Any) -> int:
            return int(its_ffi.cast("uintptr_t", pointer))

        def function(kind: str, name: str) -> Any:
            return ffi.cast(kind, address(its_ffi.addressof(its_lib, name)))

        seen = ffi.new("struct host_stream *")
        seen.stream = ffi.cast("void *", address(self._stream._ptr))  # noqa: SLF001
        seen.is_active = function("int (*)(void *)", "Pa_IsStreamActive")
        seen.cpu_load = function("double (*)(void *)", "Pa_GetStreamCpuLoad")
        return seen


def _opened(make: Callable[[], Any], playback: Side | None, capture: Side | None) -> Any:
    """Return what `make` opens, led to the source and the sink of these sides if they are a sound server's.

    Raises
    ------
    DeviceError
        Where the server has one of them no more.
    """
    sides = {PLAYBACK: playback, CAPTURE: capture}
    served = {name: side.device for name, side in sides.items() if side is not None and side.device.served is not None}
    if not served:
        return make()
    from pastream_cli.engine.devices import pulse

    for device in served.values():
        if not pulse.has(device):
            raise DeviceError(f"cannot open {device.name}: the sound server has it no more", ErrorKind.ABSENT)
    known = {name: device.served for name, device in served.items() if device.served is not None}
    _choose(known.get(CAPTURE), known.get(PLAYBACK))
    try:
        stream = make()
        if lib.pulse_choice_is_taken():
            return stream
        stream.close()
    except Exception:
        if lib.pulse_choice_is_taken():
            raise
    finally:
        _choose(None, None)
    # the program loaded PortAudio before _pulse.c, so only the whole process can be led
    with set_for_a_while({pulse.VARIABLES[name]: its.name for name, its in known.items()}):
        return make()


def _choose(source: Served | None, sink: Served | None) -> None:
    """Lead what this thread opens to a source and a sink, and give its channels their positions; see _pulse.c."""
    values: list[Any] = []
    for its in (source, sink):
        name, positions = (os.fsencode(its.name), its.positions) if its is not None else (b"", ())
        values += [ffi.new("char[]", name), ffi.new("int32_t[]", list(positions)), len(positions)]
    lib.pulse_choose(*values)


def _believable(latency: float) -> float:
    """Return what the host reports if it can be true, else 0."""
    return latency if math.isfinite(latency) and 0 <= latency <= MOST_BELIEVABLE_LATENCY else 0.0


def _words(error: Exception) -> str:
    """Return PortAudio's reason, with the host's where there is one, on one line."""
    if not isinstance(error, hosts.begin().PortAudioError) or not error.args:
        return str(error)
    text = str(error.args[0])
    # sounddevice begins with what it was doing; our message says that itself
    text = text.partition(": ")[2] or text
    code = error.args[1] if len(error.args) > 1 else None
    host = f" ({error.args[2][2]})" if len(error.args) > 2 and error.args[2][2] else ""
    return " ".join(f"{text}{host}{f' [{code}]' if code else ''}".split())


def _refusal(error: Exception, sides: list[Side], rate: float) -> DeviceError:
    names = " and ".join(dict.fromkeys(side.device.name for side in sides))
    code = error.args[1] if len(error.args) > 1 else None
    if code == _INVALID_SAMPLE_RATE:
        offered = tuple(dict.fromkeys(round(side.device.default_rate) for side in sides))
        return RateError(f"cannot open {names}: it does not run at {rate:.10g} Hz", offered)
    if code == _BAD_DEVICE_COMBINATION:
        hosts_of_sides = " and ".join(side.device.host_api for side in sides)
        way_out = "name both with one host API, as the list of devices has it: NAME, HOST API"
        return HostError(f"cannot open {names}: they are of {hosts_of_sides}", ErrorKind.REFUSED, way_out)
    message = f"cannot open {names}: {_words(error)}"
    if code == _DEVICE_UNAVAILABLE:
        return HostError(message, ErrorKind.BUSY, "another program may be using it")
    return HostError(message, ErrorKind.FORMAT_REFUSED if code == _SAMPLE_FORMAT_NOT_SUPPORTED else ErrorKind.REFUSED)
