"""A byte source: parts of a file, and bytes from memory, that libsndfile reads as if they were a file of their own."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from pastream_cli.engine.native import check_memory, ffi, lib

if TYPE_CHECKING:
    from pastream_cli.engine.native import ByteSourceHandle

_NO_MEMORY = "cannot read a file"


class Shape(NamedTuple):
    """What libsndfile says of a sound when it has opened it."""

    frames: int | None
    channels: int
    rate: int
    is_promise: bool = False
    """Whether the number of frames is only what a header says."""


class ByteSource:
    """Parts of a file one after the other, which C reads without any Python. It closes its descriptor, if told to.

    Parameters
    ----------
    descriptor : int
        Of a file that can be seeked in. Its position is never used, so that sources may share it.
    closes : bool
        Whether `close` closes the descriptor too.
    """

    def __init__(self, descriptor: int, *, closes: bool, handle: ByteSourceHandle | None = None) -> None:
        self.descriptor = descriptor
        self.closes = closes
        self.shape: Shape | None = None
        """Of the sound in it, where that was found without opening it, which takes a millisecond."""
        made = check_memory(handle or lib.byte_source_new(descriptor), _NO_MEMORY)
        self.handle = ffi.gc(made, lib.byte_source_free)

    @classmethod
    def of_stream(cls, descriptor: int, first: bytes, *, closes: bool) -> ByteSource:
        """Return a source of what comes through a pipe: `first`, which has come already, and then the rest."""
        first_in_c = ffi.from_buffer("unsigned char[]", first)
        handle = lib.byte_source_new_stream(descriptor, first_in_c, len(first))
        return cls(descriptor, closes=closes, handle=check_memory(handle, _NO_MEMORY))

    def add(self, begin: int, end: int) -> ByteSource:
        """Add the bytes of the file from `begin` up to `end`, which must be known. Return the source."""
        check_memory(lib.byte_source_add(self.handle, begin, end), _NO_MEMORY)
        return self

    def add_low_three(self, begin: int, end: int) -> ByteSource:
        """Add the low three of each four bytes of the file from `begin` up to `end`, which is a multiple of four on."""
        check_memory(lib.byte_source_add_low_three(self.handle, begin, end), _NO_MEMORY)
        return self

    def add_bytes(self, data: bytes) -> ByteSource:
        """Add bytes that are not in the file. Return the source."""
        added = lib.byte_source_add_bytes(self.handle, ffi.from_buffer("unsigned char[]", data), len(data))
        check_memory(added, _NO_MEMORY)
        return self

    def put_in_front(self, data: bytes) -> None:
        """Put bytes that are not in the file before all the others."""
        data_in_c = ffi.from_buffer("unsigned char[]", data)
        check_memory(lib.byte_source_put_in_front(self.handle, data_in_c, len(data)), _NO_MEMORY)

    def close(self) -> None:
        """Close the file, if this source is to close it. Nothing may read the source any more."""
        if self.closes:
            self.closes = False
            close_what_was_read(self.descriptor)


def close_what_was_read(descriptor: int) -> None:
    """Close a file that nothing was written to: whatever the disk says of that, what was read is right."""
    with suppress(OSError):
        os.close(descriptor)
