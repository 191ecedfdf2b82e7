"""A client of a PulseAudio or PipeWire server, by libpulse: connected, asked, and left again.

libpulse is there wherever ALSA's plug-in for such servers is, since the plug-in needs it. The structs are those of its
public headers; only what is used of each is declared.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

_STEP_MICROSECONDS = 50_000
_READY, _FAILED = 4, 5  # pa_context_state_t; a greater state has failed too
_NO_AUTOSPAWN = 1  # pa_context_flags_t
_MOST_CHANNELS = 32  # PA_CHANNELS_MAX


class SampleSpec(ctypes.Structure):
    """pa_sample_spec."""

    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class ChannelMap(ctypes.Structure):
    """pa_channel_map."""

    _fields_ = (("channels", ctypes.c_uint8), ("map", ctypes.c_int * _MOST_CHANNELS))


class Volumes(ctypes.Structure):
    """pa_cvolume."""

    _fields_ = (("channels", ctypes.c_uint8), ("values", ctypes.c_uint32 * _MOST_CHANNELS))


class DeviceStruct(ctypes.Structure):
    """What pa_source_info and pa_sink_info begin with."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("index", ctypes.c_uint32),
        ("description", ctypes.c_char_p),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("owner_module", ctypes.c_uint32),
        ("volume", Volumes),
        ("mute", ctypes.c_int),
        ("monitor", ctypes.c_uint32),
        ("monitor_name", ctypes.c_char_p),
    )
    """`monitor` is the sink that a source is the monitor of, or the source that is the monitor of a sink."""


ASKED: tuple[str, ...] = ("pa_context_get_source_info_by_name", "pa_context_get_sink_info_by_name")
LISTED: tuple[str, ...] = ("pa_context_get_source_info_list", "pa_context_get_sink_info_list")


def of_struct(struct: type[ctypes.Structure]) -> Any:
    """Return the type of a callback that is given one struct after the other, and then their end."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(struct), ctypes.c_int, ctypes.c_void_p)


class PulseClient:
    """A connection, for one thread. Whatever it is asked, it waits for the server up to a time that is passed in."""

    def __init__(self) -> None:
        self.library = _library()
        self._loop = self.library.pa_mainloop_new()
        self.context = self.library.pa_context_new(self.library.pa_mainloop_get_api(self._loop), b"pastream")
        self._callbacks: list[Any] = []
        """What libpulse may still call."""

    def connects(self, deadline: float) -> bool:
        """Connect; tell whether the server has answered in time. None is started for it."""
        state = self.library.pa_context_get_state
        self.library.pa_context_connect(self.context, None, _NO_AUTOSPAWN, None)
        return self.reaches(deadline, lambda: state(self.context) >= _READY) and state(self.context) < _FAILED

    def close(self) -> None:
        """Leave the server."""
        self.library.pa_context_disconnect(self.context)
        self.library.pa_context_unref(self.context)
        self.library.pa_mainloop_free(self._loop)

    def ask(
        self, function: str, struct: type[ctypes.Structure], read: Callable[[Any], T], deadline: float, *of: Any
    ) -> list[T]:
        """Return what `read` makes of each struct that a function of libpulse hands out; none after the deadline."""
        answers: list[T] = []
        ends: list[int] = []

        def take(_context: Any, info: Any, end: int, _user: Any) -> None:
            if end:
                ends.append(end)
            else:
                answers.append(read(info.contents))

        callback = self.kept(of_struct(struct)(take))
        operation = getattr(self.library, function)(self.context, *of, callback, None)
        if not operation:
            return []
        self.reaches(deadline, lambda: bool(ends))
        self.library.pa_operation_unref(operation)
        return answers if ends else []

    def kept(self, callback: Any) -> Any:
        """Return a callback that lives as long as the connection."""
        self._callbacks.append(callback)
        return callback

    def reaches(self, deadline: float, is_reached: Callable[[], bool]) -> bool:
        """Run libpulse's loop until `is_reached` is true; tell whether it was in time."""
        while not is_reached():
            if time.monotonic() > deadline or not self.turns(_STEP_MICROSECONDS):
                return False
        return True

    def turns(self, microseconds: int) -> bool:
        """Run libpulse's loop once: wait so long for the server, for ever if -1. Tell whether the loop goes on."""
        library, loop = self.library, self._loop
        if library.pa_mainloop_prepare(loop, microseconds) < 0 or library.pa_mainloop_poll(loop) < 0:
            return False
        return bool(library.pa_mainloop_dispatch(loop) >= 0)


@contextmanager
def connected(deadline: float) -> Iterator[PulseClient | None]:
    """Connect to the server for a while; `None` where there is none, or none that answers in time."""
    try:
        client = PulseClient()
    except OSError:  # no libpulse
        yield None
        return
    try:
        yield client if client.connects(deadline) else None
    finally:
        client.close()


def _library() -> Any:
    pulse = ctypes.CDLL("libpulse.so.0")
    pointers = ("pa_mainloop_new", "pa_mainloop_get_api", "pa_context_new", *ASKED, *LISTED)
    for function in pointers:
        getattr(pulse, function).restype = ctypes.c_void_p
    for function in ASKED:
        getattr(pulse, function).argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p)
    for function in LISTED:
        getattr(pulse, function).argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    for function in (
        "pa_mainloop_get_api",
        "pa_mainloop_dispatch",
        "pa_mainloop_poll",
        "pa_mainloop_free",
        "pa_context_disconnect",
        "pa_context_get_state",
        "pa_context_unref",
        "pa_operation_unref",
    ):
        getattr(pulse, function).argtypes = (ctypes.c_void_p,)
    pulse.pa_mainloop_prepare.argtypes = (ctypes.c_void_p, ctypes.c_int)
    pulse.pa_context_new.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
    pulse.pa_context_connect.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
    return pulse
