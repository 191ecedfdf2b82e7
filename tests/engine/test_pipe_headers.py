"""Headers of streams: whatever their lengths say they give the format away, and end at the first sample."""

from __future__ import annotations

import io
import os
import struct
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from pastream_cli.engine.files import headers, relay
from pastream_cli.engine.files.head import Head, HeaderError, StreamFormat, Way
from tests.homes import wait_until
from tests.pipes import fed

SAMPLES = b"the first samples"
LINEAR = {
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    "WAVEX": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    "RF64": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    "AU": ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
}
LENGTHS = st.sampled_from([0, 1, 1000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]) | st.integers(
    0, 2**32 - 1
)


def parse(data: bytes, most: int = 2**16) -> tuple[StreamFormat | Way, bytes]:
    """Return what a stream is found to be, and what is left of it; it comes in parts of so many bytes at most."""
    file = io.BytesIO(data)
    head = Head(lambda count: file.read(min(count, most)))
    found = headers.find_way(head)
    return found, file.read()


def chunk(name: bytes, body: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}4sI", name, len(body)) + body + b"\0" * (len(body) % 2)


def wav_format(tag: int = 1, channels: int = 2, bits: int = 16, rate: int = 48000, order: str = "<") -> bytes:
    frame_bytes = channels * ((bits + 7) // 8)
    return struct.pack(f"{order}HHIIHH", tag, channels, rate, rate * frame_bytes % 2**32, frame_bytes, bits)


def extensible(tag: int, bits: int, tail: str = "000000001000800000aa00389b71") -> bytes:
    guid = struct.pack("<H", tag) + bytes.fromhex(tail)
    return wav_format(0xFFFE, bits=bits) + struct.pack("<HHI", 22, bits, 3) + guid


def wav(*chunks: bytes, length: int = 0xFFFFFFFF, riff_length: int | None = None, magic: bytes = b"RIFF") -> bytes:
    order = ">" if magic == b"RIFX" else "<"
    riff_length = length if riff_length is None else riff_length
    front = struct.pack(f"{order}4sI4s", magic, riff_length, b"WAVE")
    return front + b"".join(chunks) + struct.pack(f"{order}4sI", b"data", length)


# ---- what we write ----


@given(
    file_type=st.sampled_from(["WAV", "RF64"]),
    encoding=st.sampled_from(headers.OWN_ENCODINGS),
    rate=st.integers(1, 2**31 - 1),
    channels=st.integers(1, 1024),
    frames=st.none() | st.integers(0, 2**40),
)
def test_a_header_that_is_written_reads_as_what_was_written(
    file_type: str, encoding: str, rate: int, channels: int, frames: int | None
) -> None:
    header = headers.streaming_header(file_type, encoding, rate, channels, frames)
    found, rest = parse(header + SAMPLES)
    assert isinstance(found, StreamFormat)
    # a pad byte is all that is ever said to follow
    assert found.trailer_bytes in (0, 1)
    assert found[:5] == (file_type, encoding, "LITTLE", rate, channels)
    assert not found.is_24_in_32
    assert rest == SAMPLES


@given(
    encoding=st.sampled_from(["ULAW", "ALAW", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]),
    rate=st.integers(1, 2**31 - 1),
    channels=st.integers(1, 1024),
)
def test_an_au_that_is_written_reads_as_what_was_written(encoding: str, rate: int, channels: int) -> None:
    assert headers.takes("AU", encoding, None)
    header = headers.streaming_header("AU", encoding, rate, channels, None)
    found, rest = parse(header + SAMPLES)
    assert found == StreamFormat("AU", encoding, "BIG", rate, channels)
    assert rest == SAMPLES
    with soundfile.SoundFile(io.BytesIO(header + SAMPLES)) as file:
        assert (file.format, file.subtype, file.samplerate, file.channels) == ("AU", encoding, rate, channels)


@given(encoding=st.sampled_from(headers.OWN_ENCODINGS), channels=st.integers(1, 9), frames=st.integers(0, 2000))
def test_libsndfile_reads_every_frame_of_a_length_that_is_known(encoding: str, channels: int, frames: int) -> None:
    header = headers.streaming_header("WAV", encoding, 44100, channels, frames)
    audio_bytes = frames * channels * {"8": 1, "6": 2, "4": 3, "2": 4, "W": 1, "T": 4, "E": 8}[encoding[-1]]
    pad = b"\0" * (audio_bytes % 2)
    with soundfile.SoundFile(io.BytesIO(header + bytes(audio_bytes) + pad)) as file:
        assert (file.frames, file.channels, file.samplerate, file.subtype) == (frames, channels, 44100, encoding)


@pytest.mark.parametrize(
    ("frames", "length"), [(2**30 - 20, 0xFFFFFFB0), (2**30 - 8, 0xFFFFFFFF), (2**30, 0xFFFFFFFF), (None, 0xFFFFFFFF)]
)
def test_a_wav_of_4_gib_or_more_has_no_length(frames: int | None, length: int) -> None:
    header = headers.streaming_header("WAV", "PCM_16", 48000, 2, frames)
    assert struct.unpack("<I", header[40:]) == (length,)


# ---- what others write ----


@pytest.mark.parametrize(("file_type", "encoding"), [(kind, each) for kind in LINEAR for each in LINEAR[kind]])
@pytest.mark.parametrize("channels", [1, 2, 7])
def test_libsndfiles_headers_are_read_to_the_first_sample(
    tmp_path: Path, file_type: str, encoding: str, channels: int
) -> None:
    path = tmp_path / "file"
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (1001, channels))
    soundfile.write(path, sound, 22050, subtype=encoding, format=file_type)
    found, rest = parse(path.read_bytes())
    assert [parse(path.read_bytes(), most) for most in (1, 5)] == [(found, rest)] * 2
    assert isinstance(found, StreamFormat)
    assert (found.encoding, found.rate, found.channels) == (encoding, 22050, channels)
    raw = io.BytesIO(rest)
    again, _ = soundfile.read(
        raw, format="RAW", samplerate=1, channels=channels, subtype=encoding, endian=found.endian, frames=1001,
        always_2d=True,
    )  # fmt: skip
    np.testing.assert_array_equal(again, soundfile.read(path, always_2d=True)[0])


