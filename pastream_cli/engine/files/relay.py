"""Brings a pipe to libsndfile: pumped with its first bytes put back, or kept in a temporary file first."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.threads import DeafThread
from pastream_cli.errors import ErrorKind, FileError, NoThreadError

_MOST_KEPT_BYTES = 2**32
_BYTES_LEFT_ON_THE_DISK = 2**26
_READ_BYTES = 2**16


def open_stream(path: str) -> int:
    """Open a FIFO or a device for reading; waits for a FIFO's writer."""
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def make_blocking(descriptor: int) -> None:
    """Make a descriptor blocking: another process that shares the pipe may have set it non-blocking."""
    with suppress(OSError):  # it is closed, as the next read or write will tell
        os.set_blocking(descriptor, True)


def is_at_its_beginning(descriptor: int) -> bool:
    """Tell whether this is a regular file, and its position is at the first byte."""
    return _is_regular(descriptor) and not _appends(descriptor) and os.lseek(descriptor, 0, os.SEEK_CUR) == 0


def is_within_a_file(descriptor: int) -> bool:
    """Tell whether this is a regular file, and its position is behind the first byte."""
    return _is_regular(descriptor) and not is_at_its_beginning(descriptor)


@contextmanager
def taken_for_its_beginning(descriptor: int) -> Iterator[None]:
    """Let libsndfile begin in the middle of a regular file, which it would refuse: seek to the first byte meanwhile."""
    position = os.lseek(descriptor, 0, os.SEEK_CUR) if _is_regular(descriptor) else 0
    if position:
        os.lseek(descriptor, 0, os.SEEK_SET)
    yield
    if position:
        os.lseek(descriptor, position, os.SEEK_SET)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, a few bytes."""
    while data:
        data = data[os.write(descriptor, data) :]


def has_no_reader(descriptor: int) -> bool:
    """Tell whether the reader of this pipe has gone."""
    poll = select.poll()
    poll.register(descriptor, 0)  # errors and hang-ups are reported for any mask
    return bool(poll.poll(0))


def _is_regular(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _appends(descriptor: int) -> bool:
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND)


def pump(source: int, first: bytes, *, closes_source: bool) -> int:
    """Return a pipe that delivers `first` and then everything from `source`, until either end is closed."""
    read_end, write_end = os.pipe()
    memory = ffi.from_buffer("unsigned char[]", first)
    parameters = ffi.new("struct pump *", (source, write_end, memory, len(first)))

    def run(_memory: object) -> None:
        lib.pump_run(parameters)
        if closes_source:
            os.close(source)

    try:
        DeafThread(target=run, args=(memory,), name="pump").start()
    except NoThreadError:
        os.close(read_end)
        os.close(write_end)
        raise
    return read_end


def keep(source: int, first: bytes, name: str) -> int:
    """Copy a whole stream into a file without a name. Return the file's descriptor, at its first byte.

    Raises
    ------
    FileError
        Where there is no room for it.
    """
    try:
        room = min(_MOST_KEPT_BYTES, shutil.disk_usage(tempfile.gettempdir()).free - _BYTES_LEFT_ON_THE_DISK)
        with tempfile.TemporaryFile() as file:
            file.write(first)
            while some := os.read(source, _READ_BYTES):
                room -= file.write(some)
                if room < 0:
                    raise FileError(f"cannot keep {name}: it is too long", kind=ErrorKind.TOO_LONG_TO_KEEP)
            file.seek(0)
            return os.dup(file.fileno())
    except OSError as error:
        raise FileError(f"cannot keep {name}: {error.strerror}", "TMPDIR names a folder with room") from None
