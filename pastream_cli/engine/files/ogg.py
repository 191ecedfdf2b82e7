"""Ogg: the sounds that follow each other in a file (a chain), as recordings of radio have them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import soundfile

from pastream_cli.engine.files import flac
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.libsndfile import SoundInSource
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.units import format_count

if TYPE_CHECKING:
    from pastream_cli.engine.native import OggLink

MAGIC = b"OggS"

_MOST_LINKS = 4096
_FAR_FRAME = 2**40
_OPUS_RATE = 48000
_OPUS_SKIP = 10  # where the header of an Opus says how many frames are to be skipped


def find_sounds(descriptor: int, name: str, warn: Callable[[str], None]) -> list[ByteSource]:
    """Return the sounds in an Ogg file; the first source closes the file.

    `warn` is called with a line where one of them was cut off.
    """
    end = os.fstat(descriptor).st_size
    sources: list[ByteSource] = []
    begin, cut_off = 0, 0
    link = ffi.new("struct ogg_link *")
    while source := _find_sound(descriptor, begin, end, link, name):
        if len(sources) == _MOST_LINKS:
            warn(f"{name} holds more than {format_count(_MOST_LINKS)} sounds: the others are left out")
            break
        told = _finish_flac(link, source, name) if link.flac_begin else None
        if told:
            warn(told)
        if not link.flac_begin:
            _add_whole(link, source)
        source.closes = not sources
        sources.append(source)
        begin = link.end
        cut_off += not (link.is_ended or told)
    if cut_off and len(sources) == 1:
        warn(f"{name} was cut off: it does not say where it ends")
    elif cut_off:
        ends = "does not say where it ends" if cut_off == 1 else "do not say where they end"
        warn(f"{name} was cut off: {format_count(cut_off)} of its {format_count(len(sources))} sounds {ends}")
    return sources


def _find_sound(descriptor: int, begin: int, end: int, link: OggLink, name: str) -> ByteSource | None:
    """Find the next sound, of which `link` then tells. The source that is returned holds it, if it is a FLAC."""
    source = ByteSource(descriptor, closes=False)
    found = lib.ogg_find_link(descriptor, begin, end, source.handle, link) if begin < end else 0
    check_memory(found >= 0, f"cannot open {name}")
    return source if found else None


def _finish_flac(link: OggLink, source: ByteSource, name: str) -> str | None:
    """Give a FLAC a beginning that has its true length; return a line if its header says another."""
    begin = os.pread(source.descriptor, lib.FLAC_BEGIN_BYTES, link.flac_begin)
    said = flac.frames_said(begin)
    source.put_in_front(flac.with_frames(begin, link.flac_frames))
    return flac.told_of(name, said, link.flac_frames)


def _add_whole(link: OggLink, source: ByteSource) -> None:
    """Add a sound from its first frame on.

    Where a sound was cut without being encoded anew, its first page holds more frames than it says: the sound begins
    before frame 0, and libsndfile would leave out as many frames at its end. It would also leave out what follows a
    page that says it is the last one.
    """
    before = _frames_before_the_first(link, source.descriptor)
    if before or link.has_end_inside:
        check_memory(lib.ogg_add_moved(source.descriptor, link, before, source.handle), "cannot read a file")
    else:
        source.add(link.begin, link.end)


def _frames_before_the_first(link: OggLink, descriptor: int) -> int:
    """Return how many frames of a sound lie before frame 0."""
    if link.streams != 1 or not link.page_bytes or link.is_page_last:
        return 0
    page = bytearray(os.pread(descriptor, link.page_bytes, link.page_begin))
    lib.ogg_set_frame(ffi.from_buffer("unsigned char[]", page), _FAR_FRAME)
    first_page = ByteSource(descriptor, closes=False).add(link.begin, link.page_begin).add_bytes(bytes(page))
    try:
        with SoundInSource(first_page) as sound_file:
            frames, rate = int(sound_file.frames), int(sound_file.samplerate)
    except soundfile.SoundFileError:
        return 0
    first = os.pread(descriptor, _OPUS_SKIP + 2, link.begin + lib.OGG_PAGE_HEADER_BYTES + 1)
    if first.startswith(b"OpusHead"):  # libsndfile leaves out what its header skips; pages count at one rate
        frames = frames * _OPUS_RATE // rate + int.from_bytes(first[_OPUS_SKIP:], "little")
    return max(0, frames - int(link.page_frame))
