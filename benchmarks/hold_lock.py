"""Record while the interpreter's lock is held: hold_lock.py {ours,predecessor} SECONDS ARGUMENTS.

The first is the session of this project, the second the predecessor's command; in both another
thread takes the lock, a second after the start, and gives nobody else a turn.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the predecessor's environment has none of it
    from pastream_cli.take.report import Opening, Snapshot


class Deaf:
    """An observer that does not look."""

    is_live = False

    def opened(self, opening: Opening) -> None: ...

    def waited(self, name: str, seconds: float) -> None: ...

    def noted(self, text: str) -> None: ...

    def warned(self, text: str) -> None: ...

    def stated(self, standing: Snapshot | str) -> None: ...

    def quoted(self, text: str) -> None: ...

    def progressed(self, snapshot: Snapshot) -> None: ...


def hold(seconds: float) -> None:
    time.sleep(2.5)
    # PyDLL keeps the lock for as long as the call lasts
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def run_ours(argv: list[str]) -> None:
    from pastream_cli import args
    from pastream_cli.command.job import Job
    from pastream_cli.take.session import Session
    from pastream_cli.take.signals import Requests

    job = args.parse(argv)
    assert isinstance(job, Job)
    with Requests() as requests:
        session = Session(job, Deaf(), requests)
        session.run()
        session.leave()


def run_predecessor(argv: list[str]) -> None:
    import pastream  # type: ignore[import-not-found]  # in its own environment

    pastream._main(argv)  # noqa: SLF001 - its command


if __name__ == "__main__":
    who, length, *arguments = sys.argv[1:]
    threading.Thread(target=hold, args=(float(length),), daemon=True).start()
    (run_ours if who == "ours" else run_predecessor)(arguments)
