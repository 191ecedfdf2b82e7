"""The plain lines that people read on stderr: banner, losses, warnings. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from pastream_cli.engine.facts import Loss, LossKind
from pastream_cli.errors import PROGRAM
from pastream_cli.take.report import Opening, Report, Snapshot
from pastream_cli.units import format_clock, format_count, format_frames

INDENT = " " * len(f"{PROGRAM}: ")
LEVEL = "level "
"""Stands before the level over the take, in the summary."""

_MOST_PLACES = 10
_LEAST_LATENCY_IN_SECONDS = 0.1
<<<<<<< HEAD
# More channels than this are summed up instead of listed.
_MOST_CHANNELS = 16
=======
>>>>>>> e5cef87 (names: watchdog, deficit and dead channels; time limits, arrays, the summary and argument files)

_WHAT_HAPPENED = {
    LossKind.OVERRUN: ("lost", ", the output was too slow"),
    LossKind.DEVICE: ("lost by the device", ""),
    LossKind.HOST_CAPTURE: ("lost by the host", ""),
    LossKind.DEFICIT: ("never came", ", by the clock"),
    LossKind.UNDERRUN: ("of silence played", " for want of input"),
    LossKind.HOST_PLAYBACK: ("missing from the playback", ", says the host"),
}


def warning_line(text: str) -> str:
    return f"{PROGRAM}: warning: {text}"


# ---- banner ----


def length_words(frames: int | None, rate: float) -> str:
    """Return in words how long a run is to last."""
    return "until stopped" if frames is None else f"for {format_clock(frames, rate)} ({format_frames(frames)})"


def banner_line(opening: Opening) -> str:
    """Say what is connected to what, in one line."""
    return f"{PROGRAM}: {' and '.join(' '.join(act) for act in _acts(opening))} {_terms(opening)}"


def banner_lines(opening: Opening) -> list[str]:
    """Say what is connected to what, in three lines for a terminal."""
    acts = _acts(opening)
    parts = [" ".join(act) for act in acts] if len(acts) > 1 else acts[0]
    return [f"{PROGRAM}: {parts[0]}", *(f"{INDENT}{part}" for part in (*parts[1:], _terms(opening)))]


def _acts(opening: Opening) -> list[list[str]]:
    """Return what the run does, playback and recording; each in two parts, from where and to where."""
    acts = []
    if opening.playback_device is not None:
        device = _device_words(opening.playback_device, opening.playback_channels, opening.playback_format)
        acts.append([f"playing {opening.playback_name or ''}", f"on {device}"])
    if opening.capture_device is not None:
        device = _device_words(opening.capture_device, opening.capture_channels, opening.capture_format)
        if opening.capture_name is not None:
            acts.append([f"recording {device}", f"to {_file_words(opening)}"])
        else:
            acts.append([f"listening to {device}", "and recording nothing"])
    return acts


def _device_words(name: str, channels: int, sample_format: str | None) -> str:
    return f"{name} ({channels} ch {sample_format})"


def _file_words(opening: Opening) -> str:
    # the number of channels is named only if the device delivers another one
    channels = f"{opening.file_channels} ch " if opening.file_channels != opening.capture_channels else ""
    return f"{opening.capture_name or ''} ({channels}{opening.file_type} {opening.encoding})"


def _terms(opening: Opening) -> str:
    """Return rate, latency and length."""
    latency = f"latency {_latency_words(opening.latency)}, " if opening.latency else ""
    if opening.length_frames is None and opening.playback_name is not None:
        length = "until the input ends"
    else:
        length = length_words(opening.length_frames, opening.rate)
    return f"at {opening.rate:.10g} Hz, {latency}{length}"


def _latency_words(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= _LEAST_LATENCY_IN_SECONDS else f"{seconds * 1000:.3g} ms"


# ---- while it runs ----


def loss_line(loss: Loss, rate: float) -> str:
    """Say what was lost and where."""
    if loss.kind is LossKind.AHEAD:
        place = place_words([loss], 1, rate)
        return f"{PROGRAM}: the device {ahead_words(loss.frames or 0, loss.left_out_frames, place)}"
    frames = "an unknown number of frames" if loss.frames is None else f"{format_frames(loss.frames)}"
    if loss.kind is LossKind.DEFICIT:
        frames = f"about {frames}"
    what, why = _WHAT_HAPPENED[loss.kind]
    return f"{PROGRAM}: {frames} {what} at {format_clock(loss.frame, rate)}{why}"


def loss_words(run: Snapshot | Report) -> list[str]:
    """Say in a few words for each kind what is known to be lost so far."""
    words = []
    if run.counts.lost_frames:
        words.append(f"{format_frames(run.counts.lost_frames)} lost")
    if run.missing_frames:
        words.append(f"about {format_count(run.missing_frames)} never came")
    if run.counts.ahead_frames:
        words.append(f"about {format_count(run.counts.ahead_frames)} ahead of the clock")
    if run.counts.underrun_frames:
        words.append(f"{format_count(run.counts.underrun_frames)} of silence played")
    return words


<<<<<<< HEAD
# ---- the end ----


def summary_line(report: Report) -> str:
    """Say how the run went, in one line."""
    parts = [_written_words(report)]
    if report.files:
        parts += [_peak_words(report.files.peaks), *_clip_words(report.files.clips)]
    return f"{PROGRAM}: {'; '.join([', '.join(parts), *_fault_words(report)])}"


def summary_lines(report: Report, course: str, peaks: Sequence[float]) -> list[str]:
    """Say how the run went, in a few lines for a terminal.

    Parameters
    ----------
    report : Report
        How it went.
    course : str
        The level over the take as a line of characters; it may be empty.
    peaks : sequence of float
        The peak of each channel, for a run without files.
    """
    lines = [_written_words(report)]
    if report.files:
        lines.append(f"{_channel_peak_words(report.files.peaks)}; {_clips_of_channels(report.files.clips)}")
    elif peaks:
        lines.append(_channel_peak_words(peaks))
    lines.append("; ".join(_fault_words(report)))
    if course:
        lines.append(f"{LEVEL}{course}")
    return [f"{PROGRAM}: {lines[0]}", *(f"{INDENT}{line}" for line in lines[1:] if line)]


def _written_words(report: Report) -> str:
    """Say what was written, or how long the run was if it wrote no file."""
    if not report.rate:
        return "stopped before anything was opened"
    frames = report.files.frames if report.files else report.frames
    length = f"{format_frames(frames)}, {format_clock(frames, report.rate)}"
    if not report.files:
        return length
    names = ["standard output" if name == STANDARD_STREAM else name for name in report.files.names]
    if len(report.files) <= 2:
        return f"wrote {' and '.join(names)}: {length}"
    return f"wrote {format_count(len(report.files))} files, {' to '.join(names)}: {length}"


def _peak_words(peaks: Iterable[float]) -> str:
    return f"peak {_dbfs(peaks)}"


def _dbfs(peaks: Iterable[float]) -> str:
    return f"{format_level(decibels(max(peaks, default=0.0)))} dBFS"


def _clip_words(clips: Iterable[int]) -> list[str]:
    total = sum(clips)
    return [format_times(total, "clip")] if total else []


def _channel_peak_words(peaks: Sequence[float]) -> str:
    levels = [format_level(decibels(peak)) for peak in peaks]
    if len(peaks) == 1:
        return f"peak {levels[0]} dBFS"
    if len(peaks) <= _MOST_CHANNELS:
        return f"peaks {', '.join(levels)} dBFS"
    loudest = max(range(len(peaks)), key=peaks.__getitem__)
    return f"greatest peak {levels[loudest]} dBFS, on channel {loudest + 1}" if peaks[loudest] else "no sound"


def _clips_of_channels(clips: Sequence[int]) -> str:
    if not any(clips):
        return "no clips"
    if len(clips) <= _MOST_CHANNELS:
        return f"clips {', '.join(map(format_count, clips))}"
    clipped = [number for number, count in enumerate(clips, 1) if count]
    return f"{format_times(sum(clips), 'clip')} on {'channel' if len(clipped) == 1 else 'channels'} {ranges(clipped)}"


def _fault_words(report: Report) -> list[str]:
    """Say what was lost and where, and what else whoever hears the take should know."""
    words = _xrun_words(report)
    if report.rate and not words:
        words.append("no xruns")
    if report.stop_reason is StopReason.GIVEN_UP:
        words.append("given up before all was written")
    if report.unwritten_frames:
        words.append(f"{format_frames(report.unwritten_frames)} behind the end of the file not written")
    if report.stop_reason is StopReason.XRUN:
        words.append(f"--fatal-xruns ended it at {format_clock(report.frames, report.rate)}")
    if report.pauses:
        frames = sum(pause.frames for pause in report.pauses)
        words.append(f"{format_times(len(report.pauses), 'pause')} of {format_clock(frames, report.rate)}")
    if report.dead_channels:
        channels = f"channel{'s' * (len(report.dead_channels) > 1)} {ranges(report.dead_channels)}"
        words.append(f"nothing but zeros for {DEAD_CHANNEL_SECONDS:g} s or more on {channels}")
    return words


def _xrun_words(report: Report) -> list[str]:
    losses = report.loss_list

    def places(*kinds: LossKind) -> str:
        return _places(losses.of(*kinds), losses.count(*kinds), report.rate)

    words = []
    if report.counts.lost_frames:
        lost = f"{format_frames(report.counts.lost_frames)} lost in {format_times(report.counts.losses, 'place')}"
        words.append(f"{lost}{places(LossKind.OVERRUN, LossKind.DEVICE)}")
    if report.missing_frames:
        words.append(f"about {format_frames(report.missing_frames)} never came{places(LossKind.DEFICIT)}")
    if report.counts.ahead_frames:
        leads = places(LossKind.AHEAD)
        words.append(_ahead_words(report.counts.ahead_frames, report.counts.left_out_frames, leads))
    if report.counts.underruns:
        dry = f"{format_times(report.counts.underruns, 'underrun')} of {format_frames(report.counts.underrun_frames)}"
        words.append(f"{dry}{places(LossKind.UNDERRUN)}")
    if report.counts.host_flags:
        flags = f"{format_times(report.counts.host_flags, 'xrun')} reported by the host"
        words.append(f"{flags}{places(LossKind.HOST_CAPTURE, LossKind.HOST_PLAYBACK)}")
    return words


def _ahead_words(frames: int, left_out: int, places: str) -> str:
=======
def ahead_words(frames: int, left_out: int, places: str) -> str:
>>>>>>> e5cef87 (names: watchdog, deficit and dead channels; time limits, arrays, the summary and argument files)
    words = f"ran ahead of the clock by about {format_frames(frames)}{places}"
    return f"{words}, of which {format_count(left_out)} were not stored" if left_out else words


<<<<<<< HEAD
def _places(losses: Iterable[Loss], count: int, rate: float) -> str:
    """Return the places of `count` losses, of which it names the first ten."""
=======
def place_words(losses: Iterable[Loss], count: int, rate: float) -> str:
    """Return where so many losses were, the first ten of them."""
>>>>>>> e5cef87 (names: watchdog, deficit and dead channels; time limits, arrays, the summary and argument files)
    if not count:
        return ""
    clocks = ", ".join(format_clock(loss.frame, rate) for loss in islice(losses, _MOST_PLACES))
    more = f" and {format_count(count - _MOST_PLACES)} more" if count > _MOST_PLACES else ""
    return f" at {clocks}{more}"
<<<<<<< HEAD


def buffer_line(report: Report) -> str:
    """Say how often the device called, and how full the capture ring became."""
    text = f"{PROGRAM}: {format_count(report.counts.callbacks)} callbacks"
    if report.buffer_frames:
        share = 100 * report.counts.capture_high_water / report.buffer_frames
        text += (
            f"; at most {format_count(report.counts.capture_high_water)} of {format_count(report.buffer_frames)}"
            f" frames waited in the buffer ({share:.1f} %)"
        )
    return text
=======
>>>>>>> e5cef87 (names: watchdog, deficit and dead channels; time limits, arrays, the summary and argument files)
