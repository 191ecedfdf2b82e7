"""Opens files of MP3, Ogg and FLAC: found in them are sounds that follow each other, and nothing that is no sound."""

from __future__ import annotations

import os
from collections.abc import Callable

from pastream_cli.engine.files import flac, mp3, ogg
from pastream_cli.engine.files.byte_source import ByteSource, close_what_was_read
from pastream_cli.engine.files.chain import chain_of
from pastream_cli.engine.files.headers import FIRST_BYTES, begins_with_a_header
from pastream_cli.engine.files.input_file import InputFile, opened
from pastream_cli.engine.files.libsndfile import reason_of
from pastream_cli.engine.files.paths import STANDARD_INPUT
from pastream_cli.errors import FileError

# What holds frames of MPEG, if it does, among other things.
_OTHER_CONTAINERS = (b"RIFF", b"\x1aE\xdf\xa3", b"\0\0\0\x18ftyp", b"\0\0\0\x1cftyp", b"\0\0\0\x20ftyp", b"\0\0\1\xba")


def open_encoded(source: str | int, name: str, warn: Callable[[str], None]) -> InputFile | None:
    """Open a file, by its path or descriptor, if it holds MP3, Ogg or FLAC; otherwise return `None`.

    `warn` is called with a line where it was cut off.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC) if isinstance(source, str) else source
    except OSError:  # whoever opens it next says why
        return None
    sources: list[ByteSource] = []
    try:
        sources = _find(descriptor, name, warn)
    except OSError as error:
        raise FileError(f"cannot open {name}: {reason_of(error)}") from None
    finally:
        if not sources and descriptor != STANDARD_INPUT:
            close_what_was_read(descriptor)
    if not sources:
        return None
    sources[0].closes = descriptor != STANDARD_INPUT
    try:
        found = opened(sources[0], name, {})
    except FileError:  # libsndfile knows the container, but not what is in it
        return None
    chain = chain_of(found.sound_file, sources)
    return found._replace(chain=chain, frames=chain.frames)


def _find(descriptor: int, name: str, warn: Callable[[str], None]) -> list[ByteSource]:
    """Return where the sounds are."""
    begin = mp3.tag_bytes(os.pread(descriptor, mp3.TAG_HEADER_BYTES, 0))
    magic = os.pread(descriptor, len(flac.MAGIC), begin)
    if magic == flac.MAGIC:
        return flac.find_sounds(descriptor, begin, name, warn)
    if magic == ogg.MAGIC:
        if sources := ogg.find_sounds(descriptor, name, warn):
            return sources
        raise FileError(f"cannot open {name}: its header ends too soon", "the file is damaged, or was cut off")
    first = os.pread(descriptor, FIRST_BYTES, 0)
    if not begin and (begins_with_a_header(first) or first.startswith(_OTHER_CONTAINERS)):
        return []
    return mp3.find_recordings(descriptor, name, warn)
