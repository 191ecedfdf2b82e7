"""The library's sources and sinks, in any combination: what is played is what is recorded, frame for frame."""

from __future__ import annotations

import array
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pastream_cli import engine as ps
from pastream_cli.errors import FileError
from tests.library_ends import FAST, FRAMES, drain, fill
from tests.sounds import RATE, assert_same, make_noise, read

# ---- memory ----


@pytest.mark.parametrize("dtype", ["float32", "int32", "int16", "int8", "uint8"])
def test_an_array_of_each_type_comes_back_as_it_is(dtype: Any) -> None:
    numbers = np.random.default_rng(2).integers(-100, 100, (FRAMES, 3))
    source = (numbers / 128).astype(dtype) if dtype == "float32" else (numbers & 0x7F).astype(dtype)
    with ps.DuplexStream(device=FAST, channels=3, dtype=dtype) as stream:
        recorded = stream.playrec(source, blocking=True)
    assert recorded.dtype == dtype
    assert np.array_equal(recorded, source)


def test_packed_24_bit_frames_come_back_as_bytes() -> None:
    source = np.random.default_rng(3).integers(0, 256, FRAMES * 6, "uint8").tobytes()
    with ps.DuplexStream(device=FAST, dtype="int24") as stream:
        recorded = stream.playrec(source, blocking=True)
        assert stream.samplesize == (3, 3)
        assert isinstance(recorded, bytearray)
        assert recorded == source
        assert b"".join(bytes(chunk) for chunk in stream.chunks(777, playback=source, pad=0)) == source


def test_int32_and_float32_are_converted_for_a_stream_of_another_type() -> None:
    source = np.random.default_rng(4).integers(-(2**23), 2**23, (FRAMES, 2), "int32") << 8
    with ps.DuplexStream(device=FAST, dtype="int24") as stream:
        as_integers, as_floats = np.zeros_like(source), np.zeros((FRAMES, 2), "float32")
        stream.playrec(source, out=as_integers, blocking=True)
        stream.playrec((source / 2**31).astype("float32"), out=as_floats, blocking=True)
    assert np.array_equal(as_integers, source)
    assert np.array_equal(as_floats, (source / 2**31).astype("float32"))


def test_plain_bytes_are_frames_as_the_device_has_them(stream: ps.DuplexStream, noise: Any) -> None:
    recorded = bytearray(noise.nbytes)
    for source in (noise.tobytes(), bytearray(noise.tobytes()), memoryview(noise), array.array("i", noise.tobytes())):
        recorded[:] = bytes(len(recorded))
        assert stream.playrec(source, out=recorded, blocking=True) is recorded
        assert recorded == noise.tobytes()
    recorded.append(0)  # the stream has let go of it


