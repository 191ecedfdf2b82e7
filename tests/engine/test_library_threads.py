"""Streams, and their files, in the hands of several threads: whoever comes in between, at whichever moment."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import soundfile

from pastream_cli import engine as ps
from pastream_cli.errors import DeviceError, FileError, PastreamError
from tests.homes import wait_until
from tests.sounds import RATE, make_noise

FAST = "virtual:fast"


@pytest.fixture
def duplex() -> Iterator[ps.DuplexStream]:
    with ps.DuplexStream(FAST) as stream:
        yield stream


def in_a_thread(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def open_files() -> Iterator[Path]:
    """Return what the descriptors of this process stand for."""
    for link in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            yield link.readlink()


def fill(_stream: ps.DuplexStream, ring: ps.RingBuffer, loop: bool) -> None:
    assert not loop
    ring.write(bytes(800))


# ---- while a run is started ----


@pytest.mark.parametrize(
    ("late", "source"),
    [("reader", bytes(800)), ("writer", bytes(800)), ("pastream function", fill), ("pastream watcher", fill)],
)
def test_an_abort_waits_for_a_thread_that_is_only_being_started(
    duplex: ps.DuplexStream, monkeypatch: pytest.MonkeyPatch, late: str, source: Any
) -> None:
    duplex.set_source(source)
    duplex.set_sink(bytearray(800))
    started: list[threading.Thread] = []
    is_starting = threading.Event()
    start = threading.Thread.start

    def start_late(thread: threading.Thread) -> None:
        if thread.name == late:
            started.append(thread)
            is_starting.set()
            time.sleep(0.2)
        start(thread)

    was_over: list[bool] = []

    def abort() -> None:
        assert is_starting.wait(10)
        duplex.abort()
        was_over.append(started[0].ident is not None and (late == "pastream watcher" or not started[0].is_alive()))

    monkeypatch.setattr(threading.Thread, "start", start_late)
    aborting = in_a_thread(abort)
    duplex.start()
    aborting.join(10)
    assert was_over == [True]


class Refusal:
    """Lets the system start all threads but one."""

    def __init__(self, patch: pytest.MonkeyPatch, which: int, error: BaseException) -> None:
        name = "_start_joinable_thread" if hasattr(threading, "_start_joinable_thread") else "_start_new_thread"
        self._start = getattr(threading, name)
        self._which, self._error = which, error
        self._asked = 0
        patch.setattr(threading, name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._asked += 1
        if self._asked == self._which:
            raise self._error
        return self._start(*args, **kwargs)


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), KeyboardInterrupt()])
@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_run_whose_threads_cannot_all_be_started_never_begins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException, which: int
) -> None:
    called: list[str] = []
    make_noise(tmp_path / "in.wav", 100)
    with (
        ps.DuplexStream(FAST, dtype="int32", finished_callback=lambda: called.append("finished")) as stream,
        soundfile.SoundFile(tmp_path / "in.wav") as file,
    ):
        stream.set_source(file)
        stream.set_sink(lambda _stream, _ring: called.append("sink"))
        with monkeypatch.context() as patch:
            Refusal(patch, which, error)
            with pytest.raises(PastreamError if isinstance(error, RuntimeError) else KeyboardInterrupt):
                stream.start()
        stream.stop()
        assert stream.wait(0)
        assert (called, file.tell()) == ([], 0)
        stream.play(file, blocking=True)
        assert (stream.frame_count, file.tell()) == (100, 100)


def test_a_virtual_device_that_cannot_be_started_says_so(
    duplex: ps.DuplexStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        Refusal(patch, 4, RuntimeError("can't start new thread"))
        with pytest.raises(DeviceError, match="cannot start the virtual device: "):
            duplex.record(100)
    assert duplex.record(100, blocking=True).shape == (100, 2)


def test_an_end_that_cannot_be_connected_lets_go_of_the_other_one(duplex: ps.DuplexStream, tmp_path: Path) -> None:
    memory = bytearray(800)
    duplex.set_source(memory)
    with duplex.to_file(str(tmp_path / "out.wav")) as file:
        duplex.set_sink(file)
        duplex.rxmapping.append(1)
        with pytest.raises(ValueError, match="rxmapping"):
            duplex.start()
    memory.append(0)
    assert not any(path.name == "out.wav" for path in open_files())


def test_a_start_that_is_refused_leaves_a_file_where_it_stands(duplex: ps.DuplexStream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 100)
    with soundfile.SoundFile(tmp_path / "in.wav") as file:
        duplex.play(file, blocking=True)
        duplex.set_source(file)
        duplex.set_sink(bytearray(800))
        for broken in (duplex.rxmapping, duplex.txmapping):
            file.seek(10)
            broken.append(1)
            with pytest.raises(ValueError, match="mapping"):
                duplex.start()
            assert file.tell() == 10


# ---- files ----


class SlowAtTheEnd(io.BytesIO):
    """A file in which whoever ends a run is held up."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.is_reached, self.may_go_on = threading.Event(), threading.Event()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if threading.current_thread().name == "pastream watcher":
            self.is_reached.set()
            self.may_go_on.wait(10)
        return super().seek(offset, whence)


