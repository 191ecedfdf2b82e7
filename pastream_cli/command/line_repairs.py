"""The line that was meant by words other than names: devices, effects, keys, patterns. Loaded for mistakes only.

Each rule takes the words of the line, INPUT first, and returns the way out, or `None` where it has nothing to say.
A word that is the name of a file is never taken for anything else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

from pastream_cli.command.device_words import is_device
from pastream_cli.command.free_names import output_words
from pastream_cli.command.value_hints import time_spelling
from pastream_cli.command.value_types import is_null
from pastream_cli.errors import STANDARD_STREAM, shown, typed
from pastream_cli.spelling import by_word

_EFFECTS = by_word(
    {
        "effect": "bass channels compand contrast delay dither echo equalizer fade flanger gain highpass loudness "
        "lowpass norm pitch rate remix repeat reverb reverse silence speed stretch swap synth tempo treble trim vol"
    }
)
"""What SoX calls its effects."""
_UNITS = by_word({"unit": "s sec secs second seconds m min mins minute minutes h hr hrs hour hours"})
_JOINTS = frozenset(("+", "&", "and", "then", ","))
_INPUT_KEYS = frozenset(("if", "in", "input", "infile", "i", "file", "src"))
_OUTPUT_KEYS = frozenset(("of", "out", "output", "outfile", "o", "dst"))
_NOTHING = frozenset(("/dev/null", "nul", "nul:"))
_USUAL_DEVICE = frozenset(("alsa", "mic", "microphone"))
_DEVICE_FILE = "/dev/(?!snd/|dsp)[^.]+|/proc/self/fd/[0-9]+"
ON_ANOTHER_MACHINE = r"([\w.-]+@[\w.-]+):(.+)"
"""A file as scp names it."""


def line_meant(words: Sequence[str]) -> str | None:
    """Return the way out of the first rule that knows what was meant."""
    return next((way_out for rule in _RULES if (way_out := rule(words))), None)


def _of_a_device(words: Sequence[str]) -> str | None:
    device = next((word for word in words if is_device(word)), None)
    if device is None:
        return None
    names = [word for word in words if word != device and not is_null(word)]
    option = "" if device.lower() in _USUAL_DEVICE else f" -D {typed(device)}"
    if names and os.path.exists(names[0]):
        line = f"pastream{option} {' '.join((typed(names[0]), *map(output_words, names[1:2])))}"
    else:
        line = f"pastream{option} null {output_words(names[-1]) if names else 'out.wav'}"
    return f"a device is -D, and -l lists them: {line}" if option else f"the usual device needs no name: {line}"


def _of_effects(words: Sequence[str]) -> str | None:
    place = next((place for place, word in enumerate(words) if word in _EFFECTS and not os.path.exists(word)), 0)
    names, effects = words[:place], words[place:]
    if not names or (len(names) == 1 and is_null(names[0])):
        return None
    if len(names) == 1 and effects[0] == "repeat":
        return f"--loop repeats: pastream {typed(names[0])} --loop"
    if len(names) == 1 and effects[0] == "trim" and len(effects) > 1:
        length = f" -d {typed(effects[2])}" if len(effects) > 2 else ""
        return f"a part is --from and -d: pastream {typed(names[0])} --from {typed(effects[1])}{length}"
    chain = " ".join(map(typed, effects))
    if is_null(names[0]):
        return f"effects are SoX's: pastream null - -t au | sox -t au - {typed(names[1])} {chain}"
    output = f" {typed(names[1])}" if len(names) > 1 and not is_null(names[1]) else ""
    return f"effects are SoX's: sox {typed(names[0])} -t au - {chain} | pastream -{output}"


def _of_keys(words: Sequence[str]) -> str | None:
    """Know ``if=in.wav of=out.wav`` and ``null=out.wav``."""
    names: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or os.path.exists(word):
            return None
        key = key.lower()
        if is_null(key):
            names.update(input="null", output=value)
        else:
            names["input" if key in _INPUT_KEYS else "output" if key in _OUTPUT_KEYS else ""] = value
    if not names or "" in names:
        return None
    line = f"{typed(names.get('input', 'null'))} {output_words(names['output']) if 'output' in names else ''}".rstrip()
    return f"names stand alone, INPUT first: pastream {line}"


def _of_a_comma(words: Sequence[str]) -> str | None:
    names = words[0].split(",")
    if len(words) > 1 or len(names) < 2 or not all(is_null(name) or PurePath(name).suffix for name in names):
        return None
    if all(map(os.path.exists, names)):
        return f"to play one after the other: {_loop(names)}"
    return f"a space is between INPUT and OUTPUT: pastream {' '.join(map(typed, names[:2]))}"


def _of_joints(words: Sequence[str]) -> str | None:
    names = [word for word in words if word not in _JOINTS]
    if len(names) == len(words) or len(names) < 2 or not all(map(os.path.exists, names)):
        return None
    return f"to play one after the other: {_loop(names)}"


def _loop(names: Sequence[str]) -> str:
    return f'for f in {" ".join(map(typed, names))}; do pastream "$f"; done'


def _of_a_pattern(words: Sequence[str]) -> str | None:
    pattern = next((word for word in words if "*" in word and not os.path.exists(word)), None)
    if pattern is None or not re.fullmatch(r"[\w./*?-]+", pattern):
        return None
    return f'the shell fills in {pattern}, without quotes: for f in {pattern}; do pastream "$f"; done'


def _of_a_quoted_line(words: Sequence[str]) -> str | None:
    """Know ``"out.wav -d 1"``, which is one word."""
    if any(re.search(" -{1,2}[a-z]", word) and word.isprintable() and not os.path.exists(word) for word in words):
        return f"without those quotes: pastream {' '.join(words)}"
    return None


def _of_a_unit(words: Sequence[str]) -> str | None:
    place = next((place for place, word in enumerate(words) if place > 1 and word.lower() in _UNITS), None)
    if place is None or os.path.exists(words[place]):
        return None
    if re.fullmatch("[0-9.,]+", words[place - 1]):
        return f"a length is -d {time_spelling(f'{words[place - 1]} {words[place]}')}"
    return "-d is in seconds already, and minutes have a colon: 10 seconds are -d 10, 10 minutes -d 10:00"


def _of_nothing(words: Sequence[str]) -> str | None:
    """Know the files that other programs take for nothing, or that have no name of their own."""
    first, second = (*words, "null")[:2]
    if second.lower() in _NOTHING:
        return f"nothing is called null: pastream {typed(first)} null"
    if first.lower() == "/dev/null":
        return f"nothing is called null: pastream null {output_words(second)}"
    if re.fullmatch(_DEVICE_FILE, second):
        return f"-t is the type of what has no name of its own: pastream {typed(first)} {typed(second)} -t au"
    return None


def _of_another_machine(words: Sequence[str]) -> str | None:
    """Know ``user@host:/tmp/take.wav``, as scp takes it."""
    first, second = (*words, "null")[:2]
    if (match := re.fullmatch(ON_ANOTHER_MACHINE, first)) and not os.path.exists(first):
        return f"ssh reads it: ssh {typed(match[1])} cat {typed(match[2])} | pastream -"
    if (match := re.fullmatch(ON_ANOTHER_MACHINE, second)) and not os.path.exists(second):
        command = typed(f"cat > {typed(str(PurePath(match[2]).with_suffix('.au')))}")
        return f"ssh writes it: pastream {typed(first)} - -t au | ssh {typed(match[1])} {command}"
    return None


def _of_one_word_too_many(words: Sequence[str]) -> str | None:
    """Know a null word or a name that stands twice, and several names to record to."""
    if len(words) < 3:
        return None
    names = list(dict.fromkeys(word for word in words if not is_null(word)))
    first = names[0] if names else "null"
    if len(names) < 2:
        line = f"null {typed(first)}" if names and is_null(words[0]) else typed(first)
        return f"that is a word too many: pastream {line}"
    if is_null(words[0]) and all(PurePath(name).suffix for name in names):
        return f"there is one OUTPUT: pastream null {output_words(first)}; --split, or {{n}} in its name, makes several"
    is_played = os.path.exists(first) and not any(map(os.path.exists, names[1:]))
    if is_played and all(PurePath(name).suffix or name == STANDARD_STREAM for name in names):
        return f"that is a word too many: pastream {typed(first)} {shown(typed(names[1]))}"
    return None


_RULES: tuple[Callable[[Sequence[str]], str | None], ...] = (
    _of_a_quoted_line,
    _of_nothing,
    _of_another_machine,
    _of_effects,
    _of_joints,
    _of_a_unit,
    _of_a_device,
    _of_keys,
    _of_a_comma,
    _of_a_pattern,
    _of_one_word_too_many,
)
