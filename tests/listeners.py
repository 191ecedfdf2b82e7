"""Somebody else who hears what is played on a sound server: no part of the program that is tested.

PulseAudio renders into a pipe, which keeps every frame from the first to the last. PipeWire is heard at its node's
monitor.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.homes import need, wait_until
from tests.servers import PipeWireServer, PulseServer
from tests.sounds import RATE

_FRAME_BYTES = 2 * 4
_STEP = 256  # both float and 24 bits hold these numbers
_POLL_SECONDS = 0.005
# What the sink and its pipe still hold when the player has ended.
_SECONDS_BEHIND = 0.4


def write_numbers(path: Path, frames: int, rate: int = RATE) -> None:
    """Write a file whose samples are the numbers of their frames, from 1 on."""
    assert frames < 2**31 // _STEP
    numbers = np.arange(1, frames + 1, dtype=np.int32) * _STEP
    soundfile.write(path, np.column_stack([numbers, numbers]), rate, subtype="PCM_32")


class Listener:
    """Reads what a server plays in real time, on a thread of its own.

    Parameters
    ----------
    descriptor : int
        Delivers frames of two channels in 32 bits.
    environment : mapping
        Leads a client of the server to where it is heard.
    """

    def __init__(self, descriptor: int, environment: dict[str, str]) -> None:
        self.environment = environment
        self._descriptor = descriptor
        self._heard = bytearray()
        self._is_over = threading.Event()
        os.set_blocking(descriptor, False)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        begun = time.monotonic()
        while not self._is_over.wait(_POLL_SECONDS):
            if not self._heard:  # a pipe is silent until somebody plays
                begun = time.monotonic() - _POLL_SECONDS
            due = int((time.monotonic() - begun) * RATE) * _FRAME_BYTES - len(self._heard)
            try:
                self._heard += os.read(self._descriptor, due) if due > 0 else b""
            except BlockingIOError:
                continue

    @property
    def has_begun(self) -> bool:
        """Whether the server delivers."""
        return bool(self._heard)

    def numbers(self) -> NDArray[np.int32]:
        """Return the numbers of the frames that were played so far, without the silence around them."""
        whole = bytes(self._heard[: len(self._heard) // _FRAME_BYTES * _FRAME_BYTES])
        left = np.frombuffer(whole, np.int32)[::2]
        numbers: NDArray[np.int32] = left[left != 0] // _STEP
        return numbers

    def heard(self) -> NDArray[np.int32]:
        """Return the numbers of all frames that were played, once the player has ended."""
        time.sleep(_SECONDS_BEHIND)
        self.stop()
        return self.numbers()

    def stop(self) -> None:
        """Listen no longer."""
        self._is_over.set()
        self._thread.join()


@contextmanager
def listening(server: PulseServer | PipeWireServer) -> Iterator[Listener]:
    """Listen to what clients of a server play."""
    listen = _at_a_pipe if isinstance(server, PulseServer) else _at_the_monitor
    with listen(server) as (descriptor, environment):
        listener = Listener(descriptor, {**server.environment, **environment})
        try:
            if isinstance(server, PipeWireServer):
                wait_until(lambda: listener.has_begun, "the monitor delivers")
            yield listener
        finally:
            listener.stop()


@contextmanager
def _at_a_pipe(server: PulseServer | PipeWireServer) -> Iterator[tuple[int, dict[str, str]]]:
    pipe = server.home / "heard"
    sink = (f"file={pipe}", "sink_name=heard", "format=s32le", f"rate={RATE}", "channels=2")
    module = server.run("pactl", "load-module", "module-pipe-sink", *sink).stdout.strip()
    assert module.isdigit(), server.log
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield descriptor, {"PULSE_SINK": "heard"}
    finally:
        server.run("pactl", "unload-module", module)
        os.close(descriptor)


@contextmanager
def _at_the_monitor(server: PulseServer | PipeWireServer) -> Iterator[tuple[int, dict[str, str]]]:
    need("parec")
    form = ("--raw", "--format=s32le", f"--rate={RATE}", "--channels=2", "--latency-msec=50")
    listen = server.command("parec", *form, "-d", "@DEFAULT_MONITOR@")
    with subprocess.Popen(listen, env=server.environment, cwd=server.home, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.fileno(), {}
        finally:
            process.terminate()
