"""The defaults of a device and its buffers: latency, buffer size, sample format, channels."""

from __future__ import annotations

BUFFER_SECONDS = 10
"""Of sound in the ring of each side, as long as that fits into `MOST_BUFFER_BYTES`."""

MOST_BUFFER_BYTES = 64 * 2**20

SAMPLE_FORMAT = "float32"
"""Of the library's streams; the command takes what suits its files."""

MOST_CHANNELS = 2
"""As many as the device has, and no more."""

_RECORD_LATENCY_SECONDS = 0.5
_OTHER_LATENCY_SECONDS = 0.2


def latency_seconds(*, only_captures: bool) -> float:
    """Return the latency that a device is asked for.

    A recording has nobody who hears the delay, and long blocks cost few wake-ups.
    """
    return _RECORD_LATENCY_SECONDS if only_captures else _OTHER_LATENCY_SECONDS
