"""Streams that nobody looks after: in many threads, dropped, forked, alive when the interpreter ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from pastream_cli import engine as ps
from pastream_cli.errors import PastreamError
from tests.homes import need

ROOT = Path(__file__).parent.parent.parent

OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "start": lambda stream: stream.start(),
    "start at once": lambda stream: stream.start(prebuffer=False),
    "stop": lambda stream: stream.stop(),
    "abort": lambda stream: stream.abort(),
    "wait": lambda stream: stream.wait(0.01),
    "record": lambda stream: stream.record(500),
    "play": lambda stream: stream.play(bytes(800)),
    "chunk": lambda stream: next(stream.chunks(64)),
    "look": lambda stream: (stream.active, stream.finished, stream.levels, stream.losses, stream.status),
    "close": lambda stream: stream.close(),
}
ONE_OF_THEM = st.sampled_from([*OPERATIONS, "start", "start", "record", "play", "stop"])


def source(stream: Any, ring: ps.RingBuffer, loop: bool) -> None:
    while stream.active and not loop:
        ring.write(bytes(4096))
        stream._watcher.ended.wait(0.001)


@given(scripts=st.lists(st.lists(ONE_OF_THEM, max_size=8), min_size=1, max_size=4), by_function=st.booleans())
@settings(max_examples=settings.default.max_examples // 2 if settings.default else 50)
def test_no_order_of_calls_from_any_thread_hangs_or_crashes(scripts: list[list[str]], by_function: bool) -> None:
    stream = ps.DuplexStream(device="virtual", blocksize=64)
    stream.set_source(source if by_function else bytes(8 * 300))
    stream.set_sink(bytearray(8 * 2000))
    surprises: list[BaseException] = []

    def act(script: list[str]) -> None:
        for name in script:
            try:
                OPERATIONS[name](stream)
            except (PastreamError, StopIteration):
                pass
            except BaseException as error:  # noqa: BLE001
                surprises.append(error)

    threads = [threading.Thread(target=act, args=(script,), daemon=True) for script in scripts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), scripts
    closer = threading.Thread(target=act, args=(["close"],), daemon=True)
    closer.start()
    closer.join(20)
    assert not closer.is_alive(), scripts
    assert not surprises
    assert stream.closed
    assert not stream.active


# ---- whole processes ----

PREAMBLE = """
import gc, os, sys, threading, time
from pastream_cli import engine as ps

def source(stream, ring, loop=False):
    while not stream.finished:
        ring.write(bytes(8 * 9600))
        time.sleep(0.01)

def start():
    stream = ps.DuplexStream(device="virtual", blocksize=64)
    stream.set_source(source)
    stream.set_sink(bytearray(8 * 480000))
    stream.start()
    while stream.frame_count < 1000:
        time.sleep(0.001)
    return stream
"""

PROGRAMS = {
    "a stream that is alive at the end": "stream = start()",
    "a stream that is alive when the program fails": "stream = start(); sys.exit(3)",
    "two streams in a circle": "stream = start(); stream.other = start(); stream.other.other = stream",
    "chunks in the middle": "chunks = ps.chunks(64, device='virtual'); next(chunks)",
    "a function that does not end": """
stream = ps.InputStream(device="virtual")
stream.set_sink(lambda stream, ring: time.sleep(1000))
stream.start()
""",
    "a stream that was never started": "stream = ps.DuplexStream(device='virtual')",
    "a stream that has finished": "stream = ps.InputStream(device='virtual'); stream.record(100, blocking=True)",
    "a stream of a thread that goes on": """
streams = []
threading.Thread(target=lambda: (streams.append(start()), time.sleep(0.2))).start()
while not streams:
    time.sleep(0.001)
""",
    "a stream that is dropped": """
stream = ps.InputStream(device="virtual")
stream.record(480000)
watcher = stream._watcher
del stream
gc.collect()
assert watcher.ended.wait(10)
assert watcher._gate.is_closed
""",
    "a stream that is dropped while its function runs": """
stream = start()
watcher = stream._watcher
stream.abort()
del stream
gc.collect()
assert watcher.ended.wait(10)
""",
    "a process that is forked off": """
import warnings
warnings.simplefilter("ignore")
stream = start()
for leave in (sys.exit, os._exit):
    child = os.fork()
    if child == 0:
        stream.stop(), stream.abort(), stream.wait(), stream.close()
        assert not stream.active
        try:
            stream.start()
        except Exception:
            del stream
            gc.collect()
            leave(7)
        leave(8)
    assert os.waitpid(child, 0)[1] >> 8 == 7
assert stream.active
before = stream.frame_count
while stream.frame_count < before + 1000:
    time.sleep(0.001)
stream.stop()
""",
}


@cache
def pythons() -> list[str]:
    """Return this interpreter, and every other that finds what the engine needs."""
    others = [shutil.which(f"python3.{minor}") for minor in range(10, 15)]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    with suppress(PermissionError):  # somebody else's
        others += [str(path) for path in sorted(versions.glob("3.1[0-9]*/bin/python"))]
    found: dict[str, str] = {}
    for python in (sys.executable, *filter(None, others)):
        probe = "import sys; print(sys.version_info[:2]); from pastream_cli.engine import InputStream"
        done = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode == 0:
            found.setdefault(done.stdout, python)
    return list(found.values())


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_in_time_and_without_a_word(name: str) -> None:
    for python in pythons():
        done = subprocess.run(
            [python, "-X", "dev", "-c", PREAMBLE + PROGRAMS[name]],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=30,
        )
        assert done.stderr == "", (python, done.stderr)
        assert done.returncode == (3 if "sys.exit(3)" in PROGRAMS[name] else 0)


def test_a_recording_that_is_alive_at_the_end_is_a_whole_file(tmp_path: Path) -> None:
    program = """
import time
from pastream_cli import engine as ps
stream = ps.InputStream(device="virtual:sine", dtype="int16", blocksize=64)
file = stream.to_file("out.wav")
stream.record(out=file)
while stream.frame_count < 5000:
    time.sleep(0.001)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        cwd=tmp_path,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0

    assert soundfile.info(tmp_path / "out.wav").frames >= 5000


def test_no_numpy_is_needed_where_there_is_no_sound_file() -> None:
    program = """
import sys
sys.modules["numpy"] = sys.modules["soundfile"] = None
from pastream_cli import engine as ps
with ps.DuplexStream(device="virtual:fast", dtype="int16") as stream:
    source = bytes(range(256)) * 8
    out = stream.playrec(source, frames=512, blocking=True)
    assert type(out) is bytearray and out == source, out
    assert b"".join(bytes(chunk) for chunk in stream.chunks(100, playback=source, pad=0)) == source
    assert type(next(stream.chunks(100))) is memoryview
    assert stream.levels is None or stream.levels.peaks
    try:
        stream.record(10, atleast_2d=True)
    except ValueError:
        print("fine")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_the_library_loads_neither_soundfile_nor_numpy_nor_portaudio_before_they_are_needed() -> None:
    program = """
import sys
from pastream_cli import engine
print(*sorted({"numpy", "soundfile", "sounddevice"} & {*sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""


def test_sounddevice_lends_its_exit_handler() -> None:
    need("libportaudio.so.2")
    program = "import sounddevice; print(callable(sounddevice._exit_handler))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n", "sounddevice._exit_handler, which ends PortAudio, has moved"
