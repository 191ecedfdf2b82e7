"""The virtual device: its name, its sounds and faults, and the thread of its clock."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.time_limits import NO_LOCK
from pastream_cli.engine.facts import OwnClock
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.threads import DeafThread
from pastream_cli.errors import BadValueError, DeviceError, DeviceNameError, ErrorKind

if TYPE_CHECKING:  # units loads `fractions`, which takes longer than a list of devices
    from pastream_cli.engine.native import AttachmentHandle, VirtualDeviceHandle
    from pastream_cli.units import Time

T = TypeVar("T")

NAME = "virtual"
_SOUNDS = {"silence": lib.VIRTUAL_SILENCE, "sine": lib.VIRTUAL_SINE, "noise": lib.VIRTUAL_NOISE}
_FAULTS = {"xrun": lib.FAULT_XRUN, "stall": lib.FAULT_STALL, "die": lib.FAULT_DIE, "hang": lib.FAULT_HANG}
_DEFAULT_SINE_HZ = 1000.0
_FORMS = "virtual[:silence|:sine[=HZ]|:noise][:fast][:channels=N][:rate=HZ]"
_MOST_DRIFT = 500_000
_DEADLY = frozenset({lib.FAULT_DIE, lib.FAULT_HANG})

_LEAST_BLOCK, _MOST_BLOCK = 64, 4096


class Fault(NamedTuple):
    """Something that the device is told to do wrong, for tests."""

    kind: int
    at: Time
    length: Time
    every: Time


class VirtualDevice(NamedTuple):
    """A virtual device as its name describes it."""

    sound: int = lib.VIRTUAL_LOOPBACK
    sine_hz: float = _DEFAULT_SINE_HZ
    fast: bool = False
    channels: int = 2
    rate: int = 48000
    faults: tuple[Fault, ...] = ()
    drift: float = 0.0
    """Of its clock against the system's, in parts per million."""
    backs: tuple[Time, ...] = ()
    """On its clock: when it can be opened again after it has died."""
    absent: Time | None = None
    """How long it is not there at first."""
    busy: Time | None = None
    """How long it is there at first and cannot be opened."""

    def info(self, name: str) -> DeviceInfo:
        """Return the description under which the device is listed."""
        return DeviceInfo(
            number=None,
            name=name,
            host_api=NAME,
            capture_channels=lib.MOST_DEVICE_CHANNELS,
            playback_channels=lib.MOST_DEVICE_CHANNELS,
            default_rate=float(self.rate),
        )

    def check_there(self, name: str) -> None:
        """Raise where the device is not there yet."""
        if self._is_before(self.absent):
            raise DeviceError(f"cannot find a device: {name} is not there yet", ErrorKind.ABSENT)

    def check_free(self, name: str) -> None:
        """Raise where the device cannot be opened yet."""
        if self._is_before(self.busy):
            raise DeviceError(f"cannot open {name}: it is in use", ErrorKind.BUSY)

    def _is_before(self, time: Time | None) -> bool:
        if time is None:
            return False
        return lib.engine_monotonic_ns() - _first_look_ns() < 1e9 * time.to_frames(self.rate) / self.rate

    def is_there_at(self, frame: int, rate: float) -> bool:
        """Tell whether the device can be opened at a frame of its clock: it has not died, or is back again."""
        deaths = [at for fault in self.faults if fault.kind in _DEADLY and (at := fault.at.to_frames(rate)) <= frame]
        return not deaths or any(max(deaths) <= back.to_frames(rate) <= frame for back in self.backs)


@cache
def _first_look_ns() -> int:
    """Return when this process first looked for a device that is not there, or in use, at first."""
    return lib.engine_monotonic_ns()


def is_virtual(device: object) -> bool:
    """Tell whether this is the name of a virtual device."""
    return isinstance(device, str) and (device == NAME or device.startswith(f"{NAME}:"))


