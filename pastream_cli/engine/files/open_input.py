"""Opens the input: a file, a FIFO or standard input. What it is, is decided by its first bytes."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable

from pastream_cli.engine.files import headers
from pastream_cli.engine.files.encoded import open_encoded
from pastream_cli.engine.files.foreign import codec_of
from pastream_cli.engine.files.formats import type_of_name
from pastream_cli.engine.files.input_changes import no_sound
from pastream_cli.engine.files.input_file import InputFile, first_bytes, not_decoded, opened
from pastream_cli.engine.files.input_stream import open_stream
from pastream_cli.engine.files.paths import STANDARD_INPUT, is_stream, no_folder_in
from pastream_cli.engine.files.raw import RawDescription
from pastream_cli.engine.files.regular_file import open_file
from pastream_cli.errors import STANDARD_STREAM, ErrorKind, FileError, UsageError


def open_input(
    path: str,
    *,
    file_type: str | None = None,
    encoding: str | None = None,
    endian: str | None = None,
    rate: int | None = None,
    channels: int | None = None,
    warn: Callable[[str], None] = lambda _text: None,
) -> InputFile:
    """Open what is to be played: a file, a FIFO or, for ``-``, standard input.

    The call blocks until a pipe delivers something. `warn` is called with a line where a stream cannot be played before
    its end, or where a file was cut off. The other arguments describe RAW data, and do not matter where there is a
    header.

    Raises
    ------
    FileError
        Where it cannot be opened or is no sound file.
    UsageError
        Where RAW data is not described, or standard input is a terminal.
    """
    name = "standard input" if path == STANDARD_STREAM else path
    file_type = file_type or (None if path == STANDARD_STREAM else type_of_name(path))
    described = RawDescription(rate, channels, encoding, endian) if file_type == "RAW" else None
    check_input(path, name)
    if is_stream(path, STANDARD_INPUT):
        return open_stream(path, name, described, warn)
    source = STANDARD_INPUT if path == STANDARD_STREAM else path
    if described is not None and not _begins_with_a_header(source):
        return opened(source, name, described.format(name))
    if codec := codec_of(first_bytes(source, name)):
        raise not_decoded(name, codec)
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        warn(text)

    found = open_encoded(source, name, tell) or open_file(source, name, tell)
    if found.frames == 0 and found.chain is None and not told:
        warn(no_sound(name))
    return found


def check_input(path: str, name: str) -> None:
    """Raise where it is certain that nothing can be read."""
    if path == STANDARD_STREAM:
        if sys.stdin is None:
            raise FileError(f"cannot read {name}: it is closed")
        if os.isatty(STANDARD_INPUT):
            raise UsageError(f"cannot read {name}: it is a terminal", "pipe audio in, or name a file")
        return
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        raise FileError(f"cannot open {name}: No such file or directory", kind=ErrorKind.NOT_FOUND) from None
    except NotADirectoryError:
        raise FileError(f"cannot open {name}: {no_folder_in(path)} is no folder") from None
    except OSError as error:
        raise FileError(f"cannot open {name}: {error.strerror}") from None
    if stat.S_ISDIR(status.st_mode):
        raise FileError(f"cannot open {name}: Is a directory", kind=ErrorKind.FOLDER)
    if stat.S_ISREG(status.st_mode) and not status.st_size:
        raise FileError(f"cannot open {name}: it is empty", kind=ErrorKind.EMPTY)


def _begins_with_a_header(source: str | int) -> bool:
    try:
        with open(source, "rb", closefd=source != STANDARD_INPUT, buffering=0) as file:
            first = file.read(headers.FIRST_BYTES)
            file.seek(0)
            return headers.begins_with_a_header(first)
    except OSError:
        return False
