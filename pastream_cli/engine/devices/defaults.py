"""The defaults of a device and its buffers: latency, buffer size, sample format, channels."""

from __future__ import annotations

SAMPLE_FORMAT = "float32"
"""Of the library's streams; the command takes what suits its files."""

MOST_CHANNELS = 2
"""As many as the device has, and no more."""

_BUFFER_SECONDS = 10
_MOST_BUFFER_BYTES = 64 * 2**20
_RECORD_LATENCY_SECONDS = 0.5
_OTHER_LATENCY_SECONDS = 0.2


def latency_seconds(*, only_captures: bool) -> float:
    """Return the latency that a device is asked for.

    A recording has nobody who hears the delay, and long blocks cost few wake-ups.
    """
    return _RECORD_LATENCY_SECONDS if only_captures else _OTHER_LATENCY_SECONDS


def buffer_frames(rate: float, frame_bytes: int, asked: int | None, block_frames: int) -> int:
    """Return the size of a ring in frames, a power of two.

    As many as were asked for, else about 10 s, halved until they fit in 64 MiB; but no less
    than two blocks, of which the device fills one while the other is emptied.
    """
    frames = power_of_two_above(asked or int(rate * _BUFFER_SECONDS))
    while asked is None and frames * frame_bytes > _MOST_BUFFER_BYTES:
        frames //= 2
    return max(frames, power_of_two_above(2 * block_frames))


def power_of_two_above(number: int) -> int:
    """Return the least power of two that is not less than `number`."""
    return 1 << max(0, number - 1).bit_length()
