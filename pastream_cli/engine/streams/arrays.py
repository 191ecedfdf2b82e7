"""Arrays with or without numpy: new memory is an array where numpy is installed, else a bytearray."""

from __future__ import annotations

import sys
from typing import Any

from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.native import SAMPLE_FORMATS, check_fits


def numpy_or_none() -> Any:
    """Return numpy, or `None` where it is not installed."""
    try:
        import numpy as np
    except ImportError:
        return None
    return np


def named_types(dtype: Any) -> Any:
    """Return the name of a sample type, or those of a pair; they may be given as anything of which numpy makes a dtype.

    Raises
    ------
    ValueError
        Where it has the byte order of another machine.
    """
    if isinstance(dtype, (tuple, list)):
        return tuple(map(named_types, dtype))
    if dtype is None or (isinstance(dtype, str) and dtype in SAMPLE_FORMATS):
        return dtype
    np = numpy_or_none()
    if np is None:
        return dtype
    try:
        named = np.dtype(dtype)
    except (TypeError, ValueError):
        return dtype  # whoever opens the device says which there are
    if not named.isnative:
        raise ValueError(f"dtype must have the byte order of this machine, not {dtype!r}")
    return named.name


def new_frames(frames: int, channels: int, side: Side, *, atleast_2d: bool) -> Any:
    """Return memory for so many frames: an array, or a bytearray where numpy cannot have one.

    numpy has no packed 24-bit integers, so a stream of int24 gets a bytearray.

    Raises
    ------
    ValueError
        Where no machine has so much memory.
    """
    check_fits(frames * channels * side.sample_bytes, f"cannot record {frames} frames to memory")
    np = numpy_or_none()
    if np is None or side.sample_format == "int24":
        check_atleast_2d(side, atleast_2d=atleast_2d)
        return bytearray(frames * channels * side.sample_bytes)
    return np.zeros((frames, channels) if atleast_2d or channels > 1 else frames, side.sample_format)


def check_atleast_2d(side: Side, *, atleast_2d: bool) -> None:
    """Raise `ValueError` where two dimensions are asked for and there are no arrays."""
    if atleast_2d and (numpy_or_none() is None or side.sample_format == "int24"):
        raise ValueError("atleast_2d needs numpy, and samples that numpy has a type for")


def is_array(data: Any) -> bool:
    """Tell whether `data` is a numpy array, without loading numpy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(data, numpy.ndarray)


def frames_view(view: Any, side: Side, channels: int, *, atleast_2d: bool) -> Any:
    """Return a view of bytes as an array of frames, or the view itself where numpy cannot have one."""
    np = numpy_or_none()
    if np is None or side.sample_format == "int24":
        return view
    array = np.frombuffer(view, side.sample_format)
    return array.reshape(-1, channels) if atleast_2d or channels > 1 else array
