"""A new file on a disk: made, under another name at first or not, locked, renamed, known by its descriptor."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from pastream_cli.engine.files.paths import BeingRecordedError, ExistsError
from pastream_cli.engine.native import lib

_LONGEST_NAME_BYTES = 255
_NAMES_TRIED = 100
_NAME_TAKEN = "another file has taken its name meanwhile"
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW
# The errors of systems and folders that cannot sync a folder at all.
_NO_SYNC = {errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EROFS}


class DiskFile:
    """A new file, made by the constructor, and locked until it is closed.

    Its folder is held open too, so it does not matter if the folder is renamed or a link to it changes. Every call may
    block with the disk.

    Parameters
    ----------
    path : str
        What it is to be called.
    overwrite : bool
        Replace a file that exists. Until `take_its_place` the new file then has a temporary name beside it.
    part : bool, optional
        Until `take_its_place` the new file is called ``NAME.part``, or ``NAME.2.part`` and so on if that is there.

    Raises
    ------
    ExistsError
        Where there is a file that may not be replaced, or that another take is being recorded into.
    OSError
        Where it cannot be made.
    """

    def __init__(self, path: str, *, overwrite: bool, part: bool = False) -> None:
        # a symbolic link stays: the file that it leads to is replaced
        target = os.path.realpath(path) if overwrite and Path(path).is_symlink() and Path(path).exists() else path
        folder, self._target = os.path.split(target)
        self.path = path
        """What it is to be called."""
        self._folder_path = folder
        self.is_part = part
        """Whether it has its name only when it is complete."""
        self.passed_over: str | None = None
        """A file that was there already under the name that the incomplete file was to have."""
        self._temporary: str | None = None
        self._old: int | None = None
        self._old_status: os.stat_result | None = None
        self.descriptor = -1
        self.had_name = True
        """Whether the file system counts the links of a file; some always answer 0."""
        self._is_anothers = False  # a take that replaces the file has it; without it a third one would begin
        self.folder = _open_folder(folder or ".")
        """A descriptor of its folder."""
        try:
            if part:
                self.descriptor = self._make_part(overwrite=overwrite)
            else:
                self.descriptor = self._make_or_replace() if overwrite else self._make()
            self._lock_own_file()
            with suppress(OSError):
                self.had_name = os.fstat(self.descriptor).st_nlink > 0
        except BaseException:
            with suppress(OSError):
                if not self._is_anothers:
                    self.remove()
            with suppress(OSError):
                self.close()
            raise

    # ---- making ----

    def _make_or_replace(self) -> int:
        for _ in range(_NAMES_TRIED):  # a file may appear or vanish between any two calls
            if self._status_of(self._target) is None:
                with suppress(ExistsError):
                    return self._make()
            with suppress(FileNotFoundError):
                self._lock_the_old_file()
                return self._make_beside()
        raise ExistsError(self.path)

    def _make_part(self, *, overwrite: bool) -> int:
        """Make the file under the name that it has until it is complete."""
        if self._status_of(self._target) is not None:
            if not overwrite:
                raise ExistsError(self.path)
            with suppress(FileNotFoundError):  # it has gone meanwhile
                self._lock_the_old_file()
        for number in range(1, _NAMES_TRIED + 1):
            name = f"{self._target}.part" if number == 1 else f"{self._target}.{number}.part"
            with suppress(ExistsError):
                descriptor = self._make(name, self._mode)
                self._temporary = name
                return descriptor
            self._pass_over(name)
        raise ExistsError(self.path)

    def _pass_over(self, name: str) -> None:
        """Leave an incomplete file alone; raise if another take is being recorded into it."""
        self.passed_over = self.passed_over or name
        with suppress(OSError):
            there = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=self.folder)
            try:
                if not _lock(there):
                    raise BeingRecordedError(self.path)
            finally:
                os.close(there)

    def _make(self, name: str | None = None, mode: int = 0o666) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS
        try:
            return os.open(name or self._target, flags, mode, dir_fd=self.folder)
        except FileExistsError:
            raise ExistsError(self.path) from None

    def _lock_own_file(self) -> None:
        """Lock the new file, unless another process has locked it in order to replace it."""
        if not _lock(self.descriptor):
            self._is_anothers = self._temporary is None
            raise BeingRecordedError(self.path)

    def _make_beside(self) -> int:
        """Make the file under an unpredictable name beside the old one, with no more rights than that has."""
        for _ in range(_NAMES_TRIED):
            name = _temporary_name(self._target)
            with suppress(ExistsError):
                descriptor = self._make(name, self._mode)
                self._temporary = name
                return descriptor
        raise ExistsError(self.path)

    @property
    def _mode(self) -> int:
        """The rights of the new file, before the umask: no more than those of the file that it replaces."""
        return 0o666 if self._old_status is None else stat.S_IMODE(self._old_status.st_mode) & 0o666

    def _lock_the_old_file(self) -> None:
        """Lock the file that is to be replaced, so that of two takes with one name only one begins."""
        for _ in range(_NAMES_TRIED):  # another file may get the name meanwhile
            if self._lock_what_has_the_name():
                return
        raise ExistsError(self.path)

    def _lock_what_has_the_name(self) -> bool:
        """Lock the file that has the name; tell whether the name is still its own."""
        try:
            self._old = os.open(self._target, os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=self.folder)
        except PermissionError:  # it may be replaced, but not opened: nothing can keep two takes apart then
            self._old_status = os.stat(self._target, dir_fd=self.folder, follow_symlinks=False)
            return True
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link, which must not be followed
                raise ExistsError(self.path) from None
            raise
        if not _lock(self._old):
            raise BeingRecordedError(self.path)
        status = os.fstat(self._old)
        if self._has(self._target, status):
            self._old_status = status
            return True
        self._unlock_the_old_file()
        return False

    def _unlock_the_old_file(self) -> None:
        if self._old is not None:
            with suppress(OSError):
                os.close(self._old)
            self._old = None

    # ---- its name ----

    @property
    def name(self) -> str:
        """Its present name: the temporary one, or the one that it is to have."""
        return os.path.join(self._folder_path, self._temporary) if self._temporary else self.path  # noqa: PTH118

    @property
    def is_beside(self) -> bool:
        """Whether it still has another name than the one that it is to have."""
        return self._temporary is not None

    def take_its_place(self) -> None:
        """Give the file the name that it is to have, replace the old file, if there is one, and sync the folder.

        Raises
        ------
        OSError
            Where that fails, or another file has taken the name; all files then stay as they are.
        """
        if self._temporary is not None:
            self._check_names(self._temporary)
            self._rename(self._temporary)
            self._temporary = None
            self._unlock_the_old_file()
        self.sync_folder()

    def _rename(self, temporary: str) -> None:
        if self._old_status is not None:
            os.replace(temporary, self._target, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            return
        code = lib.rename_to_free_name(self.folder, os.fsencode(temporary), os.fsencode(self._target))
        if code:
            raise OSError(code, _NAME_TAKEN if code == errno.EEXIST else os.strerror(code))

    def _check_names(self, temporary: str) -> None:
        if not self._has(temporary, os.fstat(self.descriptor)):
            raise FileNotFoundError(errno.ENOENT, f"{temporary} is not there any more")
        old = self._old_status
        if self._status_of(self._target) and (old is None or not self._has(self._target, old)):
            raise FileExistsError(errno.EEXIST, _NAME_TAKEN)

    def _status_of(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _has(self, name: str, status: os.stat_result) -> bool:
        """Tell whether `name` in the folder is the file with this status."""
        there = self._status_of(name)
        return there is not None and os.path.samestat(there, status)

    def sync_folder(self) -> None:
        """Sync the folder, so that the name survives a power cut too."""
        try:
            os.fsync(self.folder)
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise

    def present_path(self) -> str | None:
        """Return where the file is now: its name, or where it was moved to; `None` where that cannot be known."""
        status = os.fstat(self.descriptor)
        if _leads_to(self.name, status):
            return self.name
        path = _path_by_the_system(self.descriptor)
        if path is None or not (path == os.path.realpath(self.name) or _leads_to(path, status)):
            return None
        return path if Path(self.name).is_absolute() else _relative(path)

    # ---- the file ----

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return os.fstat(self.descriptor).st_size

    @property
    def is_removed(self) -> bool:
        """Whether it has no name any more: nobody will ever find what it holds."""
        return self.had_name and os.fstat(self.descriptor).st_nlink == 0

    @property
    def is_cut_short(self) -> bool:
        """Whether another program has cut off what was written. To be asked only while nobody writes."""
        return os.lseek(self.descriptor, 0, os.SEEK_CUR) > self.size

    @property
    def room_bytes(self) -> int:
        """How many more bytes its disk takes."""
        disk = os.fstatvfs(self.descriptor)
        return disk.f_bavail * disk.f_frsize

    def sync(self) -> None:
        """Sync the file, so that what was written survives a power cut."""
        os.fsync(self.descriptor)

    def remove(self) -> None:
        """Remove the file, if its name is still its own."""
        if self.descriptor < 0:
            return
        name = self._temporary or self._target
        if self._has(name, os.fstat(self.descriptor)):
            os.unlink(name, dir_fd=self.folder)

    def close(self) -> None:
        """Close it. Raise OSError where the disk reports only now that it could not take what was written."""
        self._unlock_the_old_file()
        with suppress(OSError):
            os.close(self.folder)
        descriptor, self.folder, self.descriptor = self.descriptor, -1, -1
        if descriptor >= 0:
            os.close(descriptor)


def _open_folder(path: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except PermissionError:  # a folder that may not be listed can often be entered all the same
        return os.open(path, flags | getattr(os, "O_PATH", 0))


def _temporary_name(name: str) -> str:
    """Return an unpredictable name beside `name`, cut to the length that a name may have."""
    end = f".{os.urandom(4).hex()}.new"
    beginning = os.fsencode(f".{name}")[: _LONGEST_NAME_BYTES - len(end)]
    return beginning.decode(errors="ignore") + end


def _lock(descriptor: int) -> bool:
    """Lock a file until it is closed; false where another take has locked it, true where there are no locks."""
    for kind in (fcntl.LOCK_EX, fcntl.LOCK_SH):  # NFS allows only the second on a file that is open for reading
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EBADF:
                return True
        else:
            return True
    return True


def _leads_to(path: str, status: os.stat_result) -> bool:
    """Tell whether the file with this status is found at `path`."""
    try:
        return os.path.samestat(os.stat(path), status)  # noqa: PTH116
    except OSError:
        return False


def _path_by_the_system(descriptor: int) -> str | None:
    """Return the path that the system knows for an open file; `None` where it does not know."""
    with suppress(OSError):
        if sys.platform == "darwin":
            return os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
    return None


def _relative(path: str) -> str:
    """Return a path relative to the working folder, if it is inside that."""
    try:
        relative = os.path.relpath(path)
    except OSError:  # the working folder has been removed
        return path
    return path if relative.startswith(os.pardir) else relative
