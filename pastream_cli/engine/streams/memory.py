"""The caller's memory in place of a file: buffers and arrays that the loops of reader and writer use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pastream_cli.engine.native import check_memory, ffi, lib
from pastream_cli.engine.streams.samples import Samples

if TYPE_CHECKING:
    from pastream_cli.engine.native import MemoryFileHandle, Pointer


class Memory:
    """Frames in memory, which cannot be resized while a run uses it.

    Parameters
    ----------
    samples : Samples
        The frames, or the room for them.
    is_written : bool
        Whether frames are to be written there.
    """

    def __init__(self, samples: Samples, *, is_written: bool) -> None:
        self.samples = samples
        self.frames = samples.frames
        self._is_written = is_written
        self._bytes: Pointer | None = None
        self._file: MemoryFileHandle | None = None

    def open(self) -> MemoryFileHandle:
        """Return the memory as a file for the loops, from its first frame on; valid until `close`."""
        self._bytes = ffi.from_buffer(self.samples.data, require_writable=self._is_written)
        file = lib.memory_file_new(ffi.cast("void *", self._bytes), self.frames, self.samples.frame_bytes)
        self._file = ffi.gc(check_memory(file, "cannot use a buffer"), lib.memory_file_free)
        return self._file

    def close(self) -> None:
        """Give the memory back; only when no loop uses it."""
        if self._bytes is not None:
            self._file = None
            ffi.release(self._bytes)
            self._bytes = None
