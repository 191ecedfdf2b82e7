"""The plan of a run: a job with every default filled in, once its input is open and its devices are found.

From here on everything takes the plan, not the job. Making a plan opens nothing and changes nothing. It only
looks at what OUTPUT is and how much memory there is.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from pastream_cli.command.job import Job
from pastream_cli.command.value_types import Route
from pastream_cli.engine.devices import latency_and_buffer, virtual
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.latency_and_buffer import power_of_two_above
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.sides import Side, check_room
from pastream_cli.engine.files import formats
from pastream_cli.engine.files.input_file import InputFile
from pastream_cli.engine.watchdog import SECONDS_TO_BEGIN
from pastream_cli.errors import DeviceError, ErrorKind, UsageError
from pastream_cli.take.naming import warnings_of
from pastream_cli.take.outputs import Output, plan_output, with_copies
from pastream_cli.take.window import Window, find_window, offset_here
from pastream_cli.units import Time, format_clock, format_count, format_frames, format_times

if TYPE_CHECKING:
    from pastream_cli.engine.trigger import Rules

_LEAST_SECONDS_MEANT = 0.1
_LEAST_BUFFER_MILLISECONDS = 50
# A buffer that holds so much waits for a file that is made a second late.
_CALM_BUFFER_SECONDS = 4
_HOW_TO_CHOOSE = {True: "-m names channels by their numbers", False: "-c says how many channels to open"}


class Plan(NamedTuple):
    """A job with every default filled in; lengths in frames, `None` for no limit."""

    rate: int
    input: InputFile | None
    """The open input, whose header has been read."""
    input_path: str | None
    """As typed; `-` for standard input."""
    input_start: int
    """The frame of the input at which each pass of it begins."""
    loop: bool
    playback: Side | None
    playback_map: tuple[int, ...] | None
    capture: Side | None
    capture_map: tuple[int, ...] | None
    output: Output | None
    rules: Rules | None
    """What begins and ends its files; `None`: the first and the last frame."""
    window: Window
    """The times of day at which it begins and ends."""
    copies: tuple[Output, ...]
    """Where else the recording goes."""
    duration: int | None
    pad: int | None
    offset: int
    length: int | None
    """The length of the whole run, if it is known before."""
    block_frames: int
    """Per callback; 0 lets the host choose."""
    buffer_frames: int | None
    """The size of each ring; `None` lets each choose its own."""
    fatal_xruns: bool
    reconnects: bool
    """Whether a device that is lost is opened again, ..."""
    reconnect_seconds: float | None
    """... and for how long that is tried each time; `None` for as long as it takes."""
    warnings: tuple[str, ...]

    @property
    def end_by_the_clock(self) -> int | None:
        """The length of the timeline where a duration was given: it ends there whatever was played by then."""
        return None if self.duration is None else self.duration + (self.pad or 0)

    @property
    def makes_files_in_haste(self) -> bool:
        """Whether the buffer is too short for a file that is made a second after an event has begun."""
        if self.rules is None or self.buffer_frames is None:
            return False
        return self.buffer_frames - self.rules.preroll_frames < _CALM_BUFFER_SECONDS * self.rate


def make_plan(job: Job, source: InputFile | None, devices: Mapping[str, DeviceInfo]) -> Plan:
    """Fill in every default of `job`; raise if its options contradict each other, the files or the devices."""
    if job.channel_select:
        raise UsageError("cannot use --channel-select: no ASIO device is in use", "-m MAP selects channels anywhere")
    rate = job.rate or (source.rate if source else 0) or _default_rate(devices)
    is_fast = _is_fast(devices)
    playback, playback_map = _plan_playback(job, source, devices[PLAYBACK], rate) if source else (None, None)
    capture, capture_map, output = None, None, None
    if job.captures:
        capture, capture_map, output = _plan_capture(job, source, devices[CAPTURE], rate)
    duration = job.duration.to_frames(rate) if job.duration else None
    pad = job.pad.to_frames(rate) if job.pad else None
    offset = job.offset.to_frames(rate)
    start, frames = _input_part(job, source)
    length = _length(job, source, frames, duration, pad)
    rules = _rules(job, rate, duration)
    if rules is not None and rules.most_frames is not None:
        duration = length = None
    if output and rules is None and length is not None and (is_fast or _is_certain(job, frames, duration, pad)):
        output = output._replace(frames=length - offset)
    window = _window(job, length, rate, is_fast=is_fast)
    output = output._replace(begin=window.begin) if output else None
    output, copies = with_copies(job, output, devices, rate)
    plan = Plan(
        rate=rate,
        input=source,
        input_path=job.input,
        input_start=start,
        loop=job.loop,
        playback=playback,
        playback_map=playback_map,
        capture=capture,
        capture_map=capture_map,
        output=output,
        rules=rules,
        window=window,
        copies=copies,
        duration=duration,
        pad=pad,
        offset=offset,
        length=length,
        block_frames=job.block_frames,
        buffer_frames=_buffer_frames(job, capture, rules, rate),
        fatal_xruns=job.fatal_xruns,
        reconnects=job.reconnects,
        reconnect_seconds=job.reconnect.to_frames(rate) / rate if job.reconnect else None,
        warnings=(
            *job.warnings,
            *window.notes,
            *_warnings(job, source, rate, is_fast=is_fast),
            *_not_verified(output, copies),
        ),
    )
    _check(plan, is_fast=is_fast)
    return plan


def _check(plan: Plan, *, is_fast: bool) -> None:
    """Raise if a plan leaves nothing to record, or asks for more than a device or the machine can do."""
    if plan.offset and plan.length is not None and plan.offset >= plan.length:
        raise UsageError(
            f"cannot use --offset: it drops {plan.offset} frames of a recording of {plan.length}",
            "make -o shorter than the length",
        )
    is_limited = plan.length is not None or (plan.rules is not None and plan.rules.most_frames is not None)
    if not is_limited and is_fast and (plan.input is None or plan.loop or plan.pad is None):
        raise UsageError("cannot run as fast as possible for ever: it would fill the disk", "say how long with -d")
    if plan.block_frames > plan.rate * SECONDS_TO_BEGIN and not is_fast:
        raise UsageError(
            f"cannot use -b {plan.block_frames}: a block of {plan.block_frames / plan.rate:.3g} s comes too seldom",
            f"a device that is silent for {SECONDS_TO_BEGIN:g} s is given up; without -b the host chooses",
        )
    check_room(filter(None, (plan.playback, plan.capture)), plan.rate, plan.buffer_frames, plan.block_frames)


def _warnings(job: Job, source: InputFile | None, rate: int, *, is_fast: bool) -> list[str]:
    """Return a line for each thing that is allowed but, at this rate, probably not meant."""
    warnings: list[str] = []
    if source and source.rate != rate:
        warnings.append(f"{source.name} is at {source.rate} Hz and is played at {rate} Hz: its pitch changes")
    warnings += _channels_left_out(job, source) + warnings_of(job.output or "")
    warnings += _meant_as_seconds("-d", job.duration, rate) + _meant_as_seconds("--split", job.split, rate)
    return warnings if is_fast else warnings + _too_small_a_buffer(job, rate)


def _not_verified(output: Output | None, copies: Iterable[Output]) -> list[str]:
    """Return a warning for each output that --verify cannot compare, beside others that it can."""
    if output is None or not output.verify:
        return []
    return [
        f"{one.path} is not verified: {one.encoding} is lossy"
        for one in (output, *copies)
        if not formats.is_lossless(one.encoding)
    ]


def _meant_as_seconds(option: str, time: Time | None, rate: int) -> list[str]:
    """Return a warning if a time has so few frames that seconds were probably meant."""
    if time is None or not time.frames or time.frames >= rate * _LEAST_SECONDS_MEANT:
        return []
    seconds = f"{format_times(time.frames, 'second')} {'is' if time.frames == 1 else 'are'} {option} {time.frames}"
    return [f"{option} {time.frames}s is {format_frames(time.frames)}, {time.frames * 1000 / rate:.3g} ms; {seconds}"]


def _channels_left_out(job: Job, source: InputFile | None) -> list[str]:
    """Return a warning if -c plays fewer channels than there are."""
    asked = job.channels.playback
    if source is None or asked is None or asked >= source.channels or _routes(job, PLAYBACK):
        return []
    of_them = "the first alone" if asked == 1 else f"the first {asked} alone"
    return [f"{source.name} has {source.channels} channels, and -c {asked} plays {of_them}; without -c it plays all"]


def _too_small_a_buffer(job: Job, rate: int) -> list[str]:
    milliseconds = power_of_two_above(job.buffer_frames or rate) * 1000 / rate
    if milliseconds >= _LEAST_BUFFER_MILLISECONDS:
        return []
    return [f"--buffersize {job.buffer_frames} holds {milliseconds:.3g} ms of sound: every disk hesitates for longer"]


def _is_fast(devices: Mapping[str, DeviceInfo]) -> bool:
    return any(device.is_virtual and virtual.parse(device.name).fast for device in devices.values())


def _input_part(job: Job, source: InputFile | None) -> tuple[int, int | None]:
    """Return the frame of the input at which it begins, and how many frames are played from there, if that is known."""
    if source is None:
        return 0, None
    start = job.input_start.to_frames(source.rate)
    if source.frames is None or not start:
        return start, source.frames
    if start >= source.frames:
        raise UsageError(
            f"cannot use --from: it is frame {format_count(start)} of {source.name}, which has"
            f" {format_frames(source.frames)}",
            f"its end is at {format_clock(source.frames, source.rate)}",
        )
    return start, source.frames - start


def _window(job: Job, length: int | None, rate: int, *, is_fast: bool) -> Window:
    """Return the moments that the times of day mean by now."""
    if job.at is None and job.until is None:
        return Window()
    if is_fast:
        option = "--at" if job.at is not None else "--until"
        raise UsageError(f"cannot use {option}: as fast as possible is by no clock", "leave :fast out")
    seconds = None if length is None else Fraction(length, rate)
    return find_window(job.at, job.until, seconds, Fraction(time.time_ns(), 10**9), offset_here)


def _rules(job: Job, rate: int, duration: int | None) -> Rules | None:
    """Return what begins and ends the files. Without an input, the duration counts from the first frame of a file."""
    trigger, silence = job.trigger, job.silence
    if trigger is None and silence is None:
        return None
    from pastream_cli.engine.trigger import Rules

    return Rules(
        level=trigger.amplitude if trigger is not None else None,
        preroll_frames=job.preroll.to_frames(rate),
        silence_level=silence.level.amplitude if silence is not None else 0.0,
        silence_frames=max(1, silence.time.to_frames(rate)) if silence is not None else None,
        most_frames=duration if job.input is None and trigger is not None else None,
    )


def _buffer_frames(job: Job, capture: Side | None, rules: Rules | None, rate: int) -> int | None:
    """Return the size of each ring, which holds a pre-roll and, beside it, as much as any other ring."""
    if rules is None or capture is None or not rules.preroll_frames:
        return job.buffer_frames
    return capture.buffer_frames(rate, job.buffer_frames, job.block_frames) + rules.preroll_frames


def _is_certain(job: Job, input_frames: int | None, duration: int | None, pad: int | None) -> bool:
    """Tell whether the run keeps its planned length even if the input is late and therefore ends later."""
    return job.input is None or pad is None or (duration is not None and (job.loop or (input_frames or 0) >= duration))


def _default_rate(devices: Mapping[str, DeviceInfo]) -> int:
    return round((devices.get(CAPTURE) or devices[PLAYBACK]).default_rate)


def _latency(job: Job, asked: float | str | None, rate: int) -> float | str:
    """Return the latency of one side: what was asked for, else the default, at most a quarter of the buffer."""
    if asked is not None:
        return asked
    default = latency_and_buffer.latency_seconds(only_captures=not job.plays)
    return min(default, power_of_two_above(job.buffer_frames) / rate / 4) if job.buffer_frames else default


def _length(
    job: Job, source: InputFile | None, input_frames: int | None, duration: int | None, pad: int | None
) -> int | None:
    if source is None or pad is None:
        return duration
    ends = [end for end in (None if job.loop else input_frames, duration) if end is not None]
    return min(ends) + pad if ends and (input_frames is not None or job.loop) else None


def _check_channels(device: DeviceInfo, side: str, channels: int, routes: tuple[Route, ...]) -> None:
    offered = device.playback_channels if side == PLAYBACK else device.capture_channels
    if channels > offered:
        raise DeviceError(
            f"cannot open {device.name} with {channels} {side} channels: it has {offered}",
            ErrorKind.REFUSED,
            f"{_HOW_TO_CHOOSE[bool(routes)]}; -l lists what each device has",
        )


def _sample_format(asked: str | None, device: DeviceInfo, encoding: str | None) -> str:
    """Return the device format that keeps `encoding` bit-exact."""
    if asked:
        return asked
    if device.prefers_float or (encoding is not None and formats.file_sample_of(encoding) == "float32"):
        return "float32"
    return "int32"


def _plan_playback(job: Job, source: InputFile, device: DeviceInfo, rate: int) -> tuple[Side, tuple[int, ...] | None]:
    routes = _routes(job, PLAYBACK)
    channels, channel_map = _played_channels(job, source, device, routes)
    _check_channels(device, PLAYBACK, channels, routes)
    sample_format = _sample_format(job.sample_format.playback, device, source.encoding)
    return Side(device, channels, sample_format, _latency(job, job.latency.playback, rate)), channel_map


def _played_channels(
    job: Job, source: InputFile, device: DeviceInfo, routes: tuple[Route, ...]
) -> tuple[int, tuple[int, ...] | None]:
    """Return how many channels of the device to open, and the map from the file's channels to them, if there is one."""
    asked = job.channels.playback
    if routes:
        highest = max(route.source for route in routes)
        if highest > source.channels:
            raise UsageError(
                f"cannot map channel {highest} of {source.name}: it has {source.channels}",
                "-m is IN[:OUT], IN of the file",
            )
        channels = max(asked or 0, *(route.target for route in routes))
        return channels, _indices(routes, channels)
    # a real device plays a mono file on its left and right; the virtual one plays what it is given
    if source.channels == 1 and not device.is_virtual and device.playback_channels > 1:
        channels = asked or 2
        return channels, tuple(0 if i < 2 else -1 for i in range(channels))
    return asked or source.channels, None


