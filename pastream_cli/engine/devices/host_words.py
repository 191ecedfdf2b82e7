"""What a host process and the process of the take have in common: descriptors, and the words that they exchange.

Words are plain values, each on a line. Devices and errors are made plain for that, and made again on the other side.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pastream_cli import errors
from pastream_cli.engine.devices.info import DeviceInfo, Served
from pastream_cli.errors import ErrorKind, PastreamError, failure_of

REQUESTS = 3
"""The descriptor, in a host process, of the socket that requests come by."""
MEMORY = 4
"""Of the memory that the engine is in."""
LIFE = 5
"""Of a pipe by which the process tells of moves. It is closed when the stream ends by itself, or with the process."""

END_OF_LINE = b"\n"


class MovedStream(NamedTuple):
    """A side of a stream at another source or sink than before."""

    side: str
    monotonic_ns: int
    before: str | None
    """`None` where the server has just put it somewhere."""
    now: str


def line_of(value: Any) -> bytes:
    """Return a plain value as one line."""
    return json.dumps(value).encode("ascii") + END_OF_LINE


def value_of(line: bytes) -> Any:
    """Return the plain value that a line holds."""
    return json.loads(line)


def plain_device(device: DeviceInfo) -> list[Any]:
    """Return a device as a list of plain values."""
    return [*device[:-1], None if device.served is None else list(device.served)]


def device_of(plain: list[Any]) -> DeviceInfo:
    """Return the device that `plain_device` has made plain."""
    *values, served = map(_frozen, plain)
    return DeviceInfo._make([*values, None if served is None else Served._make(served)])


def _frozen(value: Any) -> Any:
    """Return a value with tuples for its lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def plain_error(error: Exception) -> dict[str, Any]:
    """Return an error as plain values; a bug, or what the machine refused, as a failure that says so."""
    failure = failure_of(error)
    values = {name: value for name, value in vars(failure).items() if name != "kind"}
    return {**values, "class": type(failure).__name__, "kind": failure.kind and failure.kind.name}


def error_of(plain: dict[str, Any]) -> PastreamError:
    """Return the error that `plain_error` has made plain."""
    values = {name: _frozen(value) for name, value in plain.items()}
    kind, its_class = values.pop("kind"), getattr(errors, values.pop("class"))
    error: PastreamError = its_class.__new__(its_class)
    PastreamError.__init__(error, values["message"], kind=ErrorKind[kind] if kind else None)
    vars(error).update(values)
    return error
