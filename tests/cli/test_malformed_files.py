"""Sound files that disks, networks and strangers have spoiled are played or refused, and harm nothing."""

from __future__ import annotations

import fcntl
import os
import random
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pastream_cli.engine.files.encoded import open_encoded
from pastream_cli.engine.files.voc_blocks import MOST_BLOCKS
from pastream_cli.errors import ExitCode, FileError
from tests.explanations import explanation
from tests.forks import Forks
from tests.runner import Pastream
from tests.sounds import RATE, assert_same, make_noise, read

MOST_MEMORY_BYTES = 2**31
MOST_FILE_BYTES = 2**28
MOST_PIPE_BYTES = 2**20
"""What a pipe may hold for those who are not root."""

FRAMES = 3000

KINDS = (
    *(("wav", encoding) for encoding in ("PCM_16", "PCM_24", "FLOAT", "PCM_U8", "IMA_ADPCM", "MS_ADPCM", "GSM610")),
    *(("au", encoding) for encoding in ("PCM_16", "DOUBLE", "ULAW", "G721_32")),
    *(("aiff", encoding) for encoding in ("PCM_24", "FLOAT", "IMA_ADPCM", "DWVW_16")),
    *(("caf", encoding) for encoding in ("PCM_16", "FLOAT", "ALAC_24", "ALAW")),
    *(("flac", encoding) for encoding in ("PCM_16", "PCM_24")),
    *(("w64", encoding) for encoding in ("PCM_16", "FLOAT")),
    *(("rf64", encoding) for encoding in ("PCM_16", "PCM_32")),
    ("voc", "PCM_16"),
    ("ogg", "VORBIS"),
    ("opus", "OPUS"),
    ("mp3", "MPEG_LAYER_III"),
)
TYPE_OF_SUFFIX = {"opus": "OGG"}
MONO_ENCODINGS = {"DWVW_16", "G721_32", "GSM610"}

HEADER_BYTES = 200
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
FORMATS_OF_FIELDS = (">I", "<I", ">H", "<H")
CHUNKS = (b"RIFF", b"RF64", b"ds64", b"fmt ", b"data", b"fact", b"COMM", b"SSND", b"FORM", b"desc", b"kuki", b"pakt")

Mutation = Callable[[random.Random, bytes], bytes]


