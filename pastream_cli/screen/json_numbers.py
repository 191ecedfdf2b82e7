"""Numbers and times as a report of JSON has them: what does not exist is null."""

from __future__ import annotations

import math
from datetime import datetime, timezone


def finite(number: float | None) -> float | None:
    """Return the number, unless it is infinite or none."""
    return number if number is not None and math.isfinite(number) else None


def seconds(frames: int, rate: float) -> float | None:
    """Return how long so many frames are; `None` where nothing was opened, and so nothing has a rate."""
    return frames / rate if rate else None


def decibels(peak: float) -> float | None:
    """Return a peak in dBFS; `None` for silence."""
    return round(20 * math.log10(peak), 3) if 0 < peak < math.inf else None


def writer_speed(frames: int, rate: float, writer_seconds: float) -> float | None:
    """Return how many times faster than the sound a writer was; `None` where it has written nothing."""
    return round(frames / rate / writer_seconds, 2) if frames and rate and writer_seconds >= 1e-9 else None


def clock_time(monotonic_ns: int, epoch_ns: int) -> str:
    """Return the time of day of a monotonic time; `epoch_ns` is when that clock began."""
    return utc(datetime.fromtimestamp((epoch_ns + monotonic_ns) / 1e9, tz=timezone.utc))


def utc(time: datetime) -> str:
    """Return a time of day as text, in UTC, to a microsecond."""
    return time.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
