"""Checks of the numbers that a stream is opened with: rate, block size, channels, latency."""

from __future__ import annotations

import operator
from typing import Any

from pastream_cli.engine.native import lib


def checked_blocksize(blocksize: Any) -> int:
    """Return frames per block, 0 where the host is to choose."""
    frames = operator.index(blocksize or 0)
    if frames < 0:
        raise ValueError(f"blocksize must not be negative, and is {blocksize!r}")
    return frames


def checked_channels(channels: Any) -> int:
    """Return a number of channels that the engine can handle."""
    number = operator.index(channels)
    if not 1 <= number <= lib.MOST_DEVICE_CHANNELS:
        raise ValueError(f"channels must be 1 to {lib.MOST_DEVICE_CHANNELS}, not {number}")
    return number


def checked_latency(latency: Any) -> float:
    """Return seconds of latency that a host can be asked for."""
    from pastream_cli.units import MOST_LATENCY_SECONDS  # it loads `fractions`, which takes a while

    seconds = float(latency)
    if not 0 <= seconds <= MOST_LATENCY_SECONDS:
        raise ValueError(
            f"latency must be 'low', 'high' or a number of seconds up to {MOST_LATENCY_SECONDS}, not {seconds!r}"
        )
    return seconds


def check_rate(rate: float) -> None:
    """Raise unless a file, too, can have that rate."""
    from pastream_cli.units import HIGHEST_RATE  # it loads `fractions`, which takes a while

    if not 1 <= rate <= HIGHEST_RATE:
        raise ValueError(f"samplerate must be 1 to {HIGHEST_RATE}, not {rate!r}")
