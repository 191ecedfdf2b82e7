"""Streams and files in the hands of threads that know nothing of each other, for so many seconds.

    python thrash.py FOLDER SECONDS

Whatever is no failure of the library's own ends the program with a traceback and 1.
"""

from __future__ import annotations

import queue
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import soundfile

from pastream_cli import engine as ps

RATE = 48000


class Thrash:
    """Threads that each do one thing again and again."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._has_failed = False
        self.turns: dict[str, int] = {}

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self._ends and not self._has_failed

    def together(self, *things: Callable[[], object]) -> None:
        threads = [threading.Thread(target=self._again_and_again, args=(thing,)) for thing in things]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._has_failed:
            sys.exit(1)

    def _again_and_again(self, thing: Callable[[], object]) -> None:
        while self.goes_on:
            self.turns[thing.__name__] = self.turns.get(thing.__name__, 0) + 1
            try:
                thing()
            except (ps.PastreamError, ValueError):
                pass
            except BaseException:  # noqa: BLE001 - all that a program might see
                traceback.print_exc()
                self._has_failed = True


def thrash_a_stream(seconds: float) -> dict[str, int]:
    """Start a stream that another thread aborts."""
    stream = ps.DuplexStream("virtual:fast")
    thrash = Thrash(seconds)

    def abort() -> None:
        stream.abort()

    def record_and_start() -> None:
        with suppress(ps.PastreamError):
            stream.record(500)
        stream.start()

    thrash.together(record_and_start, abort)
    stream.close()
    return thrash.turns


def thrash_files(folder: Path, seconds: float) -> dict[str, int]:
    """Close the files of a stream while others start and abort it."""
    soundfile.write(folder / "in.wav", [[0.5, -0.5]] * RATE, RATE)
    stream = ps.DuplexStream("virtual:fast")
    thrash = Thrash(seconds)
    to_close: queue.SimpleQueue[soundfile.SoundFile] = queue.SimpleQueue()
    is_over = threading.Event()

    def play_and_record() -> None:
        is_over.clear()
        source = soundfile.SoundFile(folder / "in.wav")
        sink = soundfile.SoundFile(folder / "out.wav", "w", RATE, 2)
        files = random.sample([source, sink], 2)
        for file in files:
            to_close.put(file)
        try:
            stream.playrec(source, out=sink, frames=RATE)
        finally:
            is_over.set()
            while thrash.goes_on and not all(file.closed for file in files):
                time.sleep(0)

    def close() -> None:
        with suppress(queue.Empty):
            file = to_close.get(timeout=0.1)
            while "close" not in file.__dict__ and not is_over.is_set():
                time.sleep(0)
            time.sleep(random.choice([0, 0.0005, 0.002]))
            file.close()

    def abort() -> None:
        time.sleep(random.choice([0, 0.0005, 0.002]))
        stream.abort()

    thrash.together(play_and_record, close, abort)
    stream.close()
    return thrash.turns


def main() -> None:
    """Do it, and print how often each of its threads has."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    sys.setswitchinterval(1e-6)
    turns = [*thrash_a_stream(seconds / 2).values(), *thrash_files(folder, seconds / 2).values()]
    print(*turns)  # noqa: T201


if __name__ == "__main__":
    main()
