"""Lists the devices for `-l`, within time limits."""

from __future__ import annotations

from pastream_cli.engine.devices import hosted, virtual
from pastream_cli.engine.devices.host_process import Host
from pastream_cli.engine.devices.info import DeviceInfo
from pastream_cli.engine.worker import Worker
from pastream_cli.errors import DeviceError, ErrorKind
from pastream_cli.take.signals import Requests

_POLL_SECONDS = 0.1


def list_devices(requests: Requests, host: Host) -> list[DeviceInfo]:
    """Return the devices of a host process. A worker asks for them, so that the main thread answers signals."""
    task = Worker("device", requests.wake).start(lambda: hosted.listed_devices(host))
    while not task.is_done:
        if requests.stop:
            raise DeviceError("cannot list the devices: stopped while the hosts were asked", ErrorKind.NOT_ANSWERING)
        requests.wait(_POLL_SECONDS)
    return task.result()


def virtual_device() -> DeviceInfo:
    """Return the virtual device, as the list shows it."""
    return virtual.parse(virtual.NAME).info(virtual.NAME)
