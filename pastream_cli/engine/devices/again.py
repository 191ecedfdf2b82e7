"""Opens a device again that a run has lost: the same one, by name and host, and never another.

Each call may take its time, as the calls of a host do, so none is made on the main thread.
"""

from __future__ import annotations

from pastream_cli.engine.devices.opened import OpenDevice
from pastream_cli.engine.devices.time_limits import STOP_SECONDS, within
from pastream_cli.engine.devices.virtual import VirtualStream, parse
from pastream_cli.engine.native import lib
from pastream_cli.errors import DeviceError, ErrorKind


def open_again(before: OpenDevice, answer_seconds: float) -> OpenDevice:
    """Open the device again with the rate, the formats, the channels and the block that it had.

    Parameters
    ----------
    before : OpenDevice
        The device as it was, which was taken away.
    answer_seconds : float
        How long its host may take for each answer.

    Raises
    ------
    DeviceError
        Where it is not there, or cannot be opened at present.
    """
    if not before.is_virtual:
        from pastream_cli.engine.devices.hosted import HostedDevice

        assert isinstance(before, HostedDevice)
        return before.open_again(answer_seconds)
    since_ns = 0
    if isinstance(before.stream, VirtualStream):
        since_ns = before.stream.since_ns
        _check_back(before, since_ns)
    return OpenDevice(
        before.kind,
        device=[side.device for side in before.sides],
        samplerate=before.stream.samplerate,
        channels=[side.channels for side in before.sides],
        dtype=[side.sample_format for side in before.sides],
        blocksize=before.asked_blocksize,
        latency=[side.latency for side in before.sides],
        since_ns=since_ns,
        **before.host_options,
    )


def _check_back(before: OpenDevice, since_ns: int) -> None:
    """Raise where a virtual device has died and is not back."""
    name, rate = before.sides[0].device.name, before.stream.samplerate
    frame = int((lib.engine_monotonic_ns() - since_ns) * rate / 1e9)
    if since_ns and not parse(name).is_there_at(frame, rate):
        raise DeviceError(f"cannot open {name}: it is away", ErrorKind.ABSENT)


def give_up(device: OpenDevice) -> None:
    """Close a device that has gone, within a time limit; if its host does not answer, it is leaked on purpose."""
    within(STOP_SECONDS, device.close, device.stream.lock)