def test_a_source_may_have_gaps_in_memory_and_a_sink_may_not(stream: ps.DuplexStream, noise: Any) -> None:
    recorded = stream.playrec(noise[::2], blocking=True)
    assert np.array_equal(recorded, noise[::2])
    with pytest.raises(ValueError, match="contiguous"):
        stream.record(out=noise[::2])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (bytes(9), ValueError),
        (np.zeros((4, 2), "int64"), TypeError),
        (np.zeros((4, 2), "complex64"), TypeError),
        (np.zeros((4, 2), "bool"), TypeError),
        ([0.5, 0.5], TypeError),
        (np.zeros((2, 2, 2), "int32"), ValueError),
        (np.zeros((4, 3), "int32"), ValueError),
        (12.5, TypeError),
    ],
)
def test_memory_that_does_not_fit_is_refused(stream: ps.DuplexStream, data: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        stream.play(data)
    assert not stream.active


def test_recording_into_what_is_read_only_is_refused(stream: ps.DuplexStream) -> None:
    with pytest.raises(ValueError, match="read-only"):
        stream.record(out=bytes(80))


def test_a_buffer_is_looped_without_a_gap(stream: ps.DuplexStream, noise: Any) -> None:
    recorded = stream.playrec(noise, frames=3 * FRAMES + 10, loop=True, blocking=True)
    assert np.array_equal(recorded, np.concatenate([noise, noise, noise, noise[:10]]))


def test_new_memory_has_one_dimension_only_with_one_channel() -> None:
    with ps.InputStream(device=FAST, channels=1) as stream:
        assert stream.record(100, blocking=True).shape == (100,)
        assert stream.record(100, atleast_2d=True, blocking=True).shape == (100, 1)
        with pytest.raises(ValueError, match="atleast_2d"):
            stream.record(100, atleast_2d=True, out=bytearray(400))


# ---- files ----


@pytest.mark.parametrize("encoding", ["PCM_16", "PCM_24", "PCM_32"])
def test_a_file_is_played_and_recorded_bit_for_bit(stream: ps.DuplexStream, tmp_path: Path, encoding: str) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES, encoding=encoding)
    with (
        soundfile.SoundFile(tmp_path / "in.wav") as infile,
        stream.to_file(str(tmp_path / "out.wav"), subtype=encoding) as outfile,
    ):
        assert stream.playrec(infile, out=outfile, blocking=True) is outfile
        assert len(outfile) == FRAMES
        assert infile.tell() == FRAMES
        assert_same(read(tmp_path / "out.wav"), source)  # its header is up to date before it is closed
    assert_same(read(tmp_path / "out.wav"), source)


def test_a_file_of_the_callers_keeps_the_bits_of_an_encoding_that_the_command_refuses(
    stream: ps.DuplexStream, tmp_path: Path
) -> None:
    quiet = make_noise(tmp_path / "in.wav", FRAMES, encoding="PCM_24").astype("int32") >> 8 & ~0xFF
    soundfile.write(tmp_path / "in.wav", quiet, RATE, subtype="PCM_24")
    with (
        soundfile.SoundFile(tmp_path / "in.wav") as infile,
        stream.to_file(str(tmp_path / "out.caf"), subtype="ALAC_24") as outfile,
    ):
        stream.playrec(infile, out=outfile, blocking=True)
    assert_same(read(tmp_path / "out.caf"), quiet)


def test_a_file_goes_on_from_where_it_stands(stream: ps.DuplexStream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES)
    with soundfile.SoundFile(tmp_path / "in.wav") as infile, stream.to_file(str(tmp_path / "out.wav")) as outfile:
        infile.seek(100)
        stream.playrec(infile, frames=400, out=outfile, blocking=True)
        assert infile.tell() == 500
        stream.playrec(infile, frames=300, out=outfile, blocking=True)
        assert infile.tell() == 800
    assert_same(read(tmp_path / "out.wav"), source[100:800])


def test_a_file_is_looped_without_a_gap(stream: ps.DuplexStream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES)
    with soundfile.SoundFile(tmp_path / "in.wav") as infile:
        recorded = stream.playrec(infile, frames=2 * FRAMES + 7, loop=True, blocking=True)
    assert np.array_equal(recorded, np.concatenate([source, source, source[:7]]))


def test_a_stream_is_opened_to_fit_a_file(tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 100, 3, rate=44100)
    opened = soundfile.SoundFile(tmp_path / "in.wav")
    for file in (str(tmp_path / "in.wav"), opened):
        with ps.OutputStream.from_file(file, device=FAST) as stream:
            assert (stream.samplerate, stream.channels) == (44100, 3)
        with ps.DuplexStream.from_file(file, device=FAST) as stream:
            assert (stream.samplerate, stream.channels) == (44100, (2, 3))
    with ps.InputStream.from_file(opened, device=FAST, channels=1, samplerate=8000) as stream:
        assert (stream.samplerate, stream.channels) == (8000, 1)
        assert not opened.closed
    opened.close()


