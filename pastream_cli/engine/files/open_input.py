"""Opens the input: a file, a FIFO or standard input. What it is, is decided by its first bytes."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable

from pastream_cli.engine.files import headers
from pastream_cli.engine.files.encoded import open_encoded
from pastream_cli.engine.files.formats import frame_bytes, type_of_name
from pastream_cli.engine.files.input_file import InputFile, opened
from pastream_cli.engine.files.input_stream import open_stream
from pastream_cli.engine.files.paths import STANDARD_INPUT, is_stream, no_folder_in
from pastream_cli.engine.files.raw import RawDescription
from pastream_cli.errors import STANDARD_STREAM, ErrorKind, FileError, UsageError
from pastream_cli.units import format_count, format_frames

# How libsndfile's log says that a WAV, AIFF, AU, SVX, RF64 or W64 is shorter than its header says.
_SHORT_OF_DATA = re.compile(
    r"^ *(?:data|SSND|BODY|Data Size|Riff size|riff) *: ([0-9]+) \(should be ([0-9]+)\)", re.MULTILINE
)
# Lengths from here on are placeholders of programs that write to a pipe; SoX's is 0x7FFFF000 less its header.
_LENGTH_UNKNOWN = 0x7FFF0000


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
    if encoded := open_encoded(source, name, warn):
        return encoded
    found = opened(source, name, {})
    if missing := _frames_cut_off(found):
        there = found.frames or 0
        warn(f"{name} was cut off: it has {format_count(there)} of its {format_frames(there + missing)}")
    return found


def _frames_cut_off(source: InputFile) -> int:
    """Return how many of the frames that the header promises are missing."""
    size = frame_bytes(source.encoding, source.channels)
    match = _SHORT_OF_DATA.search(source.sound_file.extra_info)
    if match is None or size is None or int(match[1]) >= _LENGTH_UNKNOWN:
        return 0
    promised_bytes, there_bytes = int(match[1]), int(match[2])
    return max(0, -((there_bytes - promised_bytes) // size))  # a frame that is there in part counts as missing


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
        raise FileError(f"cannot open {name}: it is empty")


def _begins_with_a_header(source: str | int) -> bool:
    try:
        with open(source, "rb", closefd=source != STANDARD_INPUT, buffering=0) as file:
            first = file.read(headers.FIRST_BYTES)
            file.seek(0)
            return headers.begins_with_a_header(first)
    except OSError:
        return False
