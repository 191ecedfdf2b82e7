"""What a buffer says of its elements: plain bytes, or numbers of which type."""

from __future__ import annotations

import struct

_NATIVE_MARKS = "@=" + ("<" if struct.pack("=h", 1) == struct.pack("<h", 1) else ">!")
_FORMAT_OF_CODE = {"f": "float32", "h": "int16", "b": "int8", "B": "uint8"} | {
    code: "int32" for code in "il" if struct.calcsize(code) == 4
}


def is_plain_bytes(view: memoryview) -> bool:
    """Tell whether the elements are bytes, which may stand for anything."""
    return view.format in {"B", "b", "c"}


def sample_format_of(view: memoryview) -> str | None:
    """Return which of the engine's sample formats the elements have, `None` for any other type."""
    return _FORMAT_OF_CODE.get(view.format.lstrip(_NATIVE_MARKS))
