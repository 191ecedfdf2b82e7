"""A list of records that stays small in memory: beyond a few hundred, they are in a temporary file without a name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import IO, Generic, TypeVar

T = TypeVar("T")

_FILED_AT_ONCE = 200
# Where nothing can be filed.
_MOST_IN_MEMORY = 1000
_LENGTH_BYTES = 4


class Spool(Generic[T]):
    """A list of tuples of simple values. It only grows, and most of it is not in memory.

    Where no temporary file can be written, later records are counted and not kept: nothing that is recorded depends
    on this list. For one thread at a time.

    Parameters
    ----------
    records : iterable, optional
        The first of them.
    before : Spool, optional
        A spool whose records come before these; it is not changed.
    """

    def __init__(self, records: Iterable[T] = (), before: Spool[T] | None = None) -> None:
        self._before = before
        self._latest: list[T] = []
        self._file: IO[bytes] | None = None
        self._file_bytes = 0
        self._filed = 0
        self._dropped = 0
        for record in records:
            self.append(record)

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def dropped(self) -> int:
        """How many records were not kept."""
        return self._dropped + (self._before.dropped if self._before is not None else 0)

    def append(self, record: T) -> None:
        """Put a record at the end."""
        if self._latest and len(self._latest) % _FILED_AT_ONCE == 0 and self._dropped == 0:
            self._file_latest()
        if len(self._latest) < _MOST_IN_MEMORY:
            self._latest.append(record)
        else:
            self._dropped += 1

    def __len__(self) -> int:
        """Return how many records there are, those that were not kept included."""
        before = len(self._before) if self._before is not None else 0
        return before + self._filed + len(self._latest) + self._dropped

    def __iter__(self) -> Iterator[T]:
        """Go through the records that were kept, with no more than a few hundred of them in memory."""
        if self._before is not None:
            yield from self._before
        if self._file is not None:
            yield from _filed_records(self._file, self._file_bytes)
        yield from self._latest

    def _file_latest(self) -> None:
        """Move the records in memory to the file, if that can be done."""
        import pickle

        data = pickle.dumps(self._latest, pickle.HIGHEST_PROTOCOL)
        data = len(data).to_bytes(_LENGTH_BYTES, "little") + data
        try:
            if self._file is None:
                from tempfile import TemporaryFile

                self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - for as long as the list
            if os.pwrite(self._file.fileno(), data, self._file_bytes) < len(data):
                return
        except (OSError, ImportError):  # no folder, no room, no descriptor
            return
        self._file_bytes += len(data)
        self._filed += len(self._latest)
        self._latest = []


def _filed_records(file: IO[bytes], file_bytes: int) -> Iterator[T]:
    """Go through the records in the first `file_bytes` bytes of the file, up to one that cannot be read."""
    import pickle

    place = 0
    while place < file_bytes:
        try:
            length = int.from_bytes(os.pread(file.fileno(), _LENGTH_BYTES, place), "little")
            data = os.pread(file.fileno(), length, place + _LENGTH_BYTES)
        except OSError:
            return
        place += _LENGTH_BYTES + length
        yield from pickle.loads(data)  # noqa: S301 - nobody else has the file
