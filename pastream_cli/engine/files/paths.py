"""What a path stands for (file, FIFO, device, standard stream), and whether a recording can be written there."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from pastream_cli.engine.files import headers, relay
from pastream_cli.engine.files.formats import encodings, is_only_played, most_channels, rates, takes
from pastream_cli.errors import (
    STANDARD_STREAM,
    ErrorKind,
    FileChannelsError,
    FileError,
    FileRateError,
    UsageError,
    typed,
)
from pastream_cli.units import format_times

STANDARD_INPUT = 0

_WRITABLE_TO_A_PIPE = {"WAV", "RF64", "AU", "RAW", "FLAC", "OGG", "MP3"}
_SUFFIX_OF_ENCODING = {"VORBIS": ".ogg", "OPUS": ".opus", "MPEG_LAYER_III": ".mp3"}
_NAMES_OF_PIPE_TYPES = "wav, au, raw, rf64, flac, ogg, mp3"


class ExistsError(FileError):
    """A file of that name exists, and nobody has said that it may be replaced."""

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot create {name}: it exists already", kind=ErrorKind.EXISTS)


class BeingRecordedError(ExistsError):
    """A file of that name exists, and another take is being recorded into it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.message = f"cannot replace {name}: another program has locked it, as a take that is recorded into it does"
        self.kind = ErrorKind.LOCKED


def standard_output() -> int:
    """Return the descriptor of standard output. In the command that is not 1, because libraries may print there."""
    return 1 if sys.stdout is None else sys.stdout.fileno()


def is_stream(path: str, standard_descriptor: int) -> bool:
    """Tell whether what is at `path` is a stream: read or written in order, without seeking."""
    return not relay.is_at_its_beginning(standard_descriptor) if path == STANDARD_STREAM else is_special(path)


def is_special(path: str) -> bool:
    """Tell whether there is something at `path` that is not a regular file: a device or a FIFO."""
    try:
        return not stat.S_ISREG(Path(path).stat().st_mode)
    except OSError:
        return False


def is_fifo(path: str) -> bool:
    """Tell whether there is a FIFO at `path`, which cannot be opened before it has a reader."""
    try:
        return stat.S_ISFIFO(Path(path).stat().st_mode)
    except OSError:
        return False


def check_special(path: str, status: os.stat_result, *, overwrite: bool) -> None:
    """Raise unless a recording may go to this device or FIFO."""
    if stat.S_ISBLK(status.st_mode):
        raise FileError(f"cannot write {path}: it is a block device, with what is stored there", "name a file")
    if stat.S_ISFIFO(status.st_mode) and not overwrite and _is_a_trap(path, status):
        raise FileError(
            f"cannot write {path}: it is another user's FIFO, in a folder that others may write to",
            kind=ErrorKind.FIFO_OF_OTHERS,
        )


def open_special(path: str, *, overwrite: bool) -> int:
    """Open a FIFO or a device for writing, and return its descriptor.

    It is checked before and after, because it may be replaced in between.
    """
    check_special(path, os.stat(path), overwrite=overwrite)  # noqa: PTH116
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _check_opened(path, os.fstat(descriptor), overwrite=overwrite)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_opened(path: str, status: os.stat_result, *, overwrite: bool) -> None:
    if stat.S_ISREG(status.st_mode):
        raise ExistsError(path)
    check_special(path, status, overwrite=overwrite)


def _is_a_trap(path: str, fifo: os.stat_result) -> bool:
    """Tell whether another user may have put the FIFO there as a trap, by the rule of Linux' fs.protected_fifos."""
    trusted = {os.geteuid(), 0}
    folder = Path(os.path.realpath(path)).parent.stat()
    others_may_write = folder.st_uid not in trusted or folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return fifo.st_uid not in trusted and bool(others_may_write)


def takes_at(path: str, file_type: str, encoding: str, endian: str | None) -> bool:
    """Tell whether the encoding can be recorded at this path, in the container and byte order."""
    has_own_header = file_type in headers.OWN_TYPES and (path == STANDARD_STREAM or is_special(path))
    return takes(file_type, encoding, endian) and (not has_own_header or headers.takes(file_type, encoding, endian))


