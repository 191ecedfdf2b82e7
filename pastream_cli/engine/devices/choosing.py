"""Lists and chooses devices, at the rate at which each really runs, and settles what each side is opened with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pastream_cli.engine.devices import latency_and_buffer, virtual
from pastream_cli.engine.devices.checking import checked_channels, checked_latency
from pastream_cli.engine.devices.environment import way_to_servers
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK, find, is_whole, pair_of_names
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.devices.time_limits import answer
from pastream_cli.engine.native import SAMPLE_FORMATS
from pastream_cli.errors import DeviceError, DeviceNameError, ErrorKind

_MOST_SECONDS_TO_FIND = 10.0
_ALSA = "ALSA"
_PULSE = "pulse"
"""The device by which a source or sink is opened: no other one is sure to let libpulse choose."""
_SERVED_BY_ALSA = frozenset({_PULSE, "default", "pipewire"})
_USUAL_RATE = 48000
_SIDES_OF = {"input": (CAPTURE,), "output": (PLAYBACK,), "duplex": (CAPTURE, PLAYBACK)}


def all_devices() -> list[DeviceInfo]:
    """Return PortAudio's devices, and a sound server's. Starts every host, and may block with one that hangs."""
    from pastream_cli.engine.devices import portaudio

    devices = portaudio.devices()
    return [*devices, *_rate_and_served(devices)[1]]


def listed_devices() -> list[DeviceInfo]:
    """Return all devices, those that lead to a sound server with its rate. May block as `all_devices` may."""
    from pastream_cli.engine.devices import portaudio

    devices = portaudio.devices()
    rate, served = _rate_and_served(devices)
    mended = [
        device._replace(default_rate=rate) if rate and leads_to_a_server(device) else device for device in devices
    ]
    return [*mended, *served]


def _rate_and_served(devices: Sequence[DeviceInfo]) -> tuple[int | None, list[DeviceInfo]]:
    """Return the rate of a sound server, and its sources and sinks; none where ALSA has no way to them."""
    pulse = next((device for device in devices if leads_to_a_server(device) and device.name == _PULSE), None)
    if pulse is not None:
        from pastream_cli.engine.devices import pulse as server

        return server.rate_and_devices(pulse, len(devices))
    served = next((device for device in devices if leads_to_a_server(device)), None)
    return (_server_rate(served, CAPTURE if served.capture_channels else PLAYBACK) if served else None), []


def leads_to_a_server(device: DeviceInfo) -> bool:
    """Tell, by its name, whether ALSA hands the device to whatever a sound server chooses."""
    return device.host_api == _ALSA and device.name in _SERVED_BY_ALSA


def _server_rate(device: DeviceInfo, side: str) -> int | None:
    if not leads_to_a_server(device):
        return None
    from pastream_cli.engine.devices import pulse

    return pulse.server_rate(side)


def with_real_rate(device: DeviceInfo, side: str) -> DeviceInfo:
    """Return the device with the rate at which it really runs as its default.

    On ALSA, PortAudio offers 44100 Hz for every device that takes it. A server or a plug-in then resamples.
    """
    if device.host_api != _ALSA:
        return device
    rate = _server_rate(device, side)
    if rate is None:
        from pastream_cli.engine.devices import portaudio

        rate = _USUAL_RATE if portaudio.takes_rate(device, side, _USUAL_RATE) else None
    return device if rate is None else device._replace(default_rate=rate)


def choose_devices(text: str | None, sides: Sequence[str], *, rate_matters: bool = False) -> dict[str, DeviceInfo]:
    """Return the device for each of `sides`; see `matching.pair_of_names` for how `text` is read.

    The rate matters where none was asked for. Each device then has the one at which it really runs.
    """
    parts = (text or "").split(",")
    if len(parts) > 2 and all(virtual.is_virtual(part.strip()) for part in parts):
        raise DeviceNameError(str(text), "more than two devices", "name one, or two with a comma between")
    names = pair_of_names((), sides, text, virtual.is_virtual)
    name, *others = set(names.values())
    if not others and name is not None and virtual.is_virtual(name):  # no host need be asked
        device = virtual.parse(name)
        device.check_there(name)
        return dict.fromkeys(sides, device.info(name))
    devices, names = _devices_and_names(text, sides)
    if any(virtual.is_virtual(name) for name in names.values()):
        raise DeviceNameError(
            str(text), "the virtual device does not pair with another one", "one stream has one clock"
        )
    try:
        chosen = {side: find(devices, side, name) for side, name in names.items()}
    except DeviceError as error:
        if error.kind is not ErrorKind.MISTYPED and (way_out := way_to_servers()):
            error.kind, error.way_out = ErrorKind.NO_SERVER, way_out
        raise
    return {side: with_real_rate(device, side) for side, device in chosen.items()} if rate_matters else chosen


def find_again(before: dict[str, DeviceInfo]) -> dict[str, DeviceInfo]:
    """Return the same device for each side, as it is listed now: by its name, its host and its place among equals.

    Raises
    ------
    DeviceError
        Where one of them is not there.
    """
    from pastream_cli.engine.devices import portaudio

    devices = portaudio.devices()
    if any(device.served is not None for device in before.values()):
        devices += _rate_and_served(devices)[1]
    now = {(device.name, device.host_api, device.twins_before): device for device in devices}
    for device in before.values():
        if (device.name, device.host_api, device.twins_before) not in now:
            raise DeviceError(f"cannot open {device.name}: it is not there", ErrorKind.ABSENT)
    return {side: now[device.name, device.host_api, device.twins_before] for side, device in before.items()}


def _devices_and_names(text: str | None, sides: Sequence[str]) -> tuple[list[DeviceInfo], dict[str, str | None]]:
    """Return the devices to choose from, and what each side's is called in `text`.

    A sound server is asked for its own only if a name is not one of PortAudio's in full.
    """
    from pastream_cli.engine.devices import portaudio

    devices = portaudio.devices()
    names = pair_of_names(devices, sides, text, virtual.is_virtual)
    if not all(name is None or is_whole(devices, side, name) for side, name in names.items()):
        devices += _rate_and_served(devices)[1]
        names = pair_of_names(devices, sides, text, virtual.is_virtual)
    return devices, names


def sides_for(
    kind: str, device: Any, channels: Any, dtype: Any, latency: Any, *, rate_matters: bool = False
) -> dict[str, Side]:
    """Return what each side that `kind` names is opened with, capture first; see `choose_devices` for the rate.

    Raises
    ------
    ValueError
        Where no stream can be opened with such a value, or a virtual device is paired with another device.
    DeviceError
        Where a device is not there, or its host does not answer.
    """
    if kind not in _SIDES_OF:
        raise ValueError(f"kind must be 'input', 'output' or 'duplex', not {kind!r}")
    names = _SIDES_OF[kind]
    values = {"device": device, "channels": channels, "dtype": dtype, "latency": latency}
    of_sides = zip(*(_for_each(names, word, value) for word, value in values.items()), strict=True)
    default_latency = latency_and_buffer.latency_seconds(only_captures=kind == "input")
    sides = {
        name: _side(name, default_latency, rate_matters, *of_side)
        for name, of_side in zip(names, of_sides, strict=True)
    }
    devices = [side.device for side in sides.values()]
    if devices[0].name != devices[-1].name and any(device.is_virtual for device in devices):
        raise ValueError(f"cannot pair {devices[0].name} with {devices[-1].name}: a virtual device is one of a kind")
    return sides


def _for_each(names: Sequence[str], word: str, value: Any) -> Sequence[Any]:
    """Return the value of each side: `value` is a pair, or one value for all."""
    if isinstance(value, DeviceInfo) or not isinstance(value, (tuple, list)):
        return [value] * len(names)
    if len(value) != len(names):
        raise ValueError(f"{word} must be one value{', or a pair' if len(names) == 2 else ''}, not {value!r}")
    return value


def _side(
    name: str, default_latency: float, rate_matters: bool, device: Any, channels: Any, dtype: Any, latency: Any
) -> Side:
    if channels is not None:
        channels = checked_channels(channels)
    sample_format = _sample_format(dtype)
    if latency is None:
        latency = default_latency
    elif latency not in {"low", "high"}:
        latency = checked_latency(latency)
    info = device if isinstance(device, DeviceInfo) else _find(name, device, rate_matters=rate_matters)
    offered = info.capture_channels if name == CAPTURE else info.playback_channels
    return Side(info, channels or min(latency_and_buffer.MOST_CHANNELS, offered), sample_format, latency)


def _find(side: str, device: Any, *, rate_matters: bool) -> DeviceInfo:
    """Return the device that a number or name stands for, within a time limit: a host may hang."""
    text = None if device is None else str(device)

    def choose() -> DeviceInfo:
        return choose_devices(text, [side], rate_matters=rate_matters)[side]

    if virtual.is_virtual(text):
        return choose()
    return answer(_MOST_SECONDS_TO_FIND, choose, "cannot look for a device: a host does not answer")


def _sample_format(dtype: Any) -> str:
    """Return the name of a sample type; it may be given as a type of numpy's."""
    if dtype is None:
        return latency_and_buffer.SAMPLE_FORMAT
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", getattr(dtype, "__name__", None))
    if name not in SAMPLE_FORMATS:
        raise ValueError(f"dtype must be one of {', '.join(SAMPLE_FORMATS)}, not {dtype!r}")
    return str(name)
