"""`query_devices`: the devices that streams can be opened on, described as sounddevice describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from pastream_cli.engine.devices import choosing
from pastream_cli.engine.devices.matching import CAPTURE, PLAYBACK
from pastream_cli.engine.devices.time_limits import answer
from pastream_cli.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

    from pastream_cli.engine.devices.info import DeviceInfo
    from pastream_cli.engine.hints import Device, DeviceDescription, SideName

_MOST_SECONDS = 10.0
_SIDES = {"input": [CAPTURE], "output": [PLAYBACK], None: [CAPTURE, PLAYBACK]}


@overload
def query_devices() -> list[DeviceDescription]: ...


@overload
def query_devices(device: Device, kind: SideName | None = None) -> DeviceDescription: ...


@overload
def query_devices(device: None = None, *, kind: SideName) -> DeviceDescription: ...


def query_devices(device: Device | None = None, kind: SideName | None = None) -> Any:
    """Return what is known of a device, or of all.

    Parameters
    ----------
    device : int or str, optional
        As for `Stream`. If it is left out, `kind` asks for the default device, and without `kind` all are listed; the
        virtual device is not among them.
    kind : {'input', 'output'}, optional
        What the device is to be used for.

    Returns
    -------
    dict or list of dict
        With the keys that sounddevice has, such as ``name``, ``index``, ``max_input_channels``, ``default_samplerate``;
        ``hostapi`` is the name of the host. The index of the virtual device is `None`.

    Raises
    ------
    DeviceError
        Where there is no such device, or its host does not answer.
    """
    if kind not in _SIDES:
        raise ValueError(f"kind must be 'input' or 'output', not {kind!r}")
    if device is None and kind is None:
        return [_described(each) for each in _answered(choosing.listed_devices)]
    *first, last = _SIDES[kind]
    for side in first:
        try:
            return _described(_found(device, side))
        except DeviceError:
            continue
    return _described(_found(device, last))


def _found(device: Any, side: str) -> DeviceInfo:
    text = None if device is None else str(device)
    return _answered(lambda: choosing.choose_devices(text, [side], rate_matters=True)[side])


def _answered(question: Callable[[], T]) -> T:
    return answer(_MOST_SECONDS, question, "cannot look for devices: a host does not answer")


def _described(device: DeviceInfo) -> DeviceDescription:
    return {
        "name": device.name,
        "index": device.number,
        "hostapi": device.host_api,
        "max_input_channels": device.capture_channels,
        "max_output_channels": device.playback_channels,
        "default_low_input_latency": device.capture_latencies[0],
        "default_high_input_latency": device.capture_latencies[1],
        "default_low_output_latency": device.playback_latencies[0],
        "default_high_output_latency": device.playback_latencies[1],
        "default_samplerate": device.default_rate,
    }
