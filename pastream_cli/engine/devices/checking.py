"""Checks of the numbers that a stream is opened with (rate, block size, channels, latency) and run for."""

from __future__ import annotations

import operator
from typing import Any

from pastream_cli.engine.native import lib

MOST_FRAMES = 2**63 - 1
"""The most that a count of frames can hold."""


def checked_blocksize(blocksize: Any) -> int:
    """Return frames per block, 0 where the host is to choose."""
    frames = whole("blocksize", blocksize or 0)
    if frames < 0:
        raise ValueError(f"blocksize must not be negative, and is {blocksize!r}")
    return frames


def checked_channels(channels: Any) -> int:
    """Return a number of channels that the engine can handle."""
    number = whole("channels", channels)
    if not 1 <= number <= lib.MOST_DEVICE_CHANNELS:
        raise ValueError(f"channels must be 1 to {lib.MOST_DEVICE_CHANNELS}, not {number}")
    return number


def checked_latency(latency: Any) -> float:
    """Return seconds of latency that a host can be asked for."""
    from pastream_cli.units import MOST_LATENCY_SECONDS  # it loads `fractions`, which takes a while

    try:
        seconds = float(latency)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_LATENCY_SECONDS:
        raise ValueError(
            f"latency must be 'low', 'high' or a number of seconds up to {MOST_LATENCY_SECONDS}, not {latency!r}"
        )
    return seconds


def check_rate(rate: float) -> None:
    """Raise unless a file, too, can have that rate."""
    from pastream_cli.units import HIGHEST_RATE  # it loads `fractions`, which takes a while

    if isinstance(rate, (str, bytes)):
        raise TypeError(f"samplerate must be a number, not {rate!r}")
    if not 1 <= rate <= HIGHEST_RATE:
        raise ValueError(f"samplerate must be 1 to {HIGHEST_RATE}, not {rate!r}")


def check_extra_settings(settings: Any) -> None:
    """Raise `TypeError` unless these are settings of a host, of one of sounddevice's classes, or a pair of such."""
    for one in settings if isinstance(settings, (tuple, list)) else [settings]:
        if one is not None and not any(parent.__module__ == "sounddevice" for parent in type(one).__mro__):
            raise TypeError(f"extra_settings must be of one of sounddevice's classes for that, not {one!r}")


def whole(name: str, value: Any) -> int:
    """Return any integer, numpy's too, as an `int`; `TypeError`, with its name, where it is none."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, not {value!r}") from None


def check_whole(**values: Any) -> None:
    """Raise `TypeError` unless these are whole numbers, or `None`."""
    for name, value in values.items():
        if value is not None:
            whole(name, value)


def check_lengths(frames: int, pad: int, offset: int) -> None:
    """Raise `ValueError` unless these can be lengths of a run; a negative one means no limit."""
    for name, length in (("frames", frames), ("pad", pad), ("offset", offset)):
        if whole(name, length) > MOST_FRAMES:
            raise ValueError(f"{name} must be less than 2**63, not {length}")
    if offset < 0:
        raise ValueError(f"offset must not be negative, and is {offset}")
