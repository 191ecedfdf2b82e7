"""Takes seen from outside: how long the file is, what others read of it, what was said and when."""

from __future__ import annotations

import json
import math
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.homes import need, wait_until
from tests.runner import Result
from tests.sounds import RATE, Samples, assert_same, read

FRAME_BYTES = 2 * 3
_HEADER_FRAMES = 50
"""Of a recording of two channels in PCM_24."""

RAMP = "virtual:sine=0.01"
"""A sound so slow that for 20 s each frame has a value of its own in 24 bits, and only the first is silent."""

PATIENT = ("--latency", "5.0")
"""Makes a virtual device lose nothing of its own accord before a busy machine lets it be five seconds late."""

SLACK = 3
"""A limit in seconds is multiplied by this where a busy machine may be late."""


def ramp_at(frame: int) -> int:
    """Return what `RAMP` sounds like at one frame, in PCM_32."""
    return round(0.5 * math.sin(2 * math.pi * math.fmod(frame * 0.01 / RATE, 1.0)) * 2**31)


@cache
def _ramp_channel(frames: int) -> NDArray[np.int32]:
    return (np.fromiter(map(ramp_at, range(frames)), "int64", frames) + 0x80 & ~0xFF).astype("int32")


def ramp(frames: int, channels: int = 2) -> NDArray[np.int32]:
    """Return what `RAMP` sounds like for so many frames, in PCM_24."""
    assert frames <= 20 * RATE
    return np.repeat(_ramp_channel(20 * RATE)[:frames, np.newaxis], channels, axis=1)


def gaps_in_ramp(samples: Samples) -> list[tuple[int, int]]:
    """Return where losses were filled in, as first frame and length; every other frame must be `RAMP`'s own."""
    gaps = silences(samples)
    expected = ramp(len(samples), samples.shape[1]).copy()
    for first, length in gaps:
        expected[first : first + length] = 0
    assert_same(samples, expected)
    return gaps


def joined(pieces: Iterable[Path]) -> Samples:
    """Return the frames of several files as those of one."""
    samples: Samples = np.concatenate([read(piece) for piece in pieces])
    return samples


def silences(samples: Samples) -> list[tuple[int, int]]:
    """Return where frames of `RAMP` are silent: first frame and length of each run, the natural one left out."""
    is_silent = np.concatenate([[False], (samples == 0).all(axis=1), [False]])
    if len(samples):
        is_silent[1] = False
    edges = np.flatnonzero(is_silent[1:] != is_silent[:-1])
    return [(int(first), int(end - first)) for first, end in pairwise(edges)][::2]


def frames_on_disk(path: Path, frame_bytes: int = FRAME_BYTES) -> int:
    """Return how many frames the file is long, whatever its header says."""
    return path.stat().st_size // frame_bytes if path.exists() else 0


def wait_for_frames(path: Path, frames: int = 1000, frame_bytes: int = FRAME_BYTES) -> float:
    """Wait until the file has so many frames, beside a header; return when that was."""
    wait_until(lambda: frames_on_disk(path, frame_bytes) > frames + 1000, f"{frames} frames in {path.name}", 60)
    return time.monotonic()


def wait_for_pieces(folder: Path, pieces: int) -> None:
    """Wait until so many files in the folder have frames."""

    def are_there() -> bool:
        return sum(frames_on_disk(path) > _HEADER_FRAMES for path in folder.iterdir()) >= pieces

    wait_until(are_there, f"{pieces} pieces in {folder.name}", 60)


def starved_seconds(pid: int) -> float:
    """Return for how long in all a busy machine has let a thread wait for a CPU, the worst of all but the first."""
    worst_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        if task.name != str(pid):
            with suppress(FileNotFoundError):
                worst_ns = max(worst_ns, int((task / "schedstat").read_text().split()[1]))
    return worst_ns / 1e9


