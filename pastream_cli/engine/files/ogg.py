"""Ogg: the sounds that follow each other in a file (a chain), as recordings of radio have them."""

from __future__ import annotations

import os
from collections.abc import Callable

from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.native import ffi, lib

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
        sources.append(ByteSource(descriptor, closes=not sources).add(link.begin, link.end))
        begin, is_ended = link.end, bool(link.is_ended)
    if not is_ended:
        warn(f"{name} was cut off: it does not say where it ends")
    return sources
