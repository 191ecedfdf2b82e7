"""Asks a PulseAudio or PipeWire server at which rate it really runs: ALSA's plug-in takes any rate.

libpulse is there wherever that plug-in is, since the plug-in needs it.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pastream_cli.engine.devices.matching import CAPTURE

_SECONDS = 1.0
_STEP_MICROSECONDS = 50_000
_READY, _FAILED = 4, 5  # pa_context_state_t; a greater state has failed too
_NO_AUTOSPAWN = 1  # pa_context_flags_t


class _SampleSpec(ctypes.Structure):
    """pa_sample_spec."""

    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class _Info(ctypes.Structure):
    """What pa_source_info and pa_sink_info begin with."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("index", ctypes.c_uint32),
        ("description", ctypes.c_char_p),
        ("sample_spec", _SampleSpec),
    )


_Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_Info), ctypes.c_int, ctypes.c_void_p)


def server_rate(side: str) -> int | None:
    """Return the rate of the source that clients of the server record from, or of the sink that they play to.

    It is the source or sink that ``PULSE_SOURCE`` or ``PULSE_SINK`` names, else the server's default. `None` where no
    server answers within a second.
    """
    kind = "source" if side == CAPTURE else "sink"
    name = os.environ.get(f"PULSE_{kind.upper()}") or f"@DEFAULT_{kind.upper()}@"
    deadline = time.monotonic() + _SECONDS
    rates: list[int] = []
    ends: list[int] = []

    def take(_context: Any, info: Any, end: int, _user: Any) -> None:
        if end:
            ends.append(end)
        else:
            rates.append(int(info.contents.sample_spec.rate))

    callback = _Callback(take)
    try:
        pulse = _library()
    except OSError:
        return None
    with _context(pulse) as (loop, context):
        if not _reaches(pulse, loop, deadline, lambda: pulse.pa_context_get_state(context) >= _READY):
            return None
        if pulse.pa_context_get_state(context) >= _FAILED:
            return None
        ask = getattr(pulse, f"pa_context_get_{kind}_info_by_name")
        if operation := ask(context, os.fsencode(name), callback, None):
            _reaches(pulse, loop, deadline, lambda: bool(ends))
            pulse.pa_operation_unref(operation)
    return rates[0] if rates else None


def _library() -> Any:
    pulse = ctypes.CDLL("libpulse.so.0")
    for function in (
        "pa_mainloop_new",
        "pa_mainloop_get_api",
        "pa_context_new",
        "pa_context_get_source_info_by_name",
        "pa_context_get_sink_info_by_name",
    ):
        getattr(pulse, function).restype = ctypes.c_void_p
    for function in ("pa_context_get_source_info_by_name", "pa_context_get_sink_info_by_name"):
        getattr(pulse, function).argtypes = (ctypes.c_void_p, ctypes.c_char_p, _Callback, ctypes.c_void_p)
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


@contextmanager
def _context(pulse: Any) -> Iterator[tuple[int, int]]:
    """Connect to the server. The state of the context tells whether that has succeeded."""
    loop = pulse.pa_mainloop_new()
    context = pulse.pa_context_new(pulse.pa_mainloop_get_api(loop), b"pastream")
    try:
        pulse.pa_context_connect(context, None, _NO_AUTOSPAWN, None)
        yield loop, context
    finally:
        pulse.pa_context_disconnect(context)
        pulse.pa_context_unref(context)
        pulse.pa_mainloop_free(loop)


def _reaches(pulse: Any, loop: int, deadline: float, is_reached: Any) -> bool:
    """Run libpulse's loop until `is_reached` is true; tell whether it was in time."""
    while not is_reached():
        if time.monotonic() > deadline or pulse.pa_mainloop_prepare(loop, _STEP_MICROSECONDS) < 0:
            return False
        if pulse.pa_mainloop_poll(loop) < 0 or pulse.pa_mainloop_dispatch(loop) < 0:
            return False
    return True
