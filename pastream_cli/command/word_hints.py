"""What was meant by words that cannot be INPUT and OUTPUT: another program's commands, addresses, lists of files.

Loaded for mistakes only. It looks at which files are there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path, PurePath

from pastream_cli.command.free_names import output_words
from pastream_cli.command.line_repairs import ON_ANOTHER_MACHINE, line_meant
from pastream_cli.command.options import OPTIONS
from pastream_cli.command.value_hints import time_spelling
from pastream_cli.command.value_types import is_null
from pastream_cli.errors import STANDARD_STREAM, shown, typed
from pastream_cli.spelling import by_word
from pastream_cli.units import is_time

_LONG_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
"""What word processors make of the dash that begins an option."""
_ODD_QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb'\""
_PLAYED = by_word({"play": "play playback player playing start open"})
_RECORDED = by_word({"record": "record rec recording capture save write"})
_SHOWN = by_word(
    {
        "-l lists the devices": "list ls devices device list-devices dev inputs outputs cards",
        "-h shows how it is used, and pastream --help all options": "help ? /? usage -help options",
        "--man shows the manual": "man manual docs",
        "--version shows the version": "version ver",
        "--completions SHELL prints the completions for a shell": "completion completions",
        "null shows the meter and records nothing": "meter monitor level levels vu listen test",
    }
)
_ADDRESS = (
    r"(?i)(?:([a-z][a-z0-9+.-]*)://|www\.[a-z0-9-]+\.|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|de|fm|io|net|org|tv)/).+"
)
_READ_AS_IT_COMES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".au", ".aiff", ".aif")
_FETCHED = frozenset({"http", "https", "ftp", "sftp"})


_OF_A_FLAG = {
    "loop": "--loop takes no number: it repeats until stopped, or for as long as -d says",
    "verbose": "levels stay as they are; SoX changes them: sox in.wav -t au - vol 0.5 | pastream -",
    "quiet": "-q takes no number; a bit rate is lame's: pastream null - -t wav | lame -b 128 - out.mp3",
}
"""What is said of a number that stands among the words and was meant for a flag."""


def of_a_flag(words: Sequence[str | None], flags: Collection[str]) -> str | None:
    """Return the way out for a number that was meant as the value of one of the flags of the line."""
    if not any(re.fullmatch(r"[0-9.,]+", word or "") and not os.path.exists(word or "") for word in words):
        return None
    return next((way_out for flag, way_out in _OF_A_FLAG.items() if flag in flags), None)


def meant(words: Sequence[str | None], flags: Collection[str] = ()) -> str | None:
    """Return the way out that a command line suggests, `None` if it suggests nothing.

    `words` are those that stand alone, INPUT first; `flags` are the fields of the options without a value.
    """
    present = [word for word in words if word]
    if way_out := of_a_flag(words, flags):
        return way_out
    if way_out := _of_odd_words(present) or _of_words(words) or _of_a_verb(present):
        return way_out
    joined = " ".join(present)
    if len(present) > 1 and os.path.exists(joined):
        return f"put quotes around a name that has spaces, as in pastream {typed(joined)}"
    lengths = [length for word in present if (length := length_meant(word)) and not os.path.exists(word)]
    if lengths and present[0] == words[0] and length_meant(present[0]):
        return f"a TIME is typed {lengths[0]}, as in -d {lengths[0]} or -p {lengths[0]}"
    return f"a length is -d {lengths[0]}" if lengths else None


def _of_words(words: Sequence[str | None]) -> str | None:
    """Return the way out for words that are no names; a null word is `None` among them."""
    named = [word or "null" for word in words]
    return line_meant(named[: max(1, len(named) - (words[-1] is None))])


def _of_odd_words(words: Sequence[str]) -> str | None:
    return next((way_out for word in words if word and (way_out := _of_a_word(word))), None)


def _of_a_word(word: str) -> str | None:
    """Return the way out for a word that is no name in any place."""
    if word[0] in _LONG_DASHES:
        return f"did you mean {_with_dashes(word)}? {word[0]} is not the - of options"
    if word[0] in _ODD_QUOTES and len(word) > 2:
        return f"the quotes belong to the name as it stands; without them it is {typed(word.strip(_ODD_QUOTES))}"
    if match := re.match(r"~/|\$HOME/|\$\{HOME\}/", word):
        return f'inside quotes a shell may leave {match[0][:-1]} as it is: "$HOME"/{typed(word[match.end() :])}'
    return None


def _with_dashes(word: str) -> str:
    """Return a word whose dashes a word processor has made longer as it is typed."""
    rest = word.lstrip(_LONG_DASHES + "-")
    is_long = f"--{rest.partition('=')[0]}" in {option.long_name for option in OPTIONS}
    return shown(f"{'--' if is_long else '-'}{rest}")


def address_way_out(words: Sequence[str | None]) -> str | None:
    """Return the way out where INPUT is an address: a pipe that fetches it."""
    first, second = (*words, None, None)[:2]
    if first is None or not (match := re.fullmatch(_ADDRESS, first)):
        return None
    output = "" if second is None or is_null(second) else f" {output_words(second)}"
    scheme = (match[1] or "https").lower()
    if scheme == "file":
        path = re.sub(r"(?i)^file://(localhost(?=/))?", "", first)
        return f"a file is named without file://: pastream {typed(path)}{output}"
    first = first if match[1] else f"https://{first}"
    path = first.partition("?")[0].partition("#")[0].lower()
    if scheme in _FETCHED and path.endswith(_READ_AS_IT_COMES):
        return f"an address is read through a pipe: curl -sL {typed(first)} | pastream -{output}"
    return f"an address is read through a pipe: ffmpeg -v error -i {typed(first)} -f au - | pastream -{output}"


def sent(address: str) -> str:
    """Return the way out for an OUTPUT that is an address: mostly the pipe that records to it."""
    if re.fullmatch(ON_ANOTHER_MACHINE, address):
        return line_meant(["null", address]) or ""
    scheme, _, path = address.partition("://")
    if scheme.lower() == "file":
        return f"a file is named without file://: pastream null {typed(path.removeprefix('localhost'))}"
    if scheme.lower() in {"s3", "gs", "smb", "sftp", "scp", "ssh"}:
        return "record to a file, and copy it there when it is done: pastream null out.wav"
    return f"pipe it: pastream null - -t mp3 | ffmpeg -v error -i - -c copy -f mp3 {typed(address)}"


def is_address(word: str) -> bool:
    """Tell whether a word is an address, as of a web page or a file of another machine, and no file here."""
    return bool(re.fullmatch(f"{_ADDRESS}|{ON_ANOTHER_MACHINE}", word)) and not os.path.exists(word)


def _of_a_verb(words: Sequence[str]) -> str | None:
    """Return the command for words as other programs take them, as in ``play a.wav`` and ``record x.wav 10``."""
    verb = next((word for word in words[:2] if word.lower() in {*_PLAYED, *_RECORDED, *_SHOWN}), None)
    if verb is None or os.path.exists(verb):
        return None
    others = [word for word in words if word is not verb and not is_null(word)]
    if verb.lower() in _PLAYED:
        return f"to play: {played(others)}"
    if verb.lower() in _RECORDED:
        return f"to record: {recorded(others)}"
    return f"pastream {_SHOWN[verb.lower()]}"


def played(names: Sequence[str]) -> str:
    """Return the command that plays files, one after the other where there are several."""
    if len(names) > 1:
        return f'for f in {_listed(names)}; do pastream "$f"; done'
    return f"pastream {typed(names[0]) if names else 'in.wav'}"


def recorded(words: Sequence[str]) -> str:
    """Return the command that records into the file that is among the words, for the time that is among them."""
    length = next((spelled for word in words if (spelled := length_meant(word))), None)
    name = next((word for word in words if not length_meant(word)), "out.wav")
    name = name if PurePath(name).suffix or name == STANDARD_STREAM else f"{name}.wav"
    of_stream = " -t au | ..." if name == STANDARD_STREAM else ""
    return f"pastream null {output_words(name)}{f' -d {length}' if length else ''}{of_stream}"


def length_meant(word: str) -> str | None:
    """Return the length that a word is meant as, spelled as after -d; ``10s`` among words is ten seconds."""
    if re.fullmatch("[0-9]+s", word):
        return word[:-1]
    if is_time(word) and word != "-1" and not word.endswith("ms"):
        return word
    return time_spelling(word) if word[:1].isdigit() else None


def _listed(names: Sequence[str]) -> str:
    """Return file names for a shell: as a pattern where they are all that it stands for, as of ``pastream *.wav``."""
    suffixes = {PurePath(name).suffix for name in names}
    suffix = suffixes.pop()
    if not suffixes and suffix and not any("/" in name for name in names):
        there = {path.name for path in Path().iterdir() if path.suffix == suffix and path.name[0] != "."}
        if there == set(names) and typed(suffix) == suffix:
            return f"*{suffix}"
    return " ".join(map(typed, names))


def of_too_many(words: Sequence[str], flags: Collection[str]) -> str:
    """Return the way out for a line of more than two words; `flags` as for `meant`."""
    first, second, *_ = words
    if way_out := of_a_flag(words[1:], flags) or address_way_out(words[:1]) or _of_odd_words(words):
        return way_out
    if way_out := line_meant([word or "null" for word in words]):
        return way_out
    if is_null(second) and not is_null(first) and not os.path.exists(first):
        rest = " ".join(map(typed, words[1:]))
        return f"did you mean pastream {rest}? {shown(first)} belongs to no option"
    if any(word.startswith("-") and word != STANDARD_STREAM for word in words):
        return "what follows -- is a name; options stand before it"
    return meant(words) or _of_names(words)


def _of_names(words: Sequence[str]) -> str:
    """Return the way out for names of files: they are to be played one by one, or one of them has spaces."""
    if all(os.path.exists(word) for word in words):
        return f"to play one after the other: {played(words)}"
    if not is_null(words[0]) and not is_null(words[-1]):
        return "put quotes around a name that has spaces"
    joined = " ".join(words[is_null(words[0]) : len(words) - is_null(words[-1])])
    return f"put quotes around a name that has spaces, as in {typed(joined)}"
