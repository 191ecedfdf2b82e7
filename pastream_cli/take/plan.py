"""What a job comes to with these files and these devices: every default filled in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple, TypeVar

from pastream_cli.command.job import Job, Pair, Route
from pastream_cli.engine.devices import virtual
from pastream_cli.engine.devices.choosing import latency_for
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.sides import Side, check_room, power_of_two_above
from pastream_cli.engine.files import formats, paths
from pastream_cli.engine.files.input_file import InputFile
from pastream_cli.errors import DeviceError, UsageError
from pastream_cli.units import Time, format_frames

T = TypeVar("T")

_LEAST_SECONDS_MEANT = 0.1
_LEAST_BUFFER_MILLISECONDS = 50
_HOW_TO_CHOOSE = {True: "-m names channels by their numbers", False: "-c says how many channels to open"}
# The watchdog waits no longer for the first block.
_MOST_BLOCK_SECONDS = 10


class OutputFormat(NamedTuple):
    """How the recording is written."""

    file_type: str
    encoding: str
    endian: str | None
    channels: int
    frames: int | None = None
    """As many as there will be, where that is known before."""


class Plan(NamedTuple):
    """A job with every default filled in; lengths in frames, `None` for no limit."""

    rate: int
    playback: Side | None
    capture: Side | None
    playback_map: tuple[int, ...] | None
    capture_map: tuple[int, ...] | None
    output: OutputFormat | None
    duration: int | None
    pad: int | None
    offset: int
    length: int | None
    """Of the whole run, as far as it is known before."""
    warnings: tuple[str, ...]


def sides_of(job: Job) -> list[str]:
    """Return which sides of a device the job uses."""
    return [side for side, used in ((PLAYBACK, job.plays), (CAPTURE, job.captures)) if used]


def output_type(job: Job) -> str | None:
    """Return the container of OUTPUT: an explicit one, that of its name, or a lone -t."""
    if job.output is None:
        return None
    of_name = None if job.output == paths.STANDARD_STREAM else formats.type_of_name(job.output)
    asked = job.file_type.capture
    file_type = (of_name or asked) if job.file_type.lone else (asked or of_name)
    if file_type is None:
        suffix = PurePath(job.output).suffix
        reason = f"{suffix} is no file type that is known" if suffix[1:] else "its name does not say the file type"
        raise UsageError(f"cannot write {job.output}: {reason}", "end it in .wav, .flac, .ogg, ..., or say it with -t")
    return file_type


def make_plan(job: Job, source: InputFile | None, devices: Mapping[str, DeviceInfo]) -> Plan:
    """Fill in every default of `job`.

    Raises
    ------
    UsageError
        Where what was asked for contradicts itself.
    DeviceError
        Where a device does not have the channels that were asked for.
    FileError
        Where the container does not take the encoding.
    """
    if job.channel_select:
        raise UsageError("cannot use --channel-select: no ASIO device is in use", "-m MAP selects channels anywhere")
    rate = job.rate or (source.rate if source else 0) or _default_rate(devices)
    warnings: list[str] = []
    if source and source.rate != rate:
        warnings.append(f"{source.name} is at {source.rate} Hz and is played at {rate} Hz: its pitch changes")
    latency = _latency(job, rate)
    playback = playback_map = None
    if source:
        playback, playback_map = _plan_playback(job, source, devices[PLAYBACK], latency)
    capture = capture_map = output = None
    if job.captures:
        capture, capture_map, output = _plan_capture(job, source, devices[CAPTURE], latency, rate)
    duration = job.duration.to_frames(rate) if job.duration else None
    pad = job.pad.to_frames(rate) if job.pad else None
    offset = job.offset.to_frames(rate)
    length = _length(job, source, duration, pad)
    warnings += _meant_as_seconds("-d", job.duration, rate) + _meant_as_seconds("--split", job.split, rate)
    warnings += _too_small_a_buffer(job, rate) if not _is_fast(devices) else []
    if offset and length is not None and offset >= length:
        raise UsageError(
            f"cannot use --offset: it drops {offset} frames of a recording of {length}",
            "make -o shorter than the length",
        )
    if length is None and _is_fast(devices) and (source is None or job.loop or pad is None):
        raise UsageError("cannot run as fast as possible for ever: it would fill the disk", "say how long with -d")
    if job.block_frames > rate * _MOST_BLOCK_SECONDS and not _is_fast(devices):
        raise UsageError(
            f"cannot use -b {job.block_frames}: a block of {job.block_frames / rate:.3g} s comes too seldom",
            f"a device that is silent for {_MOST_BLOCK_SECONDS} s is given up; without -b the host chooses",
        )
    check_room(filter(None, (playback, capture)), rate, job.buffer_frames, job.block_frames)
    if output and length is not None and (_is_fast(devices) or _is_certain(job, source, duration, pad)):
        output = output._replace(frames=length - offset)
    return Plan(
        rate=rate,
        playback=playback,
        capture=capture,
        playback_map=playback_map,
        capture_map=capture_map,
        output=output,
        duration=duration,
        pad=pad,
        offset=offset,
        length=length,
        warnings=tuple(warnings),
    )


def _meant_as_seconds(option: str, time: Time | None, rate: int) -> list[str]:
    """Return a warning where so few frames were asked for that seconds were meant."""
    if time is None or not time.frames or time.frames >= rate * _LEAST_SECONDS_MEANT:
        return []
    milliseconds = time.frames * 1000 / rate
    return [f"{option} {time.frames}s is {format_frames(time.frames)}, {milliseconds:.3g} ms; seconds have no suffix"]


def _too_small_a_buffer(job: Job, rate: int) -> list[str]:
    milliseconds = power_of_two_above(job.buffer_frames or rate) * 1000 / rate
    if milliseconds >= _LEAST_BUFFER_MILLISECONDS:
        return []
    return [f"--buffersize {job.buffer_frames} holds {milliseconds:.3g} ms of sound: every disk hesitates for longer"]


def _is_fast(devices: Mapping[str, DeviceInfo]) -> bool:
    return any(device.is_virtual and virtual.parse(device.name).fast for device in devices.values())


def _is_certain(job: Job, source: InputFile | None, duration: int | None, pad: int | None) -> bool:
    """Tell whether the run is as long as planned even if its input is late, and its end with it."""
    return source is None or pad is None or (duration is not None and (job.loop or (source.frames or 0) >= duration))


def _default_rate(devices: Mapping[str, DeviceInfo]) -> int:
    return round((devices.get(CAPTURE) or devices[PLAYBACK]).default_rate)


def _latency(job: Job, rate: int) -> Pair[float | str]:
    """Return the latency of each side: as asked, else the default, within a quarter of a small buffer."""
    default = latency_for(only_captures=not job.plays)
    if job.buffer_frames:
        default = min(default, power_of_two_above(job.buffer_frames) / rate / 4)

    def or_default(asked: float | str | None) -> float | str:
        return default if asked is None else asked

    return Pair(or_default(job.latency.playback), or_default(job.latency.capture))


def _length(job: Job, source: InputFile | None, duration: int | None, pad: int | None) -> int | None:
    if source is None:
        return duration
    if pad is None:
        return duration
    ends = [end for end in (None if job.loop else source.frames, duration) if end is not None]
    return min(ends) + pad if ends and (source.frames is not None or job.loop) else None


def _check_channels(device: DeviceInfo, side: str, channels: int, routes: tuple[Route, ...]) -> None:
    offered = device.playback_channels if side == PLAYBACK else device.capture_channels
    if channels > offered:
        raise DeviceError(
            f"cannot open {device.name} with {channels} {side} channels: it has {offered}",
            f"{_HOW_TO_CHOOSE[bool(routes)]}; -l lists what each device has",
        )


def _sample_format(asked: str | None, device: DeviceInfo, encoding: str | None) -> str:
    """Return the device format that keeps `encoding` bit-exact."""
    if asked:
        return asked
    if device.prefers_float or (encoding is not None and formats.file_sample_of(encoding) == "float32"):
        return "float32"
    return "int32"


def _plan_playback(
    job: Job, source: InputFile, device: DeviceInfo, latency: Pair[float | str]
) -> tuple[Side, tuple[int, ...] | None]:
    routes = _routes(job, PLAYBACK)
    if routes:
        return _plan_mapped_playback(job, source, device, latency, routes)
    channels = job.channels.playback or source.channels
    channel_map: tuple[int, ...] | None = None
    # a real device plays a mono file on its left and right; the virtual one plays what it is given
    if source.channels == 1 and not device.is_virtual and device.playback_channels > 1:
        channels = max(2, channels) if job.channels.playback is None else channels
        channel_map = tuple(0 if i < 2 else -1 for i in range(channels))
    return _playback_side(job, source, device, latency, channels), channel_map


def _playback_side(job: Job, source: InputFile, device: DeviceInfo, latency: Pair[float | str], channels: int) -> Side:
    _check_channels(device, PLAYBACK, channels, _routes(job, PLAYBACK))
    sample_format = _sample_format(job.sample_format.playback, device, source.encoding)
    assert latency.playback is not None
    return Side(device, channels, sample_format, latency.playback)


def _plan_mapped_playback(
    job: Job, source: InputFile, device: DeviceInfo, latency: Pair[float | str], routes: tuple[Route, ...]
) -> tuple[Side, tuple[int, ...]]:
    highest = max(route.source for route in routes)
    if highest > source.channels:
        raise UsageError(
            f"cannot map channel {highest} of {source.name}: it has {source.channels}", "-m is IN[:OUT], IN of the file"
        )
    channels = max(job.channels.playback or 0, *(route.target for route in routes))
    return _playback_side(job, source, device, latency, channels), _indices(routes, channels)


def _routes(job: Job, side: str) -> tuple[Route, ...]:
    """Return the map of one side: two are playback's and capture's; one is the recording's if there is one."""
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
    return min(2, device.capture_channels)


