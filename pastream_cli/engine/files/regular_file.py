"""Opens a regular file: as libsndfile takes it, or by what is there, where its header says something else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from pastream_cli.engine.files import joined_wavs
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.chain import Chain
from pastream_cli.engine.files.formats import file_sample_of, frame_bytes
from pastream_cli.engine.files.input_file import InputFile, opened
from pastream_cli.engine.files.joined_wavs import EncodedWav, Sound, find_sounds
from pastream_cli.engine.files.paths import STANDARD_INPUT
from pastream_cli.engine.files.raw import raw_format
from pastream_cli.engine.files.sample_range import LENGTH_OPEN_OF_AIFF, SampleRange, told_of, told_of_length
from pastream_cli.errors import FileError
from pastream_cli.units import format_count

# How libsndfile's log says that an AIFF, SVX or W64 is shorter than its header says.
_SHORT_OF_DATA = re.compile(
    r"^ *(?:data|SSND|BODY|Data Size|Riff size|riff) *: ([0-9]+) \(should be ([0-9]+)\)", re.MULTILINE
)
_WIDTHS = ("int16", "int32", "float32")


def open_file(source: str | int, name: str, warn: Callable[[str], None]) -> InputFile:
    """Open a regular file that has a header, by its path or its descriptor, which is closed with the file.

    `warn` is called with a line where the header says something else than what is there.

    Raises
    ------
    FileError
        Where it is no sound that can be read.
    """
    content = _content(source, name)
    try:
        found = find_sounds(content.descriptor)
    except OSError as error:
        content.close()
        raise FileError(f"cannot read {name}: {error.strerror}") from None
    if not found.are_all:
        warn(f"{name} holds more than {format_count(joined_wavs.MOST_JOINED)} sounds: the others are left out")
    if len(found.sounds) > 1:
        if isinstance(source, int) and source != STANDARD_INPUT:
            os.close(source)
        return _open_joined(content, found.sounds, name, warn)
    if found.sounds and isinstance(found.sounds[0], SampleRange):
        return _open_samples(source, content, found.sounds[0], name, warn)
    content.close()
    return _open_by_its_header(source, name, warn)


def _content(source: str | int, name: str) -> ByteSource:
    try:
        descriptor = os.dup(source) if isinstance(source, int) else os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FileError(f"cannot open {name}: {error.strerror}") from None
    return ByteSource(descriptor, closes=True)


def _open_samples(
    source: str | int, content: ByteSource, samples: SampleRange, name: str, warn: Callable[[str], None]
) -> InputFile:
    """Open plain samples: by their header, if libsndfile finds what is there."""
    try:
        by_its_header = opened(source, name, {})
    except FileError:  # the descriptor of the source is closed too
        if not samples.frames:
            content.close()
            raise
        by_its_header = None
    if told := told_of([samples], name):
        warn(told)
    if by_its_header is not None:
        if _agree(by_its_header, samples):
            content.close()
            return by_its_header
        by_its_header.close()
    return _opened_in(content, samples, name)


def _agree(found: InputFile, samples: SampleRange) -> bool:
    form = samples.format
    its_account = (found.encoding, found.rate, found.channels, found.frames)
    return its_account == (form.encoding, form.rate, form.channels, samples.frames) and not form.is_24_in_32


def _opened_in(source: ByteSource, sound: Sound, name: str) -> InputFile:
    """Open a sound of a file in a source, which gets its bytes."""
    if isinstance(sound, EncodedWav):
        return opened(source.add(sound.begin, sound.end), name, {})
    form = sound.format
    sound.put_into(source)
    return opened(source, name, raw_format(form.rate, form.channels, form.encoding, form.endian), form)


# ---- joined files ----


def _open_joined(content: ByteSource, sounds: Sequence[Sound], name: str, warn: Callable[[str], None]) -> InputFile:
    """Open sounds that could not be made one, one after the other."""
    plain = [sound for sound in sounds if isinstance(sound, SampleRange)]
    if told := told_of(plain, name):
        warn(told)
    empty = {sound for sound in plain if not sound.frames}
    first, *others = [sound for sound in sounds if sound not in empty] or sounds[:1]
    found = _opened_in(content, first, name)
    chain = Chain(found.sound_file, content)
    for sound in others:
        source = ByteSource(content.descriptor, closes=False)
        if isinstance(sound, EncodedWav):
            chain.add(source.add(sound.begin, sound.end))
        else:
            sound.put_into(source)
            chain.add_samples(source, sound.format, sound.frames)
    encodings = [found.encoding, *(sound.format.encoding for sound in plain)]
    widest = max(encodings, key=lambda encoding: _WIDTHS.index(file_sample_of(encoding)))
    return found._replace(chain=chain, frames=chain.frames, encoding=widest)


# ---- what libsndfile alone knows ----


def _open_by_its_header(source: str | int, name: str, warn: Callable[[str], None]) -> InputFile:
    found = opened(source, name, {})
    if told := _told_of_its_length(found):
        warn(told)
    return found


def _told_of_its_length(source: InputFile) -> str | None:
    """Return what is to be told where the header promises another length than what is there."""
    size = frame_bytes(source.encoding, source.channels)
    match = _SHORT_OF_DATA.search(source.sound_file.extra_info)
    there = source.frames or 0
    if match is None or size is None:
        return None
    promised_bytes, there_bytes = int(match[1]), int(match[2])
    if promised_bytes >= LENGTH_OPEN_OF_AIFF:
        return told_of_length(source.name, there, None)
    if promised_bytes == 0:
        return told_of_length(source.name, there, 0)
    missing = -((there_bytes - promised_bytes) // size)  # a frame that is there in part counts as missing
    return told_of_length(source.name, there, there + missing) if missing > 0 else None
