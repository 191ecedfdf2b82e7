"""The library's public names: streams of audio whose callback and file loops are C and hold no interpreter lock.

``from pastream_cli import engine as ps`` gives the interface of the library pastream.
"""

from __future__ import annotations

from importlib import import_module

from pastream_cli.errors import (
    DeviceError,
    DeviceNameError,
    ErrorKind,
    FileError,
    FileWarning,
    HostError,
    NoThreadError,
    PastreamError,
    RateError,
    UsageError,
)

__all__ = [
    "BufferEmpty",
    "BufferFull",
    "CallbackFlags",
    "DeviceError",
    "DeviceNameError",
    "DuplexStream",
    "ErrorKind",
    "FileError",
    "FileWarning",
    "HostError",
    "InputStream",
    "NoThreadError",
    "OutputStream",
    "PastreamError",
    "RateError",
    "RingBuffer",
    "Stream",
    "UsageError",
    "chunks",
    "play",
    "playrec",
    "query_devices",
    "rec",
    "stop",
    "wait",
]

# Each name is loaded when it is first used: a command that only lists devices needs no streams.
_HOMES = {
    "flags": ("CallbackFlags",),
    "ringbuffer": ("RingBuffer",),
    "judge": ("BufferEmpty", "BufferFull"),
    "streams.capturing": ("InputStream",),
    "streams.device_query": ("query_devices",),
    "streams.duplex": ("DuplexStream", "chunks"),
    "streams.lifecycle": ("Stream",),
    "streams.of_the_module": ("play", "playrec", "rec", "stop", "wait"),
    "streams.playing": ("OutputStream",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

TYPE_CHECKING = False  # typing takes a while to load
if TYPE_CHECKING:
    from pastream_cli.engine.flags import CallbackFlags
    from pastream_cli.engine.judge import BufferEmpty, BufferFull
    from pastream_cli.engine.ringbuffer import RingBuffer
    from pastream_cli.engine.streams.capturing import InputStream
    from pastream_cli.engine.streams.device_query import query_devices
    from pastream_cli.engine.streams.duplex import DuplexStream, chunks
    from pastream_cli.engine.streams.lifecycle import Stream
    from pastream_cli.engine.streams.of_the_module import play, playrec, rec, stop, wait
    from pastream_cli.engine.streams.playing import OutputStream
else:

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
