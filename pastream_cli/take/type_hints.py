"""What was meant by a file type, an encoding or the end of a name that is not known. Loaded for mistakes only."""

from __future__ import annotations

import re
from pathlib import PurePath

from pastream_cli.command.value_hints import time_spelling
from pastream_cli.engine.files import formats
from pastream_cli.errors import typed
from pastream_cli.spelling import by_word, closest
from pastream_cli.units import is_time

_FOREIGN = by_word({"ffmpeg": "aac ac3 alac amr ape dsf dts eac3 m4a m4b mka mkv mov mp2 mp4 tta webm wma wv"})
"""Types that libsndfile does not write, and ffmpeg does."""
_PACKED = by_word({"FLAC": "7z bz2 gz lz4 xz zip zst"})
_RAW = by_word({"raw": "pcm bin dat s16 s16le s24le s32le f32le"})
_TYPES = {suffix: f"-t {name.lower()}" for suffix, name in formats.TYPE_OF_SUFFIX.items()} | by_word(
    {
        "-t ogg -e opus": "opus",
        "-t wav -e gsm610": "gsm",
        "-t ogg": "vorbis",
        "-t raw": "pcm s16 s16le s24le s32le f32le dat bin none",
        "-t mp3": "mpeg mpeg3 layer3 lame mpga",
        "-t au, as in sox ... -t au - | pastream -": "sox",
        "-D for a device, which -l lists": "alsa pulse pulseaudio jack coreaudio oss sndio pipewire dshow waveaudio",
        "-t wav": "bwf bwav broadcast riff",
    }
)
_ENCODINGS = by_word(
    {
        "-e pcm_u8 for a WAV, -e pcm_s8 for an AIFF, AU or FLAC": "8 pcm8",
        "-e ima_adpcm or -e ms_adpcm": "adpcm",
        "-e pcm_16, -e pcm_24 or -e pcm_32": "pcm lpcm int signed signedinteger integer",
        "-e pcm_u8": "unsigned unsignedinteger",
        "-e pcm_16": "cd dat",
        "-e vorbis": "libvorbis",
        "-e opus": "libopus",
    }
)


def of_type(text: str) -> str | None:
    """Return the way out after -t with a type that is not known."""
    plain = text.lower().removeprefix(".")
    if plain in _TYPES:
        return f"write {_TYPES[plain]}"
    if plain.upper() in formats.file_types():
        return f"write -t {plain}"
    if plain in _FOREIGN:
        return f"ffmpeg makes it: pastream null - -t au | ffmpeg -i - out.{plain}"
    if formats.is_known_encoding(text.upper()):
        return f"that is an encoding: write -e {text}"
    if is_time(text) or time_spelling(text):
        return f"-t is the type of a file; a length is -d {time_spelling(text) or text}"
    near = closest(plain, map(str.lower, formats.recorded_types()))
    return f"did you mean -t {near}?" if near else None


def of_encoding(text: str) -> str | None:
    """Return the way out after -e with an encoding that is not known."""
    plain = re.sub("[-_ ]", "", text.lower()).removesuffix("s").removesuffix("bit")
    if plain in _ENCODINGS:
        return f"write {_ENCODINGS[plain]}"
    if match := re.fullmatch("(?:pcm)?s?(16|24|32)be", plain):
        return f"write -e pcm_{match[1]} --endian big"
    if plain in {"flac", "alac"}:
        return "FLAC is a type of file: end the name in .flac, or write -t flac"
    if text.upper().removeprefix(".") in formats.file_types() or plain in _TYPES or plain in _FOREIGN:
        return (
            of_type(text) if plain in _FOREIGN else f"that is a type of file: write -t {plain}, or end the name in it"
        )
    if near := closest(text.lower(), map(str.lower, formats.offered_encodings())):
        return f"did you mean -e {near}?"
    bits = re.fullmatch(r"[^0-9]{0,5}(16|24|32)[^0-9]{0,5}", text)
    return f"did you mean -e pcm_{bits[1]}?" if bits else None


def of_name(path: str) -> str | None:
    """Return the way out for an OUTPUT whose name does not end in a type that is known."""
    pure = PurePath(path)
    suffix = pure.suffix[1:].lower().rstrip("'\"")
    if not suffix:
        stem = path.rstrip(".")
        is_suffix = pure.name[1:].upper() in formats.file_types()
        name = str(pure.with_name(f"take{pure.name}")) if is_suffix else f"{stem}.wav"
        return f"name it {typed(name)}, or say the type with -t" if stem else None
    if suffix in _FOREIGN:
        return f"ffmpeg makes it: pastream null - -t au | ffmpeg -i - {typed(path)}"
    if suffix in _PACKED:
        return f"a FLAC is compressed without loss: name it {typed(f'{_without_types(pure)}.flac')}"
    if suffix in _RAW:
        return f"raw data is -t raw: pastream null {typed(path)} -t raw"
    near = closest(suffix, [*map(str.lower, formats.recorded_types()), *formats.TYPE_OF_SUFFIX])
    return f"did you mean {typed(str(pure.with_suffix(f'.{near}')))}?" if near else None


def _without_types(path: PurePath) -> str:
    stem = path.with_suffix("")
    return str(stem.with_suffix("") if formats.type_of_name(str(stem)) else stem)
