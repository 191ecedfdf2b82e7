"""Whether exit code, report and files of a take agree: what is told can be read, and what can be read is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.runner import Result
from tests.sounds import RATE, Samples, readable
from tests.takes import frames_by_sox, ramp, report_of

OLD = b"the take of my life"
"""What a file holds that is to be replaced."""

_LOSSY_TYPES = ("ogg", "mp3")
_FLAC_BLOCK_FRAMES = 4096
_CODEC_FRAMES = RATE // 10
"""By which the length of an MP3 may be out: what its encoder puts around the sound."""


@dataclass(frozen=True)
class Take:
    """A recording of `RAMP` that is over, in a folder of its own.

    Parameters
    ----------
    result : Result
        What the command left, run with ``--json``.
    folder : Path
        Where its files are, and nothing else but files that hold `OLD`.
    file_type : str
        As the suffix has it; PCM_24 where the type has that.
    asked_frames : int
        How many were to be recorded.
    """

    result: Result
    folder: Path
    file_type: str
    asked_frames: int

    def disagreements(self, *, may_be_unread: bool = False, may_be_left: bool = False) -> Iterator[str]:
        """Return what does not agree.

        Parameters
        ----------
        may_be_unread : bool
            The disk has refused to read: files may hold more than the program could find out.
        may_be_left : bool
            The disk has refused to remove: files without a frame may be there.
        """
        report, code = report_of(self.result), self.result.returncode
        if report["exit_code"] != code:
            yield f"exit code {code}, but {report['exit_code']} in the report"
        if code not in {0, 4}:
            yield f"exit code {code}"
        if bool(report["error"]) != (code != 0):
            yield f"exit code {code}, and the error is {report['error']}"
        told = {file["name"]: file for file in report["files"]}
        total = sum(file["frames"] for file in told.values())
        if code == 0 and total != self.asked_frames:
            yield f"exit code 0 for {total} of {self.asked_frames} frames"
        if total + report["unwritten_frames"] != report["frames"]:
            yield f"{total} frames told and {report['unwritten_frames']} unwritten of {report['frames']}"
        for name, file in told.items():
            yield from self._disagreements_of(name, file, may_be_unread=may_be_unread)
        for path in sorted(self.folder.iterdir()):
            if path.name not in told and path.read_bytes() != OLD:
                frames = len(self._samples_of(path))
                if frames or not may_be_left:
                    yield f"{path.name} is left, with {frames} frames and {path.stat().st_size} bytes"

    def _disagreements_of(self, name: str, file: dict[str, Any], *, may_be_unread: bool) -> Iterator[str]:
        path, frames = self.folder / name, file["frames"]
        if not path.exists():
            yield f"{name} is told and is not there"
            return
        samples = self._samples_of(path)
        there = len(samples)
        is_lossless = self.file_type not in _LOSSY_TYPES
        slack = _CODEC_FRAMES if self.file_type == "mp3" else 0
        if not frames - slack <= there <= frames + slack and not (may_be_unread and there > frames):
            yield f"{name} has {there} frames, and {frames} are told"
        by_sox = frames_by_sox(path, file_type=self.file_type) if frames and self.file_type != "raw" else there
        # where no header tells how long a FLAC is, libsndfile does not come to its last block
        untold = _FLAC_BLOCK_FRAMES if self.file_type == "flac" and self.result.returncode else 0
        if not there - slack <= by_sox <= there + slack + untold:
            yield f"{name} has {there} frames, of which sox reads {by_sox}"
        first = file["first_frame"]
        expected = ramp(max(first + there, 1))[first : first + there]
        if is_lossless and not np.array_equal(samples, expected):
            yield f"{name} holds something else"

    def _samples_of(self, path: Path) -> Samples:
        if self.file_type != "raw":
            return readable(path, 2)
        return readable(path, 2, format="RAW", samplerate=RATE, channels=2, subtype="PCM_24")
