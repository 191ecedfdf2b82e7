"""The follower of WAVs: what it sends of a stream is the samples of each WAV, and nothing that is around them."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st

from pastream_cli.engine.files import wav_stream
from pastream_cli.engine.files.head import StreamFormat
from pastream_cli.engine.files.raw import raw_number
from pastream_cli.engine.files.sample_range import frame_bytes_of
from pastream_cli.engine.native import ffi
from tests.pipes import fed

BYTES = StreamFormat("WAV", "PCM_U8", "LITTLE", 8000, 1)
TAGS = {"PCM_U8": (1, 8), "PCM_16": (1, 16), "PCM_24": (1, 24), "FLOAT": (3, 32), "ULAW": (7, 8)}
FORMATS = [
    *(StreamFormat("WAV", encoding, "LITTLE", rate, 2) for encoding in TAGS for rate in (44100, 48000)),
    StreamFormat("WAV", "PCM_16", "BIG", 44100, 1),
    StreamFormat("WAV", "PCM_24", "LITTLE", 48000, 2, is_24_in_32=True),
]
PARTS = st.integers(1, 600)


class Link(NamedTuple):
    """What came of a WAV: libsndfile's number for its samples, and what the follower says of them."""

    raw_format: int
    channels: int
    rate: int
    promised_frames: int
    samples: bytes | None


def followed(data: bytes, first: StreamFormat, parts: int = 1 << 16) -> tuple[bytes, list[Link]]:
    """Return the samples of the first WAV, whose header is not in the data, and the links that follow it."""
    pipe, messages = wav_stream.follow(fed(data, parts), first)
    samples = read_all(pipe)
    links = []
    message = ffi.new("struct link_message *")
    while some := os.read(messages, len(ffi.buffer(message))):
        ffi.buffer(message)[:] = some
        content = read_all(message.descriptor) if message.descriptor >= 0 else None
        links.append(Link(message.raw_format, message.channels, message.rate, message.promised_frames, content))
    os.close(messages)
    return samples, links


def read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def sent(data: bytes, stated: int, trailer: int, parts: int = 1 << 16) -> bytes:
    """Return what is sent of a stream of bytes whose header states these lengths."""
    samples, links = followed(data, BYTES._replace(stated_bytes=stated, trailer_bytes=trailer), parts)
    assert not links
    return samples


def chunk(name: bytes, body: bytes, order: str = "<", *, has_pad: bool = True) -> bytes:
    return struct.pack(f"{order}4sI", name, len(body)) + body + b"\0" * (len(body) % 2 if has_pad else 0)


def wav(form: StreamFormat, samples: bytes, stated: int, before: bytes = b"", behind: bytes = b"") -> bytes:
    order, magic = ("<", b"RIFF") if form.endian == "LITTLE" else (">", b"RIFX")
    tag, bits = TAGS[form.encoding]
    size = frame_bytes_of(form)
    fields = struct.pack(f"{order}HHIIHH", tag, form.channels, form.rate, form.rate * size, size, bits)
    front = b"WAVE" + before + chunk(b"fmt ", fields, order) + struct.pack(f"{order}4sI", b"data", stated)
    length = min(0xFFFFFFFF, len(front) + stated + stated % 2 + len(behind))
    return (
        magic
        + struct.pack(f"{order}I", length)
        + front
        + samples
        + b"\0" * (stated == len(samples) and stated % 2)
        + behind
    )


@given(stated=st.integers(1, 500), parts=PARTS, body=st.binary(max_size=99), has_pad=st.booleans())
def test_chunks_behind_the_samples_are_left_out(stated: int, parts: int, body: bytes, has_pad: bool) -> None:
    samples = bytes(range(256)) * 2
    trailer = b"\0" * (stated % 2 if has_pad else 0) + chunk(b"what", body) + chunk(b"id3 ", body)
    assert sent(samples[:stated] + trailer, stated, len(trailer), parts) == samples[:stated]


@given(stated=st.integers(0, 500), parts=PARTS, kind=st.sampled_from([b"TAG", b"ID3", b"APETAGEX", b"LIST", b"id3 "]))
def test_tags_and_known_chunks_are_left_out_though_no_length_covers_them(stated: int, parts: int, kind: bytes) -> None:
    assert sent(bytes(stated) + kind + bytes(100), stated, 0, parts) == bytes(stated)


