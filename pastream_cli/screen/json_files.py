"""What `--json` prints of the files of a recording, and of its further copies. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pastream_cli.engine.facts import RecordedFile
from pastream_cli.screen.json_numbers import decibels, finite, seconds, utc, writer_speed
from pastream_cli.take.report import CopyReport, Report


def buffer_of(report: Report) -> dict[str, Any] | None:
    """Return the buffer of OUTPUT; `None` where nothing is recorded."""
    if not report.buffer_frames:
        return None
    return {
        "frames": report.buffer_frames,
        "high_water_frames": report.counts.capture_high_water,
        "writer_speed": writer_speed(report.files.frames, report.rate, report.writer_seconds),
    }


def pieces_of(report: Report) -> Iterator[dict[str, Any]]:
    """Yield each piece of the recording, with its further copies. A long take is never in memory as a whole."""
    copies = [_Ahead(iter(copy.files)) for copy in report.copies]
    for file in report.files:
        of_piece = [(copy, there.take(file.first_frame)) for copy, there in zip(report.copies, copies, strict=True)]
        yield {
            **_file(file, report.rate),
            "copies": [_copy_of_piece(copy.name, found, report.rate) for copy, found in of_piece],
        }


class _Ahead:
    """The files of a copy, of which one is looked at before it is taken."""

    def __init__(self, files: Iterator[RecordedFile]) -> None:
        self._files = files
        self._next = next(files, None)

    def take(self, first_frame: int) -> RecordedFile | None:
        """Return the file that begins at this frame, if there is one; those before it are passed over."""
        while self._next is not None and self._next.first_frame < first_frame:
            self._next = next(self._files, None)
        found = self._next
        if found is None or found.first_frame != first_frame:
            return None
        self._next = next(self._files, None)
        return found


def _copy_of_piece(path: str, file: RecordedFile | None, rate: float) -> dict[str, Any]:
    if file is None:
        return {
            "name": path,
            "state": "missing",
            "reason": "it was never made",
            "frames": 0,
            "seconds": seconds(0, rate),
        }
    return {
        "name": file.name,
        "state": "complete" if file.failure is None else "failed",
        "reason": file.failure,
        "frames": file.frames,
        "seconds": seconds(file.frames, rate),
    }


def copy_of(copy: CopyReport, rate: float) -> dict[str, Any]:
    """Return one further copy of the recording."""
    return {
        "output": copy.name,
        "frames": copy.files.frames,
        "lost_frames": copy.counts.lost_frames,
        "losses": copy.counts.losses,
        "unwritten_frames": copy.unwritten_frames,
        "buffer": {
            "frames": copy.buffer_frames,
            "high_water_frames": copy.counts.capture_high_water,
            "writer_speed": writer_speed(copy.files.frames, rate, copy.writer_seconds),
        },
    }


def _file(file: RecordedFile, rate: float) -> dict[str, Any]:
    return {
        "name": file.name,
        "state": "complete" if file.failure is None else "failed",
        "reason": file.failure,
        "start": None if file.start is None else utc(file.start),
        "start_uncertainty_seconds": finite(file.start_uncertainty_seconds),
        "first_frame": file.first_frame,
        "frames": file.frames,
        "seconds": seconds(file.frames, rate),
        "lost_frames": file.lost_frames,
        "verified": file.verified,
        "sha256": file.sha256,
        "cache_dropped": file.cache_dropped,
        "channels": [
            {"peak": finite(peak), "peak_dbfs": decibels(peak), "clips": clips}
            for peak, clips in zip(file.peaks, file.clips, strict=True)
        ],
    }
