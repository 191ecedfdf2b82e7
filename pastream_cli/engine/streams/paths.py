"""The paths of sound files as sources: opened as the command opens what it plays, and told of in warnings."""

from __future__ import annotations

import inspect
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pastream_cli.errors import STANDARD_STREAM, ErrorKind, FileError, FileWarning, PastreamError, typed

if TYPE_CHECKING:
    from pastream_cli.engine.files.input_file import InputFile

_PACKAGE = __name__.partition(".")[0]


class PlayedFile:
    """The file of a path, open for the next run that plays it.

    Parameters
    ----------
    path : path
        A FIFO is waited for until somebody writes into it.

    Raises
    ------
    FileError
        Where it cannot be opened, or is no sound.
    """

    def __init__(self, path: Any) -> None:
        path = os.fsdecode(path)
        # a file may have the name that stands for standard input
        self._path = path if path != STANDARD_STREAM else f"./{path}"
        self._untold: list[str] = []
        self._told: set[str] = set()
        self._next: InputFile | None = self._open()
        self.name = self._next.name
        self.samplerate = self._next.rate
        self.channels = self._next.channels
        self.is_seekable = self._next.seekable

    def _open(self) -> InputFile:
        from pastream_cli.engine.files.open_input import open_input

        try:
            return open_input(self._path, warn=self._untold.append)
        except PastreamError as error:
            way_out = error.way_out or _way_out(self._path, error.kind)
            raise FileError(error.message, way_out, error.kind) from None
        except OSError as error:
            raise FileError(f"cannot open {self._path}: {error.strerror}") from None

    def take(self) -> InputFile:
        """Return the file, at its start; it is then the caller's, and the next run gets one that is opened anew."""
        taken, self._next = self._next, None
        return taken or self._open()

    def tell(self) -> None:
        """Warn of what its header says that is not true, unless that has been told."""
        while self._untold:
            line = self._untold.pop(0)
            if line not in self._told:
                self._told.add(line)
                warn(line)


def played_file(path: Any) -> PlayedFile:
    """Return the file of a path; one that is open already as it is."""
    return path if isinstance(path, PlayedFile) else PlayedFile(path)


def _way_out(path: str, kind: ErrorKind | None) -> str | None:
    """Return the way out of a failure, for somebody who writes a program."""
    headerless = "soundfile.SoundFile opens data without a header, if it is told what is in there"
    decoded = f"ffmpeg decodes it: ffmpeg -i {typed(path)} {typed(str(Path(path).with_suffix('.wav')))}"
    from_where = "" if Path(path).is_absolute() else f", which is looked for in {Path.cwd()}"
    ways = {
        ErrorKind.FOLDER: "name a file in it",
        ErrorKind.FOREIGN: decoded,
        ErrorKind.NOT_FOUND: f"check the path{from_where}",
        ErrorKind.NO_HEADER: headerless,
        ErrorKind.NO_HEADER_IN_A_STREAM: headerless,
        ErrorKind.RAW_UNDESCRIBED: headerless,
        ErrorKind.TOO_LONG_TO_KEEP: decoded,
    }
    return ways.get(kind) if kind is not None else None


def warn(line: str) -> None:
    """Warn of a file, at the line of the program that has called the library."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == _PACKAGE:
        frame, level = frame.f_back, level + 1
    warnings.warn(line, FileWarning, stacklevel=level)