@given(length=LENGTHS, riff_length=LENGTHS, most=st.integers(1, 100))
def test_no_length_changes_what_a_wav_is(length: int, riff_length: int, most: int) -> None:
    data = wav(chunk(b"fmt ", wav_format()), length=length, riff_length=riff_length)
    found, rest = parse(data + SAMPLES, most)
    assert isinstance(found, StreamFormat)
    assert (found.encoding, found.rate, found.channels, rest) == ("PCM_16", 48000, 2, SAMPLES)


@given(length=LENGTHS, annotation=st.binary(max_size=50), magic=st.sampled_from([b".snd", b"dns."]))
def test_no_length_changes_what_an_au_is(length: int, annotation: bytes, magic: bytes) -> None:
    order = ">" if magic == b".snd" else "<"
    header = struct.pack(f"{order}4sIIIII", magic, 24 + len(annotation), length, 3, 44100, 6)
    found, rest = parse(header + annotation + SAMPLES)
    stated = None if length == 0xFFFFFFFF else length
    assert found == StreamFormat("AU", "PCM_16", "BIG" if order == ">" else "LITTLE", 44100, 6, stated_bytes=stated)
    assert rest == SAMPLES


@given(
    before=st.lists(
        st.tuples(st.sampled_from([b"LIST", b"JUNK", b"fact", b"bext"]), st.binary(max_size=99)), max_size=9
    )
)
def test_chunks_before_the_samples_are_passed_over(before: list[tuple[bytes, bytes]]) -> None:
    chunks = [chunk(name, body) for name, body in before]
    found, rest = parse(wav(*chunks, chunk(b"fmt ", wav_format()), *chunks) + SAMPLES)
    assert isinstance(found, StreamFormat)
    assert rest == SAMPLES


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (extensible(1, 24), "PCM_24"),
        (extensible(3, 32), "FLOAT"),
        (extensible(1, 16, "00002107d3118644c8c1ca000000"), "PCM_16"),
        (wav_format(bits=12), "PCM_16"),
        (wav_format(bits=20), "PCM_24"),
        (wav_format(bits=4), "PCM_U8"),
        (wav_format(7, bits=8) + b"\0\0", "ULAW"),
        # a frame's size that is nonsense, and one that is all there is
        (struct.pack("<HHIIHH", 1, 2, 48000, 0, 0, 24), "PCM_24"),
        (struct.pack("<HHIIHH", 1, 2, 48000, 0, 2, 16), "PCM_16"),
        (struct.pack("<HHIIHH", 1, 2, 48000, 0, 4, 0), "PCM_16"),
    ],
)
def test_the_format_of_a_wav_goes_by_its_bits(body: bytes, encoding: str) -> None:
    found, _ = parse(wav(chunk(b"fmt ", body)))
    assert isinstance(found, StreamFormat)
    assert found.encoding == encoding