def check_format(path: str, file_type: str, encoding: str, endian: str | None) -> None:
    """Raise unless the container takes the encoding, and can be written at `path`: some cannot go to a pipe."""
    if not takes(file_type, encoding, endian):
        of_type = encodings(file_type)
        if not of_type:
            raise UsageError(f"cannot write {path}: {file_type} can be played, not recorded", "name another type")
        if is_only_played(encoding):
            way_out = "FLAC loses nothing either: end the name in .flac" if encoding.startswith("ALAC_") else None
            raise UsageError(
                f"cannot write {path}: {encoding} can be played, not recorded",
                way_out or f"{file_type} takes {', '.join(of_type)}",
            )
        order = f" in {endian}-endian order" if endian else ""
        message = f"cannot write {path}: {file_type} does not take {encoding}{order}"
        if endian and encoding in of_type:
            raise UsageError(message, kind=ErrorKind.BYTE_ORDER)
        if path != STANDARD_STREAM and encoding in _SUFFIX_OF_ENCODING:
            raise UsageError(message, f"end the name in {_SUFFIX_OF_ENCODING[encoding]}")
        raise UsageError(message, f"it takes {', '.join(of_type)}")
    if path != STANDARD_STREAM and not is_special(path):
        return
    name = "standard output" if path == STANDARD_STREAM else path
    if file_type not in _WRITABLE_TO_A_PIPE:
        raise UsageError(f"cannot write {name}: {file_type} cannot be piped", f"these can: {_NAMES_OF_PIPE_TYPES}")
    if not takes_at(path, file_type, encoding, endian):
        what = f"{encoding} in {endian}-endian order" if endian else encoding
        raise UsageError(
            f"cannot write {name}: {file_type} takes no {what} there",
            f"in a pipe it takes {', '.join(headers.OWN_ENCODINGS)}",
        )
    if (
        path == STANDARD_STREAM
        and file_type not in headers.OWN_TYPES | {"RAW"}
        and relay.is_within_a_file(standard_output())
    ):
        raise UsageError(
            f"cannot write {name}: {file_type} cannot be appended to a file",
            "append what comes out of a pipe: ... | cat >>FILE",
        )


def check_channels(path: str, file_type: str, encoding: str, endian: str | None, channels: int) -> None:
    """Raise unless a file of this kind can have so many channels."""
    most = most_channels(file_type, encoding, endian, channels)
    if 0 < most < channels:
        offered = f"{format_times(most, 'channel')} of {encoding} at most"
        raise FileChannelsError(f"cannot write {path}: {file_type} takes {offered}, not {channels}", most)


def check_rate(path: str, file_type: str, encoding: str, rate: int) -> None:
    """Raise unless a file of this kind can have that rate."""
    possible = rates(file_type, encoding)
    if possible is None or rate in possible:
        return
    raise FileRateError(
        f"cannot write {path}: {file_type} takes {encoding} at {_rates_words(possible)} Hz, not at {rate}",
        min((possible[0], possible[-1]) if isinstance(possible, range) else possible, key=lambda one: abs(one - rate)),
    )


def _rates_words(possible: Sequence[int]) -> str:
    if isinstance(possible, range):
        return f"up to {possible[-1]}"
    return f"{', '.join(map(str, possible[:-1]))} and {possible[-1]}" if len(possible) > 1 else str(possible[0])


def check_place(path: str, input_path: str | None, *, overwrite: bool) -> None:
    """Raise unless `path` can be written, before anything is opened or created."""
    if path == STANDARD_STREAM:
        if sys.stdout is None:
            raise FileError("cannot write standard output: it is closed")
        if os.isatty(standard_output()):
            raise UsageError("cannot write standard output: it is a terminal", "pipe it into a program, or name a file")
        _check_not_played(path, "standard output", input_path)
        return
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise FileError(f"cannot create {path}: Is a directory", kind=ErrorKind.FOLDER)
    _check_folder(path, folder)
    _check_not_played(path, path, input_path)
    if os.path.islink(path) and not os.path.exists(path):
        raise FileError(f"cannot create {path}: it is a link that leads nowhere")
    if is_special(path):
        check_special(path, Path(path).stat(), overwrite=overwrite)
    elif not overwrite and os.path.exists(path):
        raise ExistsError(path)


def _check_not_played(path: str, name: str, input_path: str | None) -> None:
    if input_path is not None and are_one_file(input_path, path):
        raise FileError(f"cannot record to {name}: it is the file that is played", kind=ErrorKind.PLAYED)


def _check_folder(path: str, folder: str) -> None:
    """Raise unless the folder that `path` is to be made in can be entered."""
    try:
        os.stat(os.path.join(folder, "."))  # noqa: PTH116, PTH118 - pathlib drops the dot
    except FileNotFoundError:
        raise FileError(f"cannot create {path}: there is no folder {folder}", f"mkdir -p {typed(folder)}") from None
    except NotADirectoryError:
        raise FileError(f"cannot create {path}: {no_folder_in(folder)} is no folder") from None
    except OSError as error:
        raise FileError(f"cannot create {path}: {error.strerror}") from None


def check_folder(path: str) -> None:
    """Raise unless a file can be made in the folder of `path`."""
    folder = os.path.dirname(path) or "."
    _check_folder(path, folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(f"cannot create {path}: Permission denied")


def no_folder_in(path: str) -> str:
    """Return the part of `path` that should be a folder and is not."""
    return next((str(part) for part in (*reversed(Path(path).parents), Path(path)) if part.is_file()), path)


def are_one_file(input_path: str, path: str) -> bool:
    """Tell whether INPUT and OUTPUT are the same regular file, by whatever name, link or redirection."""
    try:
        played = _status(input_path, STANDARD_INPUT)
        return stat.S_ISREG(played.st_mode) and os.path.samestat(played, _status(path, standard_output()))
    except OSError:
        return False


def are_one_output(path: str, other: str) -> bool:
    """Tell whether two outputs are the same file, FIFO or device, by whatever name, link or redirection."""
    try:
        return os.path.samestat(_status(path, standard_output()), _status(other, standard_output()))
    except OSError:
        return False


def _status(path: str, standard_descriptor: int) -> os.stat_result:
    return os.fstat(standard_descriptor) if path == STANDARD_STREAM else Path(path).stat()