def flip_bits(rng: random.Random, content: bytes, end: int | None = None) -> bytes:
    """Flip some bits, up to `end`."""
    flipped = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5, 50))):
        flipped[rng.randrange(min(len(flipped), end or len(flipped)))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def truncate(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.choice((rng.randrange(len(content)), rng.randrange(min(100, len(content))), -1))]


def set_a_field(rng: random.Random, content: bytes, offset: int | None = None) -> bytes:
    """Set a number somewhere in the header, or at an offset, to an extreme."""
    form = rng.choice(FORMATS_OF_FIELDS)
    field = struct.pack(form, rng.choice(EXTREMES) & (1 << 8 * struct.calcsize(form)) - 1)
    if offset is None:
        offset = rng.randrange(min(HEADER_BYTES, len(content)))
    return content[:offset] + field + content[offset + len(field) :]


def set_a_chunk_size(rng: random.Random, content: bytes) -> bytes:
    """Set the size of a chunk that is there to an extreme."""
    offsets = [content.find(chunk) for chunk in CHUNKS if chunk in content]
    return set_a_field(rng, content, rng.choice(offsets) + 4 if offsets else None)


def repeat_a_range(rng: random.Random, content: bytes) -> bytes:
    start, end = sorted(rng.sample(range(len(content) + 1), 2))
    return content[:end] + content[start:end] * rng.choice((1, 1, 10)) + content[end:]


def remove_a_range(rng: random.Random, content: bytes) -> bytes:
    start, end = sorted(rng.sample(range(len(content) + 1), 2))
    return content[:start] + content[rng.choice((end, min(end, start + 4))) :]


def concatenate(rng: random.Random, content: bytes) -> bytes:
    return rng.choice((content + content, content + content[: rng.randrange(len(content))], content[::-1] + content))


def fill_with_noise(rng: random.Random, content: bytes) -> bytes:
    """Keep the beginning, and put noise or one value in the place of the rest."""
    start = rng.randrange(min(2 * HEADER_BYTES, len(content)))
    rest = len(content) - start
    return content[:start] + rng.choice((rng.randbytes(rest), bytes(rest), b"\xff" * rest))


def leave_the_length_open(rng: random.Random, content: bytes) -> bytes:
    """Give the samples the length that a recorder leaves that is killed, or knows none."""
    if content.startswith(b".snd"):
        return set_a_field(rng, content, 8)
    place = content.find(b"data") + 4
    size = 8 if content.startswith(b"caff") else 4
    return content[:place] + rng.choice((bytes(size), b"\xff" * size, b"\0\xf0\xff\x7f")) + content[place + size :]


def put_something_behind(rng: random.Random, content: bytes) -> bytes:
    """Let tags, chunks, zeros or another file follow."""
    chunk = struct.pack("<4sI", rng.choice((b"LIST", b"id3 ", b"what")), rng.choice((0, 5, 100, 2**31)))
    return content + rng.choice((b"TAG" + bytes(125), b"ID3\4", bytes(5000), chunk, chunk + bytes(100), content, b"\0"))


def put_a_chunk_before_the_samples(rng: random.Random, content: bytes) -> bytes:
    """Put in a chunk that libsndfile may not like, which need not have a pad byte."""
    place = max(12, content.find(b"data"))
    body = rng.randbytes(rng.choice((0, 1, 5, 16, 99)))
    name = rng.choice((b"LIST", b"PEAK", b"JUNK", b"bext", b"ds64", b"data", b"\0\0\0\0"))
    return content[:place] + struct.pack("<4sI", name, len(body)) + body + content[place:]


def put_24_bits_in_four_bytes(_rng: random.Random, content: bytes) -> bytes:
    """Say that the samples of a WAV have 24 bits in four bytes each."""
    place = content.find(b"fmt ") + 20
    return content[:place] + struct.pack("<HH", 8, 24) + content[place + 4 :]


MUTATIONS: tuple[Mutation, ...] = (
    leave_the_length_open,
    put_something_behind,
    put_a_chunk_before_the_samples,
    put_24_bits_in_four_bytes,
    flip_bits,
    partial(flip_bits, end=HEADER_BYTES),
    truncate,
    set_a_field,
    set_a_field,
    set_a_chunk_size,
    repeat_a_range,
    remove_a_range,
    concatenate,
    fill_with_noise,
)


def make_whole(path: Path, encoding: str) -> bytes:
    """Write a short file of noise, and return its bytes."""
    channels = 1 if encoding in MONO_ENCODINGS else 2
    noise = np.random.default_rng(0).uniform(-1, 1, (FRAMES, channels))
    soundfile.write(path, noise, RATE, subtype=encoding, format=TYPE_OF_SUFFIX.get(path.suffix[1:]))
    return path.read_bytes()


def spoil(content: bytes, seed: str) -> bytes:
    """Mutate a file once or a few times, never to nothing."""
    rng = random.Random(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = rng.choice(MUTATIONS)(rng, content) or b"R"
    return content


@contextmanager
def pipe_of(content: bytes) -> Iterator[str]:
    """Give a pipe, as a path, from which all of this can be read; it never blocks (Linux)."""
    reading, writing = os.pipe()
    try:
        try:
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, MOST_PIPE_BYTES)
            os.write(writing, content[:MOST_PIPE_BYTES])
        finally:
            os.close(writing)
        yield f"/proc/{os.getpid()}/fd/{reading}"
    finally:
        os.close(reading)


@pytest.mark.parametrize(("suffix", "encoding"), KINDS)
def test_a_spoiled_file_is_played_or_refused_in_one_line(
    forks: Forks, tmp_path: Path, campaign: Callable[[int], int], suffix: str, encoding: str
) -> None:
    whole = make_whole(tmp_path / f"whole.{suffix}", encoding)
    spoiled = tmp_path / f"in.{suffix}"
    for number in range(campaign(20)):
        content = spoil(whole, f"{suffix} {encoding} {number}")
        spoiled.write_bytes(content)
        for source, output in ((spoiled.name, "null"), (spoiled.name, "out.wav"), ("-", "out.wav")):
            with pipe_of(content) as pipe:
                result = forks(
                    *(source, output, "-y", "-D", "virtual:fast"),
                    cwd=tmp_path,
                    stdin=pipe,
                    memory=MOST_MEMORY_BYTES,
                    file_size=MOST_FILE_BYTES,
                )
            assert result.returncode in {ExitCode.COMPLETE, ExitCode.FILE}, f"file {number}: {result}"
            assert bool(explanation(result.stderr)) == (result.returncode != 0), f"file {number}: {result}"
            assert spoiled.read_bytes() == content


def test_a_flac_that_does_not_say_how_long_it_is_is_played_to_its_end(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "whole.flac", FRAMES)
    content = bytearray((tmp_path / "whole.flac").read_bytes())
    content[21:26] = content[21] & 0xF0, 0, 0, 0, 0  # the number of frames: 0 stands for not known
    (tmp_path / "in.flac").write_bytes(content)
    result = pastream("in.flac", "out.wav", "-D", "virtual:fast", "-p", "100s")
    assert result.returncode == 0, result.stderr
    assert "until the input ends" in result.stderr
    assert "warning" not in result.stderr
    recording = read(tmp_path / "out.wav")
    assert_same(recording[:FRAMES], source)
    assert len(recording) == FRAMES + 100


@pytest.mark.parametrize("suffix", ["wav", "au", "flac", "ogg", "mp3", "aiff", "caf", "raw", "vox", "gsm", "txt"])
def test_what_has_no_header_is_not_played_by_its_name(pastream: Pastream, tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"in.{suffix}").write_text("This is no sound.\n" * 1000)
    result = pastream(f"in.{suffix}", "-D", "virtual:fast")
    assert result.returncode in {ExitCode.USAGE, ExitCode.FILE}, result.stderr


# ---- lengths that lead nowhere ----


@pytest.mark.parametrize("size", [-12, -13, -1, 0, -(2**63), 2**63 - 1])
def test_a_chunk_of_a_caf_whose_size_leads_nowhere_is_refused(forks: Forks, tmp_path: Path, size: int) -> None:
    (tmp_path / "in.caf").write_bytes(b"caff\0\1\0\0" + struct.pack(">4sq", b"free", size) + bytes(5000))
    result = forks("in.caf", "-D", "virtual:fast", cwd=tmp_path)
    assert result.returncode == ExitCode.FILE, result
    assert explanation(result.stderr)


SILENT_FRAMES = 50


def make_quiet_mp3(path: Path, bit_rate_code: int, index: bytes, frame_bytes: int) -> None:
    """Write an MP3 of MPEG 2 at 24 kHz, mono, with an index in a frame as small as its others."""
    header = bytes((0xFF, 0xF3, bit_rate_code << 4 | 4, 0xC0))
    first = (header + bytes(9) + index)[:frame_bytes].ljust(frame_bytes, b"\0")
    path.write_bytes(first + header.ljust(frame_bytes, b"\0") * SILENT_FRAMES)


@pytest.mark.parametrize(("bit_rate_code", "frame_bytes"), [(1, 24), (2, 48), (6, 144), (7, 168)])
@pytest.mark.parametrize("said", [SILENT_FRAMES, 2 * SILENT_FRAMES])
def test_an_index_of_an_mp3_in_a_small_frame_is_no_fault(
    forks: Forks, tmp_path: Path, bit_rate_code: int, frame_bytes: int, said: int
) -> None:
    index = struct.pack(">4sII", b"Xing", 1, said)
    make_quiet_mp3(tmp_path / "in.mp3", bit_rate_code, index, frame_bytes)
    result = forks("in.mp3", "out.wav", "-D", "virtual:fast", cwd=tmp_path)
    assert result.returncode == 0, result
    assert soundfile.info(tmp_path / "out.wav").frames == SILENT_FRAMES * 576 - 529
    told = "in.mp3 was cut off: it has 28 271 of its 57 071 frames" in result.stderr
    assert told == (said > SILENT_FRAMES and frame_bytes > 24), result.stderr


def voc_block(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + len(content).to_bytes(3, "little") + content


VOC_FIRST = b"Creative Voice File\x1a" + struct.pack("<HHH", 26, 0x114, 0x1129 - 0x114 + 0x1234 & 0xFFFF)
VOC_SOUND = struct.pack("<IBBH4x", RATE, 16, 1, 4)


@pytest.mark.parametrize("length", [20, 21, 22, 25, 26, 29, 30, 41, 42])
def test_a_voc_that_ends_in_its_header_is_played_or_refused(forks: Forks, tmp_path: Path, length: int) -> None:
    (tmp_path / "in.voc").write_bytes((VOC_FIRST + voc_block(9, VOC_SOUND))[:length])
    result = forks("in.voc", "-D", "virtual:fast", cwd=tmp_path)
    assert bool(explanation(result.stderr)) == (result.returncode != 0), result


def test_blocks_of_a_voc_without_samples_are_none(forks: Forks, tmp_path: Path) -> None:
    sound = np.arange(1, 101, dtype="<i2").tobytes()
    blocks = (voc_block(9, VOC_SOUND + sound), voc_block(9, bytes(5)), voc_block(2, b"") * 3, voc_block(2, sound))
    (tmp_path / "in.voc").write_bytes(VOC_FIRST + b"".join(blocks) + b"\0")
    result = forks("in.voc", "out.wav", "-D", "virtual:fast", cwd=tmp_path)
    assert result.returncode == 0, result
    assert soundfile.read(tmp_path / "out.wav", dtype="int16")[0].tobytes() == 2 * sound


def test_a_voc_of_countless_blocks_is_played_as_far_as_they_are_looked_at(forks: Forks, tmp_path: Path) -> None:
    sound = np.arange(1, 101, dtype="<i2").tobytes()
    blocks = voc_block(9, VOC_SOUND + sound) + voc_block(2, b"") * MOST_BLOCKS + voc_block(2, sound)
    (tmp_path / "in.voc").write_bytes(VOC_FIRST + blocks)
    result = forks("in.voc", "out.wav", "-D", "virtual:fast", cwd=tmp_path)
    assert result.returncode == 0, result
    assert "in.voc has more than 262 144 blocks: what follows them is not played" in result.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == 100


def test_what_cannot_be_read_is_told_and_closed(tmp_path: Path) -> None:
    (tmp_path / "in.mp3").write_bytes(bytes(1000))
    descriptor = os.open(tmp_path / "in.mp3", os.O_WRONLY)
    with pytest.raises(FileError, match=r"cannot open in\.mp3: Bad file descriptor"):
        open_encoded(descriptor, "in.mp3", print)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
