"""Finds the WAVs that were joined in one file, whatever lies between them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple, TypeAlias

from pastream_cli.engine.files.head import HeaderError
from pastream_cli.engine.files.sample_range import SampleRange, find_samples
from pastream_cli.engine.files.wav_header import RIFF_MAGICS, begins_a_wav

MOST_JOINED = 10_000
"""How many WAVs of a file are played."""

_FIRST_BYTES = 12
_BLOCK_BYTES = 2**20
# Where the length of the samples is not true, the next header is looked for among them. That takes a tenth of a second
# for so many bytes; of more, only the first block is searched, so that playing begins at once.
_MOST_SEARCHED_BYTES = 2**28


class EncodedWav(NamedTuple):
    """A WAV that libsndfile has to decode, from the byte `begin` up to the byte `end`."""

    begin: int
    end: int


Sound: TypeAlias = "SampleRange | EncodedWav"


class Content(NamedTuple):
    """What is to be played of a file, one after the other: plain WAVs of one format that follow each other are one."""

    sounds: Sequence[Sound]
    are_all: bool = True
    """Whether there are no more than `MOST_JOINED`."""


def find_sounds(descriptor: int) -> Content:
    """Return the sounds in a file; none where it is no WAV, and its samples have to be decoded or cannot be found."""
    size = os.fstat(descriptor).st_size
    first = _sound_at(descriptor, 0, size)
    if not begins_a_wav(os.pread(descriptor, _FIRST_BYTES, 0)):
        return Content([first] if isinstance(first, SampleRange) else [])
    wavs = _wavs(descriptor, first, size)
    several = list(islice(wavs, MOST_JOINED))
    return Content(several if len(several) == 1 else list(_merged(several)), next(wavs, None) is None)


def _wavs(descriptor: int, sound: Sound, size: int) -> Iterator[Sound]:
    """Yield a WAV, and those that were joined to it."""
    while (place := _next_header(descriptor, sound, size)) is not None:
        yield sound._replace(end=min(place, sound.end))
        sound = _sound_at(descriptor, place, size)
    yield sound


def _sound_at(descriptor: int, place: int, size: int) -> Sound:
    try:
        return find_samples(descriptor, place) or EncodedWav(place, size)
    except HeaderError:
        return EncodedWav(place, size)  # whoever opens it says that it cannot be read


def _next_header(descriptor: int, sound: Sound, size: int) -> int | None:
    if isinstance(sound, EncodedWav):
        end = sound.begin + 8 + int.from_bytes(os.pread(descriptor, 4, sound.begin + 4), "little")
        return _find_header(descriptor, end, min(size, end + _FIRST_BYTES + 1))
    is_true = sound.format.stated_bytes == sound.end - sound.begin
    return _find_header(descriptor, sound.end if is_true else sound.begin, size)


def _find_header(descriptor: int, begin: int, end: int) -> int | None:
    last = begin + _BLOCK_BYTES if end - begin > _MOST_SEARCHED_BYTES else end
    while begin < last and (block := os.pread(descriptor, min(_BLOCK_BYTES, end - begin), begin)):
        at = block.find(b"WAVE", 8)
        while at >= 0:
            if block[at - 8 : at - 4] in RIFF_MAGICS:
                return begin + at - 8
            at = block.find(b"WAVE", at + 1)
        begin += max(1, len(block) - _FIRST_BYTES + 1)
    return None


# ---- those of one format ----


def _merged(sounds: Iterable[Sound]) -> Iterator[Sound]:
    for _, alike in groupby(sounds, key=lambda sound: sound if isinstance(sound, EncodedWav) else _key(sound)):
        several = list(alike)
        plain = [sound for sound in several if isinstance(sound, SampleRange)]
        yield _joined(plain) if plain else several[0]


def _key(sound: SampleRange) -> tuple[object, ...]:
    form = sound.format
    return form.encoding, form.endian, form.rate, form.channels, form.is_24_in_32


def _joined(sounds: Sequence[SampleRange]) -> SampleRange:
    """Return sounds of one format as one, without frames that are cut off, which would shift all that follows."""
    whole = [_in_whole_frames(sound) for sound in sounds]
    first, *others = whole
    lengths = [sound.format.stated_bytes or 0 for sound in whole]
    stated = None if any(sound.is_open for sound in whole) else sum(lengths)
    parts = tuple((other.begin, other.end) for other in others)
    return first._replace(others=parts, format=first.format._replace(stated_bytes=stated))


def _in_whole_frames(sound: SampleRange) -> SampleRange:
    size, stated = sound.frame_bytes, sound.format.stated_bytes
    form = sound.format if stated is None else sound.format._replace(stated_bytes=stated // size * size)
    return sound._replace(end=sound.end - (sound.end - sound.begin) % size, format=form)
