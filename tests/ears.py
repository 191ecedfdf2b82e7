"""A client of a real server, not ours, that keeps what is played there, for one start of the server after the other.

What is played are numbers, on the left channel: that of a frame is its place in the sound, from 1 on.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.homes import need, wait_until
from tests.servers import JackServer, PulseServer, Server
from tests.sounds import RATE

_TIMEOUT_SECONDS = 20
_LONGEST_SECONDS = 600
_FRAME_BYTES = 2 * 4
_SILENT_PORTS = ("system:capture_1", "system:capture_2")


def write_numbers(path: Path, seconds: int) -> None:
    """Write a sound that an ear can make out."""
    numbers = np.arange(1, seconds * RATE, dtype="int32") << 8
    soundfile.write(path, np.column_stack([numbers, np.zeros_like(numbers)]), RATE, subtype="PCM_24")


class Ear:
    """Has jack_rec or parec write what a server plays into a file, another one each time that it is started."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._files: list[Path] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Listen, until the server or `stop` ends it; an ear whose server has gone is started again."""
        self.stop()
        path = self._folder / f"heard-{len(self._files)}"
        self._files.append(path)
        with path.open("wb") as file:
            self._process = subprocess.Popen(
                self._server.command(*self._words(path)),
                env=self._server.environment,
                cwd=self._server.home,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.DEVNULL,
            )
        wait_until(lambda: path.stat().st_size > RATE // 10, "an ear that hears", _TIMEOUT_SECONDS)

    def _words(self, path: Path) -> list[str]:
        if isinstance(self._server, PulseServer):
            need("parec")
            return ["parec", "--raw", "--format=s32le", f"--rate={RATE}", "--channels=2", "-d", "virt.monitor",
                    "--latency-msec=20"]  # fmt: skip
        need("jack_rec")
        # it is a device itself, so that nothing lies between; the silent ports give it its two channels
        ports = _SILENT_PORTS if isinstance(self._server, JackServer) else ("virt:capture_FL", "virt:capture_FR")
        return ["jack_rec", "-f", str(path), "-d", f"{_LONGEST_SECONDS}", "-b", "32", "-B", f"{4 * RATE}", *ports]

    def stop(self) -> None:
        """Listen no more."""
        if self._process is not None:
            with self._process:
                self._process.terminate()

    @property
    def last_number(self) -> int:
        """The number of the frame that was heard last, 0 before the first one."""
        numbers = self.numbers()
        return int(numbers[-1]) if len(numbers) else 0

    def wait_for(self, number: int) -> None:
        """Wait until a frame with that number, or one behind it, is heard."""
        wait_until(lambda: self.last_number >= number, f"frame {number}", _TIMEOUT_SECONDS)

    def numbers(self) -> NDArray[np.int32]:
        """Return the numbers of all frames that were heard, in their order, without the silence between them."""
        left = np.concatenate([self._heard(path) for path in self._files])
        numbers: NDArray[np.int32] = left[left != 0] >> 8
        return numbers

    def _heard(self, path: Path) -> NDArray[np.int32]:
        data = path.read_bytes()
        # jack_rec, which is ended, leaves a header that knows nothing of its sound
        first = data.index(b"data") + 8 if data[:4] == b"RIFF" else 0
        end = first + (len(data) - first) // _FRAME_BYTES * _FRAME_BYTES
        left: NDArray[np.int32] = np.frombuffer(data[first:end], np.int32)[::2]
        return left


@contextmanager
def listening(server: Server, folder: Path) -> Iterator[Ear]:
    """Have an ear on a server, which keeps in a folder what it hears."""
    ear = Ear(server, folder)
    try:
        ear.start()
        yield ear
    finally:
        ear.stop()
