"""The values of options: from the text that was typed to what a `Job` holds. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from pastream_cli.command.option import Kind
from pastream_cli.command.value_types import Name, Pair, Route, is_null
from pastream_cli.errors import UsageError, shown, typed
from pastream_cli.units import MOST_CHANNELS, MOST_LATENCY_SECONDS, TIME_FORMS, Time, parse_rate, parse_size, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pastream_cli.command.level import Level, Silence
    from pastream_cli.command.when import When

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
SHELLS = ("bash", "zsh", "fish")
_BYTE_ORDERS = ("file", "big", "little")
_BIT_DEPTH = "(?:pcm)?(?:s|i|int)?(16|24|32)(?:bits?)?(?:3?le)?"
"""How the encodings PCM_16, PCM_24 and PCM_32 are called, without what is between words."""
_OTHER_ENCODINGS = {
    "PCM_U8": ("u8", "uint8", "pcmu8"),
    "PCM_S8": ("s8", "int8", "pcms8"),
    "FLOAT": ("f32", "float32", "32f", "f32le", "pcmf32le", "floatingpoint", "32bitfloat", "32float", "fp32"),
    "DOUBLE": ("f64", "float64", "64f", "f64le", "pcmf64le", "64bit", "64"),
    "ULAW": ("mulaw", "pcmmulaw", "µlaw", "μlaw"),
    "ALAW": ("pcmalaw",),
    "GSM610": ("gsm",),
    "MPEG_LAYER_III": ("mp3", "layer3", "layeriii", "mpeglayer3"),
}
_ENCODING_OF = {name: encoding for encoding, names in _OTHER_ENCODINGS.items() for name in names}

_SAMPLE_FORMAT_FORMS = f"at the device: {' '.join(_SAMPLE_FORMATS)}; in the file: -t and -e"
_LATENCY_FORMS = f"a latency is low, high, or seconds up to {MOST_LATENCY_SECONDS}, as in 0.2"
_MAP_FORMS = "a MAP is IN[:OUT][,IN[:OUT]...], counted from 1, as in 3,4, 1-8 or 1:2,2:1"
_CHANNEL_LIST_FORMS = "channels are counted from 0, as in 0,1"

_CHANNEL_COUNT = r"[0-9]{1,4}"
_SECONDS = r"[0-9]{1,9}\.?[0-9]{0,9}|\.[0-9]{1,9}"
_ROUTE = r"([0-9]{1,4})(?::([0-9]{1,4}))?"
_RANGE = r"([1-9][0-9]{0,3})-([1-9][0-9]{0,3})"
_CHANNEL_LIST = r"[0-9]{1,4}(?:,[0-9]{1,4})*"
_LIKE_A_FILE = r"(?s:-|[A-Za-z_/~].*|.*[./][A-Za-z].*)"


def convert(kind: Kind, text: str, name: str, argument: str = "") -> object:
    """Return the value of `text` after the option `name`; `UsageError` with what is right if it has none.

    `argument` is the one on the command line in which the option stands.
    """
    try:
        return _CONVERTERS[kind](text, name)
    except UsageError as mistake:
        from pastream_cli.command.value_hints import way_out_of

        mistake.way_out = way_out_of(
            kind, text, name, mistake.way_out, lambda spelled: _is_good(kind, spelled), argument
        )
        raise


def _is_good(kind: Kind, text: str) -> bool:
    try:
        _CONVERTERS[kind](text, "")
    except UsageError:
        return False
    return True


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


def _when(text: str, name: str) -> When:
    from pastream_cli.command.when import parse_when  # needs datetime, which few command lines do

    return parse_when(text, name)


def _trigger(text: str, name: str) -> Level:
    from pastream_cli.command.level import parse_trigger  # few command lines have one

    return parse_trigger(text, name)


def _silence(text: str, name: str) -> Silence:
    from pastream_cli.command.level import parse_silence

    return parse_silence(text, name)


def _command(text: str, name: str) -> str:
    if not text.strip():
        raise UsageError(
            f"cannot use {name}: there is no command", "it is run by the shell, as in --exec 'gzip \"$1\"'"
        )
    return text


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


def _name(text: str, _name: str) -> Name:
    return Name(text.upper(), text)


def _encoding(text: str, _name: str) -> Name:
    """Return the encoding that is meant: a bit depth as it is said, or one by libsndfile's name."""
    plain = re.sub("[-_ ]", "", text.lower())
    if match := re.fullmatch(_BIT_DEPTH, plain):
        return Name(f"PCM_{match[1]}", text)
    return Name(_ENCODING_OF.get(plain, text.upper()), text)


