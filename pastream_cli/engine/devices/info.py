"""`DeviceInfo`: what is known of a device when it is listed or chosen."""

from __future__ import annotations

from typing import NamedTuple

MOST_BELIEVABLE_LATENCY = 10.0
"""Seconds. A latency above that is nonsense: some servers report days."""


class Served(NamedTuple):
    """How a sound server knows one of its sources or sinks, and by which device of PortAudio's it is reached."""

    name: str
    description: str
    number: int
    """PortAudio's number of the device that is opened."""
    positions: tuple[int, ...] = ()
    """What libpulse calls the place of each channel, as a number."""
    monitored: str = ""
    """The sink whose monitor it is, by all of its name; empty where it is none."""


class DeviceInfo(NamedTuple):
    """A device as it can be listed and chosen. A side that it does not have has 0 channels."""

    number: int | None
    name: str
    host_api: str
    capture_channels: int
    playback_channels: int
    default_rate: float
    capture_latencies: tuple[float, float] = (0.0, 0.0)
    """Low and high, in seconds."""
    playback_latencies: tuple[float, float] = (0.0, 0.0)
    is_default_capture: bool = False
    is_default_playback: bool = False
    prefers_float: bool = False
    """Whether the host carries samples as float32, so that nothing else passes unchanged."""
    twins_before: int = 0
    """How many devices that are listed before it have its name and its host API."""
    served: Served | None = None
    """Where it is a source or sink of a sound server, as that has it."""

    @property
    def is_virtual(self) -> bool:
        return self.number is None

    @property
    def opened_number(self) -> int | None:
        """PortAudio's number of the device that is opened for it."""
        return self.served.number if self.served is not None else self.number
