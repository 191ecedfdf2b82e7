"""The values of options: from the text that was typed to what a `Job` holds. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from pastream_cli.command.job import Pair, Route, is_null
from pastream_cli.command.option import Kind
from pastream_cli.errors import UsageError, shown, typed
from pastream_cli.units import MOST_CHANNELS, MOST_LATENCY_SECONDS, TIME_FORMS, Time, parse_rate, parse_size, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_SIDES = 2

_SAMPLE_FORMATS = {
    "float32": ("f32", "float_le"),
    "int32": ("s32", "s32_le"),
    "int24": ("s24", "s24_le", "s24_3le"),
    "int16": ("s16", "s16_le"),
    "int8": ("s8",),
    "uint8": ("u8",),
}
_SAMPLE_FORMAT_OF = {name: main for main, others in _SAMPLE_FORMATS.items() for name in (main, *others)}
_BYTE_ORDERS = ("file", "big", "little")

_SAMPLE_FORMAT_FORMS = f"at the device: {' '.join(_SAMPLE_FORMATS)}; in the file: -t and -e"
_LATENCY_FORMS = f"a latency is low, high, or seconds up to {MOST_LATENCY_SECONDS}, as in 0.2"
_MAP_FORMS = "a MAP is IN[:OUT][,IN[:OUT]...], counted from 1, as in 3,4 or 1:2,2:1"
_CHANNEL_LIST_FORMS = "channels are counted from 0, as in 0,1"

_CHANNEL_COUNT = r"[0-9]{1,4}"
_SECONDS = r"[0-9]{1,9}\.?[0-9]{0,9}|\.[0-9]{1,9}"
_ROUTE = r"([0-9]{1,4})(?::([0-9]{1,4}))?"
_CHANNEL_LIST = r"[0-9]{1,4}(?:,[0-9]{1,4})*"
_LIKE_A_FILE = r"(?s:-|[A-Za-z_/~].*|.*[./][A-Za-z].*)"


def convert(kind: Kind, text: str, name: str) -> object:
    """Return the value of `text` after the option `name`; `UsageError` with the accepted forms if it has none."""
    return _CONVERTERS[kind](text, name)


def _limit(text: str, name: str) -> Time | None:
    return None if text == "-1" else parse_time(text, name)


def _offset(text: str, name: str) -> Time:
    """Parse a time. Many expect -o to name the output, so a file name gets a hint."""
    try:
        return parse_time(text, name)
    except UsageError as error:
        if not re.fullmatch(_LIKE_A_FILE, text):
            raise
        way_out = f"OUTPUT is the second word, as in pastream null {typed(text)}; {TIME_FORMS}"
        raise UsageError(error.message, way_out) from None


def _device(text: str, _name: str) -> str | None:
    return text or None


def _pair(one_side: Callable[[str, str], T]) -> Callable[[str, str], Pair[T]]:
    """Make a converter that takes one value for both sides, or one for each with a comma between."""

    def parse_pair(text: str, name: str) -> Pair[T]:
        sides = [side.strip() for side in text.split(",")]
        values = [None if is_null(side) else one_side(side, name) for side in sides]
        if len(values) > _SIDES:
            raise UsageError(f"cannot use {name} {shown(text)}: more than two values", "write INPUT-side,OUTPUT-side")
        return Pair(values[0], values[-1], lone=len(values) == 1 and values[0] is not None)

    return parse_pair


def _channel_count(text: str, name: str) -> int:
    if re.fullmatch(_CHANNEL_COUNT, text) and 1 <= int(text) <= MOST_CHANNELS:
        return int(text)
    way_out = f"{name} takes 1 to {MOST_CHANNELS}, or two such numbers with a comma between"
    raise UsageError(f"cannot use {name} {shown(text)}: not a number of channels", way_out)


def _sample_format(text: str, name: str) -> str:
    if sample_format := _SAMPLE_FORMAT_OF.get(text.lower()):
        return sample_format
    raise UsageError(f"cannot use {name} {shown(text)}: not a sample format", _SAMPLE_FORMAT_FORMS)


def _upper_case(text: str, _name: str) -> str:
    return text.upper()


def _byte_order(text: str, name: str) -> str:
    if text.lower() in _BYTE_ORDERS:
        return text.lower()
    raise UsageError(f"cannot use {name} {shown(text)}: not a byte order", f"one of {', '.join(_BYTE_ORDERS)}")


def _latency(text: str, name: str) -> float | str:
    if text.lower() in ("low", "high"):
        return text.lower()
    if re.fullmatch(_SECONDS, text) and float(text) <= MOST_LATENCY_SECONDS:
        return float(text)
    raise UsageError(f"cannot use {name} {shown(text)}: not a latency", _LATENCY_FORMS)


def _map(text: str, name: str) -> tuple[Route, ...]:
    """Parse a MAP. An OUT that is left out is the place in the list."""
    if text.count(",") >= MOST_CHANNELS:
        raise UsageError(f"cannot use {name}: more than {MOST_CHANNELS} routes", _MAP_FORMS)
    matches = [re.fullmatch(_ROUTE, route) for route in text.split(",")]
    routes = tuple(
        Route(source=int(match[1]), target=int(match[2] or place)) for place, match in enumerate(matches, 1) if match
    )
    if len(routes) < len(matches):
        raise UsageError(f"cannot use {name} {shown(text)}: not a MAP", _MAP_FORMS)
    targets = [route.target for route in routes]
    if not all(1 <= target <= MOST_CHANNELS for target in targets):
        raise UsageError(f"cannot use {name} {text}: an OUT is 1 to {MOST_CHANNELS}", _MAP_FORMS)
    if any(route.source > MOST_CHANNELS for route in routes):
        raise UsageError(f"cannot use {name} {text}: an IN is 0 to {MOST_CHANNELS}", _MAP_FORMS)
    if repeated := [target for target in targets if targets.count(target) > 1]:
        raise UsageError(f"cannot use {name} {text}: OUT {repeated[0]} occurs twice", _MAP_FORMS)
    return routes


def _channel_list(text: str, name: str) -> tuple[int, ...]:
    if not re.fullmatch(_CHANNEL_LIST, text):
        raise UsageError(f"cannot use {name} {shown(text)}: not a list of channels", _CHANNEL_LIST_FORMS)
    return tuple(int(channel) for channel in text.split(","))


_CONVERTERS: dict[Kind, Callable[[str, str], object]] = {
    Kind.LIMIT: _limit,
    Kind.OFFSET: _offset,
    Kind.PAD: _limit,
    Kind.TIME: parse_time,
    Kind.SIZE: parse_size,
    Kind.RATE: parse_rate,
    Kind.CHANNELS: _pair(_channel_count),
    Kind.DEVICE: _device,
    Kind.SAMPLE_FORMAT: _pair(_sample_format),
    Kind.NAME: _pair(_upper_case),
    Kind.ENDIAN: _pair(_byte_order),
    Kind.LATENCY: _pair(_latency),
    Kind.MAP: _map,
    Kind.CHANNEL_LIST: _channel_list,
}
