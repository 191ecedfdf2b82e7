"""Which device a name stands for. Pure: the list of devices is passed in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pastream_cli.errors import DeviceError
from pastream_cli.report import DeviceInfo

PLAYBACK, CAPTURE = "playback", "capture"
_NULL_WORDS = ("", "^", "null")


def label(device: DeviceInfo) -> str:
    """Return the unambiguous name of a device, as it can be typed after -D."""
    return device.name if device.is_virtual else f"{device.name}, {device.host_api}"


def _channels(device: DeviceInfo, side: str) -> int:
    return device.playback_channels if side == PLAYBACK else device.capture_channels


def _matches(devices: Sequence[DeviceInfo], side: str, text: str) -> list[DeviceInfo]:
    """Return the devices that `text` may stand for: by number, by whole name, by part of a name."""
    able = [device for device in devices if _channels(device, side)]
    if re.fullmatch("[0-9]+", text):
        return [device for device in able if device.index == int(text)]
    wanted = text.casefold()
    whole = [device for device in able if wanted in {device.name.casefold(), label(device).casefold()}]
    return whole or [device for device in able if wanted in label(device).casefold()]


def find(devices: Sequence[DeviceInfo], side: str, text: str | None) -> DeviceInfo:
    """Return the one device that `text` stands for on `side`, or the default where it is `None`.

    Raises
    ------
    DeviceError
        With the candidates, where there is none or more than one.
    """
    if text is None:
        default = [
            device
            for device in devices
            if (device.is_default_playback if side == PLAYBACK else device.is_default_capture)
        ]
        if not default:
            raise DeviceError(
                f"cannot choose a {side} device: there is none", "-D virtual needs no sound hardware; -l lists devices"
            )
        return default[0]
    matches = _matches(devices, side, text)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise DeviceError(f"cannot choose a {side} device: {text!r} stands for several", _candidates(matches))
    able = [device for device in devices if _channels(device, side)]
    raise DeviceError(
        f"cannot find a {side} device: nothing is called {text!r}",
        _candidates(able) if able else "there is none; -D virtual needs no sound hardware",
    )


def _candidates(devices: Sequence[DeviceInfo]) -> str:
    return "one of: " + "; ".join(f"{device.index} {label(device)}" for device in devices)


def _unquote(text: str) -> str:
    return text.replace('"', "").strip()


def _splits(text: str) -> list[tuple[str, str]]:
    """Return every way to split at one comma outside double quotes."""
    commas = [i for i, character in enumerate(text) if character == "," and text[:i].count('"') % 2 == 0]
    return [(_unquote(text[:i]), _unquote(text[i + 1 :])) for i in commas]


def pair_of_names(devices: Sequence[DeviceInfo], sides: Sequence[str], text: str | None) -> dict[str, str | None]:
    """Return the name for each of `sides`, `None` for the default.

    The whole of `text` is tried as one device first, since names hold commas (``hw:1,0``), and
    split into INPUT's and OUTPUT's only where nothing matches: where both halves match if there is
    such a comma.
    """
    if text is None:
        return dict.fromkeys(sides)
    whole = _unquote(text)
    if any(_matches(devices, side, whole) for side in sides):
        return dict.fromkeys(sides, whole)

    def names(split: tuple[str, str]) -> dict[str, str | None]:
        both = {PLAYBACK: split[0], CAPTURE: split[1]}
        return {side: None if both[side].casefold() in _NULL_WORDS else both[side] for side in sides}

    splits = [names(split) for split in _splits(text)]
    for split in splits:
        if all(name is None or _matches(devices, side, name) for side, name in split.items()):
            return split
    half = (s for s in splits if any(name is not None and _matches(devices, side, name) for side, name in s.items()))
    return next(half, dict.fromkeys(sides, whole))
