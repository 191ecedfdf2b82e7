"""`DeviceInfo`: what is known of a device when it is listed or chosen."""

from __future__ import annotations

from typing import NamedTuple

MOST_BELIEVABLE_LATENCY = 10.0
"""Seconds. A latency above that is nonsense: some servers report days."""


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

    @property
    def is_virtual(self) -> bool:
        return self.number is None