def test_a_big_endian_wav_is_read_as_such() -> None:
    data = wav(chunk(b"fmt ", wav_format(order=">"), ">"), magic=b"RIFX", length=0)
    found, rest = parse(data + SAMPLES)
    assert found == StreamFormat("WAV", "PCM_16", "BIG", 48000, 2, stated_bytes=0)
    assert rest == SAMPLES


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_an_rf64_tells_of_chunks_behind_its_samples_in_64_bits(magic: bytes) -> None:
    sizes = struct.pack("<QQQI", 5 * 2**32 + 100, 5 * 2**32, 0, 0)
    data = wav(chunk(b"ds64", sizes), chunk(b"fmt ", wav_format()), magic=magic)
    found, _ = parse(data)
    assert found == StreamFormat("RF64", "PCM_16", "LITTLE", 48000, 2, 108 - len(data), 5 * 2**32)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (wav(), "does not say what its samples are"),
        (wav(chunk(b"fmt ", b"short")), "does not say what its samples are"),
        (wav(chunk(b"fmt ", wav_format(channels=0))), "0 channels"),
        (wav(chunk(b"fmt ", wav_format(channels=1025, bits=8))), "1025 channels"),
        (wav(chunk(b"fmt ", wav_format(rate=0))), "0 Hz"),
        (wav(chunk(b"fmt ", wav_format(rate=2**31))), "2147483648 Hz"),
        (wav(struct.pack("<4sI", b"LIST", 2**24 + 1)), "16777217 bytes"),
        (wav(*[chunk(b"JUNK", b"")] * 1000), "does not end"),
        (wav(*[chunk(b"JUNK", bytes(2**24))] * 4), "does not end"),
        (wav(chunk(b"fmt ", wav_format()))[:-3], "ends too soon"),
        (b"RIFF\0\0\0\0WAVE", "ends too soon"),
        (b".snd\0\0\0", "ends too soon"),
        (struct.pack(">4sIIIII", b".snd", 2**24 + 1, 0, 3, 48000, 2), "16777217 bytes"),
        (struct.pack(">4sIIIII", b".snd", 32, 0, 3, 48000, 2), "ends too soon"),
        (struct.pack(">4sIIIII", b".snd", 24, 0, 3, 48000, 0), "0 channels"),
        (b"ID3\4\0", "ends too soon"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(HeaderError, match=reason):
        parse(data)


@pytest.mark.parametrize(
    ("first", "way"),
    [
        (b"FORM\0\0\0\0AIFF", Way.AS_IT_COMES),
        (b"FORM\0\0\0\0AIFC", Way.AS_IT_COMES),
        (b"FORM\0\0\0\0ILBM", Way.NOT_AT_ALL),
        (b"NIST_1A\n   1024", Way.AS_IT_COMES),
        (b"OggS\0\2" + bytes(22) + b"\1vorbis", Way.AS_OGG),
        (b"OggS\0\2" + bytes(22) + b"\x7fFLAC\1", Way.AS_OGG),
        (b"OggS", Way.AS_OGG),
        (b"\x64\xa3\3\0\0\0\0\0", Way.AS_IT_COMES),
        (b"\0\1\xa3\x64\0\0\0\0", Way.AS_IT_COMES),
        (b"fLaC\0\0\0\x22", Way.AS_FLAC),
        (b"caff\0\1\0\0desc", Way.AS_A_FILE),
        (b"Creative Voice File\x1a", Way.AS_A_FILE),
        (wav(chunk(b"fmt ", wav_format(0x11, bits=4))), Way.AS_A_FILE),
        (wav(chunk(b"fmt ", extensible(1, 16, "00" * 14))), Way.AS_A_FILE),
        (struct.pack(">4sIIIII", b".snd", 24, 0, 23, 8000, 1), Way.AS_A_FILE),
        (b"\xff\xfb\x94\x64" + bytes(60), Way.AS_MP3),
        (b"\xff\xfb\x94\x64" + bytes(32) + b"Info" + bytes(60), Way.AS_MP3),
        (b"ID3\4\0\0\0\0\0\1\0fLaC\0\0\0\x22", Way.AS_FLAC),
        (b"\xff\xfb\xf4\x64" + bytes(60), Way.NOT_AT_ALL),
        (b"ID3\4\0\0\0\0\0\1\0not MPEG", Way.AS_A_FILE),
        (b"RIFF\0\0\0\0AVI ", Way.NOT_AT_ALL),
        (b"a text, no sound", Way.NOT_AT_ALL),
        (bytes(100), Way.NOT_AT_ALL),
        (b"x", Way.NOT_AT_ALL),
        (b"", Way.NOT_AT_ALL),
    ],
)
def test_what_needs_a_decoder_is_told_from_what_is_no_sound(first: bytes, way: Way) -> None:
    assert parse(first)[0] is way
    assert parse(first, most=1)[0] is way


@given(tag_bytes=st.integers(0, 70_000))
def test_the_tag_in_front_of_an_mp3_is_not_put_back(tag_bytes: int) -> None:
    size = bytes(tag_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    data = b"ID3\4\0\0" + size + bytes(tag_bytes) + b"\xff\xfb\x94\x64" + bytes(60)
    file = io.BytesIO(data)
    head = Head(file.read)
    assert headers.find_way(head) is Way.AS_MP3
    assert bytes(head.taken) + file.read() == data[10 + tag_bytes :]


MAGICS = [
    b"RIFF\0\0\0\0WAVE",
    b"RIFX\0\0\0\0WAVE",
    b"RF64\xff\xff\xff\xffWAVE",
    b".snd",
    b"dns.",
    b"OggS",
    b"ID3\4",
    b"\xff\xfb",
]


@given(magic=st.sampled_from(MAGICS) | st.just(b""), rest=st.binary(max_size=400), most=st.integers(1, 500))
def test_any_bytes_at_all_are_read_or_refused(magic: bytes, rest: bytes, most: int) -> None:
    with suppress(HeaderError):
        assert isinstance(parse(magic + rest, most)[0], (StreamFormat, Way))


@given(
    data=st.sampled_from(
        [wav(chunk(b"JUNK", bytes(9)), chunk(b"fmt ", extensible(1, 24)), chunk(b"fact", bytes(4)))]
        + [headers.streaming_header(kind, "FLOAT", 48000, 2, None) for kind in ("WAV", "RF64")]
        + [struct.pack(">4sIIIII", b".snd", 32, 0, 3, 48000, 2) + b"comments"]
    ),
    changes=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4),
    end=st.integers(0, 200),
)
@example(data=wav(chunk(b"fmt ", wav_format())), changes=[(43, 255)], end=200)
def test_a_damaged_header_is_read_or_refused(data: bytes, changes: list[tuple[int, int]], end: int) -> None:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    try:
        found, _ = parse(bytes(damaged[:end]) + SAMPLES)
    except HeaderError:
        return
    if isinstance(found, StreamFormat):
        assert 1 <= found.channels <= 1024
        assert 1 <= found.rate < 2**31
        assert not found.trailer_bytes or found.stated_bytes


# ---- what goes through the pump ----


def pumped(data: bytes, first: bytes = b"", *, parts: int = 1 << 16) -> bytes:
    """Return what comes through a pump that is fed so many bytes at a time."""
    read_end = relay.pump(fed(data, parts), first, closes_source=True)
    with open(read_end, "rb") as file:
        return file.read()


@given(first=st.binary(max_size=300), data=st.binary(max_size=3000), parts=st.integers(1, 1000))
def test_a_pump_puts_the_first_bytes_back_and_loses_none(first: bytes, data: bytes, parts: int) -> None:
    assert pumped(data, first, parts=parts) == first + data


def test_a_pump_passes_on_more_than_a_pipe_holds() -> None:
    data = np.random.default_rng(2).bytes(3_000_001)
    assert pumped(data, data[:200_001]) == data[:200_001] + data


@pytest.mark.parametrize("is_full", [False, True])
def test_a_pump_ends_when_nobody_reads_any_more(is_full: bool) -> None:
    source, feed = os.pipe()
    before = set(threading.enumerate())
    read_end = relay.pump(source, bytes(200_000) if is_full else b"", closes_source=True)
    (thread,) = set(threading.enumerate()) - before
    os.close(read_end)
    wait_until(lambda: not thread.is_alive(), "the end of the pump")
    os.close(feed)


def test_an_empty_stream_comes_out_empty() -> None:
    assert pumped(b"") == b""
