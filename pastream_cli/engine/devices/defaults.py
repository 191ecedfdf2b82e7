"""What a program has set in ``sounddevice.default``, for the options of a stream that it leaves out."""

from __future__ import annotations

import sys
from typing import Any, Literal

_SIDES = {"input": (0,), "output": (1,), "duplex": (0, 1)}
_AS_THEY_ARE = {"channels": None, "dtype": "float32", "latency": "high", "extra_settings": None}
"""What a pair holds until it is set. The defaults of a stream are its own, so these say nothing."""
_WITH_SIDES = ("device", *_AS_THEY_ARE)
_SINGLE = (
    "samplerate",
    "blocksize",
    "clip_off",
    "dither_off",
    "never_drop_input",
    "prime_output_buffers_using_stream_callback",
)


def of_one_side(kind: Literal["input", "output"], options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a stream with a single side: of each pair that side's half."""
    (side,) = _SIDES[kind]
    return {
        name: value[side] if name in _WITH_SIDES and type(value) in {tuple, list} and len(value) == 2 else value
        for name, value in options.items()
    }


def with_defaults(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a stream. Where one is `None`, or a side of a pair is, what was set for it takes its place.

    sounddevice is not loaded for this: only a program that has loaded it can have set anything.
    """
    default = getattr(sys.modules.get("sounddevice"), "default", None)
    if default is None or kind not in _SIDES:
        return options
    merged = {**options}
    for name in _SINGLE:
        if merged.get(name) is None and getattr(default, name) != getattr(type(default), name):
            merged[name] = getattr(default, name)
    for name in _WITH_SIDES:
        merged[name] = _of_sides(merged.get(name), [_was_set(default, name, side) for side in _SIDES[kind]])
    return merged


def _was_set(default: Any, name: str, side: int) -> Any:
    """Return what was set for a side, or `None`. A device by number is the default of its host, whoever set it."""
    value = getattr(default, name)[side]
    if name == "device":
        return value if isinstance(value, str) else None
    return None if value == _AS_THEY_ARE[name] else value


def _of_sides(given: Any, defaults: list[Any]) -> Any:
    """Return the given value, or pair, with defaults in place of `None`."""
    if all(default is None for default in defaults):
        return given
    pair = given if isinstance(given, (tuple, list)) else [given] * len(defaults)
    if len(pair) != len(defaults):
        return given  # whoever opens the device says so
    values = [default if value is None else value for value, default in zip(pair, defaults, strict=True)]
    return tuple(values) if len(values) > 1 else values[0]
