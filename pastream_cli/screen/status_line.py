"""How a run stands, in one plain line for whoever asks by a signal. Pure."""

from __future__ import annotations

from math import isinf

from pastream_cli.screen.levels import decibels, format_level
from pastream_cli.screen.lines import loss_words, xrun_words
from pastream_cli.screen.status import bytes_words, span_words
from pastream_cli.take.report import Snapshot
from pastream_cli.units import format_clock


def status_line(snapshot: Snapshot) -> str:
    """Return state and time, what is lost, the files and the disk; the same words whether a meter is shown or not."""
    clock = format_clock(snapshot.frames, snapshot.rate)
    if snapshot.length_frames is not None:
        clock += f" of {format_clock(snapshot.length_frames, snapshot.rate)}"
    parts = [f"{_state(snapshot)} at {clock}", *_losses(snapshot)]
    if snapshot.file_name is not None:
        parts.append(f"{snapshot.file_name} {bytes_words(snapshot.file_bytes)}")
    parts += [f"{copy.name}{' FAILED' if copy.has_failed else ''}" for copy in snapshot.copies]
    if snapshot.disk_seconds is not None:
        parts.append(f"disk {span_words(snapshot.disk_seconds)}")
    return ", ".join([*parts, f"buffer {snapshot.buffer_fill:.0%}"])


def _state(snapshot: Snapshot) -> str:
    if snapshot.away_seconds is not None:
        return f"device away for {snapshot.away_seconds:.0f} s,"
    if snapshot.wait_seconds is not None:
        return f"starts in {snapshot.wait_seconds:.0f} s,"
    if snapshot.is_paused:
        return "paused"
    if snapshot.armed_level is not None:
        level = "the key r" if isinf(snapshot.armed_level) else f"{format_level(decibels(snapshot.armed_level))} dBFS"
        return f"waiting for {level}"
    return "recording" if snapshot.file_name is not None else "running"


def _losses(snapshot: Snapshot) -> list[str]:
    xruns = snapshot.counts.xruns
    words = ([xrun_words(xruns, is_player=False)] if xruns else []) + loss_words(snapshot)
    return words or ["nothing lost"]
