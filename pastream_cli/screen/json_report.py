"""What `--json` prints: one object about a run, or about the devices. Pure; docs/report.schema.json describes it.

A number that does not exist, such as the level of silence in dB, is null: JSON has no infinity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pastream_cli import __version__
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.facts import ClockFacts, ClockStep, Loss, LossKind, Move, Pause
from pastream_cli.engine.states import StopReason
from pastream_cli.screen.json_files import buffer_of, copy_of, pieces_of
from pastream_cli.screen.json_numbers import clock_time, decibels, finite, seconds, utc
from pastream_cli.take.report import Opening, Report

if TYPE_CHECKING:
    from pastream_cli.command.job import Job
    from pastream_cli.command.value_types import Pair
    from pastream_cli.errors import PastreamError
    from pastream_cli.units import Time

SCHEMA_VERSION = 1
_COUNTS = (
    "lost_frames",
    "away_frames",
    "losses",
    "missing_frames",
    "ahead_frames",
    "left_out_frames",
    "unwritten_frames",
    "armed_frames",
    "underrun_frames",
    "underruns",
    "host_flags",
)


def parts_of(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield the object as one line of ASCII, in parts. A list given as an iterator is never in memory as a whole."""
    before = "{"
    for key, part in value.items():
        yield f"{before}{_text(key)}: "
        if isinstance(part, Iterator):
            yield from _list_parts(part)
        else:
            yield _text(part)
        before = ", "
    yield "}\n"


def _list_parts(values: Iterator[Any]) -> Iterator[str]:
    before = "["
    for value in values:
        yield f"{before}{_text(value)}"
        before = ", "
    yield "[]" if before == "[" else "]"


def _text(value: Any) -> str:
    text = json.dumps(value, allow_nan=False)
    return json.dumps(_readable(value), allow_nan=False) if "\\udc" in text else text


