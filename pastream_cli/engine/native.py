"""The compiled engine: its functions, its sample formats, and the exception for want of memory."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pastream_cli.errors import PastreamError

try:
    from pastream_cli.engine import _native
    from pastream_cli.engine._native import ffi, lib
except ImportError as error:  # pragma: no cover - a checkout that was never built
    raise ImportError("the C engine is not built; 'pip install .' in the project's folder builds it") from error

if TYPE_CHECKING:
    from typing import TypeVar

    from pastream_cli.engine._native import (
        AttachmentHandle,
        ByteSourceHandle,
        CopyHandle,
        EngineHandle,
        FlacBlock,
        FlacInfo,
        FramesHashHandle,
        HostStream,
        Int32Array,
        LinkMessage,
        MemoryFileHandle,
        MpegFrame,
        MpegLink,
        OggLink,
        OutputCounts,
        OutputFileHandle,
        Pointer,
        RingHandle,
        SndfileFunctions,
        VirtualDeviceHandle,
        WavFollower,
    )

    T = TypeVar("T")

__all__ = [
    "SAMPLE_BYTES",
    "SAMPLE_FORMATS",
    "AttachmentHandle",
    "ByteSourceHandle",
    "CopyHandle",
    "EngineHandle",
    "FlacBlock",
    "FlacInfo",
    "FramesHashHandle",
    "HostStream",
    "Int32Array",
    "LinkMessage",
    "MemoryFileHandle",
    "MpegFrame",
    "MpegLink",
    "OggLink",
    "OutputCounts",
    "OutputFileHandle",
    "Pointer",
    "RingHandle",
    "SndfileFunctions",
    "VirtualDeviceHandle",
    "WavFollower",
    "check_fits",
    "check_memory",
    "ffi",
    "lib",
    "memory_bytes",
    "module_path",
]

module_path: str = _native.__file__

SAMPLE_FORMATS: dict[str, int] = {
    "float32": lib.SAMPLE_FLOAT32,
    "int32": lib.SAMPLE_INT32,
    "int24": lib.SAMPLE_INT24,
    "int16": lib.SAMPLE_INT16,
    "int8": lib.SAMPLE_INT8,
    "uint8": lib.SAMPLE_UINT8,
}
SAMPLE_BYTES = {"float32": 4, "int32": 4, "int24": 3, "int16": 2, "int8": 1, "uint8": 1}


def check_memory(pointer: T, act: str) -> T:
    """Return `pointer` (or a truth value), or raise `PastreamError` where it is null (or false)."""
    if not pointer:
        raise PastreamError(f"{act}: not enough memory")
    return pointer


def memory_bytes() -> int:
    """Return the machine's memory in bytes, or the greatest number there is where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return sys.maxsize


def check_fits(wanted: int, what: str) -> None:
    """Raise `ValueError` where the machine has less memory than so many bytes."""
    there = memory_bytes()
    if wanted > there:
        raise ValueError(f"{what}: it takes {wanted // 10**9} GB of memory, and there are {there // 10**9}")
