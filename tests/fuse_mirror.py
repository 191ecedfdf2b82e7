"""A file system that hands everything on to a folder: python -m tests.fuse_mirror DISK FOLDER [--without-link-counts].

What is asked of FOLDER is asked of DISK, by a process that may have the library of `tests.faults` before it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import mfusepy

_STATUS = ("st_gid", "st_ino", "st_mode", "st_nlink", "st_size", "st_uid")
_TIMES = ("st_atime", "st_ctime", "st_mtime")
_ROOM = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_frsize", "f_namemax")


class Mirror(mfusepy.Operations):  # type: ignore[misc]  # it has no types
    """Hands everything on to a folder.

    Parameters
    ----------
    disk : str
        The folder.
    counts_links : bool
        Whether a file has a number of names; some file systems answer 0 for all.
    """

    use_ns = True

    def __init__(self, disk: str, *, counts_links: bool) -> None:
        self._disk = disk
        self._counts_links = counts_links

    def _at(self, path: str) -> Path:
        return Path(self._disk + path)

    def create(self, path: str, mode: int, fi: Any = None) -> int:  # noqa: ARG002 - the binding's signature
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def open(self, path: str, flags: int) -> int:
        return os.open(self._at(path), flags & ~(os.O_EXCL | os.O_CREAT))

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        os.truncate(self._at(path) if fh is None else fh, length)
        return 0

    def flush(self, path: str, fh: int) -> int:  # noqa: ARG002
        """Answer a close: by what the disk says to one."""
        os.close(os.dup(fh))
        return 0

    def release(self, path: str, fh: int) -> int:  # noqa: ARG002
        os.close(fh)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
        os.fsync(fh)
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
        return 0

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        status = os.lstat(self._at(path)) if fh is None else os.fstat(fh)
        times = {name: getattr(status, f"{name}_ns") for name in _TIMES}
        counted = times | {name: getattr(status, name) for name in _STATUS}
        return counted if self._counts_links else counted | {"st_nlink": 0}

    def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002
        return [".", "..", *(entry.name for entry in self._at(path).iterdir())]

    def rename(self, old: str, new: str) -> int:
        self._at(old).rename(self._at(new))
        return 0

    def unlink(self, path: str) -> int:
        self._at(path).unlink()
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self._at(path).mkdir(mode)
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        room = os.statvfs(self._at(path))
        return {name: getattr(room, name) for name in _ROOM}


if __name__ == "__main__":
    mirror = Mirror(sys.argv[1], counts_links="--without-link-counts" not in sys.argv)
    mfusepy.FUSE(mirror, sys.argv[2], foreground=True, attr_timeout=0, entry_timeout=0, fsname="pastream-test")
