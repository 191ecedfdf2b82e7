"""Finds the device that a name, a part of it or a number stands for; else names the candidates. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.errors import DeviceError, ErrorKind

PLAYBACK, CAPTURE = "playback", "capture"
VIRTUAL = "virtual"
_VIRTUAL_SOUNDS = ("silence", "sine", "noise")
_NULL_WORDS = ("", "^", "null")
_MOST_COMMAS = 64


def label(device: DeviceInfo) -> str:
    """Return the unambiguous name of a device, by which it can be chosen."""
    return device.name if device.is_virtual else f"{device.name}, {device.host_api}"


def _channels(device: DeviceInfo, side: str) -> int:
    return device.playback_channels if side == PLAYBACK else device.capture_channels


def _matches(devices: Sequence[DeviceInfo], side: str, text: str) -> list[DeviceInfo]:
    """Return the devices that `text` may stand for: by number, by whole name, by part of a name.

    A device of a sound server is meant only where none of PortAudio's own is.
    """
    able = [device for device in devices if _channels(device, side)]
    if _is_number(text):  # compared as text: Python refuses to convert thousands of digits
        return [device for device in able if str(device.number) == (text.lstrip("0") or "0")]
    wanted = text.casefold()
    matches = [device for device in able if wanted in _names(device)]
    matches = matches or [device for device in able if _has_part(device, wanted)]
    return [device for device in matches if device.served is None] or matches


def is_whole(devices: Sequence[DeviceInfo], side: str, text: str) -> bool:
    """Tell whether `text` is the number or the whole name of a device, and not only a part of one."""
    return any(_is_number(text) or text.casefold() in _names(device) for device in _matches(devices, side, text))


def _names(device: DeviceInfo) -> set[str]:
    """Return all whole names of a device, in small letters: each also with its host API."""
    served = device.served
    names = {device.name} if served is None else {device.name, served.name, served.description}
    return {whole.casefold() for name in names for whole in (name, f"{name}, {device.host_api}")}


def _has_part(device: DeviceInfo, wanted: str) -> bool:
    """Tell whether `wanted` is a part of the name. A part of what a sink is called does not stand for its monitor."""
    is_of_the_sink = device.served is not None and wanted in device.served.monitored.casefold()
    return wanted in label(device).casefold() and not is_of_the_sink


def _is_number(text: str) -> bool:
    return bool(re.fullmatch("[0-9]+", text))


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
            raise DeviceError(f"cannot choose a {side} device: there is none", ErrorKind.NO_DEVICE)
        return default[0]
    matches = _matches(devices, side, text)
    if len(matches) == 1:
        return matches[0]
    if matches:
        message = f"cannot choose a {side} device: {text!r} stands for several"
        raise DeviceError(message, ErrorKind.AMBIGUOUS, _candidates(matches))
    raise DeviceError(f"cannot find a {side} device: {_why_none(devices, side, text)}", *_others(devices, side, text))


def _why_none(devices: Sequence[DeviceInfo], side: str, text: str) -> str:
    """Say why `text` stands for no device of `side`."""
    other = CAPTURE if side == PLAYBACK else PLAYBACK
    if unable := _matches(devices, other, text):
        return f"{label(unable[0])} has no {side} channels"
    return f"there is no number {text}" if _is_number(text) else f"nothing is called {text!r}"


def _others(devices: Sequence[DeviceInfo], side: str, text: str) -> tuple[ErrorKind, str]:
    """Say which device was probably meant, or which there are, where `text` names none of them."""
    able = [device for device in devices if _channels(device, side)]
    if near := _nearest(able, text):
        return ErrorKind.MISTYPED, f"did you mean {near}?"
    return (ErrorKind.ABSENT, _candidates(able)) if able else (ErrorKind.NO_DEVICE, f"there is no {side} device here")


def _nearest(devices: Sequence[DeviceInfo], text: str) -> str | None:
    """Return the name of a device that was probably meant by `text`."""
    from pastream_cli.spelling import closest

    word, *rest = re.split("[-_ :=.,/]+", text.casefold().strip(), maxsplit=1)
    if word in _VIRTUAL_SOUNDS:
        return f"{VIRTUAL}:{text.casefold().strip()}"
    if closest(word, [VIRTUAL]) or (len(word) > 3 and VIRTUAL.startswith(word)):
        return ":".join((VIRTUAL, *filter(None, rest))) if "," not in text else VIRTUAL
    called: dict[str, list[DeviceInfo]] = {}
    for device in devices:
        for name in _names(device) | _own_words(device):
            called.setdefault(name, []).append(device)
    near = closest(text, (name for name, its in called.items() if len(its) == 1))
    return f"{called[near][0].number} {label(called[near][0])}" if near else None


def _own_words(device: DeviceInfo) -> set[str]:
    """Return the words of a device's name. A word of what a sink is called does not stand for its monitor."""
    words_of_the_sink = device.served.monitored.casefold().split() if device.served is not None else []
    return set(device.name.casefold().split()).difference(words_of_the_sink)


