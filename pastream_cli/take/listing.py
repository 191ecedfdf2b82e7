"""Lists the devices for `-l`, within time limits."""

from __future__ import annotations

from pastream_cli.engine.devices import virtual
from pastream_cli.engine.devices.choosing import listed_devices
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.worker import Worker
from pastream_cli.errors import DeviceError, ErrorKind
from pastream_cli.take.signals import Requests

_POLL_SECONDS = 0.1


def list_devices(requests: Requests, worker: Worker) -> list[DeviceInfo]:
    """Return PortAudio's devices. A worker asks for them, so that a host that hangs does not block the main thread."""
    task = worker.start(listed_devices)
    while not task.is_done:
        if requests.stop:
            raise DeviceError("cannot list the devices: stopped while the hosts were asked", ErrorKind.NOT_ANSWERING)
        requests.wait(_POLL_SECONDS)
    return task.result()


def virtual_device() -> DeviceInfo:
    """Return the virtual device, as the list shows it."""
    return virtual.parse(virtual.NAME).info(virtual.NAME)
