"""The caller's buffers and arrays as sources and sinks, with or without numpy.

numpy is never needed here: the buffer protocol tells the type and shape of an array. New memory is an array where numpy
is installed, else a bytearray.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.native import check_fits, check_memory, ffi, lib

if TYPE_CHECKING:
    from pastream_cli.engine.native import MemoryFileHandle, Pointer

_DTYPE_OF_FORMAT = {"f": "float32", "h": "int16", "b": "int8", "B": "uint8"} | {
    code: "int32" for code in "il" if struct.calcsize(code) == 4
}
_PLAIN_BYTES = frozenset("Bbc")
# The types that the loops convert to and from the type of any device.
_CONVERTIBLE = {"float32": lib.FILE_FLOAT32, "int32": lib.FILE_INT32}


def numpy_or_none() -> Any:
    """Return numpy, or `None` where it is not installed."""
    try:
        import numpy as np
    except ImportError:
        return None
    return np


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
    return type(data).__module__ == "numpy" and hasattr(data, "dtype")


def frames_view(view: Any, side: Side, channels: int, *, atleast_2d: bool) -> Any:
    """Return a view of bytes as an array of frames, or the view itself where numpy cannot have one."""
    np = numpy_or_none()
    if np is None or side.sample_format == "int24":
        return view
    array = np.frombuffer(view, side.sample_format)
    return array.reshape(-1, channels) if atleast_2d or channels > 1 else array


class Memory:
    """Frames in a buffer of the caller's, as the loops take them.

    Plain bytes hold samples as the device has them, frame after frame. Numbers of the device's type
    do too; float32 and int32 (left-justified) are converted to and from any other type. An array of
    two dimensions is frames by channels.

    Parameters
    ----------
    data : buffer
        The memory. It cannot be resized while a run uses it.
    side : Side
        What the device was opened with.
    channels : int
        Of a frame, where the buffer does not say.
    writable : bool
        Whether frames are to be written there.

    Raises
    ------
    TypeError
        Where it is no buffer, or has numbers of a type that cannot be converted.
    ValueError
        Where it cannot be written, has gaps between its elements, or does not hold a whole number of frames.
    """

    def __init__(self, data: Any, side: Side, channels: int, *, writable: bool) -> None:
        with memoryview(data) as view:
            if writable and view.readonly:
                raise ValueError("cannot record into a buffer that is read-only")
            if writable and not view.c_contiguous:
                raise ValueError("cannot record into an array that is not contiguous")
            self.sample_code, sample_bytes = _sample_type(view, side)
            self.channels = view.shape[1] if view.ndim == 2 and view.shape else channels
            self.frame_bytes = self.channels * sample_bytes
            if view.ndim > 2 or not self.frame_bytes or view.nbytes % self.frame_bytes:
                raise ValueError(f"the buffer must hold whole frames of {self.channels} channels")
            self.frames = view.nbytes // self.frame_bytes
            # a copy has no gaps
            self._data = data if view.c_contiguous else view.tobytes()
        self._is_written = writable
        self._bytes: Pointer | None = None
        self._file: MemoryFileHandle | None = None

    def open(self) -> MemoryFileHandle:
        """Return the memory as a file for the loops, from its first frame on; valid until `close`."""
        self._bytes = ffi.from_buffer(self._data, require_writable=self._is_written)
        file = lib.memory_file_new(ffi.cast("void *", self._bytes), self.frames, self.frame_bytes)
        self._file = ffi.gc(check_memory(file, "cannot use a buffer"), lib.memory_file_free)
        return self._file

    def close(self) -> None:
        """Give the memory back; only when no loop uses it."""
        if self._bytes is not None:
            self._file = None
            ffi.release(self._bytes)
            self._bytes = None


def _sample_type(view: memoryview, side: Side) -> tuple[int, int]:
    """Return the type in which samples pass between the buffer and the loops, and the bytes of a sample."""
    code = view.format.lstrip("@=" + ("<" if struct.pack("=h", 1) == struct.pack("<h", 1) else ">!"))
    dtype = _DTYPE_OF_FORMAT.get(code)
    if code in _PLAIN_BYTES or dtype == side.sample_format:
        return lib.FILE_DEVICE, side.sample_bytes
    if dtype not in _CONVERTIBLE:
        raise TypeError(
            f"cannot use a buffer of {dtype or f'type {view.format!r}'} with a stream of {side.sample_format}: "
            f"it takes {side.sample_format}, float32, int32 or plain bytes"
        )
    return _CONVERTIBLE[dtype], 4
