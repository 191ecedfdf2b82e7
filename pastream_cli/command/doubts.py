"""What is said of values that are taken and were probably not meant. Loaded for such values only."""

from __future__ import annotations

import re
from typing import Any

from pastream_cli.command.line import Given

_LONG_LATENCY_SECONDS = 3.0


def warning_of(given: Given, values: dict[str, Any], *, records: bool) -> str | None:
    """Return the warning for a value whose spelling is doubtful; `values` are those of the whole line."""
    text = given.value or ""
    written = f"{given.name} {text}"
    if given.option.field == "duration":
        return f"{written} ends before the first frame; without {given.name} there is no limit"
    if given.option.field == "latency":
        return _of_a_latency(values["latency"].capture or values["latency"].playback, given.name)
    if given.option.field == "maps":
        return _of_a_map_from_zero(text, written)
    bits = re.search("8|16|24|32", text)
    if not records or "encoding" in values or not bits:
        return None
    encoding = "float" if text.lower().startswith("f") else f"pcm_{bits[0].replace('8', 'u8')}"
    return f"{written} is for the device; for the file it is -e {encoding}"


def _of_a_latency(seconds: float | str, name: str) -> str | None:
    """Return the warning for a latency so long that milliseconds were probably meant."""
    if isinstance(seconds, str) or seconds < _LONG_LATENCY_SECONDS:
        return None
    return f"{name} {seconds:g} is {seconds:g} seconds; {seconds:g} milliseconds are {name} {seconds / 1000:g}"


def _of_a_map_from_zero(text: str, written: str) -> str | None:
    """Return the warning for a list of channels that seems to be counted from 0."""
    channels = [int(channel) for channel in text.split(",")]
    if channels != list(range(len(channels))):
        return None
    right = ",".join(str(channel + 1) for channel in channels)
    return f"{written}: channels are counted from 1, and 0 is silence; counted from 1 it is -m {right}"
