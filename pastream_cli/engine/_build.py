"""Builds the compiled module `_native` from the C files beside this one.

The module is not called `_cb`: cffi writes a C file of the module's name, which would overwrite
`_cb.c`.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
# What the callback runs: nothing in these may call anything that could block.
REAL_TIME_SOURCES = ("_arrival.c", "_attachment.c", "_cb.c", "_clock.c", "_convert.c", "_gather.c", "_levels.c")
SOURCES = (
    *REAL_TIME_SOURCES,
    "_alsa.c",
    "_attaching.c",
    "_back_pressure.c",
    "_block.c",
    "_byte_source.c",
    "_chain_link.c",
    "_cut.c",
    "_damage.c",
    "_engine.c",
    "_flac.c",
    "_follower.c",
    "_frames_hash.c",
    "_host.c",
    "_listener.c",
    "_memory.c",
    "_mpeg.c",
    "_ogg.c",
    "_ogg_codec.c",
    "_output.c",
    "_process.c",
    "_pulse.c",
    "_pump.c",
    "_reader.c",
    "_rename.c",
    "_reserve.c",
    "_ring.c",
    "_sound_chain.c",
    "_trigger.c",
    "_virtual.c",
    "_virtual_sound.c",
    "_wake.c",
    "_wall_clock.c",
    "_wav.c",
    "_wav_follower.c",
    "_writer.c",
)

# Loops are vectorised first, and short ones then unrolled in full, so that sums and peaks stay in registers; clang
# unrolls by itself. -O3 unrolls first, which leaves little to vectorise: the level meter costs three times as much.
GNU_FLAGS = [
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O2",
    "-ftree-vectorize",
    "-fpeel-loops",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-Wno-ignored-optimization-argument",
    "-fvisibility=hidden",  # except what _alsa.c and _pulse.c put in front of others' functions
    # A write past the end of a stack frame or a block of memory stops the program, but not in the real-time files
    # (_real_time.h). Some compilers set a level of their own, hence the -U.
    "-fstack-protector-strong",
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=2",
]
# The functions that the module calls are looked up once, when it is loaded; their table is read-only after that.
LINUX_LINK_FLAGS = ["-Wl,-z,relro", "-Wl,-z,now"]


# What cffi reads, in this order.
_DECLARED_IN = (
    "_engine.h",
    "_output_file.h",
    "_virtual.h",
    "_pump.h",
    "_byte_source.h",
    "_mpeg.h",
    "_flac.h",
    "_ogg_codec.h",
    "_ogg.h",
    "_pulse.h",
    "_follower.h",
    "_sound_chain.h",
    "_wav_follower.h",
)


def declarations() -> str:
    """Return the headers as cffi takes them: with the lists of counters, and without lines for the preprocessor."""
    text = "".join((HERE / name).read_text(encoding="utf-8") for name in _DECLARED_IN)
    for name in ("_counters.h", "_copy_counters.h"):
        counters = re.findall(r"^COUNTER\((\w+), (\w+)\)", (HERE / name).read_text(encoding="utf-8"), re.MULTILINE)
        fields = "".join(f"    {c_type} {field};\n" for c_type, field in counters)
        text = text.replace(f'#include "{name}"\n', fields)
    return re.sub(r"^#.*$", "", text, flags=re.MULTILINE)


def _layout_number() -> int:
    """Return a number for all headers: the processes of a take share memory, which both have to lay out alike."""
    headers = b"".join(path.read_bytes() for path in sorted(HERE.glob("_*.h")))
    return int.from_bytes(hashlib.sha256(headers).digest()[:4], "big")


ffibuilder = FFI()
ffibuilder.cdef(declarations())
ffibuilder.set_source(
    "pastream_cli.engine._native",
    "".join(f'#include "{name}"\n' for name in _DECLARED_IN),
    # setuptools wants these relative to the project's folder
    sources=[f"pastream_cli/engine/{name}" for name in SOURCES],
    include_dirs=["pastream_cli/engine"],
    depends=[f"pastream_cli/engine/{path.name}" for path in sorted(HERE.glob("_*.h"))],
    define_macros=[("ENGINE_LAYOUT", f"{_layout_number()}u")],
    extra_compile_args=GNU_FLAGS,
    extra_link_args=LINUX_LINK_FLAGS if sys.platform == "linux" else [],
    libraries=["m"],
)
