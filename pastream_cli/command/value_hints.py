"""The right spelling of a value that was refused: minutes as they are said, channels by name. Loaded for mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from pastream_cli.command.device_words import is_device
from pastream_cli.command.option import PAIRS, Kind
from pastream_cli.errors import typed
from pastream_cli.spelling import by_word, closest
from pastream_cli.units import MOST_LATENCY_SECONDS, format_number, is_time

_UNITS = (
    (86400, "d day days"),
    (3600, "h hr hrs hour hours"),
    (60, "m min mins minute minutes ' \N{PRIME}"),
    (1, 's sec secs second seconds " \N{DOUBLE PRIME}'),
)
_SECONDS_OF = {name: seconds for seconds, names in _UNITS for name in names.split()}
_NEXT_SMALLER = {86400: 3600, 3600: 60, 60: 1}
_AMOUNT = r"([0-9]{1,9}(?:[.,][0-9]{0,9})?)[ _-]?(['\"\u2032\u2033]|[a-z]*)[ ,]*"
_CLOCK_WITH_UNIT = r"([0-9:.]{1,20}) ?([a-z]+)"
_DAYS = r"([0-9]{1,6}):([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})"
_FRAMES = r"([0-9]{1,15})[ _]?([kK]?)[ _]?(?:|f|frames?|smp|samples?|spl)"
_IN_CURVED_QUOTES = "[\u2018\u201c\u201e](.*)[\u2019\u201d\u201c]"
_SHORTER_THAN_A_SECOND = r"([0-9]{1,9}(?:\.[0-9]{0,9})?) ?(?:msecs?|millis|milliseconds?)"

_ENDLESS = by_word({"-1": "inf infinite infinity endless forever never unlimited none no always ever"})
_CHANNEL_COUNTS = by_word({"1": "mono one", "2": "stereo two", "4": "quad", "6": "5.1", "8": "7.1"})
_CHANNEL_NUMBERS = by_word({"0": "silence", "1": "l left", "2": "r right", "1,2": "both stereo"})
_RATES = by_word({"44.1k": "cd", "48k": "dat", "8k": "telephone"})
_BYTE_ORDERS = by_word(
    {
        "little": "le l lsb littleendian intel x86 swap",
        "big": "be b msb bigendian network motorola",
        "file": "native cpu default auto",
    }
)
_LATENCIES = by_word({"low": "lowest min minimum short small lo", "high": "highest max maximum long large hi"})
_ALSA_SHORTHANDS = by_word({"-e pcm_16 -c 2 -r 44.1k": "cd cdr", "-e pcm_16 -c 2 -r 48k": "dat"})
_FLOAT_FORMATS = by_word({"float32": "float f float64 f64 double flt dbl floatle 32f f32le"})
_FILE_SUFFIX = r"\.?(wav|wave|flac|ogg|opus|mp3|aiff?|au|raw|caf)"
_BIT_DEPTH = r"(?:pcm|s|i|int)?[_-]?(?:s|i|int)?(8|16|24|32)[ _-]?(?:bits?)?(?:_?(?:le|be|3le|3be))?"


_MISSING = {
    **dict.fromkeys((Kind.LIMIT, Kind.OPTIONAL_LIMIT, Kind.TIME), ("TIME", "10")),
    Kind.WHEN: ("WHEN", "06:00"),
    Kind.LEVEL: ("LEVEL", "-40dB"),
    Kind.SILENCE: ("LEVEL,TIME", "-50dB,3"),
    Kind.SIZE: ("SIZE", "1024"),
    Kind.RATE: ("HZ", "48k"),
    Kind.CHANNELS: ("N", "2"),
    Kind.SAMPLE_FORMAT: ("FMT", "int24"),
    Kind.ENDIAN: ("ORDER", "big"),
    Kind.LATENCY: ("LAT", "0.2"),
    Kind.MAP: ("MAP", "1,2"),
}
"""What is missing, and an example of it, where the name of a file was taken for the value."""


def way_out_of(
    kind: Kind, text: str, name: str, forms: str | None, is_good: Callable[[str], bool], argument: str
) -> str | None:
    """Return what to type instead of `text` after the option `name`, which stands in `argument`.

    `forms` says what the option takes. `is_good` tells whether a value would be taken: nothing else is ever offered.
    """
    if remark := _of_one_dash(argument) or _REMARKS.get(kind, _none)(text, name) or _of_a_missing(kind, text, name):
        return remark
    spell = _SPELLINGS.get(kind)
    spelled = None if spell is None else _each_side(spell, text) if kind in PAIRS else spell(text)
    if not spelled or spelled == text or not is_good(spelled):
        return forms
    return f"write {name} {typed(spelled)}{f'; {forms}' if forms else ''}"


def _of_one_dash(argument: str) -> str | None:
    """Return the way out for a long option with one dash, whose letters were taken as options and a value."""
    word = argument.partition("=")[0][1:]
    if len(word) < 2 or not word.replace(":", "").isalpha():
        return None
    from pastream_cli.command.options import OPTIONS
    from pastream_cli.command.synonyms import way_out_of as way_out_of_option

    near = closest(f"--{word}", [option.long_name for option in OPTIONS]) if len(word) > 2 else None
    return f"did you mean {near}?" if near else way_out_of_option(f"--{word}", ())


def _of_a_missing(kind: Kind, text: str, name: str) -> str | None:
    """Return the way out for a value that is missing, so that the next word was taken for it."""
    if kind not in _MISSING or not (text.lower() == "null" or re.fullmatch(rf".+{_FILE_SUFFIX}", text.lower())):
        return None
    metavar, example = _MISSING[kind]
    return f"its {metavar} is missing: {name} {example} {typed(text)}"


def _each_side(spell: Callable[[str], str | None], text: str) -> str | None:
    """Return the right spelling of a pair, of which a side may be right already."""
    whole = spell(text)
    return whole or ",".join(spell(side.strip()) or side.strip() for side in text.split(","))


def _none(_text: str, _name: str) -> None:
    """Say nothing."""


# ---- times and numbers ----


def time_spelling(text: str) -> str | None:
    """Return ``10:00`` for ``10m``, ``1:30:00`` for ``1h30``: the time that is meant, as it has to be typed."""
    stripped = re.sub(_IN_CURVED_QUOTES, r"\1", text.strip())
    if is_time(stripped):
        return None if stripped == text else stripped
    text = stripped
    if match := re.fullmatch(_FRAMES, text):
        return f"{match[1]}{match[2]}s"
    plain = text.lower().removeprefix("+").removeprefix("pt")
    if match := re.fullmatch(_SHORTER_THAN_A_SECOND, plain):
        return format_number(Fraction(match[1]) / 1000)
    seconds_meant = _sum_of_amounts(plain) if ":" not in plain else None
    return _clock_spelling(plain) if seconds_meant is None else _clock(seconds_meant)


def _clock_spelling(plain: str) -> str | None:
    """Return what is meant by a time with colons and more: days, a comma, or a unit."""
    if match := re.fullmatch(_DAYS, plain):
        days, hours, minutes, seconds = map(int, match.groups())
        return _clock(Fraction(((days * 24 + hours) * 60 + minutes) * 60 + seconds))
    if re.fullmatch("[0-9:]+,[0-9]+", plain):
        return plain.replace(",", ".")
    if (match := re.fullmatch(_CLOCK_WITH_UNIT, plain)) and ":" in match[1]:
        seconds = _SECONDS_OF.get(match[2], 0)
        return match[1] + ":00" * (seconds == 3600 and match[1].count(":") == 1) if seconds else None
    return None


def _sum_of_amounts(text: str) -> Fraction | None:
    """Add up amounts with their units, as in ``1h30m``. One without a unit is of the next smaller one."""
    found = list(re.finditer(_AMOUNT, text))
    if not found or "".join(match[0] for match in found) != text:
        return None
    amounts = [match.groups() for match in found]
    total, smaller = Fraction(0), 0
    for number, unit in amounts:
        seconds = _SECONDS_OF.get(unit, 0) if unit else smaller or (1 if len(amounts) == 1 else 0)
        if not seconds or (smaller and seconds > smaller):
            return None
        total += Fraction(number.replace(",", ".").rstrip(".") or 0) * seconds
        smaller = _NEXT_SMALLER.get(seconds, 0)
        if not smaller and (number, unit) != amounts[-1]:
            return None
    return total


def _clock(total: Fraction) -> str:
    """Return seconds as ``hh:mm:ss``, without what is zero in front."""
    minutes, seconds = divmod(total, 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = format_number(seconds)
    if not hours and not minutes:
        return shown
    shown = shown.zfill(len(shown) + (seconds < 10))
    return f"{hours}:{minutes:02}:{shown}" if hours else f"{minutes}:{shown}"


def _rate(text: str) -> str | None:
    plain = _RATES.get(text.lower(), re.sub(r"[\s_']", "", text.lower()).removesuffix("hz"))
    if re.fullmatch("[0-9]{1,3},[0-9]{3}", plain):  # a comma between thousands
        plain = plain.replace(",", "")
    plain = plain.replace(",", ".")
    if match := re.fullmatch("([0-9]{1,4})m", plain):
        return f"{match[1]}000k"
    return f"{plain}k" if re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}", plain) else plain


def _size(text: str) -> str | None:
    plain = re.sub(r"(?<=[0-9])[_,'\s](?=[0-9]{3})", "", text.strip())
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?) ?([kKmM]?)(?:i?[bB]|f|s|smp|frames?|samples?)?", plain)
    return f"{match[1]}{match[2]}" if match else None


def _latency(text: str) -> str | None:
    plain = text.lower().strip()
    if match := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{0,6})?) ?(ms|msecs?|s|secs?|seconds?|)", plain):
        number = Fraction(match[1])
        is_in_milliseconds = match[2].startswith("ms") or (not match[2] and number > MOST_LATENCY_SECONDS)
        return format_number(number / 1000 if is_in_milliseconds else number)
    return _LATENCIES.get(plain)


# ---- channels and names ----


def _channel_count(text: str) -> str | None:
    plain = text.lower().strip()
    if match := re.fullmatch(r"([0-9]{1,4}) ?-?(?:ch|chan|chans|channels?)", plain):
        return match[1]
    return _CHANNEL_COUNTS.get(plain)


def _channels_remark(text: str, name: str) -> str | None:
    if re.fullmatch(r"[0-9]{1,4}-[0-9]{1,4}|[0-9]{1,4}(?:,[0-9]{1,4}){2,}", text):
        return f"{name} is how many; which is -m {text}"
    if number := _CHANNEL_NUMBERS.get(text.lower().strip()):
        return None if text.lower() == "stereo" else f"{name} is how many; which is -m {number}"
    return None


def _map(text: str) -> str | None:
    if match := re.fullmatch(r"([0-9]{1,3})-([0-9]{1,3}):([0-9]{1,3})-([0-9]{1,3})", text):
        first, last, target, last_target = map(int, match.groups())
        if last - first == last_target - target >= 0:
            return ",".join(f"{first + i}:{target + i}" for i in range(last - first + 1))
    if match := re.fullmatch("0-([0-9]{1,4})", text):  # counted from 0, where 0 is silence
        return f"1-{int(match[1]) + 1}"
    plain = re.sub(r"[+;/&\s]+", ",", text.lower().strip("[](){} ")).replace("..", "-").replace("->", ":")
    plain = re.sub(",+", ",", plain.replace("ch", "")).strip(",")
    return re.sub("[a-z]+", lambda match: _CHANNEL_NUMBERS.get(match[0], match[0]), plain)


def _byte_order(text: str) -> str | None:
    return _BYTE_ORDERS.get(re.sub("[-_ ]", "", text.lower()))


def _sample_format(text: str) -> str | None:
    return _FLOAT_FORMATS.get(re.sub("[-_ ]", "", text.lower()))


def _sample_format_remark(text: str, name: str) -> str | None:
    plain = text.lower()
    if plain in _ALSA_SHORTHANDS:
        return f"write {_ALSA_SHORTHANDS[plain]}"
    if match := re.fullmatch(_FILE_SUFFIX, plain):
        return f"write -t {match[1]}"
    if match := re.fullmatch(_BIT_DEPTH, plain):
        order = " --endian big" if plain.endswith("be") else ""
        encoding = "pcm_u8" if match[1] == "8" else f"pcm_{match[1]}"
        return f"for the file write -e {encoding}{order}, for the device {name} int{match[1]}"
    return None


def _limit_remark(text: str, name: str) -> str | None:
    return f"write {name} -1, or leave it out" if text.lower() in _ENDLESS else _time_remark(text, name)


def _time_remark(text: str, name: str) -> str | None:
    """Tell of a device, and of a size in bytes."""
    if is_device(text):
        return f"a device is -D, and -l lists them: -D {typed(text)}"
    if name == "--split" and re.fullmatch(r"[0-9.]+ ?(?:[MG]|[kKmMgG]i?[bB]|bytes?)", text):
        return "a size is not taken, a time is: --split 10:00"
    return None


def _size_remark(text: str, name: str) -> str | None:
    if match := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{0,6})?) ?(m?)(?:s|secs?|seconds?|msecs?)", text.lower()):
        frames = Fraction(match[1]) * (48 if match[2] else 48000)
        return f"it is in frames: {text} at 48 kHz is {name} {format_number(frames / 1000)}k"
    match = re.fullmatch(_BIT_DEPTH, text.lower())
    return f"a bit depth is -e, as in -e pcm_{match[1].replace('8', 'u8')}" if match else None


def _map_remark(text: str, name: str) -> str | None:
    return f"-c says how many channels; without {name} each stays in its place" if text.lower() == "all" else None


def _channel_list_remark(text: str, _name: str) -> str | None:
    return f"a number of frames is -d {text}s" if re.fullmatch("[0-9]{5,15}", text) else None


_REMARKS: dict[Kind, Callable[[str, str], str | None]] = {
    Kind.LIMIT: _limit_remark,
    Kind.TIME: _time_remark,
    Kind.SIZE: _size_remark,
    Kind.CHANNELS: _channels_remark,
    Kind.SAMPLE_FORMAT: _sample_format_remark,
    Kind.MAP: _map_remark,
    Kind.CHANNEL_LIST: _channel_list_remark,
}
"""What is said of a value that belongs somewhere else."""

_SPELLINGS: dict[Kind, Callable[[str], str | None]] = {
    **dict.fromkeys((Kind.LIMIT, Kind.OFFSET, Kind.OPTIONAL_LIMIT, Kind.TIME), time_spelling),
    Kind.SIZE: _size,
    Kind.RATE: _rate,
    Kind.CHANNELS: _channel_count,
    Kind.SAMPLE_FORMAT: _sample_format,
    Kind.ENDIAN: _byte_order,
    Kind.LATENCY: _latency,
    Kind.MAP: _map,
}
"""How a value of each kind is typed, as far as it can be told from how it was."""
