"""A client of a PulseAudio or PipeWire server, by libpulse: connected, asked, and left again.

libpulse is there wherever ALSA's plug-in for such servers is, since the plug-in needs it.
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

_CALLED_BACK: dict[str, tuple[Any, ...]] = {
    **{
        f"pa_context_get_{what}_list": ()
        for what in ("source_info", "sink_info", "source_output_info", "sink_input_info")
    },
    "pa_context_get_source_info_by_name": (ctypes.c_char_p,),
    "pa_context_get_sink_info_by_name": (ctypes.c_char_p,),
    "pa_context_get_source_info_by_index": (ctypes.c_uint32,),
    "pa_context_get_sink_info_by_index": (ctypes.c_uint32,),
    "pa_context_subscribe": (ctypes.c_int,),
    "pa_context_set_subscribe_callback": (),
}
"""Functions that take a context, what is named here, and last a callback with its pointer."""


class PulseClient:
    """A connection, for one thread. Whatever it is asked, it waits for the server up to a time that is passed in."""

    def __init__(self) -> None:
        self.library = _library()
        self._loop = self.library.pa_mainloop_new()
        self.context = self.library.pa_context_new(self.library.pa_mainloop_get_api(self._loop), b"pastream")
        self._callbacks: list[Any] = []
        """What libpulse may still call, up to the end."""

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

        callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(struct), ctypes.c_int, ctypes.c_void_p)(take)
        operation = getattr(self.library, function)(self.context, *of, callback, None)
        if not operation:
            return []
        if not self.reaches(deadline, lambda: bool(ends)):
            self._callbacks.append(callback)
        self.library.pa_operation_unref(operation)
        return answers if ends else []

    def subscribe(self, mask: int, told: Callable[[int, int], None]) -> None:
        """Have the server tell of what `mask` names: `told` is called with the kind of an event and an index."""
        types = (None, ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p)
        callback = ctypes.CFUNCTYPE(*types)(lambda _context, kind, index, _user: told(kind, index))
        self._callbacks.append(callback)
        self.library.pa_context_set_subscribe_callback(self.context, callback, None)
        if operation := self.library.pa_context_subscribe(self.context, mask, None, None):
            self.library.pa_operation_unref(operation)

    @property
    def is_connected(self) -> bool:
        return bool(self.library.pa_context_get_state(self.context) == _READY)

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
    pointers = ("pa_mainloop_new", "pa_mainloop_get_api", "pa_context_new", *_CALLED_BACK)
    for function in pointers:
        getattr(pulse, function).restype = ctypes.c_void_p
    for function, more in _CALLED_BACK.items():
        getattr(pulse, function).argtypes = (ctypes.c_void_p, *more, ctypes.c_void_p, ctypes.c_void_p)
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
    pulse.pa_proplist_gets.restype = ctypes.c_char_p
    pulse.pa_proplist_gets.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
    pulse.pa_context_new.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
    pulse.pa_context_connect.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
    return pulse
