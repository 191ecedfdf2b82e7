"""Right and wrong uses of the library, as type checkers see them: each wrong one has a comment that expects its report.

Nothing runs this file: `test_typing.py` has mypy and pyright judge it. Both report a comment that is not needed, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

from pastream_cli import engine as ps
from pastream_cli.engine.hints import Frames
from pastream_cli.engine.streams.chunking import Chunks


def opening() -> None:
    ps.InputStream(None, 48000, np.int64(2), np.float32, 0, latency="low", finished_callback=print, clip_off=False)
    ps.OutputStream("virtual", dtype=np.dtype("int16"), latency=0.1, extra_settings=object())
    ps.DuplexStream(device=(1, "virtual"), channels=(1, None), dtype=("int24", "uint8"), latency=("low", 0.2))
    ps.DuplexStream(channels=2, dtype="int32")
    ps.Stream("duplex", channels=(1, 2))
    ps.InputStream(sampelrate=48000)  # type: ignore[call-arg]
    ps.InputStream(channels="two")  # type: ignore[arg-type]
    ps.InputStream(channels=(1, 2))  # type: ignore[arg-type]
    ps.InputStream(dtype="float33")  # type: ignore[arg-type]
    ps.OutputStream(latency="lowest")  # type: ignore[arg-type]
    ps.DuplexStream(finished_callback=3)  # type: ignore[arg-type]
    ps.DuplexStream(channels=(1, 2, 3))  # type: ignore[arg-type]
    ps.Stream("both")  # type: ignore[arg-type]
    ps.InputStream.from_file("take.wav", samplrate=48000)  # type: ignore[call-arg]
    with ps.DuplexStream.from_file("take.wav", device="virtual", channels=1) as stream:
        assert_type(stream, ps.DuplexStream)


def asking(one: ps.InputStream, other: ps.OutputStream, both: ps.DuplexStream, some: ps.Stream) -> None:
    assert_type(one.channels, int)
    assert_type(other.latency, float)
    assert_type(both.channels, tuple[int, int])
    assert_type(both.samplesize, tuple[int, int])
    assert_type(both.device, tuple[int | str, int | str])
    assert_type(some.channels, int | tuple[int, int])
    _ = one.dtype == "float32"
    _ = one.dtype == "float33"  # type: ignore[comparison-overlap]
    _ = one.chanels  # type: ignore[attr-defined]
    one.channels = 2  # type: ignore[assignment]


def recording(stream: ps.InputStream, both: ps.DuplexStream, array: NDArray[np.float32], ring: ps.RingBuffer) -> None:
    assert_type(stream.record(100), Frames)
    assert_type(stream.record(out=array), NDArray[np.float32])
    assert_type(stream.record(100, out=bytearray(400)), bytearray)
    assert_type(both.playrec(array), Frames)
    assert_type(both.playrec(array, out=array), NDArray[np.float32])
    both.playrec(ring, 100, out=ring).flush()
    _ = stream.record(100).shap  # type: ignore[attr-defined]
    stream.record("100")  # type: ignore[call-overload]
    stream.record()  # type: ignore[call-overload]
    stream.record(out=3)  # type: ignore[call-overload]
    both.play(3)  # type: ignore[arg-type]
    both.set_source(ring, buffer_size=3)  # type: ignore[call-arg]
    stream.to_file("take.wav", "r")  # type: ignore[arg-type]


def chunking(stream: ps.InputStream, array: NDArray[np.float32]) -> None:
    assert_type(stream.chunks(100), Chunks[Frames])
    assert_type(stream.chunks(out=bytearray(400)), Chunks[bytearray | memoryview])
    ps.chunks(100, out=array, channels=1)
    ps.chunks(100, chanels=1)  # type: ignore[call-overload]
    ps.chunks(overlap=0.5)  # type: ignore[call-overload]


async def awaiting(stream: ps.InputStream) -> None:
    async for chunk in stream.chunks(100):
        assert_type(chunk, Frames)


def short_cuts(array: NDArray[np.float32]) -> None:
    ps.play(array, 48000, mapping=[2], device="virtual")
    assert_type(ps.rec(100, channels=1), Frames)
    assert_type(ps.playrec(array, out=array), NDArray[np.float32])
    assert_type(ps.query_devices("virtual")["index"], int | None)
    for device in ps.query_devices():
        assert_type(device["name"], str)
    ps.play(array, sampelrate=48000)  # type: ignore[call-arg]
    ps.rec(100, dtype="float33")  # type: ignore[call-overload]
    ps.query_devices(kind="both")  # type: ignore[call-overload]
    _ = ps.query_devices(kind="input")["nmae"]  # type: ignore[typeddict-item]


def ring_buffers(ring: ps.RingBuffer, array: NDArray[np.float32]) -> None:
    assert_type(ring.read(), bytearray)
    ring.write(array)
    ring.readinto(array)
    ring.write("text")  # type: ignore[arg-type]
    ring.advance_read_index(0.5)  # type: ignore[arg-type]