@given(stated=st.integers(0, 500), parts=PARTS, more=st.binary(min_size=2, max_size=300))
def test_what_is_nothing_known_behind_the_length_is_sound(stated: int, parts: int, more: bytes) -> None:
    assume(not more[stated % 2 : stated % 2 + 3].isascii())
    assert sent(bytes(stated) + more, stated, len(more), parts) == bytes(stated) + more


def test_the_pad_byte_is_no_sound() -> None:
    assert sent(b"odd\0", 3, 1) == b"odd"
    assert sent(b"odd", 3, 0) == b"odd"


@given(samples=st.lists(st.binary(min_size=4, max_size=4), max_size=300), parts=PARTS, trailer=st.sampled_from([0, 12]))
def test_of_24_bits_in_four_bytes_every_fourth_is_left_out(samples: list[bytes], parts: int, trailer: int) -> None:
    data = b"".join(samples)
    form = FORMATS[-1]._replace(stated_bytes=len(data), trailer_bytes=trailer)
    received, _ = followed(data + chunk(b"LIST", b"text")[:trailer], form, parts)
    assert received == b"".join(sample[:3] for sample in samples)


SOUNDS = st.lists(
    st.tuples(
        st.sampled_from(FORMATS),
        st.integers(0, 40),
        st.sampled_from(["true", "open", "none"]),
        st.sampled_from([b"", chunk(b"bext", b"odd", has_pad=False), chunk(b"LIST", b"INFO" * 9)]),
        st.sampled_from([b"", chunk(b"LIST", b"INFO" + bytes(9)), b"TAG" + bytes(125)]),
    ),
    min_size=2,
    max_size=5,
)


@given(sounds=SOUNDS, parts=PARTS, seed=st.binary(min_size=1, max_size=9))
def test_each_wav_that_is_joined_is_a_link_without_what_is_around_it(
    sounds: list[tuple[StreamFormat, int, str, bytes, bytes]], parts: int, seed: bytes
) -> None:
    data, expected = b"", []
    for form, frames, length, before, behind in sounds:
        samples = (b"\xfe" + seed * 700)[: frames * frame_bytes_of(form)]
        stated = {"true": len(samples), "open": 0xFFFFFFFF, "none": 0}[length]
        if form.endian == "BIG":
            before = behind = b""  # noqa: PLW2901 - those above are little-endian
        behind = behind if length == "true" else b""  # noqa: PLW2901 - else nothing tells it from sound
        data += wav(form, samples, stated, before, behind)
        number = raw_number(form.encoding, form.endian)
        promised = {"true": frames, "open": -1, "none": 0}[length]
        if form.is_24_in_32:
            samples = b"".join(samples[i : i + 3] for i in range(0, len(samples), 4))
        expected.append(Link(number, form.channels, form.rate, promised, samples))
    received, links = followed(b"?" + data, BYTES._replace(stated_bytes=0), parts)
    assert (received, links) == (b"?", expected)


def test_a_wav_that_needs_a_decoder_or_makes_no_sense_is_a_link_without_samples() -> None:
    fields = struct.pack("<HHIIHH", 2, 1, 8000, 4000, 256, 4)
    adpcm = b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", fields) + chunk(b"data", bytes(300))
    other_fields = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 2, 8000, 0, 0, 0))
    contradicted = wav(BYTES, b"no sound", 8).replace(b"data", other_fields + b"data")
    senseless = b"RIFF\0\0\0\0WAVE" + struct.pack("<4sI", b"JUNK", 2**31)
    whole = wav(BYTES, b"whole", 5)
    received, links = followed(b"1" + adpcm + contradicted + senseless + whole, BYTES._replace(stated_bytes=1))
    assert (received, [link.samples for link in links]) == (b"1", [None, None, None, b"whole"])


def test_a_wav_that_was_cut_off_ends_where_the_next_one_begins() -> None:
    promise = BYTES._replace(stated_bytes=1000)
    received, (link,) = followed(b"cut" + wav(BYTES, b"next one", 8)[:-2], promise)
    assert (received, link.samples, link.promised_frames) == (b"cut", b"next o", 8)