def _byte_order(text: str, name: str) -> str:
    if text.lower() in _BYTE_ORDERS:
        return text.lower()
    raise UsageError(f"cannot use {name} {shown(text)}: not a byte order", f"one of {', '.join(_BYTE_ORDERS)}")


def _output(text: str, _name: str) -> str:
    return text


def _shell(text: str, name: str) -> str:
    shell = text.lower().rpartition("/")[2]  # as in $SHELL
    if shell in SHELLS:
        return shell
    raise UsageError(f"cannot use {name} {shown(text)}: there are none for it", f"one of {', '.join(SHELLS)}")


def _latency(text: str, name: str) -> float | str:
    if text.lower() in ("low", "high"):
        return text.lower()
    if re.fullmatch(_SECONDS, text) and float(text) <= MOST_LATENCY_SECONDS:
        return float(text)
    raise UsageError(f"cannot use {name} {shown(text)}: not a latency", _LATENCY_FORMS)


def _map(text: str, name: str) -> tuple[Route, ...]:
    """Parse a MAP. An OUT that is left out is the place in the list; a range stands for its channels, up or down."""
    if text.count(",") >= MOST_CHANNELS:
        raise UsageError(f"cannot use {name}: more than {MOST_CHANNELS} routes", _MAP_FORMS)
    routes: list[Route] = []
    for part in text.split(","):
        if match := re.fullmatch(_ROUTE, part):
            routes.append(Route(source=int(match[1]), target=int(match[2] or len(routes) + 1)))
        elif match := re.fullmatch(_RANGE, part):
            first, last = int(match[1]), int(match[2])
            step = 1 if first <= last else -1
            if abs(last - first) < MOST_CHANNELS:  # what is longer has channels that no device has
                places = enumerate(range(first, last + step, step), len(routes) + 1)
                routes += [Route(source, place) for place, source in places]
            else:
                routes.append(Route(max(first, last), 1))
        else:
            raise UsageError(f"cannot use {name} {shown(text)}: not a MAP", _MAP_FORMS)
        if len(routes) > MOST_CHANNELS:
            raise UsageError(f"cannot use {name}: more than {MOST_CHANNELS} routes", _MAP_FORMS)
    _check_routes(routes, f"{name} {text}")
    return tuple(routes)


def _check_routes(routes: Sequence[Route], typed_map: str) -> None:
    targets = [route.target for route in routes]
    if not all(1 <= target <= MOST_CHANNELS for target in targets):
        raise UsageError(f"cannot use {typed_map}: an OUT is 1 to {MOST_CHANNELS}", _MAP_FORMS)
    if any(route.source > MOST_CHANNELS for route in routes):
        raise UsageError(f"cannot use {typed_map}: an IN is 0 to {MOST_CHANNELS}", _MAP_FORMS)
    if repeated := [target for target in targets if targets.count(target) > 1]:
        raise UsageError(f"cannot use {typed_map}: OUT {repeated[0]} occurs twice", _MAP_FORMS)


def _channel_list(text: str, name: str) -> tuple[int, ...]:
    if not re.fullmatch(_CHANNEL_LIST, text):
        raise UsageError(f"cannot use {name} {shown(text)}: not a list of channels", _CHANNEL_LIST_FORMS)
    return tuple(int(channel) for channel in text.split(","))


_CONVERTERS: dict[Kind, Callable[[str, str], object]] = {
    Kind.LIMIT: _limit,
    Kind.OFFSET: _offset,
    Kind.OPTIONAL_LIMIT: _limit,
    Kind.TIME: parse_time,
    Kind.WHEN: _when,
    Kind.LEVEL: _trigger,
    Kind.SILENCE: _silence,
    Kind.SIZE: parse_size,
    Kind.RATE: parse_rate,
    Kind.CHANNELS: _pair(_channel_count),
    Kind.DEVICE: _device,
    Kind.SAMPLE_FORMAT: _pair(_sample_format),
    Kind.NAME: _pair(_name),
    Kind.ENCODING: _pair(_encoding),
    Kind.ENDIAN: _pair(_byte_order),
    Kind.LATENCY: _pair(_latency),
    Kind.MAP: _map,
    Kind.CHANNEL_LIST: _channel_list,
    Kind.OUTPUT: _output,
    Kind.SHELL: _shell,
    Kind.COMMAND: _command,
}
