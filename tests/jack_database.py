"""The database of JACK's clients, which is kept out of shared files while tests start and end many servers.

libjack opens a Berkeley DB in one folder for all servers of a user. A jackd that ends removes the files there while
another makes them, and a program that is killed leaves them half made. Whoever maps such a file dies of SIGBUS: with
sixteen servers started and ended at random beside each other, 740 of 3,400 programs did.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = Path(f"/dev/shm/jack_db-{os.getuid()}")  # noqa: S108 - where libjack looks
_OPTIONS = _FOLDER / "DB_CONFIG"  # which Berkeley DB reads whenever it opens a database there


@contextmanager
def private_jack_databases() -> Iterator[None]:
    """Give each client of JACK that starts from now on a database in its own memory, until the first caller ends."""
    is_first = _write_options()
    try:
        yield
    finally:
        if is_first:
            _OPTIONS.unlink(missing_ok=True)
            with suppress(OSError):  # a JACK that was there before uses it
                _FOLDER.rmdir()


def _write_options() -> bool:
    """Return whether the options are new; while they are there, no jackd that ends can remove the folder."""
    while True:
        _FOLDER.mkdir(mode=0o770, exist_ok=True)
        try:
            with _OPTIONS.open("x") as file:
                file.write("set_open_flags DB_PRIVATE on\n")
        except FileNotFoundError:  # a jackd has removed the folder just now
            continue
        except FileExistsError:
            return False
        return True
