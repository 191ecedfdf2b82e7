"""The plain lines that people read on stderr: banner, losses, warnings. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from math import isinf

from pastream_cli.engine.facts import Loss, LossKind
from pastream_cli.errors import PROGRAM
from pastream_cli.screen.levels import decibels, format_level
from pastream_cli.take.report import Opening, Report, Snapshot
from pastream_cli.units import format_clock, format_count, format_frames, format_length, format_times

INDENT = " " * len(f"{PROGRAM}: ")
LEVEL = "level "
"""The word before the level over the take, in the summary."""

_MOST_PLACES = 10
_LEAST_LATENCY_IN_SECONDS = 0.1

_WHAT_HAPPENED = {
    LossKind.OVERRUN: ("lost", ", the output was too slow"),
    LossKind.DEVICE: ("lost by the device", ""),
    LossKind.HOST_CAPTURE: ("lost by the host", ""),
    LossKind.DEFICIT: ("never came", ", by the clock"),
    LossKind.SLEEP: ("went by", " while the machine slept"),
    LossKind.AWAY: ("went by", " while the device was away"),
    LossKind.UNDERRUN: ("of silence played", " for want of input"),
    LossKind.HOST_PLAYBACK: ("missing from the playback", ", says the host"),
}


def warning_line(text: str) -> str:
    return f"{PROGRAM}: warning: {text}"


def xrun_words(count: int, *, is_player: bool) -> str:
    """Return how often something was lost; a listener calls that a dropout."""
    return format_times(count, "dropout" if is_player else "xrun")


# ---- banner ----


def length_words(frames: int | None, rate: float) -> str:
    """Return in words how long a run is to last."""
    return "until stopped" if frames is None else f"for {format_length(frames, rate)} ({format_frames(frames)})"


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
        # a listener need not know in what format the device takes the sound
        sample_format = None if opening.only_plays else opening.playback_format
        device = _device_words(opening.playback_device, opening.playback_channels, sample_format)
        acts.append([f"playing {opening.playback_name or ''}", f"on {device}"])
    if opening.capture_device is not None:
        device = _device_words(opening.capture_device, opening.capture_channels, opening.capture_format)
        if opening.capture_name is not None:
            acts.append([f"recording {device}", f"to {_file_words(opening)}"])
        else:
            acts.append([f"listening to {device}", "and recording nothing"])
    return acts


def _device_words(name: str, channels: int, sample_format: str | None) -> str:
    return f"{name} ({channels} ch{f' {sample_format}' if sample_format else ''})"


def _file_words(opening: Opening) -> str:
    # the number of channels is named only if it differs from the device's
    channels = f"{opening.file_channels} ch " if opening.file_channels != opening.capture_channels else ""
    outputs = [(opening.capture_name or "", opening.file_type, opening.encoding), *opening.copies]
    files = [f"{name} ({channels}{file_type} {encoding})" for name, file_type, encoding in outputs]
    return " and ".join(filter(None, [", ".join(files[:-1]), files[-1]]))


def _terms(opening: Opening) -> str:
    """Return rate, latency and length."""
    latency = f"latency {_latency_words(opening.latency)}, " if opening.latency else ""
    if opening.length_frames is None and opening.playback_name is not None and opening.ends_with_input:
        length = "until the input ends"
    else:
        length = length_words(opening.length_frames, opening.rate)
    begin = f"from {opening.begin} " if opening.begin else ""
    if opening.end:
        length = f"until {opening.end}" if opening.length_frames is None else f"{length}, until {opening.end}"
    pieces = f", {opening.pieces}" if opening.pieces else ""
    return f"at {opening.rate:.10g} Hz, {latency}{begin}{_awaited_words(opening)}{length}{pieces}"


def _awaited_words(opening: Opening) -> str:
    """Say what a file waits for."""
    level = opening.awaited_level
    if level is None:
        return ""
    words = "waiting for the key r" if isinf(level) else f"waiting for {format_level(decibels(level))} dBFS"
    if opening.frames_from_there is None:
        return f"{words}, "
    return f"{words}, {length_words(opening.frames_from_there, opening.rate)} from there, "


def _latency_words(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= _LEAST_LATENCY_IN_SECONDS else f"{seconds * 1000:.3g} ms"


def useless_warning(opening: Opening, *, reports: bool) -> str | None:
    """Return the warning for a run that nobody watches and that stores nothing, not even a report."""
    if opening.playback_name is not None or opening.capture_name is not None:
        return None
    if opening.length_frames is None:
        return "this stores nothing and runs until it is stopped; to record: pastream null out.wav"
    return None if reports else "this stores nothing; to record: pastream null out.wav"


# ---- while it runs ----


def loss_line(loss: Loss, rate: float) -> str:
    """Say what was lost and where."""
    if loss.kind is LossKind.AHEAD:
        place = place_words([loss], 1, rate)
        return f"{PROGRAM}: the device {ahead_words(loss.frames or 0, loss.left_out_frames, place)}"
    frames = "an unknown number of frames" if loss.frames is None else f"{format_frames(loss.frames)}"
    if loss.kind.is_estimated:
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
        words.append(f"{format_frames(run.counts.underrun_frames)} of silence played")
    return words


def ahead_words(frames: int, left_out: int, places: str) -> str:
    words = f"ran ahead of the clock by about {format_frames(frames)}{places}"
    return f"{words}, of which {format_count(left_out)} were not stored" if left_out else words


def place_words(losses: Iterable[Loss], count: int, rate: float) -> str:
    """Return the places of `count` losses; it names the first ten."""
    if not count:
        return ""
    clocks = ", ".join(format_clock(loss.frame, rate) for loss in islice(losses, _MOST_PLACES))
    more = f" and {format_count(count - _MOST_PLACES)} more" if count > _MOST_PLACES else ""
    return f" at {clocks}{more}"
