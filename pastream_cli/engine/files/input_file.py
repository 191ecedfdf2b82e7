"""The input: a file, a FIFO or standard input, opened and its header read."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import soundfile

from pastream_cli.engine.files import headers, relay
from pastream_cli.engine.files.formats import frame_bytes, plays_raw, raw_encodings, type_of_name
from pastream_cli.engine.files.headers import StreamFormat, Way
from pastream_cli.engine.files.libsndfile import reason_of
from pastream_cli.engine.files.paths import STANDARD_INPUT, is_stream, no_folder_in
from pastream_cli.errors import STANDARD_STREAM, ErrorKind, FileError, UsageError
from pastream_cli.units import format_count, format_frames

_NOT_RECOGNISED = "Format not recognised"
_NO_MP3 = "File does not exist or is not a regular file"  # libsndfile's message for a stream that mpg123 does not know
# Types of files that libsndfile does not know, and that are certainly not RAW data.
_FOREIGN_SUFFIXES = {".aac", ".amr", ".ape", ".m4a", ".mka", ".mkv", ".mov", ".mp4", ".webm", ".wma", ".wv"}
# How libsndfile's log says that a WAV, AIFF, AU, SVX, RF64 or W64 is shorter than its header says.
_SHORT_OF_DATA = re.compile(
    r"^ *(?:data|SSND|BODY|Data Size|Riff size|riff) *: ([0-9]+) \(should be ([0-9]+)\)", re.MULTILINE
)
# Lengths from here on are placeholders of programs that write to a pipe; SoX's is 0x7FFFF000 less its header.
_LENGTH_UNKNOWN = 0x7FFF0000


class InputFile(NamedTuple):
    """An open file or stream to be played; `frames` is `None` where its length is not known before its end."""

    sound_file: soundfile.SoundFile
    name: str
    file_type: str
    encoding: str
    endian: str
    rate: int
    channels: int
    frames: int | None
    seekable: bool

    @property
    def is_stream(self) -> bool:
        return not self.seekable

    def close(self) -> None:
        self.sound_file.close()


class _RawDescription(NamedTuple):
    """The format of RAW data, as far as options say it."""

    rate: int | None
    channels: int | None
    encoding: str | None
    endian: str | None

    @property
    def is_complete(self) -> bool:
        return None not in (self.rate, self.channels, self.encoding)

    def format(self, name: str) -> dict[str, Any]:
        """Return soundfile's arguments; `UsageError` where an option is missing."""
        if self.rate is None or self.channels is None or self.encoding is None:
            raise UsageError(f"cannot open {name}: RAW data does not say what it is", kind=ErrorKind.RAW_UNDESCRIBED)
        if not plays_raw(self.encoding, self.endian):
            raise UsageError(
                f"cannot open {name}: RAW does not take {self.encoding}", f"it takes {', '.join(raw_encodings())}"
            )
        return _raw(self.rate, self.channels, self.encoding, self.endian)


def _raw(rate: int, channels: int, encoding: str, endian: str | None) -> dict[str, Any]:
    return {"format": "RAW", "samplerate": rate, "channels": channels, "subtype": encoding, "endian": endian}


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
    described = _RawDescription(rate, channels, encoding, endian) if file_type == "RAW" else None
    _check_input(path, name)
    if is_stream(path, STANDARD_INPUT):
        return _open_stream(path, name, described, warn)
    source = STANDARD_INPUT if path == STANDARD_STREAM else path
    if described is not None and not _begins_with_a_header(source):
        return _opened(source, name, described.format(name))
    found = _opened(source, name, {})
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


def _check_input(path: str, name: str) -> None:
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
        raise FileError(f"cannot open {name}: Is a directory")
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


