"""Files whose headers say something else than what is there: what is there is played, to the frame, and told."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pastream_cli.units import format_count
from tests.explanations import explanation
from tests.runner import Pastream, Result
from tests.sounds import RATE, Samples, assert_same, make_noise, read

FRAMES = 10_007
FAST = ("-D", "virtual:fast")

Edit = Callable[[bytes], bytes]


def chunk(name: bytes, body: bytes, *, has_pad: bool = True) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2 if has_pad else 0)


def with_length(length: int) -> Edit:
    """Give the length of the samples in the header of a WAV."""

    def edit(content: bytes) -> bytes:
        place = content.index(b"data") + 4
        return content[:place] + struct.pack("<I", length) + content[place + 4 :]

    return edit


def with_au_length(length: int) -> Edit:
    return lambda content: content[:8] + struct.pack(">I", length) + content[12:]


def with_caf_length(length: int) -> Edit:
    def edit(content: bytes) -> bytes:
        place = content.index(b"data") + 4
        return content[:place] + struct.pack(">q", length) + content[place + 8 :]

    return edit


def with_rf64_length(length: int) -> Edit:
    def edit(content: bytes) -> bytes:
        place = content.index(b"ds64") + 16
        return content[:place] + struct.pack("<Q", length) + content[place + 8 :]

    return edit


OPEN = "leaves its length open: 10 007 frames are there, and played"
ZERO = "says 0 frames: 10 007 frames are there, and played"
STALE = "says 1 000 frames: 10 007 frames are there, and played"


def plays(pastream: Pastream, source: Samples, content: bytes, suffix: str, told: str | None) -> Result:
    """Play a file, and the same from a pipe, and compare every frame; the line is of the file."""
    path = pastream.folder / f"in.{suffix}"
    path.write_bytes(content)
    result = pastream(path.name, "out.wav", "-y", *FAST)
    assert result.returncode == 0, result.stderr
    assert_same(read(pastream.folder / "out.wav"), source)
    if told is None:
        assert "warning" not in result.stderr
    else:
        assert f"warning: the header of {path.name} {told}" in result.stderr
    piped = pastream("-", "piped.wav", "-y", *FAST, stdin=content)
    assert piped.returncode == 0, piped.stderr
    assert_same(read(pastream.folder / "piped.wav"), source)
    return result


@pytest.mark.parametrize(
    ("suffix", "edit", "told"),
    [
        ("wav", with_length(0), ZERO),
        ("wav", with_length(4000), STALE),
        ("wav", with_length(0x7FFFF000 - 36), OPEN),
        ("wav", with_length(0x80000000), OPEN),
        ("wav", with_length(0xFFFFFFFF), OPEN),
        ("rf64", with_rf64_length(0), ZERO),
        ("rf64", with_rf64_length(4000), STALE),
        ("rf64", with_rf64_length(2**40), OPEN),
        ("rf64", with_rf64_length(2**64 - 1), OPEN),
        ("au", with_au_length(0), ZERO),
        ("au", with_au_length(4000), STALE),
        ("au", with_au_length(0xFFFFFFFF), OPEN),
        ("caf", with_caf_length(0), ZERO),
        ("caf", with_caf_length(4), ZERO),
        ("caf", with_caf_length(4004), STALE),
        ("caf", with_caf_length(-1), OPEN),
    ],
)
def test_a_length_that_is_not_true_is_told_and_all_is_played(
    pastream: Pastream, tmp_path: Path, suffix: str, edit: Edit, told: str
) -> None:
    source = make_noise(tmp_path / f"in.{suffix}", FRAMES)
    plays(pastream, source, edit((tmp_path / f"in.{suffix}").read_bytes()), suffix, told)


def test_samples_with_an_untrue_length_can_be_looped_and_played_from_standard_input(
    pastream: Pastream, tmp_path: Path
) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES)
    (tmp_path / "in.wav").write_bytes(with_length(0)((tmp_path / "in.wav").read_bytes()))
    with (tmp_path / "in.wav").open("rb") as file:
        result = pastream("-", "out.wav", "--loop", "-d", f"{2 * FRAMES + 5}s", *FAST, stdin=file)
    assert result.returncode == 0, result.stderr
    assert_same(read(tmp_path / "out.wav"), np.concatenate([source, source, source[:5]]))


# ---- what follows a healthy end ----


@pytest.mark.parametrize(
    "trailer",
    [
        chunk(b"LIST", b"INFO" + bytes(40)) + chunk(b"id3 ", b"x" * 999),
        chunk(b"what", bytes(range(100))) + chunk(b"ever", b""),
        b"TAG" + bytes(125),
        b"ID3\4" + os.urandom(500),
        bytes(4096),
        b"\0\1\2",
    ],
    ids=["chunks", "unknown chunks", "ID3v1", "ID3v2", "zeros", "less than a frame"],
)
def test_what_follows_the_samples_of_a_healthy_file_is_no_sound(
    pastream: Pastream, tmp_path: Path, trailer: bytes
) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES)
    content = (tmp_path / "in.wav").read_bytes() + trailer
    (tmp_path / "in.wav").write_bytes(content)
    result = pastream("in.wav", "out.wav", *FAST)
    assert (result.returncode, "warning" in result.stderr) == (0, False), result.stderr
    assert_same(read(tmp_path / "out.wav"), source)


@pytest.mark.parametrize("has_pad", [True, False])
def test_metadata_behind_an_odd_number_of_bytes_is_not_played(
    pastream: Pastream, tmp_path: Path, has_pad: bool
) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES, 1, encoding="PCM_U8")
    content = (tmp_path / "in.wav").read_bytes()[: 44 + FRAMES] + b"\0" * has_pad + chunk(b"LIST", b"INFO" + bytes(40))
    plays(pastream, source, content[:4] + struct.pack("<I", len(content) - 8) + content[8:], "wav", None)


# ---- what libsndfile refuses ----


def put_before_the_samples(content: bytes, inserted: bytes) -> bytes:
    place = content.index(b"data")
    content = content[:place] + inserted + content[place:]
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:]


@pytest.mark.parametrize(
    "inserted",
    [
        chunk(b"LIST", b"INFOISFT" + struct.pack("<I", 5) + b"abcd\0\0\0\0"),
        chunk(b"PEAK", struct.pack("<IIfI", 1, 0, 0.5, 1)),
        chunk(b"JUNK", b"odd", has_pad=False),
        chunk(b"bext", bytes(603), has_pad=False) + chunk(b"LIST", b"INFO"),
    ],
    ids=["padding in a list", "peaks of another number of channels", "odd chunk", "odd chunk before another"],
)
def test_a_chunk_beside_the_sound_keeps_no_file_from_being_played(
    pastream: Pastream, tmp_path: Path, inserted: bytes
) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES)
    plays(pastream, source, put_before_the_samples((tmp_path / "in.wav").read_bytes(), inserted), "wav", None)


def test_a_bw64_is_played(pastream: Pastream, tmp_path: Path) -> None:
    source = make_noise(tmp_path / "in.rf64", FRAMES)
    plays(pastream, source, b"BW64" + (tmp_path / "in.rf64").read_bytes()[4:], "wav", None)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("sign", [0, 0xFF, 0x55], ids=["zeros above", "ones above", "garbage above"])
def test_24_bits_in_four_bytes_are_the_low_three(pastream: Pastream, tmp_path: Path, channels: int, sign: int) -> None:
    source = make_noise(tmp_path / "in.wav", FRAMES, channels, encoding="PCM_24")
    samples = np.frombuffer(source.astype("<i4").tobytes(), "u1").reshape(-1, 4)
    data = np.concatenate([samples[:, 1:], np.full((len(samples), 1), sign, "u1")], axis=1).tobytes()
    fields = struct.pack("<HHIIHH", 1, channels, RATE, 4 * channels * RATE, 4 * channels, 24)
    front = b"WAVE" + chunk(b"fmt ", fields) + struct.pack("<4sI", b"data", len(data))
    trailer = chunk(b"LIST", b"INFO")
    content = b"RIFF" + struct.pack("<I", len(front + data + trailer)) + front + data + trailer
    plays(pastream, source, content, "wav", None)


# ---- what nobody can play here ----


@pytest.mark.parametrize(
    ("name", "content", "codec"),
    [
        ("a.bin", b"\0\0\0\x20ftypM4A " + bytes(100), "MPEG-4 (AAC, ALAC)"),
        ("a.bin", b"\x1aE\xdf\xa3" + bytes(100), "Matroska"),
        ("a.bin", bytes.fromhex("3026b2758e66cf11") + bytes(100), "Windows Media"),
        ("a.mp3", b"\xff\xf1\x50\x80" + bytes(100), "AAC"),
        ("a.ogg", b"OggS\0\2" + bytes(20) + b"\1\x33Speex   " + bytes(50), "Speex"),
        ("a.ogg", b"OggS\0\2" + bytes(20) + b"\1\x2a\x80theora" + bytes(50), "Ogg video"),
        ("a.wav", b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", struct.pack("<HHIIHHH", 0x45, 1, 8000, 4000, 1, 4, 0))
         + chunk(b"data", bytes(64)), "G.726 in WAV"),
        ("a.caf", b"caff\0\1\0\0" + struct.pack(">4sqd4s5I", b"desc", 32, 8e3, b"aac ", 0, 0, 1024, 2, 0) + bytes(9),
         "AAC in CAF"),
        ("a.aif", b"FORM\0\0\0\0AIFC" + struct.pack(">4sIhIh", b"COMM", 24, 1, 9, 16) + bytes(10) + b"QDM2\0\0",
         "QDM2 in AIFC"),
    ],
)  # fmt: skip
def test_what_is_not_decoded_is_known_by_its_first_bytes(
    pastream: Pastream, tmp_path: Path, name: str, content: bytes, codec: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = pastream(name, *FAST)
    told, way_out = explanation(result.stderr)
    assert (result.returncode, told) == (4, f"cannot open {name}: {codec} is not decoded here")
    assert way_out.endswith(f": ffmpeg -i {name} -f au - | pastream -")
    result = pastream("-", *FAST, stdin=content)
    told, way_out = explanation(result.stderr)
    assert (result.returncode, told) == (4, f"cannot open standard input: {codec} is not decoded here")
    assert way_out.endswith(": ... | ffmpeg -i - -f au - | pastream -")


# ---- from a pipe ----


@pytest.mark.parametrize(("stated", "is_told"), [(1000, True), (0, True), (0x7FFFF000, False), (0xFFFFFFFF, False)])
def test_sound_behind_the_length_that_a_stream_states_is_played_and_told(
    pastream: Pastream, stated: int, is_told: bool
) -> None:
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 48000, 96000, 2, 16))
    header = b"RIFF" + struct.pack("<I", min(stated + 36, 0xFFFFFFFF)) + b"WAVE" + form
    result = pastream("-", *FAST, stdin=header + b"data" + struct.pack("<I", stated) + bytes(range(1, 251)) * 40)
    assert result.returncode == 0
    assert "5 000 frames" in result.stderr
    told = (
        f"the header of standard input says {stated // 2} frames: {format_count(5000 - stated // 2)} more were played"
    )
    assert (told in result.stderr) == is_told == ("warning" in result.stderr)


def test_what_a_stream_lacks_of_its_length_is_told(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.wav", FRAMES)
    content = (tmp_path / "in.wav").read_bytes()
    for name in ("in.wav", "in.au"):
        make_noise(tmp_path / name, FRAMES)
        result = pastream("-", *FAST, stdin=(tmp_path / name).read_bytes()[:-1])
        assert "standard input was cut off: it has 10 006 of its 10 007 frames" in result.stderr
    assert (
        "standard input was cut off: it has 0 of its 10 007 frames" in pastream("-", *FAST, stdin=content[:44]).stderr
    )


def test_an_input_that_is_ended_by_a_silence_did_not_end_early(pastream: Pastream, tmp_path: Path) -> None:
    sound = np.concatenate([np.full(RATE, 0.5), np.zeros(RATE), np.full(RATE, 0.5)]).astype("float32")
    soundfile.write(tmp_path / "in.wav", np.column_stack([sound, sound]), RATE, subtype="FLOAT")
    result = pastream("in.wav", "out.wav", "--silence", "-40,0.5", "-D", "virtual:fast")
    assert (result.returncode, "warning" in result.stderr) == (0, False), result.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == RATE + RATE // 2


def test_an_input_that_holds_no_sound_is_told(pastream: Pastream, tmp_path: Path) -> None:
    for name in ("in.wav", "in.aiff"):
        make_noise(tmp_path / name, 0)
        result = pastream(name, *FAST)
        assert (result.returncode, f"warning: {name} holds no sound" in result.stderr) == (0, True), result.stderr
        result = pastream("-", *FAST, stdin=(tmp_path / name).read_bytes())
        assert (result.returncode, "warning: standard input holds no sound" in result.stderr) == (0, True)
