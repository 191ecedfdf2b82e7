"""How long the rings beside a device are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pastream_cli.engine.devices.latency_and_buffer import power_of_two_above
from pastream_cli.engine.devices.sides import Side

if TYPE_CHECKING:
    from pastream_cli.engine.devices.opened import OpenDevice

# On ALSA, PortAudio's latency is the device's own buffer less one period. A buffer has five periods or more.
_OWN_BUFFER = 1.25


def frames_taken_at_once(device: OpenDevice) -> int:
    """Return how many frames a device takes at once when it starts, to fill a buffer of its own (priming)."""
    if device.is_virtual:
        return 0
    return int(_OWN_BUFFER * device.stream.latency * device.stream.samplerate) + device.stream.blocksize


def least_ring_frames(device: OpenDevice, side: Side) -> int:
    """Return how many frames a ring for one side must have."""
    return power_of_two_above(frames_taken_at_once(device)) if side is device.playback else 1


def ring_frames(device: OpenDevice, side: Side, asked: int | None) -> int:
    """Return how many frames a ring for one side has: those that were asked for, or about 10 s of them."""
    frames = side.buffer_frames(device.stream.samplerate, asked, device.asked_blocksize)
    return max(frames, least_ring_frames(device, side))


def ring_bytes(device: OpenDevice, asked: int | None, further_copies: int = 0) -> int:
    """Return how many bytes the rings for all sides of a device, and for each copy, have together."""
    captures = [device.capture] * further_copies if device.capture is not None else []
    return sum(ring_frames(device, side, asked) * side.frame_bytes for side in (*device.sides, *captures))