@pytest.mark.parametrize("is_source", [True, False])
def test_a_file_is_not_closed_before_a_run_has_used_it_for_the_last_time(is_source: bool, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav")
    memory = SlowAtTheEnd((tmp_path / "in.wav").read_bytes())
    with ps.DuplexStream("virtual", blocksize=64) as stream:
        file = soundfile.SoundFile(memory, "r" if is_source else "r+")
        stream.play(file) if is_source else stream.record(out=file)
        ending = in_a_thread(stream.stop)
        assert memory.is_reached.wait(10)
        closing = in_a_thread(file.close)
        closing.join(0.2)
        assert closing.is_alive()
        assert not file.closed
        memory.may_go_on.set()
        closing.join(10)
        ending.join(10)
        assert stream.finished
        assert file.closed


def test_a_function_may_close_the_file_at_the_other_end(tmp_path: Path) -> None:
    with ps.DuplexStream("virtual", blocksize=64) as stream:
        file = stream.to_file(str(tmp_path / "out.wav"))

        def close(stream: ps.DuplexStream, ring: ps.RingBuffer, loop: bool) -> None:
            assert not loop
            while stream.frame_count < 1000:
                ring.write(bytes(8 * 64))
            file.close()

        stream.set_source(close)
        stream.set_sink(file)
        stream.start()
        assert stream.wait(10)
        assert file.closed
        assert soundfile.info(tmp_path / "out.wav").frames >= 1000


def test_a_file_that_one_stream_uses_is_refused_by_another(tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav")
    with (
        soundfile.SoundFile(tmp_path / "in.wav") as file,
        ps.OutputStream("virtual") as first,
        ps.OutputStream("virtual") as second,
    ):
        first.play(file)
        with pytest.raises(ValueError, match="a stream uses it"):
            second.play(file)
        assert first.active
        file.close()
        assert first.finished
        assert file.closed


def test_what_a_stuck_pipe_holds_is_neither_closed_nor_used_again(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        file = soundfile.SoundFile(tmp_path / "pipe", "w", RATE, 2, "FLOAT", format="RAW")
        stream = ps.InputStream("virtual:sine", blocksize=64)
        stream.record(out=file)
        wait_until(lambda: stream.frame_count > 20_000, "more than the pipe takes")
        with pytest.raises(FileError, match="takes or gives no more data"):
            stream.stop()
        file.close()
        assert not file.closed
        with pytest.raises(PastreamError, match="last run"):
            stream.record(100)
        stream.close()
    finally:
        os.close(reader)
    wait_until(lambda: not any(thread.name == "writer" for thread in threading.enumerate()), "the writer to end")


def test_a_callback_that_fails_does_not_keep_a_function_from_closing_the_stream() -> None:
    def fail() -> None:
        raise KeyError("callback")

    stream = ps.InputStream("virtual", finished_callback=fail)
    stream.set_sink(lambda stream, _ring: stream.close())
    stream.start()
    with pytest.raises(KeyError, match="callback"):
        stream.wait(10)
    assert stream._gate.is_closed
