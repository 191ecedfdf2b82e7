"""WAVs that were joined end to end: all of their sound is played, and nothing that is around it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pastream_cli.engine.files import joined_wavs
from pastream_cli.engine.files.joined_wavs import EncodedWav, find_sounds
from pastream_cli.engine.files.open_input import open_input
from pastream_cli.engine.files.regular_file import open_file
from pastream_cli.engine.files.sample_range import SampleRange
from pastream_cli.errors import FileError
from tests.runner import Pastream
from tests.sounds import assert_same, make_noise, read

FAST = ("-D", "virtual:fast")
LIST = b"LIST\x1a\0\0\0INFO" + bytes(22)
TAG = b"TAG" + bytes(125)
OPEN, ZERO = 0xFFFFFFFF, 0


def wav(path: Path, frames: int, *, encoding: str = "PCM_16", stated: int | None = None, rate: int = 48000) -> bytes:
    """Return a WAV of stereo noise, whose header may state another length of the samples."""
    make_noise(path, frames, 2, rate=rate, encoding=encoding)
    content = path.read_bytes()
    if stated is None:
        return content
    place = content.index(b"data") + 4
    return content[:place] + struct.pack("<I", stated) + content[place + 4 :]


def sounds_in(path: Path, content: bytes) -> list[SampleRange | EncodedWav]:
    path.write_bytes(content)
    with path.open("rb") as file:
        return list(find_sounds(file.fileno()).sounds)


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize(("frames", "encoding"), [(10_007, "PCM_16"), (1001, "PCM_U8")])
def test_wavs_that_were_joined_end_to_end_are_played_one_after_the_other(
    pastream: Pastream, tmp_path: Path, frames: int, encoding: str, is_piped: bool
) -> None:
    first = make_noise(tmp_path / "1.wav", frames, 1, encoding=encoding)
    second = make_noise(tmp_path / "2.wav", 3000, 1, encoding=encoding)
    joined = (tmp_path / "1.wav").read_bytes() + (tmp_path / "2.wav").read_bytes() + (tmp_path / "1.wav").read_bytes()
    (tmp_path / "in.wav").write_bytes(joined)
    result = pastream("-", "out.wav", *FAST, stdin=joined) if is_piped else pastream("in.wav", "out.wav", *FAST)
    assert (result.returncode, "warning" in result.stderr) == (0, False), result.stderr
    assert_same(read(tmp_path / "out.wav"), np.concatenate([first, second, first]))


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
def test_wavs_of_other_formats_are_played_and_told(pastream: Pastream, tmp_path: Path, is_piped: bool) -> None:
    sounds, joined = [], b""
    for number, (encoding, rate, channels) in enumerate(
        [("PCM_24", 48000, 2), ("FLOAT", 48000, 2), ("PCM_16", 44100, 1), ("PCM_24", 48000, 2)]
    ):
        path = tmp_path / f"{number}.wav"
        make_noise(path, 4800, channels, rate=rate, encoding=encoding)
        sounds.append(np.repeat(soundfile.read(path, always_2d=True)[0], 3 - channels, axis=1)[:, :2])
        joined += path.read_bytes() + (LIST + TAG) * (number % 2)
    (tmp_path / "in.wav").write_bytes(joined)
    words = ("out.wav", "-e", "24", *FAST)
    result = pastream("-", *words, stdin=joined) if is_piped else pastream("in.wav", *words)
    assert result.returncode == 0, result.stderr
    heard = soundfile.read(tmp_path / "out.wav", always_2d=True)[0]
    assert np.abs(heard - np.concatenate(sounds)).max() <= 2**-23
    assert np.array_equal(heard[:4800], sounds[0])
    name = "standard input" if is_piped else "in.wav"
    assert f"{name} is at 44100 Hz from 00:00:00.2 on, and is played at 48000 Hz: its pitch changes" in result.stderr
    assert f"{name} has 1 channel from 00:00:00.2 on" in result.stderr
    assert f"{name} has 2 channels from 00:00:00.3 on" in result.stderr


@pytest.mark.parametrize(
    ("stated", "cut", "between"),
    [(None, 0, LIST), (None, 0, TAG + b"?"), (None, 0, b"\0"), (OPEN, 0, b""), (ZERO, 0, b""), (None, 6, b"")],
    ids=["a chunk", "a tag", "a pad", "open lengths", "lengths of 0", "cut off"],
)
def test_a_wav_is_found_behind_another_one(tmp_path: Path, stated: int | None, cut: int, between: bytes) -> None:
    part = wav(tmp_path / "a.wav", 100, stated=stated)
    (sound,) = sounds_in(tmp_path / "in.wav", (part[: len(part) - cut] + between) * 3)
    assert isinstance(sound, SampleRange)
    assert sound.frames == 3 * (100 - (cut + 3) // 4)
    whole = soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tobytes()[: 400 - (cut + 3) // 4 * 4]
    content = (tmp_path / "in.wav").read_bytes()
    assert b"".join(content[begin:end] for begin, end in sound.parts) == whole * 3


def test_only_the_first_of_too_many_wavs_are_played_which_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined_wavs, "MOST_JOINED", 2)
    (tmp_path / "in.wav").write_bytes(wav(tmp_path / "a.wav", 100) * 3)
    told: list[str] = []
    source = open_input(str(tmp_path / "in.wav"), warn=told.append)
    assert source.frames == 200
    source.close()
    assert told == [f"{source.name} holds more than 2 sounds: the others are left out"]


def test_a_wav_that_needs_a_decoder_is_played_behind_another_one(tmp_path: Path, pastream: Pastream) -> None:
    make_noise(tmp_path / "a.wav", 5050, 2, encoding="MS_ADPCM")
    source, decoded = make_noise(tmp_path / "b.wav", 1000, 2), read(tmp_path / "a.wav")
    parts = [(tmp_path / name).read_bytes() for name in ("a.wav", "b.wav", "a.wav")]
    (tmp_path / "in.wav").write_bytes(b"".join(parts))
    assert pastream("in.wav", "out.wav", "-e", "16", *FAST).returncode == 0
    assert_same(read(tmp_path / "out.wav"), np.concatenate([decoded, source, decoded]))


def test_a_file_that_has_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file or directory"):
        open_file(str(tmp_path / "gone.wav"), "gone.wav", print)
