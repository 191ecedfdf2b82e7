"""The defaults of a device and its buffers: latency, buffer size, sample format, channels."""

from __future__ import annotations

SAMPLE_FORMAT = "float32"
"""What the library's streams use. The command takes what suits its files."""

MOST_CHANNELS = 2
"""A stream has as many as the device has, up to this number."""

_BUFFER_SECONDS = 10
_MOST_BUFFER_BYTES = 64 * 2**20
_RECORD_LATENCY_SECONDS = 0.5
_OTHER_LATENCY_SECONDS = 0.2


def latency_seconds(*, only_captures: bool) -> float:
    """Return the latency that a device is asked for.

    In a recording nobody hears the delay, and longer blocks wake the processor less often.
    """
    return _RECORD_LATENCY_SECONDS if only_captures else _OTHER_LATENCY_SECONDS


def buffer_frames(rate: float, frame_bytes: int, asked: int | None, block_frames: int) -> int:
    """Return the size of a ring in frames, a power of two.

    The ring has as many as were asked for, else about 10 s, halved until they fit in 64 MiB. It never has less than two
    blocks: one is filled while the other is emptied.
    """
    frames = power_of_two_above(asked or int(rate * _BUFFER_SECONDS))
    while asked is None and frames * frame_bytes > _MOST_BUFFER_BYTES:
        frames //= 2
    return max(frames, power_of_two_above(2 * block_frames))


def power_of_two_above(number: int) -> int:
    """Return the least power of two that is not less than `number`."""
    return 1 << max(0, number - 1).bit_length()
