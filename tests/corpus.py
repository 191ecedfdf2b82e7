"""Valid files as other programs write them: each kind is a command line, and what is to be heard of it."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

from tests.homes import need
from tests.sounds import make_noise

FRAMES = 30_011
MP3_DELAY_FRAMES = 529
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


class Kind(NamedTuple):
    """A kind of file: how it is made of `{source}` as `{file}`, and whether it can be played."""

    command: str
    suffix: str
    rate: int = 44100
    channels: int = 2
    is_exact: bool = True
    """Whether it holds as many frames as its source; else ffmpeg says how many."""
    is_played: bool = True
    decoder_delay: int = 0
    """Frames at the beginning that ffmpeg's decoder adds, where the file does not tell it how many these are."""

    @property
    def name(self) -> str:
        """What tells this kind from others."""
        return f"{self.command} {self.suffix} {self.rate} {self.channels}"


def kinds() -> list[Kind]:
    """Return every kind of file of the corpus."""
    return [*_of_sox(), *_of_ffmpeg(), *_of_encoders(), *_of_arecord(), *_foreign()]


def make(kind: Kind, folder: Path) -> Path:
    """Make a file of that kind, and return its path."""
    program = shlex.split(kind.command)[0]
    need(program)
    source, file = folder / f"source-{kind.rate}-{kind.channels}.wav", folder / f"file.{kind.suffix}"
    if not source.exists():
        make_noise(source, FRAMES, kind.channels, rate=kind.rate)
    file.unlink(missing_ok=True)
    _run(kind.command.format(source=source, file=file, rate=kind.rate, channels=kind.channels))
    return file


def frames_by_ffmpeg(path: Path, channels: int) -> int:
    """Return how many frames ffmpeg decodes."""
    need("ffmpeg")
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-map", "0:a", "-"]
    return len(subprocess.run(command, capture_output=True, check=True).stdout) // (2 * channels)


def _run(command: str) -> None:
    made = subprocess.run(shlex.split(command), capture_output=True, check=False)
    assert made.returncode == 0, f"{command}: {made.stderr.decode(errors='replace')}"


_SOX_ENCODINGS = {
    "wav": "-b8|-b16|-b24|-b32|-e float -b32|-e float -b64|-e u-law|-e a-law",
    "aiff": "-b8|-b16|-b24|-b32",
    "aifc": "-b8|-b16|-b24|-b32",
    "au": "-b8|-b16|-b24|-b32|-e float -b32|-e float -b64|-e u-law|-e a-law",
    "caf": "-b16|-b24|-b32|-e float -b32",
    "w64": "-b8|-b16|-b24|-b32|-e float -b32|-e float -b64|-e u-law|-e a-law",
    "flac": "-b16|-b24",
    "sph": "-b8|-b16|-e u-law",
    "sf": "-b16|-b32|-e float -b32",
    "paf": "-b8|-b16",
    "voc": "-b16",
    "mat4": "-b16|-b32|-e float -b32|-e float -b64",
    "mat5": "-b16|-b32|-e float -b32|-e float -b64",
}
_FFMPEG_CODECS = {
    "wav": "pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_f64le pcm_mulaw pcm_alaw",
    "rf64": "pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le",
    "aiff": "pcm_s16be pcm_s16le pcm_s24be pcm_s32be pcm_f32be pcm_f64be pcm_alaw pcm_mulaw",
    "au": "pcm_s8 pcm_s16be pcm_s24be pcm_s32be pcm_f32be pcm_f64be pcm_alaw pcm_mulaw",
    "caf": "pcm_s8 pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_f32le pcm_f64be pcm_alaw pcm_mulaw",
    "w64": "pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_alaw",
    "voc": "pcm_s16le pcm_alaw",
}


def _of_sox() -> Iterator[Kind]:
    for suffix, encodings in _SOX_ENCODINGS.items():
        for encoding in encodings.split("|"):
            yield Kind(f"sox -R {{source}} {encoding} {{file}}", suffix)
    for rate, channels in product((8000, 48000, 96000, 192000), (1, 2, 6)):
        yield Kind("sox -R {source} -b24 {file}", "wav", rate, channels)
        yield Kind("sox -R {source} {file}", "flac", rate, channels)
    for encoding in ("ima-adpcm", "ms-adpcm", "gsm-full-rate"):
        yield Kind(f"sox -R {{source}} -e {encoding} {{file}}", "wav", 8000, 1, is_exact=False)
    for options in ("-C1", "-C9", ""):
        yield Kind(f"sox -R {{source}} {options} {{file}}", "ogg", is_exact=False)
        yield Kind(f"sox -R {{source}} {options} {{file}}", "mp3", is_exact=False, decoder_delay=MP3_DELAY_FRAMES)