def parse(name: str) -> VirtualDevice:
    """Parse a name such as ``virtual:sine=440:fast``; `DeviceNameError` where it is none."""
    settings: dict[str, Any] = {}
    faults: list[Fault] = []
    backs: list[Time] = []
    for part in name.split(":")[1:]:
        key, has_value, value = part.partition("=")
        if key in _SOUNDS and "sound" not in settings and (not has_value or key == "sine"):
            settings["sound"] = _SOUNDS[key]
            if has_value:
                settings["sine_hz"] = _parse_hertz(name, value)
        elif part == "fast":
            settings["fast"] = True
        elif key in _SETTINGS and has_value:
            settings[key] = _SETTINGS[key](name, value)
        elif key == "back" and has_value:
            backs.append(_parse_time(name, value))
        elif key in _FAULTS and has_value:
            faults.append(_parse_fault(name, key, value))
        else:
            raise DeviceNameError(name, f"{part!r} is not known", _nearest(name, part) or f"the forms are {_FORMS}")
    if len(faults) > lib.MOST_FAULTS:
        raise DeviceNameError(name, f"there are more than {lib.MOST_FAULTS} faults", "xrun=AT/EVERY is one of many")
    takes_time = {"drift", "absent", "busy"} & settings.keys() or any(fault.kind != lib.FAULT_XRUN for fault in faults)
    if settings.get("fast") and (takes_time or backs):
        raise DeviceNameError(name, "faults other than xrun, and drift, happen in real time, without :fast")
    return VirtualDevice(**settings, faults=tuple(faults), backs=tuple(backs))


def _nearest(name: str, part: str) -> str | None:
    """Return the name of a virtual device that was probably meant, where one part of `name` is not known."""
    from pastream_cli.spelling import closest

    key, has_value, value = part.partition("=")
    if re.fullmatch("[0-9.]+", part):
        meant: str | None = f"sine={part}"
        name = name.replace(f":sine:{part}", f":{part}")
    elif key.casefold() in {"loop", "loopback"}:
        return f"did you mean {NAME}? it captures what it plays"
    else:
        near = closest(key, (*_SOUNDS, "fast", "back", *_SETTINGS, *_FAULTS))
        meant = f"{near}{has_value}{value}" if near else None
    return f"did you mean {name.replace(f':{part}', f':{meant}', 1)}?" if meant else None


def _parse_hertz(name: str, value: str) -> float:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) or not 0 < float(value) < 1e6:
        raise DeviceNameError(name, f"{value!r} is not a frequency", "sine=HZ, as in sine=440")
    return float(value)


def _parse_channels(name: str, value: str) -> int:
    if not re.fullmatch("[0-9]{1,4}", value) or not 1 <= int(value) <= lib.MOST_DEVICE_CHANNELS:
        raise DeviceNameError(name, f"{value!r} is not 1 to {lib.MOST_DEVICE_CHANNELS} channels")
    return int(value)


def _parse_drift(name: str, value: str) -> float:
    if not re.fullmatch(r"[+-]?[0-9]{1,6}(\.[0-9]+)?", value) or abs(float(value)) > _MOST_DRIFT:
        raise DeviceNameError(
            name,
            f"{value!r} is not parts per million from -{_MOST_DRIFT} to {_MOST_DRIFT}",
            "drift=PPM, as in drift=-300",
        )
    return float(value)


def _parse_fault(name: str, key: str, value: str) -> Fault:
    rest, is_repeated, every = value.partition("/")
    at, has_length, length = rest.partition("+")
    if bool(has_length) != (key == "stall") or (is_repeated and key != "xrun"):
        raise DeviceNameError(
            name,
            f"{key} takes {'a time and a length' if key == 'stall' else 'one time'}",
            "the forms are xrun=AT, xrun=AT/EVERY, stall=AT+LENGTH, die=AT and hang=AT",
        )
    from pastream_cli.units import Time

    def time_of(text: str, has_text: str) -> Time:
        return _parse_time(name, text) if has_text else Time(frames=0)

    return Fault(_FAULTS[key], time_of(at, "at"), time_of(length, has_length), time_of(every, is_repeated))


def _parse_rate(name: str, value: str) -> int:
    from pastream_cli.units import parse_rate

    return _parsed(parse_rate, value, name)


def _parse_time(name: str, value: str) -> Time:
    from pastream_cli.units import parse_time

    return _parsed(parse_time, value, name)


def _parsed(parse_value: Callable[[str, str], T], value: str, name: str) -> T:
    """Parse the value of one part of a name; an error names the whole."""
    try:
        return parse_value(value, "")
    except BadValueError as error:
        raise DeviceNameError(name, error.reason, error.way_out) from None


_SETTINGS: dict[str, Callable[[str, str], Any]] = {
    "channels": _parse_channels,
    "rate": _parse_rate,
    "drift": _parse_drift,
    "absent": _parse_time,
    "busy": _parse_time,
}
"""How the value of each setting is parsed; the settings are fields of `VirtualDevice`."""


