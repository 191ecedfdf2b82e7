"""What people read on stderr: banner, loss lines, status, summary. Plain text, pure."""

from __future__ import annotations

from pastream_cli.job import STANDARD_STREAM
from pastream_cli.report import Loss, LossKind, Opening, RecordedFile, Report, Snapshot
from pastream_cli.units import format_clock, format_count

PROGRAM = "pastream"

_WHAT_HAPPENED = {
    LossKind.OVERRUN: "lost, the output was too slow",
    LossKind.DEVICE: "lost by the device",
    LossKind.HOST_CAPTURE: "lost by the host",
    LossKind.DEFICIT: "never came, by the clock",
    LossKind.UNDERRUN: "of silence played, the input was too slow",
    LossKind.HOST_PLAYBACK: "missing from the playback, says the host",
}


def error_lines(message: str, way_out: str | None) -> list[str]:
    """Return a failure as one line, and the way out as a second where there is one."""
    return [f"{PROGRAM}: {message}", *([f"{PROGRAM}: {way_out}"] if way_out else [])]


def warning_line(text: str) -> str:
    return f"{PROGRAM}: warning: {text}"


def length_words(frames: int | None, rate: float) -> str:
    """Return a length as understood, or that there is none."""
    return "until stopped" if frames is None else f"for {format_clock(frames, rate)} ({format_count(frames)} frames)"


def banner_line(opening: Opening) -> str:
    """Say what is connected to what, in one line."""
    acts = []
    if opening.playback_device is not None:
        acts.append(
            f"playing {opening.playback_name} on {opening.playback_device}"
            f" ({opening.playback_channels} ch {opening.playback_format})"
        )
    if opening.capture_device is not None:
        device = f"{opening.capture_device} ({opening.capture_channels} ch {opening.capture_format})"
        if opening.capture_name is not None:
            acts.append(f"recording {device} to {opening.capture_name} ({opening.file_type} {opening.encoding})")
        else:
            acts.append(f"listening to {device}")
    if opening.length_frames is None and opening.playback_name is not None:
        length = "until the input ends"
    else:
        length = length_words(opening.length_frames, opening.rate)
    return f"{PROGRAM}: {' and '.join(acts)} at {opening.rate:g} Hz {length}"


def loss_line(loss: Loss, rate: float) -> str:
    """Say what was lost and where."""
    frames = "an unknown number of frames" if loss.frames is None else f"{format_count(loss.frames)} frames"
    if loss.kind is LossKind.DEFICIT:
        frames = f"about {frames}"
    return f"{PROGRAM}: {frames} {_WHAT_HAPPENED[loss.kind]} at {format_clock(loss.frame, rate)}"


def status_line(snapshot: Snapshot) -> str:
    """Say how the run stands, on less than forty columns."""
    text = format_clock(snapshot.frames, snapshot.rate)
    if snapshot.length_frames is not None:
        text += f" of {format_clock(snapshot.length_frames, snapshot.rate)}"
    if snapshot.lost_frames:
        text += f" lost {format_count(snapshot.lost_frames)}"
    if snapshot.underruns:
        text += f" underruns {snapshot.underruns}"
    return text


def _file_words(file: RecordedFile, rate: float) -> str:
    clips = sum(file.clips)
    name = "standard output" if file.name == STANDARD_STREAM else file.name
    text = f"{name}: {format_count(file.frames)} frames, {format_clock(file.frames, rate)}"
    return f"{text}, {format_count(clips)} clips" if clips else text


def summary_line(report: Report) -> str:
    """Say how the run went, in one line."""
    if report.files:
        text = "; ".join(_file_words(file, report.rate) for file in report.files)
        text = f"wrote {text}"
    elif report.rate:
        text = f"{format_count(report.frames)} frames, {format_clock(report.frames, report.rate)}"
    else:
        text = "stopped before anything was opened"
    if report.lost_frames:
        text += f"; {format_count(report.lost_frames)} frames lost in {_times(report.losses, 'place')}"
    if report.missing_frames:
        text += f"; about {format_count(report.missing_frames)} frames never came"
    if report.underruns:
        text += f"; {_times(report.underruns, 'underrun')} of {format_count(report.underrun_frames)} frames"
    if report.host_flags:
        text += f"; {_times(report.host_flags, 'xrun')} reported by the host"
    faults = (report.lost_frames, report.missing_frames, report.underruns, report.host_flags)
    if report.rate and not any(faults):
        text += "; no xruns"
    return f"{PROGRAM}: {text}"


def buffer_line(report: Report) -> str:
    """Say how full the buffer became, and how often the device called."""
    text = f"{PROGRAM}: {format_count(report.callbacks)} callbacks"
    if report.buffer_frames:
        share = 100 * report.buffer_high_water_frames / report.buffer_frames
        text += (
            f"; at most {format_count(report.buffer_high_water_frames)} of {format_count(report.buffer_frames)}"
            f" frames waited in the buffer ({share:.1f} %)"
        )
    return text


def _times(count: int, word: str) -> str:
    return f"{format_count(count)} {word}{'' if count == 1 else 's'}"
