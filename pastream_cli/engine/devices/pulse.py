"""Asks a PulseAudio or PipeWire server for its sources and sinks, and at which rate each really runs."""

from __future__ import annotations

import os
import time
from typing import Any

from pastream_cli.engine.devices.info import DeviceInfo, Served
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.pulse_client import PulseClient, connected
from pastream_cli.engine.devices.pulse_structs import NO_INDEX, DeviceStruct

HOST_API = "PulseAudio"
"""What the sources and sinks of PipeWire are listed under, too: they are reached by its PulseAudio."""

VARIABLES = {CAPTURE: "PULSE_SOURCE", PLAYBACK: "PULSE_SINK"}
"""From these libpulse takes the source and the sink of a client that names none."""

_SECONDS = 1.0
KINDS = {CAPTURE: "source", PLAYBACK: "sink"}
"""What libpulse calls that from which a side comes, or to which it goes."""


def server_rate(side: str) -> int | None:
    """Return the rate of the source that clients of the server record from, or of the sink that they play to.

    It is the source or sink that ``PULSE_SOURCE`` or ``PULSE_SINK`` names, else the server's default. `None` where no
    server answers within a second.
    """
    deadline = time.monotonic() + _SECONDS
    with connected(deadline) as client:
        return _rate(client, side, deadline) if client is not None else None


def rate_and_devices(pulse: DeviceInfo, first_number: int) -> tuple[int | None, list[DeviceInfo]]:
    """Return the rate of a server's default source, and its sources, sinks and monitors as devices, in this order.

    Parameters
    ----------
    pulse : DeviceInfo
        The device of PortAudio's by which they are reached.
    first_number : int
        The number of the first of them.
    """
    deadline = time.monotonic() + _SECONDS
    with connected(deadline) as client:
        if client is None:
            return None, []
        rate = _rate(client, CAPTURE if pulse.capture_channels else PLAYBACK, deadline)
        return rate, _devices(client, pulse, first_number, deadline)


def has(device: DeviceInfo) -> bool:
    """Tell whether the server still has a source or sink; true if the server does not answer within a second."""
    assert device.served is not None
    side = CAPTURE if device.capture_channels else PLAYBACK
    deadline = time.monotonic() + _SECONDS
    with connected(deadline) as client:
        return client is None or bool(_ask(client, side, device.served.name, deadline))


def _rate(client: PulseClient, side: str, deadline: float) -> int | None:
    name = os.environ.get(VARIABLES[side]) or f"@DEFAULT_{KINDS[side].upper()}@"
    rates = _ask(client, side, name, deadline)
    return rates[0] if rates else None


def _ask(client: PulseClient, side: str, name: str, deadline: float) -> list[int]:
    """Return the rate of the source or sink of that name."""
    function = f"pa_context_get_{KINDS[side]}_info_by_name"
    return client.ask(function, DeviceStruct, lambda info: int(info.sample_spec.rate), deadline, os.fsencode(name))


def _devices(client: PulseClient, pulse: DeviceInfo, first_number: int, deadline: float) -> list[DeviceInfo]:
    def listed(side: str) -> list[DeviceInfo]:
        function = f"pa_context_get_{KINDS[side]}_info_list"
        return client.ask(function, DeviceStruct, lambda info: _info(info, side, pulse), deadline)

    of_sides = {side: listed(side) for side in KINDS}
    sinks = {device.served.name: device for device in of_sides[PLAYBACK] if device.served}
    sources = [_of_its_sink(device, sinks) for device in of_sides[CAPTURE]]
    monitors = [device for device in sources if device.served and device.served.monitored]
    others = [device for device in sources if device not in monitors]
    return [
        device._replace(number=number)
        for number, device in enumerate([*others, *of_sides[PLAYBACK], *monitors], first_number)
    ]


def names_of(info: Any) -> tuple[str, str]:
    """Return what the server calls a source or sink, and its description, which is the same where it has none."""
    name = os.fsdecode(info.name)
    return name, (info.description or b"").decode(errors="replace") or name


def full_name(name: str, description: str) -> str:
    """Return a name that tells sources and sinks of the same description apart."""
    return name if description == name else f"{description} ({name})"


def _info(info: Any, side: str, pulse: DeviceInfo) -> DeviceInfo:
    """Return a source or sink as a device that is opened as `pulse` is."""
    assert pulse.number is not None
    name, description = names_of(info)
    monitored = os.fsdecode(info.monitor_name or b"") if side == CAPTURE and info.monitor != NO_INDEX else ""
    channels = int(info.sample_spec.channels)
    return pulse._replace(
        name=full_name(name, description),
        host_api=HOST_API,
        capture_channels=channels if side == CAPTURE else 0,
        playback_channels=channels if side == PLAYBACK else 0,
        default_rate=float(info.sample_spec.rate),
        is_default_capture=False,
        is_default_playback=False,
        served=Served(name, description, pulse.number, tuple(info.channel_map.map[:channels]), monitored),
    )


def _of_its_sink(source: DeviceInfo, sinks: dict[str, DeviceInfo]) -> DeviceInfo:
    """Return a monitor with all that its sink is called, by which the sink is meant and not the monitor."""
    served = source.served
    if served is None or served.monitored not in sinks:
        return source
    return source._replace(served=served._replace(monitored=sinks[served.monitored].name))
