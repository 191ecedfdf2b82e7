"""The table of devices. What it prints can be pasted after -D."""

from __future__ import annotations

from collections.abc import Sequence

from pastream_cli.report import DeviceInfo

_HEADINGS = ("", "", "NAME, HOST API", "IN", "OUT", "RATE")


def device_table(devices: Sequence[DeviceInfo]) -> str:
    """Return a line per device: number, mark of the defaults, name, channels, rate.

    `>` marks the default of capture, `<` that of playback, `*` both.
    """
    rows = [_HEADINGS, *(_row(device) for device in devices)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "".join(
        "  ".join(
            cell.ljust(width) if column == 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        + "\n"
        for row in rows
    )


def _row(device: DeviceInfo) -> tuple[str, ...]:
    mark = {(True, True): "*", (True, False): ">", (False, True): "<"}.get(
        (device.is_default_capture, device.is_default_playback), ""
    )
    return (
        "" if device.index is None else str(device.index),
        mark,
        device.name if device.is_virtual else f"{device.name}, {device.host_api}",
        str(device.capture_channels),
        str(device.playback_channels),
        f"{device.default_rate:g}",
    )