def _plan_capture(
    job: Job, source: InputFile | None, device: DeviceInfo, latency: Pair[float | str], rate: int
) -> tuple[Side, tuple[int, ...] | None, OutputFormat | None]:
    routes = _routes(job, CAPTURE)
    if routes:
        channels = max(job.channels.capture or 0, 1, *(route.source for route in routes))
        file_channels = max(route.target for route in routes)
        channel_map = _indices(routes, file_channels)
    else:
        channels = file_channels = _capture_channels(job, source, device)
        channel_map = None
    _check_channels(device, CAPTURE, channels, routes)
    file_type = output_type(job)
    output = None
    if file_type is not None:
        assert job.output is not None
        encoding = _encoding(job, source, device, file_type)
        endian = job.endian.capture
        paths.check_format(job.output, file_type, encoding, endian)
        paths.check_rate(job.output, file_type, encoding, rate)
        paths.check_channels(job.output, file_type, encoding, endian, file_channels)
        output = OutputFormat(file_type, encoding, endian, file_channels)
    sample_format = _sample_format(job.sample_format.capture, device, output.encoding if output else None)
    assert latency.capture is not None
    return Side(device, channels, sample_format, latency.capture), channel_map, output


def _encoding(job: Job, source: InputFile | None, device: DeviceInfo, file_type: str) -> str:
    if job.encoding.capture:
        return job.encoding.capture
    assert job.output is not None
    if source and paths.takes_at(job.output, file_type, source.encoding, job.endian.capture):
        return source.encoding
    asked = job.sample_format.capture
    wants_float = asked == "float32" if asked else device.prefers_float
    return formats.default_encoding(file_type, job.output, wants_float=wants_float)
