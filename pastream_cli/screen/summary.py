"""The summary of a run: what was written, how loud it was, what was lost; in a line, or in several. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pastream_cli.engine.facts import DEAD_CHANNEL_SECONDS, LossKind
from pastream_cli.engine.states import StopReason
from pastream_cli.errors import PROGRAM, STANDARD_STREAM
from pastream_cli.screen.levels import decibels, format_level, ranges
from pastream_cli.screen.lines import INDENT, LEVEL, ahead_words, place_words, xrun_words
from pastream_cli.take.report import Report
from pastream_cli.units import format_clock, format_count, format_frames, format_length, format_times

# More channels than this are summed up instead of listed.
_MOST_CHANNELS = 16


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
    length = f"{format_frames(frames)}, {format_length(frames, report.rate)}"
    if not report.files:
        return f"{length}; {waited}" if (waited := _waited_words(report)) else length
    if report.files.verified == len(report.files):
        length += ", verified"
    names = ["standard output" if name == STANDARD_STREAM else name for name in report.files.names]
    if len(report.files) <= 2:
        return f"wrote {' and '.join(names)}: {length}"
    return f"wrote {format_count(len(report.files))} files, {' to '.join(names)}: {length}"


def _waited_words(report: Report) -> str:
    """Say that nothing has begun a file, though something was waited for."""
    if report.trigger is None or report.trigger.files:
        return ""
    greatest = f"the greatest level was {_dbfs([report.trigger.greatest])}"
    level = report.trigger_level
    if level is None or math.isinf(level):
        return f"nothing began a recording; {greatest}"
    return f"nothing reached {_dbfs([level])}; {greatest}"


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
    """Say what was lost and where, and what else a listener should know."""
    words = _xrun_words(report)
    if report.rate and not words:
        words.append("no dropouts" if _is_player(report) else "no xruns")
    if report.stop_reason is StopReason.GIVEN_UP:
        words.append(_given_up_words(report))
    if report.unwritten_frames:
        words.append(f"{format_frames(report.unwritten_frames)} behind the end of the file not written")
    if report.stop_reason is StopReason.XRUN:
        words.append(f"--fatal-xruns ended it at {format_clock(report.frames, report.rate)}")
    if report.pauses:
        frames = sum(pause.frames for pause in report.pauses)
        words.append(f"{format_times(len(report.pauses), 'pause')} of {format_clock(frames, report.rate)}")
    if report.moves:
        words.append(f"{format_times(len(report.moves), 'move')} by the sound server")
    if report.dead_channels:
        channels = f"channel{'s' * (len(report.dead_channels) > 1)} {ranges(report.dead_channels)}"
        words.append(f"nothing but zeros for {DEAD_CHANNEL_SECONDS:g} s or more on {channels}")
    return words


def _given_up_words(report: Report) -> str:
    calls = report.hook_calls
    if calls is None or not calls.given_up:
        return "given up before all was written"
    return f"given up while {format_times(calls.given_up, 'file')} waited for the command of --exec"


def _is_player(report: Report) -> bool:
    return report.opening is not None and report.opening.only_plays


def _xrun_words(report: Report) -> list[str]:
    losses = report.loss_list

    def places(*kinds: LossKind) -> str:
        return place_words(losses.of(*kinds), losses.count(*kinds), report.rate)

    is_player = _is_player(report)
    words = []
    if report.counts.lost_frames:
        lost = f"{format_frames(report.counts.lost_frames)} lost in {format_times(report.counts.losses, 'place')}"
        words.append(f"{lost}{places(LossKind.OVERRUN, LossKind.DEVICE, LossKind.AWAY)}")
    if report.counts.away_frames:
        away = format_clock(report.counts.away_frames, report.rate)
        words.append(f"the device was away {format_times(losses.count(LossKind.AWAY), 'time')}, for {away} in all")
    if report.missing_frames:
        words.append(
            f"about {format_frames(report.missing_frames)} never came{places(LossKind.DEFICIT, LossKind.SLEEP)}"
        )
    if report.counts.ahead_frames:
        leads = places(LossKind.AHEAD)
        words.append(ahead_words(report.counts.ahead_frames, report.counts.left_out_frames, leads))
    if report.counts.underruns:
        word = "dropout" if is_player else "underrun"
        dry = f"{format_times(report.counts.underruns, word)} of {format_frames(report.counts.underrun_frames)}"
        words.append(f"{dry}{places(LossKind.UNDERRUN)}")
    if report.counts.host_flags:
        flags = f"{xrun_words(report.counts.host_flags, is_player=is_player)} reported by the host"
        words.append(f"{flags}{places(LossKind.HOST_CAPTURE, LossKind.HOST_PLAYBACK)}")
    return words


def buffer_line(report: Report) -> str:
    """Say how often the device called, how full each capture ring became, and how fast its writer was."""
    from pastream_cli.screen.json_numbers import writer_speed

    text = f"{PROGRAM}: {format_count(report.counts.callbacks)} callbacks"
    if report.buffer_frames:
        text += f"; at most {_waiting_words(report.counts.capture_high_water, report.buffer_frames)}"
        text += _speed_words(writer_speed(report.files.frames, report.rate, report.writer_seconds))
    for copy in report.copies:
        if copy.buffer_frames:
            text += f"; for {copy.name} {_waiting_words(copy.counts.capture_high_water, copy.buffer_frames)}"
            text += _speed_words(writer_speed(copy.files.frames, report.rate, copy.writer_seconds))
    return text


def _speed_words(speed: float | None) -> str:
    return "" if speed is None else f", and the writer was {speed:.3g} times as fast as the sound"


def _waiting_words(frames: int, of_frames: int) -> str:
    share = 100 * frames / of_frames
    return f"{format_count(frames)} of {format_count(of_frames)} frames waited in the buffer ({share:.1f} %)"
