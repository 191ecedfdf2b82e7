"""Every failure that a user or a machine can cause, and the exit code it ends in."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; the table EXIT STATUS of the man page."""

    COMPLETE = 0
    DEVICE = 1
    USAGE = 2
    XRUN = 3
    FILE = 4
    GIVEN_UP = 130
    PIPE_CLOSED = 141


class PastreamError(Exception):
    """One line that says what failed, and where there is one, the way out.

    Parameters
    ----------
    message : str
        ``ACT OBJECT: REASON``, without the program's name and without a newline.
    way_out : str, optional
        What the user can do about it; printed as a second line.
    """

    exit_code = ExitCode.DEVICE

    def __init__(self, message: str, way_out: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out


class UsageError(PastreamError):
    """A bad option, value or combination; nothing was opened."""

    exit_code = ExitCode.USAGE


class DeviceError(PastreamError):
    """A device or stream was not found, refused, died or stalled."""

    exit_code = ExitCode.DEVICE


class FileError(PastreamError):
    """A file exists already, or cannot be opened, read or written."""

    exit_code = ExitCode.FILE
