"""The database of JACK's clients, which is kept out of shared files while tests start and end many servers.

libjack opens a Berkeley DB in one folder for all servers of a user. A jackd that ends removes the files there while
another makes them, and a program that is killed leaves them half made. Whoever maps such a file dies of SIGBUS: with
sixteen servers started and ended at random beside each other, 740 of 3,400 programs did.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

_FOLDER = Path(f"/dev/shm/jack_db-{os.getuid()}")  # noqa: S108 - where libjack looks
_OPTIONS = _FOLDER / "DB_CONFIG"  # which Berkeley DB reads whenever it opens a database there


@contextmanager
def private_jack_databases() -> Iterator[None]:
    """Give each client of JACK that starts from now on a database in its own memory.

    Several runs of tests may do so at once; the last one to end removes what says so.
    """
    with _locked_options() as options:
        if not options.tell():
            options.write("set_open_flags DB_PRIVATE on\n")
            options.flush()
        try:
            yield
        finally:
            with suppress(OSError):  # another run is there, or a JACK that was there before uses the folder
                fcntl.flock(options, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _OPTIONS.unlink()
                _FOLDER.rmdir()


def _locked_options() -> TextIO:
    """Return the file of the options, shared with other runs; while it is there, nobody can remove the folder."""
    while True:
        _FOLDER.mkdir(mode=0o770, exist_ok=True)
        with suppress(FileNotFoundError):  # a jackd has removed the folder just now
            file = _OPTIONS.open("a")
            fcntl.flock(file, fcntl.LOCK_SH)
            if os.path.samestat(os.fstat(file.fileno()), _OPTIONS.stat()):
                return file
            file.close()  # another run has removed it just now
