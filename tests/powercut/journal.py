"""What a program did to the files of a folder, as `log.c` wrote it down."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.homes import need

SOURCE = Path(__file__).with_name("log.c")
_RECORD = struct.Struct("=6q2c6x")


class Event(NamedTuple):
    """One call, or the beginning of a sync."""

    what: str
    """As in log.c."""
    ns: int
    inode: int
    folder: int
    offset: int
    """Of a write; the new size of a truncation; the inode of the folder of `other_name`."""
    length: int
    """Bytes of a write."""
    name: str
    data: bytes
    is_refused: bool

    @property
    def other_name(self) -> str:
        """What a file is called after a rename or a link."""
        return self.data.decode()


def read_journal(path: Path) -> list[Event]:
    """Read the log of a program that has ended."""
    return list(_events(path.read_bytes()))


def _events(log: bytes) -> Iterator[Event]:
    at = 0
    while at < len(log):
        ns, inode, folder, offset, count, name_bytes, what, is_refused = _RECORD.unpack_from(log, at)
        at += _RECORD.size
        name = log[at : at + name_bytes].decode()
        at += name_bytes
        data = b"" if what == b"z" else log[at : at + count]
        at += len(data)
        yield Event(what.decode(), ns, inode, folder, offset, count, name, data, is_refused != b"\0")


@cache
def _build(folder: Path) -> Path:
    need("gcc")
    library = folder / "log.so"
    command = ["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, str(SOURCE), "-o", str(library)], check=True)
    return library


def logged(build_folder: Path, folder: Path, log: Path, *, is_sparse: bool = False) -> dict[str, str]:
    """Return what to add to the environment of a program whose calls for files in `folder` are to be logged."""
    settings = {
        "LD_PRELOAD": str(_build(build_folder)),
        "POWERCUT_FOLDER": str(folder.resolve()),
        "POWERCUT_LOG": str(log),
    }
    return settings | ({"POWERCUT_SPARSE": "1"} if is_sparse else {})
