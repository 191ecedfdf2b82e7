"""What was meant by a file type, an encoding or the end of a name that is not known. Loaded for mistakes only."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from pastream_cli.command.line_repairs import line_meant
from pastream_cli.command.value_hints import time_spelling
from pastream_cli.engine.files import formats
from pastream_cli.errors import typed
from pastream_cli.spelling import by_word, closest
from pastream_cli.units import is_time

if TYPE_CHECKING:
    from pastream_cli.command.job import Job

_FOREIGN = by_word({"ffmpeg": "aac ac3 alac amr ape dsf dts eac3 m4a m4b mka mkv mov mp2 mp4 tta webm wma wv"})
"""Types that libsndfile does not write, and ffmpeg does."""
_PACKED = by_word({"FLAC": "7z bz2 gz lz4 xz zip zst"})
_SYSTEMS = frozenset(("alsa", "pulse", "pulseaudio", "jack", "coreaudio", "oss", "sndio", "pipewire", "dshow"))
"""What SoX and ffmpeg take for the type of a device."""
_RAW_ENCODINGS = {"f32": "float", "f64": "double", "u8": "pcm_u8", "s8": "pcm_s8"}
_RAW = by_word({"raw": "pcm bin dat s16 s16le s24le s32le f32le"})
_TYPES = {suffix: f"-t {name.lower()}" for suffix, name in formats.TYPE_OF_SUFFIX.items()} | by_word(
    {
        "-t ogg -e opus": "opus",
        "-t wav -e gsm610": "gsm",
        "-t ogg": "vorbis",
        "-t raw": "pcm dat bin none",
        "-t mp3": "mpeg mpeg3 layer3 lame mpga",
        "-t au, as in sox ... -t au - | pastream -": "sox",
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


def of_type(text: str, job: Job) -> str | None:
    """Return the way out after -t with a type that is not known."""
    plain = text.lower().removeprefix(".")
    if plain in _SYSTEMS:
        return line_meant([job.input or "null", job.output or "null"]) or "write -D for a device, which -l lists"
    if plain in _TYPES:
        return f"write {_TYPES[plain]}"
    if plain.upper() in formats.file_types():
        return f"write -t {plain}"
    if plain in _FOREIGN:
        return f"ffmpeg makes it: pastream null - -t au | ffmpeg -i - out.{plain}"
    near = closest(plain, map(str.lower, formats.recorded_types()))
    return _of_ffmpegs_raw(plain) or _of_no_type(text) or (f"did you mean -t {near}?" if near else None)


def _of_ffmpegs_raw(plain: str) -> str | None:
    """Return the way out for what ffmpeg calls RAW data, as ``s16le``."""
    match = re.fullmatch("(?:pcm_?)?([sfu])(8|16|24|32|64)([bl]e)?", plain)
    if match is None:
        return None
    encoding = _RAW_ENCODINGS.get(match[1] + match[2], f"pcm_{match[2]}")
    return f"write -t raw -e {encoding}{' --endian big' if match[3] == 'be' else ''}"


def _of_no_type(text: str) -> str | None:
    """Return the way out for what belongs behind another option than -t."""
    if formats.is_known_encoding(text.upper()):
        return f"that is an encoding: write -e {text}"
    if is_time(text) or time_spelling(text):
        return f"-t is the type of a file; a length is -d {time_spelling(text) or text}"
    return f"its TYPE is missing: -t wav {typed(text)}" if formats.type_of_name(text) else None


def of_encoding(text: str) -> str | None:
    """Return the way out after -e with an encoding that is not known."""
    plain = re.sub("[-_ ]", "", text.lower()).removesuffix("s").removesuffix("bit")
    if plain in _ENCODINGS:
        return f"write {_ENCODINGS[plain]}"
    if match := re.fullmatch("(?:pcm)?s?(16|24|32)be", plain):
        return f"write -e pcm_{match[1]} --endian big"
    if plain in _FOREIGN and plain not in {"flac", "alac"}:
        return f"ffmpeg makes it: pastream null - -t au | ffmpeg -i - out.{plain}"
    if near := closest(text.lower(), map(str.lower, formats.offered_encodings())):
        return f"did you mean -e {near}?"
    bits = re.fullmatch(r"[^0-9]{0,5}(16|24|32)[^0-9]{0,5}", text)
    return _of_no_encoding(text, plain) or (f"did you mean -e pcm_{bits[1]}?" if bits else None)


def _of_no_encoding(text: str, plain: str) -> str | None:
    """Return the way out for what belongs behind another option than -e."""
    if plain in {"flac", "alac"}:
        return "FLAC is a type of file: end the name in .flac, or write -t flac"
    if text.upper().removeprefix(".") in formats.file_types() or plain in _TYPES:
        return f"that is a type of file: write -t {plain}, or end the name in it"
    if match := re.fullmatch("cbr|abr|vbr|v[0-9]|([0-9]{2,3})k(?:b|bps|bit/s)?|([0-9]{3})", text.lower()):
        return f"a bit rate is lame's: pastream null - -t wav | lame -b {match[1] or match[2] or 128} - out.mp3"
    return f"its ENC is missing: -e pcm_24 {typed(text)}" if formats.type_of_name(text) else None


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
