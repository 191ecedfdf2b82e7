"""The exceptions for failures that a user or a machine can cause, their exit codes, and how they are printed."""

from __future__ import annotations

import errno
from enum import Enum, IntEnum

PROGRAM = "pastream"
STANDARD_STREAM = "-"
"""What is typed instead of a file name, for standard input or output."""


class ExitCode(IntEnum):
    """The exit status of the process; EXIT STATUS in the man page explains each."""

    COMPLETE = 0
    DEVICE = 1
    USAGE = 2
    XRUN = 3
    FILE = 4
    GIVEN_UP = 130
    PIPE_CLOSED = 141


class ErrorKind(Enum):
    """The kind of a failure. The command chooses the way out by it."""

    # of a device
    ABSENT = "nothing here is called that"
    MISTYPED = "nothing here is called that, and something nearly that"
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
    CRASHED = "its host library has crashed"
    NEVER_RAN = "it ended, or fell silent, before the first frame"
    ENDED = "it has ended"
    SILENT = "it is there, and delivers nothing"
    STAYED_AWAY = "it has gone, and was not back in time"
    # of a file
    EXISTS = "it is there already"
    LOCKED = "another take is being recorded into it"
    PLAYED = "it is the file that is played"
    FIFO_OF_OTHERS = "another user may have put it there to catch a file"
    NOT_FOUND = "it is not there"
    FOLDER = "it is a folder"
    EMPTY = "there is nothing in it"
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
    """A failure: ``str()`` gives a line that says what failed, and another with the way out if there is one."""

    exit_code = ExitCode.DEVICE
    """With which the command ends."""

    def __init__(self, message: str, way_out: str | None = None, kind: ErrorKind | None = None) -> None:
        super().__init__(message)
        self.message = message
        """``ACT OBJECT: REASON``, without the program's name and without a newline."""
        self.way_out = way_out
        """What the user can do about it, if anything is known. The engine names no options of the command in it."""
        self.kind = kind
        """Its kind, for programs that decide by that; the command chooses the way out by it."""

    def __str__(self) -> str:
        return f"{self.message}\n{self.way_out}" if self.way_out else self.message


class UsageError(PastreamError):
    """A bad option, value or combination; nothing was opened."""

    exit_code = ExitCode.USAGE


class BadValueError(UsageError):
    """A value that cannot be used; `reason` tells why."""

    def __init__(self, option: str, text: str, reason: str, way_out: str) -> None:
        super().__init__(f"cannot use {option} {text}: {reason}", way_out)
        self.reason = reason


class DeviceNameError(UsageError, ValueError):
    """A name that no device can have, such as a fault that the virtual device does not know."""

    def __init__(self, name: str, reason: str, way_out: str | None = None) -> None:
        super().__init__(f"cannot use the device {name}: {reason}", way_out)
        self.name = name
        """The name, as it was given."""
        self.reason = reason
        """Why no device can have it."""


class FileChannelsError(UsageError):
    """A file cannot have so many channels; `most` is how many it can have."""

    def __init__(self, message: str, most: int) -> None:
        super().__init__(message, kind=ErrorKind.FILE_CHANNELS)
        self.most = most


class FileRateError(UsageError):
    """A file cannot have that rate; `nearest` is the nearest one that it can have."""

    def __init__(self, message: str, nearest: int) -> None:
        super().__init__(message, kind=ErrorKind.FILE_RATE)
        self.nearest = nearest


class DeviceError(PastreamError):
    """A device or stream was not found, was refused, died or stalled."""

    exit_code = ExitCode.DEVICE

    def __init__(self, message: str, kind: ErrorKind, way_out: str | None = None) -> None:
        super().__init__(message, way_out, kind)


class RateError(DeviceError):
    """A device does not run at a rate."""

    def __init__(self, message: str, offered: tuple[int, ...]) -> None:
        rates = " and ".join(f"{rate} Hz" for rate in offered)
        super().__init__(message, ErrorKind.RATE_REFUSED, f"its own rate is {rates}")
        self.offered = offered
        """The rates that it has, in Hz."""


class HostError(DeviceError):
    """A host refused, with a message of its own. What else it printed may tell why."""


class FileError(PastreamError):
    """A file exists already, or cannot be opened, read or written."""

    exit_code = ExitCode.FILE


class FileWarning(UserWarning):
    """A file is played although something is wrong with it: it was cut off, say, or its header is not true."""


class NoThreadError(PastreamError, RuntimeError):
    """The system refuses to start another thread."""

    def __init__(self) -> None:
        super().__init__(
            "cannot start a thread: the system refuses one more", "ulimit -u and ulimit -v tell what it allows"
        )


class Mistake(PastreamError):  # noqa: N818 - the word for it
    """A bug in pastream; its cause is the exception that was raised."""

    def __init__(self, cause: Exception) -> None:
        what = f"{type(cause).__name__}: {cause}".rstrip(": ")
        super().__init__(f"cannot go on: {what}", "this is a mistake in pastream: please report it with all lines")
        self.__cause__ = cause


def failure_of(error: Exception) -> PastreamError:
    """Return any exception as a failure: what the machine refused, or a bug in pastream."""
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
    """Return `text` for a message: as typed, or quoted if nobody could see where it begins, ends, or what is in it."""
    return text if text.isprintable() and text == text.strip() != "" else repr(text)


def typed(text: str) -> str:
    """Return the name of a file quoted for a shell, as one word on one line, so that it can be pasted."""
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
    """Several lines of the program's own text. Nothing from outside is in it, so it is printed as it stands."""

    __slots__ = ()


def error_lines(message: str, way_out: str | None) -> list[str]:
    """Return the lines of a failure: what failed, then the way out if there is one."""
    told = [printable(message)]
    if way_out:
        told.append(way_out if isinstance(way_out, Lines) else printable(way_out))
    return [f"{PROGRAM}: {line}" for line in told]