def test_a_file_that_a_stream_is_opened_to_fit_stays_open_and_where_it_stands(tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", 100, 3, rate=8000)
    with (tmp_path / "in.wav").open("rb") as opened, io.BytesIO(opened.read()) as in_memory:
        opened.seek(0)
        for file in (opened.fileno(), opened, in_memory):
            with ps.OutputStream.from_file(file, device=FAST) as stream:
                assert (stream.samplerate, stream.channels) == (8000, 3)
            assert opened.tell() == in_memory.tell() == 0


@pytest.mark.parametrize(
    ("dtype", "name", "subtype"),
    [
        ("float32", "out.wav", "FLOAT"),
        ("int32", "out.wav", "PCM_32"),
        ("int24", "out.flac", "PCM_24"),
        ("int16", "out.flac", "PCM_16"),
        ("uint8", "out.wav", "PCM_U8"),
        ("int8", "out.aiff", "PCM_S8"),
    ],
)
def test_a_file_is_opened_to_fit_a_stream(tmp_path: Path, dtype: Any, name: str, subtype: str) -> None:
    with ps.InputStream(device=FAST, dtype=dtype, channels=3) as stream:
        stream.rxmapping = [1, 3]
        with stream.to_file(str(tmp_path / name)) as file:
            assert (file.samplerate, file.channels, file.subtype, file.mode) == (RATE, 2, subtype, "w")


def test_a_type_that_no_subtype_holds_has_to_be_chosen(tmp_path: Path) -> None:
    with ps.InputStream(device=FAST) as stream:
        with pytest.raises(TypeError, match="subtype"):
            stream.to_file(str(tmp_path / "out.flac"))
        stream.to_file(str(tmp_path / "out.flac"), subtype="PCM_16").close()
        with stream.to_file(str(tmp_path / "out.x"), "w+", format="WAV", samplerate=8000, channels=5) as file:
            assert (file.mode, file.samplerate, file.channels, file.subtype) == ("w+", 8000, 5, "FLOAT")
        with stream.to_file(io.BytesIO(), format="RAW", subtype="PCM_16", endian="BIG") as file:
            assert (file.format, file.endian) == ("RAW", "BIG")


def test_a_file_that_does_not_fit_is_refused(stream: ps.DuplexStream, tmp_path: Path) -> None:
    make_noise(tmp_path / "slow.wav", 100, rate=8000)
    make_noise(tmp_path / "three.wav", 100, 3)
    with soundfile.SoundFile(tmp_path / "slow.wav") as file, pytest.raises(ValueError, match="8000"):
        stream.play(file)
    with soundfile.SoundFile(tmp_path / "three.wav") as file:
        for source in (file, tmp_path / "three.wav"):
            with pytest.raises(ValueError, match="the source has 3 channels and the stream plays 2: set txmapping"):
                stream.play(source)
        with pytest.raises(ValueError, match="not open for writing"):
            stream.record(10, out=file)
    with pytest.raises(ValueError, match="not open for reading"):
        stream.play(file)
    with soundfile.SoundFile(tmp_path / "out.wav", "w", RATE, 3) as file, pytest.raises(ValueError, match="rxmapping"):
        stream.record(10, out=file)


def test_a_file_that_is_closed_while_it_is_used_ends_the_run_first(tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.wav", RATE)
    with ps.DuplexStream(device="virtual", dtype="int32", blocksize=64) as stream:
        with soundfile.SoundFile(tmp_path / "in.wav") as infile, stream.to_file(str(tmp_path / "out.wav")) as outfile:
            stream.playrec(infile, out=outfile)
            while stream.frame_count < 1000:
                time.sleep(0.001)
        assert stream.finished
        assert not stream.aborted
    recorded = read(tmp_path / "out.wav")
    assert 1000 <= len(recorded) < RATE
    assert_same(recorded, source[: len(recorded)])
    assert infile.closed


def test_a_disk_that_is_full_ends_the_stream_with_an_error() -> None:
    with ps.InputStream(device="virtual:noise:fast", dtype="int16") as stream:
        file = soundfile.SoundFile("/dev/full", "w", RATE, 2, format="RAW", subtype="PCM_16")
        with pytest.raises(FileError, match="No space left on device"):
            stream.record(out=file, blocking=True)
        assert stream.aborted


# ---- functions ----


def test_functions_carry_any_number_of_frames(stream: ps.DuplexStream, noise: Any) -> None:
    parts: list[bytes] = []
    source_ring = stream.set_source(fill, args=(noise,), buffersize=1024)
    sink_ring = stream.set_sink(drain, 2048, (parts,), {"word": "end"})
    assert (source_ring.size, sink_ring.size, source_ring.elementsize) == (1024, 2048, 8)
    for _ in range(2):
        parts.clear()
        stream.start()
        stream.wait()
        assert b"".join(parts) == noise.tobytes() + b"end"


def test_a_function_is_told_to_loop(stream: ps.DuplexStream) -> None:
    told: list[Any] = []
    stream.set_source(lambda *args, **kwargs: told.append((args[2:], kwargs)), loop=True, args=(1,), kwargs={"word": 2})
    stream.start()
    stream.wait()
    assert told == [((1,), {"loop": True, "word": 2})]


def test_a_buffersize_that_is_no_power_of_two_is_refused(stream: ps.DuplexStream, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="power of 2"):
        stream.set_source(fill, buffersize=1000)
    make_noise(tmp_path / "in.wav", 10)
    with soundfile.SoundFile(tmp_path / "in.wav") as file, pytest.raises(ValueError, match="power of 2"):
        stream.play(file, buffersize=1000)


def test_a_functions_file_or_buffer_may_be_replaced_between_runs(stream: ps.DuplexStream, noise: Any) -> None:
    for end in (fill, noise, fill):
        recorded = np.zeros_like(noise)
        stream.set_source(end, args=(noise,))
        stream.set_sink(recorded)
        stream.start()
        stream.wait()
        assert np.array_equal(recorded, noise)


# ---- rings of the caller's ----


def test_a_ring_is_played_until_it_runs_empty(stream: ps.DuplexStream, noise: Any) -> None:
    source, sink = ps.RingBuffer(8, 8192), ps.RingBuffer(8, 8192)
    assert stream.set_source(source) is source
    assert stream.set_sink(sink) is sink
    source.write(noise)
    stream.start()
    stream.wait()
    assert bytes(sink.read()) == noise.tobytes()
    assert source.read_available == 0
    stream.start()
    stream.wait()
    assert sink.read_available == 0, "nothing was played, so the stream ended at once"


def test_a_ring_that_runs_empty_before_its_frames_are_played_is_an_error() -> None:
    ring = ps.RingBuffer(8, 8192)
    ring.write(bytes(8 * 1000))
    with ps.OutputStream(device="virtual", blocksize=64) as stream, pytest.raises(ps.BufferEmpty):
        stream.play(ring, frames=2000, blocking=True)


def test_a_ring_may_be_filled_while_it_is_played(noise: Any) -> None:
    ring = ps.RingBuffer(8, 4096)
    with ps.DuplexStream(device="virtual", dtype="int32", blocksize=64) as stream:
        recorded = np.zeros_like(noise)
        rest = memoryview(noise).cast("B")
        rest = rest[ring.write(rest) * 8 :]
        stream.playrec(ring, frames=FRAMES, out=recorded)
        while rest:
            rest = rest[ring.write(rest) * 8 :]
            time.sleep(0.001)
        stream.wait()
    assert np.array_equal(recorded, noise)


def test_a_ring_that_cannot_be_used_is_refused(stream: ps.DuplexStream) -> None:
    with pytest.raises(ValueError, match="frame"):
        stream.set_source(ps.RingBuffer(7, 16))
    with pytest.raises(ValueError, match="loop"):
        stream.set_source(ps.RingBuffer(8, 16), loop=True)
