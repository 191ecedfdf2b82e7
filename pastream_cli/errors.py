"""The exceptions for whatever a user or a machine can cause, their exit codes, and how a failure is told."""

from __future__ import annotations

import errno
from enum import Enum, IntEnum

PROGRAM = "pastream"
STANDARD_STREAM = "-"
"""What is typed in the place of a file's name for standard input or output."""


class ExitCode(IntEnum):
    """What the process tells its caller; the table EXIT STATUS of the man page."""

    COMPLETE = 0
    DEVICE = 1
    USAGE = 2
    XRUN = 3
    FILE = 4
    GIVEN_UP = 130
    PIPE_CLOSED = 141


class ErrorKind(Enum):
    """What kind of failure it is, for whoever can do something about it."""

    # of a device
    ABSENT = "nothing here is called that"
    AMBIGUOUS = "several are called that"
    NO_DEVICE = "there is none that can do it"
    NO_SERVER = "sound servers cannot be found from this process"
    NOT_INSTALLED = "PortAudio is not installed"
    BUSY = "it is in use"
    REFUSED = "its host does not open it"
    RATE_REFUSED = "it does not run at that rate"
    FORMAT_REFUSED = "it has no such samples"
    NOT_STARTED = "it was opened, and does not start"
    NOT_ANSWERING = "its host does not answer"
    NEVER_RAN = "it ended, or fell silent, before the first frame"
    ENDED = "it has ended"
    SILENT = "it is there, and delivers nothing"
    # of a file
    EXISTS = "it is there already"
    LOCKED = "another take is being recorded into it"
    PLAYED = "it is the file that is played"
    FIFO_OF_OTHERS = "another user may have put it there to catch a file"
    NOT_FOUND = "it is not there"
    FOREIGN = "other programs can read it"
    NO_HEADER = "it may be RAW data"
    NO_HEADER_IN_A_STREAM = "it may be RAW data, and comes through a pipe"
    RAW_UNDESCRIBED = "it is RAW data, of which something was not said"
    TOO_LONG_TO_KEEP = "it cannot be decoded as it comes, nor kept until its end"
    BYTE_ORDER = "the container has the encoding in another byte order alone"
    FILE_RATE = "the container cannot be of that rate"
    FILE_CHANNELS = "the container cannot have so many channels"
    # of the machine
    BUFFER_TOO_LARGE = "the machine has not so much memory"


class PastreamError(Exception):
    """One line that says what failed, and where there is one, the way out.

    Parameters
    ----------
    message : str
        ``ACT OBJECT: REASON``, without the program's name and without a newline.
    way_out : str, optional
        What the user can do about it; printed as a second line. The engine names no option of the command here.
    kind : ErrorKind, optional
        For whoever can do something about it.
    """

    exit_code = ExitCode.DEVICE

    def __init__(self, message: str, way_out: str | None = None, kind: ErrorKind | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out
        self.kind = kind


class UsageError(PastreamError):
    """A bad option, value or combination; nothing was opened."""

    exit_code = ExitCode.USAGE


class BadValueError(UsageError):
    """A value that cannot be used; `reason` tells why."""

    def __init__(self, option: str, text: str, reason: str, way_out: str) -> None:
        super().__init__(f"cannot use {option} {text}: {reason}", way_out)
        self.reason = reason


class DeviceNameError(UsageError, ValueError):
    """A name says of a device what none can be; `reason` tells why."""

    def __init__(self, name: str, reason: str, way_out: str | None = None) -> None:
        super().__init__(f"cannot use the device {name}: {reason}", way_out)
        self.name = name
        self.reason = reason


class FileChannelsError(UsageError):
    """A file cannot have so many channels; `most` is how many it can."""

    def __init__(self, message: str, most: int) -> None:
        super().__init__(message, kind=ErrorKind.FILE_CHANNELS)
        self.most = most


class DeviceError(PastreamError):
    """A device or stream was not found, refused, died or stalled."""

    exit_code = ExitCode.DEVICE

    def __init__(self, message: str, kind: ErrorKind, way_out: str | None = None) -> None:
        super().__init__(message, way_out, kind)


class RateError(DeviceError):
    """A device does not run at a rate; `offered` are those at which it does."""

    def __init__(self, message: str, offered: tuple[int, ...]) -> None:
        rates = " and ".join(f"{rate} Hz" for rate in offered)
        super().__init__(message, ErrorKind.RATE_REFUSED, f"its own rate is {rates}")
        self.offered = offered


class HostError(DeviceError):
    """A host refused in words of its own; what else it printed may tell why."""


class FileError(PastreamError):
    """A file exists already, or cannot be opened, read or written."""

    exit_code = ExitCode.FILE


class NoThreadError(PastreamError, RuntimeError):
    """The system starts no thread more."""

    def __init__(self) -> None:
        super().__init__(
            "cannot start a thread: the system refuses one more", "ulimit -u and ulimit -v tell what it allows"
        )


class Mistake(PastreamError):  # noqa: N818 - the word for it
    """A mistake of ours; what was raised is its cause."""

    def __init__(self, cause: Exception) -> None:
        what = f"{type(cause).__name__}: {cause}".rstrip(": ")
        super().__init__(f"cannot go on: {what}", "this is a mistake in pastream: please report it with all lines")
        self.__cause__ = cause


def failure_of(error: Exception) -> PastreamError:
    """Return as a failure whatever was raised: what the machine refused, or a mistake of ours."""
    if isinstance(error, PastreamError):
        return error
    if isinstance(error, MemoryError):
        return PastreamError("cannot go on: there is not enough memory")
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        return PastreamError(f"cannot go on: {error.strerror}", "ulimit -n tells how many there may be")
    if isinstance(error, OSError) and error.strerror:
        return PastreamError(f"cannot {f'use {error.filename}' if error.filename else 'go on'}: {error.strerror}")
    if isinstance(error, (OSError, ImportError)):
        return PastreamError(f"cannot go on: {error}")
    return Mistake(error)


def shown(text: str) -> str:
    """Return `text` as a message can carry it: as typed, or quoted where it would not be seen or break the line."""
    return text if text and text.isprintable() else repr(text)


def typed(text: str) -> str:
    """Return the name of a file as one word of a shell's, on one line, that can be pasted as it is."""
    text = f"./{text}" if text.startswith("@") or (text.startswith("-") and text != STANDARD_STREAM) else text
    if text.isprintable():
        is_plain = text and all(character.isalnum() or character in "_@%+=:,./-" for character in text)
        return text if is_plain else "'" + text.replace("'", "'\\''") + "'"
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(character: str) -> str:
    if character in "\\'\n\t":
        return {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t"}[character]
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def printable(text: str) -> str:
    """Return a name without the control characters and lone bytes that would upset a terminal or a log."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class Lines(str):
    """Text of the program's own, of several lines, into which nothing goes that comes from elsewhere."""

    __slots__ = ()


def error_lines(message: str, way_out: str | None) -> list[str]:
    """Return a failure as one line, and the way out as a second where there is one."""
    told = [printable(message)]
    if way_out:
        told.append(way_out if isinstance(way_out, Lines) else printable(way_out))
    return [f"{PROGRAM}: {line}" for line in told]
