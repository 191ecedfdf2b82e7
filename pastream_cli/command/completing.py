"""The answers to a shell that completes a word: devices, file types and encodings."""

from __future__ import annotations

from pastream_cli.engine.files.without_numpy import load_soundfile
from pastream_cli.errors import PastreamError, printable

# Somebody waits for the completion: if a host hangs, no real devices are offered.
_DEVICE_SECONDS = 2.0


def answers(what: str) -> list[str]:
    """Return the values of the kind `what`; none if they cannot be found, since a shell would show no error."""
    find = {"devices": _devices, "types": _types, "encodings": _encodings}.get(what)
    return find() if find is not None else []


def _devices() -> list[str]:
    from pastream_cli.engine.devices import virtual
    from pastream_cli.engine.devices.choosing import all_devices
    from pastream_cli.engine.devices.matching import label
    from pastream_cli.engine.host_messages import HostMessages
    from pastream_cli.engine.worker import Worker

    HostMessages(shown=False)
    task = Worker("device", lambda: None).start(all_devices)
    try:
        devices = task.result() if task.wait(_DEVICE_SECONDS) else []
    except PastreamError:
        devices = []
    return [*(printable(label(device)) for device in devices), virtual.NAME, "virtual:sine", "virtual:noise"]


def _types() -> list[str]:
    load_soundfile()
    from pastream_cli.engine.files.formats import recorded_types

    return [name.lower() for name in recorded_types()]


def _encodings() -> list[str]:
    load_soundfile()
    from pastream_cli.engine.files.formats import offered_encodings

    return [name.lower() for name in offered_encodings()]
