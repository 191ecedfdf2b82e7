"""Which devices there are, and what each side of one is opened with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pastream_cli.engine import virtual
from pastream_cli.engine.matching import CAPTURE, PLAYBACK, find, pair_of_names
from pastream_cli.engine.sides import Side
from pastream_cli.errors import UsageError
from pastream_cli.report import DeviceInfo

_RECORD_LATENCY = 0.5
_OTHER_LATENCY = 0.2


def all_devices() -> list[DeviceInfo]:
    """Return PortAudio's devices. Starts every host, and may block with one that hangs."""
    from pastream_cli.engine import portaudio

    return portaudio.devices()


def choose_devices(text: str | None, sides: Sequence[str]) -> dict[str, DeviceInfo]:
    """Return the device for each of `sides`; see `matching.pair_of_names` for how `text` is read."""
    names = pair_of_names((), sides, text, virtual.is_virtual)
    name, *others = set(names.values())
    if not others and name is not None and virtual.is_virtual(name):  # nobody else need be asked
        return dict.fromkeys(sides, virtual.parse(name).info(name))
    devices = all_devices()
    names = pair_of_names(devices, sides, text, virtual.is_virtual)
    if any(virtual.is_virtual(name) for name in names.values()):
        raise UsageError(
            f"cannot use -D {text}: the virtual device does not pair with another one", "one stream has one clock"
        )
    return {side: find(devices, side, name) for side, name in names.items()}


def latency_for(*, only_captures: bool) -> float:
    """Return the default latency in seconds.

    A recording has nobody who hears the delay, and long blocks cost few wake-ups.
    """
    return _RECORD_LATENCY if only_captures else _OTHER_LATENCY


def sides_for(kind: str, device: Any, channels: Any, dtype: Any, latency: Any) -> dict[str, Side]:
    """Return what each side that `kind` names is opened with, capture first."""
    names = {"input": (CAPTURE,), "output": (PLAYBACK,), "duplex": (CAPTURE, PLAYBACK)}[kind]

    def of(value: Any, index: int) -> Any:
        return value[index] if isinstance(value, (tuple, list)) else value

    default_latency = latency_for(only_captures=kind == "input")
    sides = {}
    for index, name in enumerate(names):
        info = of(device, index)
        if not isinstance(info, DeviceInfo):
            info = choose_devices(None if info is None else str(info), [name])[name]
        offered = info.capture_channels if name == CAPTURE else info.playback_channels
        asked_latency = of(latency, index)
        sides[name] = Side(
            device=info,
            channels=of(channels, index) or min(2, offered),
            sample_format=of(dtype, index) or "float32",
            latency=default_latency if asked_latency is None else asked_latency,
        )
    return sides