def _opened(source: str | int, name: str, raw: dict[str, Any], stream: StreamFormat | None = None) -> InputFile:
    """Open a source with a header, or RAW data. The file closes its descriptor, unless that is standard input.

    `stream` is the format of a stream whose header has been read already.
    """
    try:
        # as bytes: soundfile cannot encode a name that is not UTF-8
        file = os.fsencode(source) if isinstance(source, str) else source
        sound_file = soundfile.SoundFile(file, closefd=source != STANDARD_INPUT, **raw)
    except OSError as error:
        raise FileError(f"cannot open {name}: {reason_of(error)}") from None
    except (soundfile.SoundFileError, ValueError, TypeError) as error:
        raise _cannot_open(name, source if isinstance(source, str) else None, reason_of(error)) from None
    if sound_file.format == "RAW" and not raw:  # libsndfile assumes a format for names in .au, .snd, .vox and .gsm
        sound_file.close()
        raise _cannot_open(name, source if isinstance(source, str) else None, _NOT_RECOGNISED)
    seekable = bool(sound_file.seekable())
    return InputFile(
        sound_file=sound_file,
        name=name,
        file_type=stream.file_type if stream else sound_file.format,
        encoding=sound_file.subtype,
        endian=sound_file.endian,
        rate=sound_file.samplerate,
        channels=sound_file.channels,
        # the header of a FLAC that came from a pipe has no length, and libsndfile says 2**63 - 1
        frames=sound_file.frames if seekable and sound_file.frames < 2**62 else None,
        seekable=seekable,
    )


def _cannot_open(name: str, path: str | None, reason: str) -> FileError:
    """Return the error for a file, or for a stream (which has no path), that cannot be opened."""
    if path is None:
        return FileError(f"cannot open {name}: {reason}", kind=ErrorKind.NO_HEADER_IN_A_STREAM)
    if Path(path).is_file() and not os.access(path, os.R_OK):
        return FileError(f"cannot open {name}: Permission denied")
    if reason == _NOT_RECOGNISED:
        kind = ErrorKind.FOREIGN if Path(path).suffix.lower() in _FOREIGN_SUFFIXES else ErrorKind.NO_HEADER
        return FileError(f"cannot open {name}: {reason}", kind=kind)
    if reason.startswith(_NO_MP3):
        reason = "it holds no sound that can be read"
    return FileError(f"cannot open {name}: {reason}", "the file is damaged, or was cut off")


def _open_stream(path: str, name: str, described: _RawDescription | None, warn: Callable[[str], None]) -> InputFile:
    """Open standard input, a FIFO or a device; its first bytes decide how it is read."""
    descriptor = STANDARD_INPUT
    try:
        if path != STANDARD_STREAM:
            descriptor = relay.open_stream(path)
        relay.make_blocking(descriptor)
        head = headers.Head(lambda count: os.read(descriptor, count))
        first = head.fill(headers.FIRST_BYTES)
        if described is not None and described.is_complete and not headers.begins_with_a_header(first):
            return _opened(_pumped(descriptor, head), name, described.format(name))
        found = headers.find_way(head)
        if described is not None and found is Way.NOT_AT_ALL:
            described.format(name)  # raises, and names the missing options
        if not first:
            raise FileError(f"cannot read {name}: it is empty")
        return _open_after_header(descriptor, name, head, found, warn)
    except headers.HeaderError as error:
        raise FileError(f"cannot open {name}: {error}") from None
    except OSError as error:
        raise FileError(f"cannot read {name}: {error.strerror}") from None


def _open_after_header(
    descriptor: int, name: str, head: headers.Head, found: StreamFormat | Way, warn: Callable[[str], None]
) -> InputFile:
    if isinstance(found, StreamFormat):
        raw = _raw(found.rate, found.channels, found.encoding, found.endian)
        source = descriptor
        if found.trailer_bytes or relay.is_within_a_file(descriptor):
            head.taken.clear()
            source = _pumped(descriptor, head, found.audio_bytes, found.trailer_bytes)
        return _opened(source, name, raw, found)
    if found is Way.AS_IT_COMES:
        return _opened(_pumped(descriptor, head), name, {})
    if found is Way.AS_A_FILE:
        warn(f"{name} cannot be decoded as it comes: playing begins when it ends")
        return _opened(relay.keep(descriptor, bytes(head.taken), name), name, {})
    raise _cannot_open(name, None, "not a sound format that is known")


def _pumped(descriptor: int, head: headers.Head, audio_bytes: int = -1, trailer_bytes: int = 0) -> int:
    return relay.pump(
        descriptor,
        bytes(head.taken),
        closes_source=descriptor != STANDARD_INPUT,
        audio_bytes=audio_bytes,
        trailer_bytes=trailer_bytes,
    )