def _readable(value: Any) -> Any:
    r"""Return a value with bytes that are not UTF-8 written as \xff: most JSON parsers refuse half a character."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {key: _readable(part) for key, part in value.items()}
    return [_readable(part) for part in value] if isinstance(value, (list, tuple)) else value


def device_list(devices: Sequence[DeviceInfo]) -> dict[str, Any]:
    """Return what `-l --json` prints."""
    return {**_about("devices"), "devices": [_device(device) for device in devices]}


def run_report(arguments: Sequence[str], job: Job, report: Report, *, epoch_ns: int, now: datetime) -> dict[str, Any]:
    """Return what is printed about a run. Files, xruns and pauses are iterators, since a long run has many.

    Parameters
    ----------
    arguments : sequence of str
        The command line as it was typed.
    job, report
        What was asked for, and how it went.
    epoch_ns : int
        What the wall clock shows when the monotonic clock shows 0, in nanoseconds, if the run has no frame.
    now : datetime
        The time at which the run was over.
    """
    epoch_ns = epoch_ns if report.clock.epoch_ns is None else report.clock.epoch_ns
    error = None if report.error is None else {"message": report.error, "way_out": report.way_out}
    return {
        **_outcome(arguments, report.exit_code, report.stop_reason, error, now),
        "asked": _asked(job),
        **_connections(report.opening),
        "rate": finite(report.rate) or None,
        "frames": report.frames,
        "input_frame": report.input_frame,
        "seconds": seconds(report.frames, report.rate),
        "callbacks": report.counts.callbacks,
        "buffer": buffer_of(report),
        "files": pieces_of(report),
        "unlisted_files": report.files.unlisted,
        "hooks": _hooks(report),
        "copies": [copy_of(copy, report.rate) for copy in report.copies],
        **{name: getattr(report if name in Report._fields else report.counts, name) for name in _COUNTS},
        "xruns": (xrun for loss in report.loss_list for xrun in _xruns(loss, report, epoch_ns)),
        "unlisted_xruns": _unlisted(report),
        "pauses": (_pause(pause, report.rate) for pause in report.pauses),
        "moves": (_move(move, report.rate, epoch_ns) for move in report.moves),
        **_clock(report.clock, report.rate),
        "clock_steps": (_clock_step(step, report.rate) for step in report.clock_steps),
        "greatest_armed_dbfs": decibels(report.trigger.greatest) if report.trigger is not None else None,
        "ended_away": report.ended_away,
        "dead_channels": list(report.dead_channels),
    }


def failure_report(arguments: Sequence[str], error: PastreamError, *, now: datetime) -> dict[str, Any]:
    """Return what is printed if no run came about: the same fields, all empty."""
    told = {"message": error.message, "way_out": error.way_out}
    return {
        **_outcome(arguments, error.exit_code, StopReason.FAILED, told, now),
        "asked": None,
        **_connections(None),
        "rate": None,
        "frames": 0,
        "input_frame": None,
        "seconds": None,
        "callbacks": 0,
        "buffer": None,
        "files": [],
        "unlisted_files": 0,
        "hooks": None,
        "copies": [],
        **dict.fromkeys(_COUNTS, 0),
        "xruns": [],
        "unlisted_xruns": 0,
        "pauses": [],
        "moves": [],
        **_clock(ClockFacts(), 0.0),
        "clock_steps": [],
        "greatest_armed_dbfs": None,
        "ended_away": False,
        "dead_channels": [],
    }


def _about(kind: str) -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "kind": kind, "pastream": __version__}


def _outcome(
    arguments: Sequence[str], exit_code: int, stop_reason: StopReason, error: dict[str, Any] | None, now: datetime
) -> dict[str, Any]:
    return {
        **_about("run"),
        "arguments": list(arguments),
        "ended": utc(now),
        "exit_code": int(exit_code),
        "stop_reason": stop_reason.value,
        "error": error,
    }


# ---- what was asked for ----


def _asked(job: Job) -> dict[str, Any]:
    return {
        "input": job.input,
        "output": job.output,
        "duration": _time(job.duration),
        "offset": _time(job.offset),
        "pad": _time(job.pad),
        "from": _time(job.input_start),
        "loop": job.loop,
        "split": _time(job.split),
        "align": job.align,
        "at": job.at.text if job.at else None,
        "until": job.until.text if job.until else None,
        "trigger": job.trigger.text if job.trigger else None,
        "preroll": _time(job.preroll),
        "silence": _silence(job),
        "also": list(job.also),
        "overwrite": job.overwrite,
        "part": job.part,
        "verify": job.verify,
        "exec": job.hook,
        "device": job.device,
        "rate": job.rate,
        "channels": _pair(job.channels),
        "sample_format": _pair(job.sample_format),
        "file_type": _pair(job.file_type),
        "encoding": _pair(job.encoding),
        "endian": _pair(job.endian),
        "latency": _pair(job.latency),
        "maps": [[{"in": route.source, "out": route.target} for route in routes] for routes in job.maps],
        "channel_select": [list(channels) for channels in job.channel_select],
        "block_frames": job.block_frames,
        "buffer_frames": job.buffer_frames,
        "fatal_xruns": job.fatal_xruns,
        "wait": _time(job.wait),
        "reconnect": _time(job.reconnect),
    }


def _time(time: Time | None) -> dict[str, Any] | None:
    """Return a time in the unit in which it was given."""
    if time is None:
        return None
    return {"frames": time.frames} if time.seconds is None else {"seconds": float(time.seconds)}


def _silence(job: Job) -> dict[str, Any] | None:
    return {"level": job.silence.level.text, "time": _time(job.silence.time)} if job.silence else None


def _pair(pair: Pair[Any]) -> dict[str, Any]:
    return {"playback": pair.playback, "capture": pair.capture}


# ---- how it went ----


def _connections(opening: Opening | None) -> dict[str, Any]:
    if opening is None:
        return {"playback": None, "capture": None, "latency_seconds": None, "length_frames": None}
    playback = capture = None
    if opening.playback_device is not None:
        playback = {
            "device": opening.playback_device,
            "sample_format": opening.playback_format,
            "channels": opening.playback_channels,
            "input": opening.playback_name,
        }
    if opening.capture_device is not None:
        capture = {
            "device": opening.capture_device,
            "sample_format": opening.capture_format,
            "channels": opening.capture_channels,
            "output": opening.capture_name,
            "file_type": opening.file_type,
            "encoding": opening.encoding,
            "file_channels": opening.file_channels,
        }
    return {
        "playback": playback,
        "capture": capture,
        "latency_seconds": finite(opening.latency),
        "length_frames": opening.length_frames,
    }


def _hooks(report: Report) -> dict[str, int] | None:
    calls = report.hook_calls
    return None if calls is None else {"finished": calls.finished, "failed": calls.failed, "given_up": calls.given_up}


def _xruns(loss: Loss, report: Report, epoch_ns: int) -> Iterator[dict[str, Any]]:
    """Yield a loss: once for each side that it is of."""
    only_plays = report.opening is not None and report.opening.only_plays
    if loss.kind is LossKind.AWAY:
        if not only_plays:
            yield _xrun(loss, "capture", report, epoch_ns)
        if report.opening is not None and report.opening.playback_device is not None:
            yield _xrun(loss, "playback", report, epoch_ns)
    else:
        side = "capture" if loss.kind.is_of_capture and not only_plays else "playback"
        yield _xrun(loss, side, report, epoch_ns)


def _xrun(loss: Loss, side: str, report: Report, epoch_ns: int) -> dict[str, Any]:
    certainty = "unknown" if loss.frames is None else "estimated" if loss.kind.is_estimated else "exact"
    return {
        "kind": loss.kind.value,
        "side": side,
        "frame": loss.frame,
        "seconds": seconds(loss.frame, report.rate),
        "time": clock_time(loss.monotonic_ns, epoch_ns),
        "frames": loss.frames,
        "certainty": certainty,
        "copy": _name_of_copy(loss.copy, report),
        "input_frame": loss.input_frame if side == "playback" else None,
    }


def _name_of_copy(number: int, report: Report) -> str | None:
    """Return the further copy that a loss is of; `None` for one of OUTPUT."""
    return report.copies[number - 1].name if 0 < number <= len(report.copies) else None


def _unlisted(report: Report) -> int:
    """Return how many losses were counted for which the list had no room."""
    counted = [kind for kind in LossKind if not kind.comes_in_parts]
    listed = report.loss_list.count(*counted) - report.loss_list.unlisted(*counted)
    return max(0, report.counts.xruns - listed)


def _pause(pause: Pause, rate: float) -> dict[str, Any]:
    return {"frame": pause.frame, "seconds": seconds(pause.frame, rate), "frames": pause.frames}


def _move(move: Move, rate: float, epoch_ns: int) -> dict[str, Any]:
    return {
        "side": move.side,
        "frame": move.frame,
        "seconds": seconds(move.frame, rate),
        "time": clock_time(move.monotonic_ns, epoch_ns),
        "from": move.before,
        "to": move.now,
    }


def _clock(clock: ClockFacts, rate: float) -> dict[str, Any]:
    drift, kernel = clock.drift, clock.synchronisation
    return {
        "rate_measured_hz": None if drift is None else round(rate * (1 + drift), 4),
        "drift_ppm": None if drift is None else round(drift * 1e6, 2),
        "clock_synchronised": kernel and kernel.is_synchronised,
        "clock_error_seconds": kernel.error_seconds if kernel is not None and kernel.is_synchronised else None,
    }


def _clock_step(step: ClockStep, rate: float) -> dict[str, Any]:
    return {"frame": step.frame, "seconds": seconds(step.frame, rate), "step_seconds": step.seconds}


def _device(device: DeviceInfo) -> dict[str, Any]:
    low, high = zip(device.capture_latencies, device.playback_latencies, strict=True)
    return {
        "index": device.number,
        "name": device.name,
        "host_api": device.host_api,
        "capture_channels": device.capture_channels,
        "playback_channels": device.playback_channels,
        "default_rate": finite(device.default_rate),
        "low_latency_seconds": {"capture": finite(low[0]), "playback": finite(low[1])},
        "high_latency_seconds": {"capture": finite(high[0]), "playback": finite(high[1])},
        "is_default_capture": device.is_default_capture,
        "is_default_playback": device.is_default_playback,
        "is_virtual": device.is_virtual,
        "server_name": device.served.name if device.served else None,
        "is_monitor": bool(device.served and device.served.monitored),
    }
