"""Makes the files of one output, under names that are free. All of it may block with the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pastream_cli.engine.files.missing_file import MissingFile
from pastream_cli.engine.files.output_file import OutputFile
from pastream_cli.engine.files.paths import BeingRecordedError, ExistsError, are_one_file, check_folder
from pastream_cli.errors import FileError
from pastream_cli.take.naming import NameMemory, Names
from pastream_cli.take.outputs import Output
from pastream_cli.take.shared_names import SharedNames

# If other takes seem to hold more names than this, it is the disk that refuses locks.
_MOST_TAKES = 100


class FileMaker:
    """Makes one file after the other.

    Parameters
    ----------
    output : Output
        Where they go, and how they are written.
    input_path : str, optional
        What is played, which no recording replaces.
    rate : int
        Frames per second.
    """

    def __init__(self, output: Output, input_path: str | None, rate: int) -> None:
        self._output = output
        self._input_path = input_path
        self._rate = rate
        self._names = Names(output.path, is_split=output.has_several)
        self._made = NameMemory()
        self._shared: tuple[SharedNames, int] | None = None

    def share(self, names: SharedNames, number: int) -> None:
        """Take the names that several copies have chosen together; `number` is that of this copy."""
        self._shared = (names, number)

    @property
    def has_number(self) -> bool:
        """Whether the names have a number, so that there may be any number of files."""
        return self._names.template.has_number

    def names_differ(self, one: datetime, other: datetime) -> bool:
        """Whether the name of a file depends on which of two times it begins at."""
        fill = self._names.template.fill
        return fill(0, one) != fill(0, other)

    @property
    def has_time(self) -> bool:
        """Whether the names say when the files begin."""
        return self._names.template.has_time

    def check(self) -> None:
        """Raise if no file can be made, as far as that can be told without making one."""
        if not self._names.template.has_fields:
            check_folder(self._output.path)

    def make(self, piece: int, first_frame: datetime, *, may_be_missing: bool) -> OutputFile | MissingFile:
        """Make the file of a piece, whose first frame is captured at about that time.

        If it is one of several copies and cannot be made, it may be a missing file; otherwise that is raised.
        """
        if self._shared is None:
            return self._make_under_a_free_name(first_frame)
        names, number = self._shared
        path = names.path_of(number, piece, first_frame)
        try:
            self._make_folder_of(path)
            return self._new_file(path)
        except FileError as error:
            if not may_be_missing:
                raise
            return MissingFile(path, self._output.channels, self._frame_limit, error)

    def forget(self, piece: int, path: str) -> None:
        """Have the names of a piece chosen anew, since its file is not used: it was made for another time."""
        if self._shared is not None:
            names, number = self._shared
            names.forget(number, piece, path)

    def _make_under_a_free_name(self, first_frame: datetime) -> OutputFile:
        taken: FileError | None = None
        others = 0
        for path in self._candidates(first_frame):
            self._make_folder_of(path)
            if self._is_ours(path):
                continue
            try:
                self._made.add(os.path.realpath(path))
                return self._new_file(path)
            except ExistsError as error:
                taken = error
                others += isinstance(error, BeingRecordedError)
                if others == _MOST_TAKES:
                    break
        raise taken or FileError(f"cannot create {self._output.path}: every number is taken")

    def _candidates(self, first_frame: datetime) -> Iterator[str]:
        """Go through the names to be tried. One that was free when the wait for a sound began may be taken by now."""
        yield from self._names.candidates(first_frame)
        if self._output.is_triggered:
            yield from self._names.candidates(first_frame)

    @property
    def _frame_limit(self) -> int | None:
        return _least(self._output.split_frames, self._output.most_frames)

    def _new_file(self, path: str) -> OutputFile:
        return OutputFile(
            path,
            rate=self._rate,
            channels=self._output.channels,
            file_type=self._output.file_type,
            encoding=self._output.encoding,
            endian=self._output.endian,
            overwrite=self._output.overwrite and self._names.may_replace(path),
            part=self._output.part,
            verify=self._output.verify,
            frame_limit=self._frame_limit,
            expected_frames=_least(self._output.split_frames, self._output.frames),
        )

    def _is_ours(self, path: str) -> bool:
        """Whether the path is a piece of this take or the file that it plays: not even `-y` replaces these."""
        played = self._input_path
        is_made = self._output.overwrite and os.path.realpath(path) in self._made
        return is_made or (played is not None and are_one_file(played, path))

    def _make_folder_of(self, path: str) -> None:
        if not self._names.template.has_fields:
            return
        folder = Path(path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"cannot create the folder {folder}: {error.strerror}") from None


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
