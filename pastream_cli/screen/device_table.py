"""The table of devices that `-l` prints; its first two columns can be pasted after -D."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence

from pastream_cli.engine.devices.environment import way_to_servers
from pastream_cli.engine.devices.info import MOST_BELIEVABLE_LATENCY, DeviceInfo
from pastream_cli.engine.devices.matching import label
from pastream_cli.errors import error_lines, printable

_HEADINGS = ("", "NAME, HOST API", "IN", "OUT", "RATE", "LATENCY IN", "LATENCY OUT", "DEFAULT")
_NAME_COLUMN = 1
_MOST_CELLS_OF_A_NAME = 56
_TO_THE_LEFT = (_NAME_COLUMN, 7)


def device_table(devices: Sequence[DeviceInfo]) -> str:
    """Return a line per device: number, name, channels, rate, latencies in ms, and whether it is a default.

    A name that is much longer than most has a line for itself, before the rest.
    """
    rows = [_HEADINGS, *(_row(device) for device in devices)]
    short = [row for row in rows if _cells(row[_NAME_COLUMN]) <= _MOST_CELLS_OF_A_NAME]
    widths = [
        max(_cells(row[column]) for row in (rows if column != _NAME_COLUMN else short))
        for column in range(len(_HEADINGS))
    ]
    return "".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    """Return a row with its line breaks."""
    name = row[_NAME_COLUMN]
    if _cells(name) > _MOST_CELLS_OF_A_NAME:
        rest = _line((" " * widths[0], "", *row[_NAME_COLUMN + 1 :]), widths)
        return f"{row[0]:>{widths[0]}}  {name}\n{rest}"

    def padded(column: int) -> str:
        padding = " " * (widths[column] - _cells(row[column]))
        return row[column] + padding if column in _TO_THE_LEFT else padding + row[column]

    return "  ".join(padded(column) for column in range(len(row))).rstrip() + "\n"


def _cells(text: str) -> int:
    """Return how many cells of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _row(device: DeviceInfo) -> tuple[str, ...]:
    is_default = {"in": device.is_default_capture, "out": device.is_default_playback}
    return (
        "" if device.number is None else str(device.number),
        _quoted(printable(label(device))),
        str(device.capture_channels),
        str(device.playback_channels),
        f"{device.default_rate:g}",
        _latency_words(device.capture_channels, device.capture_latencies),
        _latency_words(device.playback_channels, device.playback_latencies),
        ", ".join(side for side, is_one in is_default.items() if is_one),
    )


def _quoted(name: str) -> str:
    """Return a name quoted for a shell. -D ignores quotes that no shell has removed."""
    if re.search(r'[$`"\\!]', name):
        return shlex.quote(name)
    return f'"{name}"' if " " in name else name


def _believable(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and 0 < seconds <= MOST_BELIEVABLE_LATENCY else None


def _latency_words(channels: int, latencies: tuple[float, float]) -> str:
    """Return the low and the high latency in milliseconds."""
    low, high = (_believable(seconds) for seconds in latencies)
    if not channels or (low is None and high is None):
        return "-"
    words = [f"{seconds * 1000:.3g}" if seconds is not None else "?" for seconds in (low, high)]
    return f"{'-'.join(dict.fromkeys(words))} ms"


def no_device_lines() -> list[str]:
    """Return what to say if PortAudio lists nothing, and the way out."""
    return error_lines(
        "cannot find a sound device: neither the machine nor a sound server has one",
        way_to_servers()
        or "see whether the server runs and you are in the group audio; -D virtual needs no sound hardware",
    )
