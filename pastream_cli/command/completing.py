"""The answers to a shell that completes a word: devices, file types and encodings."""

from __future__ import annotations

from collections.abc import Sequence

from pastream_cli.command.line import Line
from pastream_cli.engine.files.without_numpy import load_soundfile
from pastream_cli.errors import PastreamError, printable

# Somebody waits for the completion: if a host hangs, no real devices are offered.
_DEVICE_SECONDS = 2.0

_VIRTUAL_NAMES = ("virtual", "virtual:fast", "virtual:silence", "virtual:sine", "virtual:sine:fast", "virtual:noise")


def answers(what: str, argv: Sequence[str] = ()) -> list[str]:
    """Return the values of the kind `what` on the command line `argv`; none if they cannot be found.

    A shell would show no error.
    """
    if what == "encodings":
        return _encodings(argv)
    find = {"devices": _devices, "types": _types}.get(what)
    return find() if find is not None else []


def _devices() -> list[str]:
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
    return [*(printable(label(device)) for device in devices), *_VIRTUAL_NAMES]


def _types() -> list[str]:
    load_soundfile()
    from pastream_cli.engine.files.formats import recorded_types

    return [name.lower() for name in recorded_types()]


def _encodings(argv: Sequence[str]) -> list[str]:
    """Return the encodings that OUTPUT takes, or all where the line does not say its type."""
    load_soundfile()
    from pastream_cli.engine.files import formats

    file_type = _output_type(Line(argv))
    names = formats.encodings(file_type) if file_type is not None else []
    return [name.lower() for name in names or formats.offered_encodings()]


def _output_type(line: Line) -> str | None:
    from pastream_cli.engine.files import formats

    if len(line.words) > 1 and (of_name := formats.type_of_name(line.words[1])):
        return of_name
    asked = [given.value or "" for given in line.given if given.option.field == "file_type"]
    name = asked[-1].rpartition(",")[2].upper() if asked else ""
    return name if name in formats.file_types() else None