def _candidates(devices: Sequence[DeviceInfo]) -> str:
    return "one of: " + "; ".join(f"{device.number} {label(device)}" for device in devices)


def _unquote(text: str) -> str:
    return text.replace('"', "").strip()


def _splits(text: str) -> list[tuple[str, str]]:
    """Return every way to split at one comma outside double quotes; none where two names cannot have so many."""
    if text.count(",") > _MOST_COMMAS:
        return []
    commas = [i for i, character in enumerate(text) if character == "," and text[:i].count('"') % 2 == 0]
    return [(_unquote(text[:i]), _unquote(text[i + 1 :])) for i in commas]


def pair_of_names(
    devices: Sequence[DeviceInfo], sides: Sequence[str], text: str | None, also: Callable[[str], bool] = lambda _: False
) -> dict[str, str | None]:
    """Return the name for each of `sides`, `None` for the default.

    Names may hold commas (``hw:1,0``), so the whole of `text` is tried as one device first. If nothing matches, it is
    split into playback's name and capture's: at the first comma where both halves match. A half whose side is not in
    use has to match too, else a device that is not there would be taken for a pair, and another one used. Where both
    sides are in use, a comma will do at which one half matches: the other one is then said to be missing.
    `also` tells whether a name stands for a device that is not in the list.
    """
    if text is None:
        return dict.fromkeys(sides)
    whole = _unquote(text)

    def is_there(side: str, name: str) -> bool:
        return also(name) or bool(_matches(devices, side, name))

    def is_anywhere(name: str) -> bool:
        return name.casefold() in _NULL_WORDS or any(is_there(side, name) for side in (PLAYBACK, CAPTURE))

    if any(is_there(side, whole) for side in sides):
        return dict.fromkeys(sides, whole)

    def names(split: tuple[str, str]) -> dict[str, str | None]:
        both = {PLAYBACK: split[0], CAPTURE: split[1]}
        return {side: None if both[side].casefold() in _NULL_WORDS else both[side] for side in sides}

    pairs = [split for split in _splits(text) if not _is_one_name(*split, devices)]
    needed = [split for split in pairs if all(is_anywhere(half) for half in split if len(sides) == 1 or "," in half)]
    splits = [names(split) for split in needed]
    for split in splits:
        if all(name is None or is_there(side, name) for side, name in split.items()):
            return split
    half = (s for s in splits if any(name is not None and is_there(side, name) for side, name in s.items()))
    return next(half, dict.fromkeys(sides, whole))


def _is_one_name(before: str, behind: str, devices: Sequence[DeviceInfo]) -> bool:
    """Tell whether what is before and behind a comma is one name: ALSA's ``hw:1,0``, or a name with its host API."""
    is_of_alsa = re.search(r"hw:\S+$", before) and re.match(r"\d|DEV=", behind)
    return bool(is_of_alsa) or behind.casefold() in {device.host_api.casefold() for device in devices}
