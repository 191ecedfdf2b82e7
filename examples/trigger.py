"""Record whenever it is loud: each time into a file of its own, until it has been quiet for a while.

A file begins a moment before it got loud. Try it with: trigger.py --device virtual:noise --seconds 2
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from pastream_cli import engine as ps

CHUNK_FRAMES = 1024


class Trigger:
    """Opens a file when it gets loud, and closes it when it has been quiet for long enough.

    Parameters
    ----------
    stream : InputStream
        Whose chunks are taken.
    folder : Path
        Where files go.
    level : float
        Peak from which on it is loud, of full scale.
    quiet_seconds : float
        How long a file goes on after the last loud chunk.
    """

    def __init__(self, stream: ps.InputStream, folder: Path, level: float, quiet_seconds: float) -> None:
        self._stream, self._folder, self._level = stream, folder, level
        self._quiet_chunks_at_most = round(quiet_seconds * stream.samplerate / CHUNK_FRAMES)
        self._quiet_chunks = 0
        self._before: deque[Any] = deque(maxlen=8)
        self._file: Any = None
        self.names: list[str] = []

    def take(self, chunk: Any) -> None:
        """Write a chunk, or keep it in case the next one is loud."""
        is_loud = float(np.abs(chunk).max()) >= self._level
        self._quiet_chunks = 0 if is_loud else self._quiet_chunks + 1
        if self._file is None and is_loud:
            self._open()
        if self._file is None:
            self._before.append(chunk.copy())  # the chunk itself is valid only until the next one
        else:
            self._file.write(chunk)
            if self._quiet_chunks > self._quiet_chunks_at_most:
                self.close()

    def _open(self) -> None:
        self.names.append(f"loud-{len(self.names) + 1:03}.wav")
        self._file = self._stream.to_file(str(self._folder / self.names[-1]), subtype="PCM_24")
        for chunk in self._before:
            self._file.write(chunk)
        self._before.clear()
        print(f"recording {self.names[-1]}")

    def close(self) -> None:
        """Finish the present file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", type=float, default=0.1, help="peak from which on it is loud, 0 to 1")
    parser.add_argument("--quiet", type=float, default=1.0, help="seconds of quiet after which a file ends")
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--device", help="number or part of a name, or virtual; the default device if left out")
    parser.add_argument("--seconds", type=float, help="how long to listen; until interrupted if left out")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with ps.InputStream(device=arguments.device) as stream:
        trigger = Trigger(stream, arguments.folder, arguments.level, arguments.quiet)
        frames = -1 if arguments.seconds is None else int(arguments.seconds * stream.samplerate)
        try:
            for chunk in stream.chunks(CHUNK_FRAMES, frames=frames):
                trigger.take(chunk)
        except KeyboardInterrupt:
            pass
        trigger.close()
        print(f"{len(trigger.names)} recordings")


if __name__ == "__main__":
    try:
        main()
    except ps.PastreamError as error:
        sys.exit(str(error))
