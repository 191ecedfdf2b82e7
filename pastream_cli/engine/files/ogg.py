"""Ogg: the sounds that follow each other in a file (a chain), as recordings of radio have them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pastream_cli.engine.files import flac
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.units import format_count, format_frames

if TYPE_CHECKING:
    from pastream_cli.engine.native import OggLink

MAGIC = b"OggS"

_MOST_LINKS = 4096


def find_sounds(descriptor: int, name: str, warn: Callable[[str], None]) -> list[ByteSource]:
    """Return the sounds in an Ogg file; the first source closes the file.

    `warn` is called with a line where the last one was cut off.
    """
    end = os.fstat(descriptor).st_size
    sources: list[ByteSource] = []
    begin, is_ended = 0, True
    link = ffi.new("struct ogg_link *")
    while begin < end and len(sources) < _MOST_LINKS and lib.ogg_find_link(descriptor, begin, end, link):
        source = ByteSource(descriptor, closes=not sources)
        told = _add_flac(link, source, name) if link.flac_begin else None
        if told:
            warn(told)
        if not link.flac_begin:
            source.add(link.begin, link.end)
        sources.append(source)
        begin, is_ended = link.end, bool(link.is_ended or told)
    if len(sources) == _MOST_LINKS and lib.ogg_find_link(descriptor, begin, end, link):
        warn(f"{name} holds more than {format_count(_MOST_LINKS)} sounds: the others are left out")
    elif not is_ended:
        warn(f"{name} was cut off: it does not say where it ends")
    return sources


def _add_flac(link: OggLink, source: ByteSource, name: str) -> str | None:
    """Add a FLAC without the pages around it, with its true length; return a line if it was cut off."""
    frames = lib.ogg_add_flac(source.descriptor, link, source.handle)
    check_memory(frames >= 0, f"cannot open {name}")
    begin = os.pread(source.descriptor, lib.FLAC_BEGIN_BYTES, link.flac_begin)
    said = flac.frames_said(begin)
    source.put_in_front(flac.with_frames(begin, frames))
    if frames >= said:
        return None
    return f"{name} was cut off: it has {format_count(frames)} of its {format_frames(said)}"