def _of_ffmpeg() -> Iterator[Kind]:
    begin = "ffmpeg -v error -y -i {source}"
    for suffix, codecs in _FFMPEG_CODECS.items():
        options = "-f wav -rf64 always" if suffix == "rf64" else ""
        for codec in codecs.split():
            # the length of its W64 counts the bytes that fill up the last chunk
            yield Kind(f"{begin} -c:a {codec} {options} {{file}}", suffix, is_exact=suffix != "w64")
    for channels, rate in product((1, 3, 8), (11025, 88200)):
        yield Kind(f"{begin} -c:a pcm_s24le {{file}}", "wav", rate, channels)
        yield Kind(f"{begin} -c:a pcm_f32le {{file}}", "caf", rate, channels)
    for codec in ("adpcm_ima_wav", "adpcm_ms", "libmp3lame"):
        yield Kind(f"{begin} -c:a {codec} {{file}}", "wav", is_exact=False)
    yield Kind(f"{begin} -bitexact {{file}}", "wav")
    yield Kind("sh -c 'ffmpeg -v error -i {source} -f wav - >{file}'", "wav")
    yield Kind("sh -c 'ffmpeg -v error -i {source} -f au - >{file}'", "au")
    yield Kind("sh -c 'ffmpeg -v error -i {source} -f w64 - >{file}'", "w64")
    for level, rate in product((0, 5, 12), (16000, 44100)):
        yield Kind(f"{begin} -compression_level {level} {{file}}", "flac", rate)
    for codec, suffix in (("libvorbis", "ogg"), ("libopus", "opus"), ("libmp3lame", "mp3"), ("mp2", "mp2")):
        for rate, channels in product((16000, 48000), (1, 2)):
            yield Kind(
                f"{begin} -c:a {codec} {{file}}",
                suffix,
                rate,
                channels,
                is_exact=codec == "libvorbis" or suffix == "opus",
            )
    for options in ("-write_xing 0", "-q:a 2 -write_xing 0 -id3v2_version 0"):
        yield Kind(f"{begin} {options} {{file}}", "mp3", is_exact=False, decoder_delay=MP3_DELAY_FRAMES)


def _of_encoders() -> Iterator[Kind]:
    for options in ("-V0", "-V2", "-V9", "-b128", "-b320", "--abr 150", "-V2 -t", "-mm", "-mj -b64"):
        yield Kind(
            f"lame --quiet {options} {{source}} {{file}}",
            "mp3",
            is_exact=False,
            decoder_delay=MP3_DELAY_FRAMES if "-t" in options else 0,
        )
    for rate, channels in product((8000, 16000, 32000, 48000), (1, 2)):
        yield Kind("lame --quiet -V4 {source} {file}", "mp3", rate, channels, is_exact=False)
        yield Kind("oggenc -Q {source} -o {file}", "ogg", rate, channels)
        yield Kind("opusenc --quiet {source} {file}", "opus", rate, channels, is_exact=rate in OPUS_RATES)
    for options in ("-q-1", "-q10", "-b 128 --managed", "--comment title=x"):
        yield Kind(f"oggenc -Q {options} {{source}} -o {{file}}", "ogg")
    for options in ("--bitrate 16", "--hard-cbr", "--framesize 60", "--comment title=x"):
        yield Kind(f"opusenc --quiet {options} {{source}} {{file}}", "opus", 48000, is_exact=False)
    for options in ("-0", "-8", "--no-padding", "--no-seektable", "-b 16", "--lax -b 65535", "-l 0"):
        yield Kind(f"flac -s -f {options} {{source}} -o {{file}}", "flac")
        yield Kind(f"flac -s -f --ogg {options} {{source}} -o {{file}}", "oga")
    yield Kind("ffmpeg -v error -y -i {source} -c:a flac {file}", "ogg")


def _of_arecord() -> Iterator[Kind]:
    """What arecord writes of the null device, which needs no sound hardware: never an odd number of bytes."""
    record = f"arecord -q -D null -r {{rate}} -c {{channels}} -s {FRAMES}"
    for form, channels in product(("U8", "S16_LE", "S24_LE", "S24_3LE", "S32_LE", "FLOAT_LE"), (1, 2)):
        yield Kind(f"{record} -t wav -f {form} {{file}}", "wav", 48000, channels, is_exact=form != "U8" or channels > 1)
    for form, channels in product(("U8", "MU_LAW"), (1, 2)):
        yield Kind(f"{record} -t au -f {form} {{file}}", "au", 8000, channels, is_exact=channels > 1)


def _foreign() -> Iterator[Kind]:
    """What libsndfile does not decode."""
    begin = "ffmpeg -v error -y -i {source}"
    for suffix, codec in (
        *(("m4a", "aac"), ("m4a", "alac"), ("aac", "aac"), ("caf", "alac"), ("mka", "flac"), ("mkv", "aac")),
        *(
            ("webm", "libopus"),
            ("wma", "wmav2"),
            ("ac3", "ac3"),
            ("tta", "tta"),
            ("wv", "wavpack"),
            ("mov", "pcm_s16le"),
        ),
        *(("ts", "mp2"), ("mpg", "mp2"), ("flv", "adpcm_swf"), ("avi", "mp2"), ("wav", "adpcm_yamaha"), ("wav", "aac")),
        *(("wav", "ac3"), ("wav", "wmav2"), ("nut", "pcm_s16le")),
    ):
        yield Kind(f"{begin} -c:a {codec} {{file}}", suffix, is_played=False)
    yield Kind(f"{begin} -c:a g726 -b:a 32k {{file}}", "wav", 8000, 1, is_played=False)
    yield Kind("sox -R {source} -b24 {file}", "sph", is_played=False)
    yield Kind(f"{begin} -c:a pcm_u8 {{file}}", "voc", is_played=False)
    yield Kind(f"{begin} -c:a libspeex {{file}}", "spx", 8000, 1, is_played=False)