def read_by_sox(path: Path, channels: int = 2, *options: str) -> NDArray[np.int32]:
    """Return what sox reads of the file, left-justified; it must be content with it."""
    need("sox")
    done = subprocess.run(["sox", *options, path, "-t", "s32", "-"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, "<i4").reshape(-1, channels)


def frames_by_sox(path: Path, channels: int = 2, file_type: str | None = None) -> int:
    """Return how many frames sox reads of a file, whatever it thinks of it."""
    need("sox")
    return _frames_from(["sox", *(["-t", file_type] if file_type else []), str(path), "-t", "s16", "-"], channels)


def frames_by_ffmpeg(path: Path, channels: int = 2) -> int:
    """Return how many frames ffmpeg reads of a file, whatever it thinks of it."""
    need("ffmpeg")
    return _frames_from(["ffmpeg", "-v", "quiet", "-nostdin", "-i", str(path), "-f", "s16le", "-"], channels)


def _frames_from(command: list[str], channels: int) -> int:
    done = subprocess.run(command, capture_output=True, check=False)
    return len(done.stdout) // (2 * channels)


def handles(pid: int, number: int) -> bool:
    """Tell whether the process has a handler of its own for the signal."""
    return number in _signals(Path(f"/proc/{pid}/status"), "SigCgt")


def blocked_signals(pid: int) -> list[set[int]]:
    """Return which signals each thread of the process blocks, all but the main one."""
    threads = [task for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid)]
    return [_signals(thread / "status", "SigBlk") for thread in threads]


def _signals(status: Path, field: str) -> set[int]:
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith(f"{field}:"))
    mask = int(line.split()[1], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def report_of(result: Result) -> dict[str, Any]:
    """Return what a command said that was run with ``--json``."""
    line = result.stdout or result.stderr.splitlines()[-1]
    report: dict[str, Any] = json.loads(line)
    return report


def told(result: Result) -> dict[str, int]:
    """Return the files that a command run with ``--json`` says were written, and how many frames each has."""
    return {file["name"]: file["frames"] for file in report_of(result)["files"]}


def losses_told(result: Result, kind: str) -> list[tuple[int, int]]:
    """Return the first frame and the length of each loss of a kind that a command run with ``--json`` reports."""
    return [(xrun["frame"], xrun["frames"]) for xrun in report_of(result)["xruns"] if xrun["kind"] == kind]


class Listener:
    """Hears what a command says on stderr, and when; it ends with the command.

    Parameters
    ----------
    process : Popen
        Started, its stderr a pipe that nobody else reads.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[tuple[float, str]] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append((time.monotonic(), line.decode(errors="replace").rstrip("\n")))

    @property
    def text(self) -> str:
        """Everything so far."""
        return "\n".join(line for _, line in self.lines)

    def when(self, words: str) -> float | None:
        """Return when a line with these words first came, `None` if none has yet."""
        return next((moment for moment, line in self.lines if words in line), None)

    def wait_for(self, words: str, timeout: float) -> float:
        """Wait for a line with these words; return when it came."""
        try:
            wait_until(lambda: self.when(words) is not None, words, timeout)
        except TimeoutError as error:
            raise AssertionError(f"{error}; there was: {self.text}") from None
        moment = self.when(words)
        assert moment is not None
        return moment

    def finish(self, timeout: float) -> Result:
        """Wait for the command's end, which must come within so many seconds and without a traceback."""
        stdout: list[bytes] = []
        # read beside the wait: a report may be longer than a pipe holds
        reader = threading.Thread(target=self._read_into, args=(stdout,), daemon=True)
        reader.start()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"still running after {timeout:g} s: {self.text}") from None
        self._thread.join()
        reader.join()
        assert "Traceback" not in self.text, self.text
        return Result(self.process.returncode, b"".join(stdout), self.text)

    def _read_into(self, parts: list[bytes]) -> None:
        if self.process.stdout:
            parts.append(self.process.stdout.read())
