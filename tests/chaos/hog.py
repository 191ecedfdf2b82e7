"""pastream with a thread that can keep the interpreter to itself: python -m tests.chaos.hog DESCRIPTOR ARGUMENTS."""

from __future__ import annotations

import ctypes
import os
import sys
import threading


def hold_the_lock(descriptor: int) -> None:
    """Give no other thread a turn for as many seconds as each line says that comes out of a pipe."""
    while lines := os.read(descriptor, 64):
        for line in lines.split():
            # PyDLL keeps the lock for as long as the call lasts
            ctypes.PyDLL(None).usleep(int(float(line) * 1e6))


def main() -> None:
    """Be the command, with that thread beside it."""
    threading.Thread(target=hold_the_lock, args=(int(sys.argv.pop(1)),), daemon=True).start()
    from pastream_cli.__main__ import main as pastream

    pastream()


if __name__ == "__main__":
    main()
