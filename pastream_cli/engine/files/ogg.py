"""Ogg: the sounds that follow each other in a file (a chain), as recordings of radio have them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.engine.files import flac
from pastream_cli.engine.files.byte_source import ByteSource, Shape
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.units import format_count

if TYPE_CHECKING:
    from pastream_cli.engine.native import OggLink

MAGIC = b"OggS"

_MOST_LINKS = 4096


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
            check_memory(lib.ogg_add(descriptor, link, source.handle), f"cannot open {name}")
            source.shape = _shape_of(link)
        source.closes = not sources
        sources.append(source)
        begin = link.end
        cut_off += not (link.sound.is_ended or told)
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
    said, frames = flac.frames_said(begin), link.sound.end_frame
    source.put_in_front(flac.with_frames(begin, frames))
    return flac.told_of(name, said, frames)


def _shape_of(link: OggLink) -> Shape | None:
    frames, codec = lib.ogg_link_frames(link), link.sound.codec
    return Shape(frames, codec.channels, codec.rate) if frames >= 0 else None