def _routes(job: Job, side: str) -> tuple[Route, ...]:
    """Return the map of one side. Of two maps the first is for playback; a single one is for the recording, if any."""
    if len(job.maps) == len((PLAYBACK, CAPTURE)):
        return job.maps[0 if side == PLAYBACK else 1]
    return job.maps[0] if job.maps and (side == CAPTURE) == job.captures else ()


def _indices(routes: tuple[Route, ...], channels: int) -> tuple[int, ...]:
    """Return for each target channel its source, zero-based, -1 for silence."""
    sources = {route.target: route.source for route in routes}
    return tuple(sources.get(target, 0) - 1 for target in range(1, channels + 1))


def _capture_channels(job: Job, source: InputFile | None, device: DeviceInfo) -> int:
    if job.channels.capture:
        return job.channels.capture
    if source:
        channels = job.channels.playback or source.channels
        if channels <= device.capture_channels:
            return channels
    if device.is_virtual:
        return virtual.parse(device.name).channels
    return min(latency_and_buffer.MOST_CHANNELS, device.capture_channels)


def _plan_capture(
    job: Job, source: InputFile | None, device: DeviceInfo, rate: int
) -> tuple[Side, tuple[int, ...] | None, Output | None]:
    routes, channel_map = _routes(job, CAPTURE), None
    if routes:
        channels = max(job.channels.capture or 0, 1, *(route.source for route in routes))
        file_channels = max(route.target for route in routes)
        channel_map = _indices(routes, file_channels)
    else:
        channels = file_channels = _capture_channels(job, source, device)
    _check_channels(device, CAPTURE, channels, routes)
    output = plan_output(job, source, device, file_channels, rate)
    sample_format = _sample_format(job.sample_format.capture, device, output.encoding if output else None)
    return Side(device, channels, sample_format, _latency(job, job.latency.capture, rate)), channel_map, output