class VirtualStream:
    """A stream of the virtual device; the same protocol as `portaudio.PortAudioStream`."""

    lock = NO_LOCK

    def __init__(
        self,
        attachment: AttachmentHandle,
        device: VirtualDevice,
        *,
        rate: float,
        block_frames: int,
        latency: float,
        since_ns: int = 0,
    ) -> None:
        self.samplerate = rate
        self.latency = latency
        self.is_fast = device.fast
        self.follows_the_system = not device.drift
        self.most_held_back = self.capture_latency = 0.0
        self.blocksize = block_frames or _block_for(latency * rate)
        self._since_ns = since_ns  # of the clock that it goes on with; 0: it starts one
        self._block_is_ours = not block_frames
        self._patience_ns = (-1, -1)
        self._attachment = attachment
        self._description = device
        self._device: VirtualDeviceHandle | None = None
        self._thread: threading.Thread | None = None

    @property
    def active(self) -> bool:
        """Whether the clock runs; false once the run is complete, stopped or dead."""
        return self._device is not None and bool(lib.virtual_is_active(self._device))

    @property
    def since_ns(self) -> int:
        """When its clock was started, by the monotonic clock; 0: not yet."""
        started_ns = lib.virtual_started_ns(self._device) if self._device is not None else 0
        return started_ns or self._since_ns

    @property
    def own_clock(self) -> OwnClock | None:
        is_exact = self.follows_the_system and self.since_ns
        return OwnClock(self.since_ns, self.blocksize) if is_exact else None

    @property
    def has_crashed(self) -> bool:
        return False

    @property
    def cpu_load(self) -> float:
        return 0.0

    @property
    def latencies(self) -> tuple[float, ...]:
        return (self.latency, self.latency)

    @property
    def time(self) -> float:
        return lib.engine_monotonic_ns() / 1e9

    def fit_into(self, ring_frames: int) -> None:
        """Make the block no longer than half the smallest ring, unless its size was asked for."""
        if self._block_is_ours and ring_frames:
            self.blocksize = max(1, min(self.blocksize, ring_frames // 2))

    def wait_at_most(self, source_seconds: float | None, sink_seconds: float | None) -> None:
        """Set how long a fast device waits for a source or sink that stands still; `None`: as long as it takes."""
        source_ns, sink_ns = (-1 if s is None else int(s * 1e9) for s in (source_seconds, sink_seconds))
        self._patience_ns = (source_ns, sink_ns)

    def start(self) -> None:
        """Start the clock, on a thread that stays in C until the clock ends."""
        rate, device = self.samplerate, self._description
        tolerance = max(4 * self.blocksize, int(self.latency * rate))
        self._device = ffi.gc(
            check_memory(
                lib.virtual_new(
                    self._attachment, rate, device.sound, device.sine_hz, self.blocksize, device.fast, tolerance
                ),
                "cannot start the virtual device",
            ),
            lib.virtual_free,
        )
        lib.virtual_wait_at_most(self._device, *self._patience_ns)
        lib.virtual_set_drift(self._device, device.drift)
        lib.virtual_go_on(self._device, self._since_ns)
        for fault in device.faults:
            frames = (time.to_frames(rate) for time in (fault.at, fault.length, fault.every))
            lib.virtual_add_fault(self._device, fault.kind, *frames)
        thread = DeafThread(target=lib.virtual_run, args=(self._device,), name="virtual device")
        try:
            thread.start()
        except RuntimeError as error:
            self._device = None
            raise DeviceError(f"cannot start the virtual device: {error}", ErrorKind.NOT_STARTED) from None
        self._thread = thread

    def stop(self) -> None:
        """End the clock after the block in flight; blocks until it has ended."""
        if self._device is not None:
            lib.virtual_stop(self._device)
        self._join()

    def abort(self) -> None:
        """End the clock, even one that hangs."""
        if self._device is not None:
            lib.virtual_abort(self._device)
        self._join()

    def close(self) -> None:
        self.abort()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()


def _block_for(latency_frames: float) -> int:
    """Return a power of two: about four such blocks make up the latency."""
    block = _LEAST_BLOCK
    while block < _MOST_BLOCK and block * 8 <= latency_frames:
        block *= 2
    return block
