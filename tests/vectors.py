"""Argument vectors and headers at random, by the hundred thousand: parts of what is right, damaged and multiplied."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from itertools import chain

from pastream_cli.command.option import Kind, Option
from pastream_cli.command.options import OPTIONS
from tests import command_lines as right

FIELDS = ("{n}", "{n:03}", "{date}", "{time}", "{start:%H%M}", "{utc:%Y-%m-%d}", "{start:%s}", "{{", "}}", "{", "}")
DIRECTIVES = "aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ%-_0^#"
WORDS = (*right.GOOD_INPUTS, *right.ODD_INPUTS, *right.GOOD_OUTPUTS, *right.ODD_OUTPUTS)
DEVICES = (*right.FAST_DEVICES, *right.OTHER_DEVICES, "pulse", "0", "1,2", "hw:1,0", "mic, ALSA", "system,JACK", "null")
VALUES = tuple(dict.fromkeys(chain.from_iterable(chain(*right.VALUES.values(), *right.NAMES.values()))))

ODD_CHARACTERS = (
    *"\udcff\udc80\udced\x1b\x07\r\n\t\x7f\u202e\ufeff\u0660\u00b2\u2460\U0001f3a4\u0130\ufb01\xdf\xa0",
    *"%{}[]()<>:;,.=+-*/\\'\"@#$&|!?~^_ 0123456789abcdefgxyz",
)
LENGTHS = (2, 3, 17, 256, 1025, 5000, 20_000)
LONGEST_WORD = 2**17 - 1
"""Linux hands over no longer one."""


def repeated(dice: random.Random, text: str) -> str:
    return text * dice.choice(LENGTHS[:5] if dice.random() < 0.9 else LENGTHS)


def with_odd_characters(dice: random.Random, text: str) -> str:
    for _ in range(dice.randint(1, 3)):
        at = dice.randint(0, len(text))
        text = text[:at] + dice.choice(ODD_CHARACTERS) + text[at + dice.randint(0, 1) :]
    return text


def joined(dice: random.Random, text: str) -> str:
    return dice.choice((",", ":", "=", ", ", "/", "")).join((text, dice.choice(VALUES)))


def with_a_part_repeated(dice: random.Random, text: str) -> str:
    start = dice.randint(0, len(text))
    end = dice.randint(start, len(text))
    return text[:start] + repeated(dice, text[start:end] or "9") + text[end:]


DAMAGES: Sequence[Callable[[random.Random, str], str]] = (
    with_odd_characters,
    with_odd_characters,
    joined,
    with_a_part_repeated,
    lambda dice, text: text[: dice.randint(0, len(text))],
    lambda dice, text: dice.choice(("{start:", "{utc:", "{n:")) + text + "}",
)


def damaged(dice: random.Random, text: str) -> str:
    """Return a word that may be damaged, one in three."""
    while dice.random() < 0.3:
        text = dice.choice(DAMAGES)(dice, text)[:LONGEST_WORD]
    return text


def a_name(dice: random.Random) -> str:
    name = dice.choice(WORDS)
    if dice.random() < 0.2:
        name = f"{dice.choice((a_field(dice), *FIELDS))}{a_field(dice)}.{dice.choice(('wav', 'flac', 'ogg', ''))}"
    return damaged(dice, name)


def a_field(dice: random.Random) -> str:
    """Return a field for a time, its form at random."""
    form = ""
    for _ in range(dice.randint(1, 3)):
        width = dice.choice(("", "", "", "0", "5", "500", "5000", "9" * 30))
        form += f"%{width}{dice.choice(DIRECTIVES)}{dice.choice(('', '', *ODD_CHARACTERS))}"
    return f"{{{dice.choice(('start', 'utc'))}:{form}}}"


def a_value(dice: random.Random, option: Option) -> str:
    if option.kind is Kind.DEVICE:
        return damaged(dice, dice.choice((dice.choice(DEVICES), "9" * dice.choice(LENGTHS))))
    if option.kind is Kind.MAP and dice.random() < 0.1:
        return damaged(dice, ",".join(map(str, range(1, dice.choice(LENGTHS)))))
    if option.kind is Kind.COMMAND:  # it would be run
        return dice.choice(right.VALUES[option.kind][0])
    good, odd = right.NAMES[option.field] if option.field in right.NAMES else right.VALUES[option.kind]
    return damaged(dice, dice.choice(dice.choice((good, good, odd, VALUES))))


def an_option(dice: random.Random) -> list[str]:
    option = dice.choice(OPTIONS)
    name = damaged(dice, dice.choice((*option.names, *option.aliases))) if dice.random() < 0.03 else option.long_name
    if option.kind is Kind.FLAG:
        return [name]
    value = a_value(dice, option)
    return dice.choice(([name, value], [f"{name}={value}"], [f"{option.names[0]}{value}"]))


def a_vector(dice: random.Random) -> list[str]:
    """Return what may stand behind the command's name."""
    parts = [an_option(dice) for _ in range(dice.choice((0, 1, 1, 2, 3, 5)))]
    parts += [[a_name(dice)] for _ in range(dice.choice((1, 1, 2, 2, 2, 2, 3)))]
    if not any(part[0].startswith(("-D", "--device")) for part in parts) and dice.random() < 0.8:
        parts.append(["-D", dice.choice(right.FAST_DEVICES)])
    parts += [["-d", "0.1"]] * (dice.random() < 0.5)
    dice.shuffle(parts)
    return [word for part in parts for word in part]


NUMBERS = (0, 1, 2, 16, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
MAGICS = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"BW64",
    b".snd",
    b"dns.",
    b"OggS",
    b"FORM",
    b"fLaC",
    b"ID3\x03",
    b"\xff\xfb\x90\0",
)
KINDS = (b"WAVE", b"AIFF", b"ds64", b"fmt ", b"data", b"LIST", b"fact")


def a_number(dice: random.Random, byte_count: int) -> bytes:
    number = dice.choice(NUMBERS) + dice.choice((0, 0, 0, -1, 1, 44, 4096))
    return int(number % 2 ** (8 * byte_count)).to_bytes(byte_count, "little" if dice.random() < 0.5 else "big")


def a_header(dice: random.Random) -> bytes:
    """Return what a stream may begin with: mostly an RF64 whose lengths are odd, or parts of headers."""
    if dice.random() < 0.3:
        parts = [dice.choice((*MAGICS, *KINDS)) + a_number(dice, 4) for _ in range(dice.randint(1, 12))]
        return b"".join(parts)
    audio_bytes = dice.choice((*NUMBERS, 400))
    riff_bytes = (audio_bytes + dice.choice((0, 28, 68, 72, 80, 100, 2**26))) % 2**64
    fields = struct.pack("<HHIIHH", dice.choice((1, 3, 6, 0xFFFE)), 2, 48000, 192000, 4, 16)
    if dice.random() < 0.2:
        at = dice.randint(0, 12)
        fields = fields[:at] + a_number(dice, 4) + fields[at + 4 :]
    return (
        dice.choice((b"RF64", b"RF64", b"RIFF"))
        + b"\xff\xff\xff\xffWAVEds64"
        + struct.pack("<IQQQI", 28, riff_bytes, audio_bytes, 0, 0)
        + struct.pack("<4sI", b"fmt ", len(fields))
        + fields
        + b"data\xff\xff\xff\xff"
    )
