"""Files of MP3, Ogg and FLAC that were cut off or damaged: played as far as there is sound, and told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from pastream_cli.engine.files.open_input import open_input
from pastream_cli.errors import FileError
from pastream_cli.units import format_frames
from tests.encoded_files import decoded, encoded, flac_of, play
from tests.homes import need
from tests.runner import Pastream


@pytest.mark.parametrize(
    "content", [b"OggS\0\2" + bytes(10), b"ID3\4\0\0\0\0\0\5title", b"\xff\xfb\x90\x64" * 2, b"fLaC\0\0"]
)
def test_what_begins_as_sound_does_and_holds_none_is_damaged_and_no_raw_data(
    content: bytes, pastream: Pastream
) -> None:
    result = pastream("-", "null", "-D", "virtual:fast", stdin=content)
    assert result.returncode == 4
    assert "the file is damaged, or was cut off" in result.stderr
    assert "raw" not in result.stderr


def test_a_file_that_was_cut_off_is_played_as_far_as_it_goes(tmp_path: Path, pastream: Pastream) -> None:
    for suffix in ("flac", "mp3", "ogg", "opus", "oga"):
        whole = encoded(tmp_path / f"whole.{suffix}", seconds=2)
        cut = tmp_path / f"cut.{suffix}"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
        heard, result = play(pastream, cut)
        there = decoded(whole)
        assert len(there) / 3 < len(heard) < len(there) * 0.75, suffix
        assert f"{cut} was cut off" in result.stderr
        if suffix in {"flac", "oga"}:
            assert np.array_equal(heard, there[: len(heard)])
        if suffix in {"flac", "mp3", "oga"}:
            assert " of its " in result.stderr
        if suffix in {"flac", "oga"}:
            assert f"({format_frames(len(heard))})" in result.stderr.splitlines()[1], "the banner"


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("before", [b"", bytes(3000)], ids=["", "zeros"])
def test_an_mp3_that_begins_in_the_middle_of_a_frame_is_played_from_the_first_whole_one(
    before: bytes, is_piped: bool, tmp_path: Path, pastream: Pastream
) -> None:
    whole = encoded(tmp_path / "whole.mp3", seconds=2)
    middle = tmp_path / "middle.mp3"
    middle.write_bytes(before + whole.read_bytes()[5001:])
    heard, result = play(pastream, middle, is_piped=is_piped)
    there = decoded(whole)
    assert len(there) - 15 * 1152 < len(heard) < len(there)
    piece = heard[30000:40000]
    offset = int(np.correlate(there[:, 0], piece[:, 0]).argmax())
    assert np.allclose(there[offset : offset + len(piece)], piece, atol=1e-4)
    assert "warning" not in result.stderr


@pytest.mark.parametrize("suffix", ["flac", "oga"])
def test_a_flac_that_is_cut_off_in_a_pipe_is_told_with_what_is_missing(
    suffix: str, tmp_path: Path, pastream: Pastream
) -> None:
    whole = encoded(tmp_path / f"whole.{suffix}", seconds=2)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    heard, result = play(pastream, cut, is_piped=True)
    assert np.array_equal(heard, decoded(whole)[: len(heard)])
    assert "standard input was cut off: it has" in result.stderr
    assert "of its 88 200 frames" in result.stderr


def damaged(content: bytes) -> bytes:
    """Return a FLAC with three bytes in its middle that are wrong."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0xFF for byte in content[middle : middle + 3]) + content[middle + 3 :]


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
def test_a_flac_goes_on_behind_damage_with_silence_for_what_is_lost(
    is_piped: bool, tmp_path: Path, pastream: Pastream
) -> None:
    path = tmp_path / "damaged.flac"
    path.write_bytes(damaged(flac_of(path, 100_000)) + flac_of(tmp_path / "whole.flac", 100_000))
    whole = decoded(tmp_path / "whole.flac")
    heard, result = play(pastream, path, is_piped=is_piped)
    wrong = np.flatnonzero(heard[:100_000] != whole)
    begin, end = wrong[0], wrong[-1] + 1
    assert 45_000 < begin < end < 55_000
    assert not heard[begin:end].any()
    assert np.array_equal(heard[:begin], whole[:begin])
    assert np.array_equal(heard[end:], np.concatenate([whole[end:], whole]))
    said = f"is damaged at 00:00:01.{begin * 10 // 44100 % 10}: silence is played for {format_frames(end - begin)}"
    assert said in result.stderr


def test_a_frame_behind_damage_is_found(tmp_path: Path, pastream: Pastream) -> None:
    path = tmp_path / "hole.flac"
    content = flac_of(path, 100_000)
    path.write_bytes(content[:90_000] + content[110_000:])
    once, _ = play(pastream, path)
    assert len(once) == 100_000
    looped, _ = play(pastream, path, "--from", "54000s", "--loop", "-d", "120000s")
    assert np.array_equal(looped, np.concatenate([once[54_000:]] * 3)[:120_000])


def test_a_header_that_ends_too_soon_and_bits_that_are_not_decoded_are_told(tmp_path: Path) -> None:
    content = flac_of(tmp_path / "flac", 5000)
    of_20_bits = bytearray(content)
    of_20_bits[20:22] = content[20] | 1, content[21] & 0x0F | 0x30
    for file, reason, way_out in (
        (content[:20], "its header ends too soon", "the file is damaged, or was cut off"),
        (
            encoded(tmp_path / "x.ogg").read_bytes()[:28],
            "its header ends too soon",
            "the file is damaged, or was cut off",
        ),
        (of_20_bits, "FLAC of 20 bits per sample is not decoded here", None),
    ):
        path = tmp_path / "file"
        path.write_bytes(file)
        with pytest.raises(FileError) as told:
            open_input(str(path))
        assert (told.value.message, told.value.way_out) == (f"cannot open {path}: {reason}", way_out)


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
def test_a_sound_that_was_cut_without_being_encoded_anew_is_played_to_its_end(
    suffix: str, tmp_path: Path, pastream: Pastream
) -> None:
    need("ffmpeg")
    whole = encoded(tmp_path / f"whole.{suffix}", rate=48000, seconds=4)
    cut = tmp_path / f"cut.{suffix}"
    command = ["ffmpeg", "-v", "error", "-ss", "1.3", "-i", whole, "-c", "copy", cut]
    subprocess.run([str(word) for word in command], check=True)
    heard, _ = play(pastream, cut)
    sound = decoded(whole)[-len(heard) :]
    assert 2.7 * 48000 <= len(heard) < 3.7 * 48000
    tail = slice(24000, None)  # decoders of Opus need a while to agree
    assert np.allclose(heard[tail], sound[tail], atol=0.01 if suffix == "opus" else 1e-6)
    later, _ = play(pastream, cut, "--from", f"{len(heard) - 24000}s")
    assert np.allclose(later, heard[-24000:], atol=0.01)


def test_an_ogg_that_ends_in_its_header_is_told_to_be_cut_off_and_is_no_raw_data(
    tmp_path: Path, pastream: Pastream
) -> None:
    content = encoded(tmp_path / "whole.ogg").read_bytes()[:3000]
    result = pastream("-", "null", "-D", "virtual:fast", stdin=content)
    assert result.returncode == 4
    assert "the file is damaged, or was cut off" in result.stderr
    assert "raw" not in result.stderr
