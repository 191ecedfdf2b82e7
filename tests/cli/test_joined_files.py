"""Files of MP3, Ogg and FLAC as they are found: joined, without an index, with other things around the sound."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pastream_cli.engine.files import flac, mp3, ogg
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.native import lib
from pastream_cli.units import format_count, format_frames
from tests.encoded_files import decoded, encoded, flac_of, play
from tests.homes import need
from tests.runner import Pastream


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus", "oga", "flac"])
def test_files_that_are_joined_end_to_end_are_all_played(
    suffix: str, is_piped: bool, tmp_path: Path, pastream: Pastream
) -> None:
    parts = [encoded(tmp_path / f"{seed}.{suffix}", seed=seed, seconds=seed) for seed in (1, 2)]
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(b"".join(part.read_bytes() for part in (*parts, parts[0])))
    heard, result = play(pastream, joined, is_piped=is_piped)
    assert np.array_equal(heard, np.concatenate([decoded(part) for part in (*parts, parts[0])]))
    assert "warning" not in result.stderr


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("suffix", ["mp3", "ogg", "oga", "flac"])
def test_a_change_of_rate_and_channels_is_told_with_its_time(
    suffix: str, is_piped: bool, tmp_path: Path, pastream: Pastream
) -> None:
    first = encoded(tmp_path / f"first.{suffix}")
    other = encoded(tmp_path / f"other.{suffix}", rate=48000, channels=1, seconds=0.5)
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(first.read_bytes() + other.read_bytes())
    heard, result = play(pastream, joined, is_piped=is_piped)
    assert np.array_equal(heard, np.concatenate([decoded(first), np.repeat(decoded(other), 2, axis=1)]))
    assert "is at 48000 Hz from 00:00:01.0 on, and is played at 44100 Hz: its pitch changes" in result.stderr
    assert "has 1 channel from 00:00:01.0 on" in result.stderr


def test_channels_are_mixed_to_mono_and_others_are_silent(tmp_path: Path, pastream: Pastream) -> None:
    mono = encoded(tmp_path / "mono.ogg", channels=1)
    stereo = encoded(tmp_path / "stereo.ogg", seconds=0.5)
    four = encoded(tmp_path / "four.ogg", channels=4, seconds=0.25)
    joined = tmp_path / "joined.ogg"
    joined.write_bytes(mono.read_bytes() + stereo.read_bytes())
    mixed = decoded(stereo).mean(axis=1, keepdims=True)
    assert np.allclose(play(pastream, joined)[0], np.concatenate([decoded(mono), mixed]), atol=1e-7)
    joined.write_bytes(four.read_bytes() + stereo.read_bytes())
    padded = np.pad(decoded(stereo), ((0, 0), (0, 2)))
    assert np.array_equal(play(pastream, joined)[0], np.concatenate([decoded(four), padded]))


@pytest.mark.parametrize("suffix", ["ogg", "oga", "flac"])
def test_a_chain_is_looped_from_its_first_link(suffix: str, tmp_path: Path, pastream: Pastream) -> None:
    parts = [encoded(tmp_path / f"{seed}.{suffix}", seed=seed, seconds=0.5) for seed in (1, 2)]
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    once = np.concatenate([decoded(part) for part in parts])
    heard, _ = play(pastream, joined, "--loop", "-d", f"{len(once) * 5 // 2}s")
    assert np.array_equal(heard, np.concatenate([once, once, once])[: len(heard)])
    assert len(heard) == len(once) * 5 // 2
    for start in (len(once) // 3, len(once) * 2 // 3):
        assert np.array_equal(play(pastream, joined, "--from", f"{start}s")[0], once[start:])


@pytest.mark.parametrize("suffix", ["ogg", "wav"])
def test_more_sounds_in_a_pipe_than_there_are_descriptors_are_all_played(
    suffix: str, tmp_path: Path, pastream: Pastream
) -> None:
    frames = 4410
    part = encoded(tmp_path / "part.ogg", seconds=frames / 44100).with_suffix(f".{suffix}").read_bytes()
    other = tmp_path / "other.wav"  # of another rate, so that it is a sound of its own
    soundfile.write(other, np.zeros((frames, 2)), 48000)
    parts = [part, other.read_bytes()] if suffix == "wav" else [part, part]
    (tmp_path / f"all.{suffix}").write_bytes(b"".join(parts) * 60)
    line = f"ulimit -n 40; cat all.{suffix} | {sys.executable} -m pastream_cli - out.wav -D virtual:fast"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=pastream.environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == 120 * frames


def make_mp3_without_an_index(path: Path) -> int:
    """Write an MP3 whose bit rate varies from loud to quiet, as lame does into a pipe. Return its frames."""
    need("lame")
    rng = np.random.default_rng(1)
    loud, quiet = rng.uniform(-0.7, 0.7, (96000, 2)), rng.uniform(-0.0005, 0.0005, (192000, 2))
    soundfile.write(path.with_suffix(".wav"), np.concatenate([loud, quiet]), 48000, "PCM_16")
    with path.with_suffix(".wav").open("rb") as source, path.open("wb") as target:
        subprocess.run(["lame", "--quiet", "-V2", "-", "-"], stdin=source, stdout=target, check=True)
    return 288000


def test_an_mp3_without_an_index_is_played_to_its_end(tmp_path: Path, pastream: Pastream) -> None:
    path = tmp_path / "piped.mp3"
    frames = make_mp3_without_an_index(path)
    heard, result = play(pastream, path)
    assert frames <= len(heard) < frames + 3 * 1152
    assert len(decoded(path)) < frames, "libsndfile alone knows better now"
    assert "warning" not in result.stderr
    twice, _ = play(pastream, path, "--loop", "-d", f"{2 * len(heard)}s")
    assert np.array_equal(twice[len(heard) :], twice[: len(heard)])
    assert np.array_equal(play(pastream, path, is_piped=True)[0], heard)


def test_bytes_inside_an_mp3_that_are_no_sound_are_told_with_their_place(tmp_path: Path) -> None:
    content = encoded(tmp_path / "whole.mp3", seconds=4).read_bytes()
    places = [content.index(b"\xff\xfb")]
    while frame := mp3._parse(content[places[-1] :].ljust(4)):
        places.append(places[-1] + frame.bytes)
    middles = [places[len(places) * part // 4] for part in (1, 2)]
    parts = (content[: middles[0]], content[middles[0] : middles[1]], content[middles[1] :])
    path = tmp_path / "in.mp3"
    for between, lines in (
        (b"\1\2\0", ["x has 6 bytes that are no sound, the first at 00:00:01.0: they are left out"]),
        *((harmless, []) for harmless in (ID3V1, id3v2(PICTURE), APE, bytes(500))),
    ):
        path.write_bytes(between.join(parts))
        told: list[str] = []
        sources = mp3.find_recordings(os.open(path, os.O_RDONLY), "x", told.append)
        assert (len(sources), told) == (1, lines)
        sources[0].close()


@pytest.mark.parametrize("before", [b"", b"tags"], ids=["alone", "behind tags"])
def test_an_mp3_in_the_free_format_is_played_from_a_pipe(before: bytes, tmp_path: Path, pastream: Pastream) -> None:
    wav = encoded(tmp_path / "plain.mp3").with_suffix(".wav")
    path = tmp_path / "free.mp3"
    subprocess.run(["lame", "--quiet", "--freeformat", "-b", "400", wav, path], check=True, stderr=subprocess.DEVNULL)
    path.write_bytes(id3v2(PICTURE) * bool(before) + path.read_bytes())
    heard, result = play(pastream, path, is_piped=True)
    assert len(heard) == 44100
    assert "playing begins when it ends" in result.stderr


def test_an_mp3_behind_a_tag_of_ape_is_played_as_it_comes(tmp_path: Path, pastream: Pastream) -> None:
    plain = encoded(tmp_path / "plain.mp3")
    tagged = tmp_path / "tagged.mp3"
    size = 5_000_000
    header = (
        b"APETAGEX" + (2000).to_bytes(4, "little") + size.to_bytes(4, "little") + bytes((1, 0, 0, 0, 0, 0, 0, 0xA0))
    )
    tagged.write_bytes(header.ljust(32 + size, b"\xff") + plain.read_bytes())
    heard, result = play(pastream, tagged, is_piped=True)
    assert np.array_equal(heard, decoded(plain))
    assert "warning" not in result.stderr


def id3v2(content: bytes) -> bytes:
    size = len(content)
    return b"ID3\3\0\0" + bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127)) + content


ID3V1 = b"TAG" + bytes(125)
APE = b"APETAGEX" + (2000).to_bytes(4, "little") + (32).to_bytes(4, "little") + bytes(16)
PICTURE = b"APIC\0\0\0\0\0\0image/jpeg\0\3\0\xff\xd8\xff\xe0" + b"\xff\xfb\x90\x64" * 3000


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("suffix", ["mp3", "flac"])
@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (b"", ID3V1),
        (b"", b"\2" + APE + ID3V1),
        (b"", bytes(5000)),
        (id3v2(PICTURE), b""),
        (id3v2(PICTURE), ID3V1),
    ],
    ids=["id3v1", "ape and id3v1", "zeros", "picture", "picture and id3v1"],
)
def test_tags_and_zeros_around_the_sound_are_no_fault(
    suffix: str, before: bytes, behind: bytes, is_piped: bool, tmp_path: Path, pastream: Pastream
) -> None:
    plain = encoded(tmp_path / f"plain.{suffix}")
    tagged = tmp_path / f"tagged.{suffix}"
    tagged.write_bytes(before + plain.read_bytes() + behind)
    heard, result = play(pastream, tagged, is_piped=is_piped)
    assert np.array_equal(heard, decoded(plain))
    assert "warning" not in result.stderr


@pytest.mark.parametrize("suffix", ["flac", "mp3", "oga"])
def test_a_stream_plays_while_it_comes(suffix: str, tmp_path: Path, pastream: Pastream) -> None:
    whole = encoded(tmp_path / f"whole.{suffix}", seconds=10)
    process = pastream.start("-", "-", "-t", "raw", "-e", "pcm_16", "-D", "virtual:fast", stdin=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    content = whole.read_bytes()
    process.stdin.write(content[: len(content) // 2])
    process.stdin.flush()
    assert len(process.stdout.read(4 * 44100 * 4)) == 4 * 44100 * 4
    result = pastream.finish(process, content[len(content) // 2 :])
    assert result.returncode == 0
    assert "441 000 frames" in result.stderr
    assert "begins when it ends" not in result.stderr


def test_a_flac_in_ogg_without_a_length_in_its_header_gets_the_one_of_its_last_page(
    tmp_path: Path, pastream: Pastream
) -> None:
    path = encoded(tmp_path / "a.oga")
    piped = tmp_path / "piped.oga"
    with path.with_suffix(".wav").open("rb") as source:
        command = ["flac", "-s", "-c", "--ogg", "-"]
        made = subprocess.run(command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    piped.write_bytes(made.stdout)
    heard, result = play(pastream, piped)
    assert np.array_equal(heard, decoded(path))
    assert "for 00:00:01.0 (44 100 frames)" in result.stderr


def saying(content: bytes, frames: int) -> bytes:
    """Return a FLAC whose header says that it has so many frames."""
    return flac.with_frames(content[: lib.FLAC_BEGIN_BYTES], frames) + content[lib.FLAC_BEGIN_BYTES :]


def test_streams_of_flac_in_a_file_are_all_found_whatever_their_lengths(tmp_path: Path) -> None:
    short, long, loud = (flac_of(tmp_path / "flac", frames, seed=frames) for frames in (300, 60_000, 150_000))
    silent = bytearray(flac_of(tmp_path / "flac", 150_000))
    for parts in (
        [long],
        [long, long],
        *([long] * count for count in (3, 13, 17, 40)),
        [short, short],
        [short, long],
        [long, short],
        [saying(short, 0), saying(loud, 0)],
        [saying(long, 0)] * 3,
        [saying(long, 17), long],
        [loud, bytes(silent)],
        [long, ID3V1, id3v2(PICTURE), long],
        [long[: len(long) // 2], long],
    ):
        path = tmp_path / "joined"
        path.write_bytes(b"".join(parts))
        with path.open("rb") as file:
            sources = flac.find_sounds(os.dup(file.fileno()), 0, "x", lambda _line: None)
        assert len(sources) == sum(part.startswith(flac.MAGIC) for part in parts), [len(part) for part in parts]
        sources[0].close()


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
@pytest.mark.parametrize("said", [1, 20_000])
def test_a_flac_whose_header_says_too_few_frames_is_played_to_its_end(
    said: int, is_piped: bool, tmp_path: Path, pastream: Pastream
) -> None:
    path = tmp_path / "stale.flac"
    path.write_bytes(saying(flac_of(path, 44100), said))
    heard, result = play(pastream, path, is_piped=is_piped)
    path.write_bytes(saying(path.read_bytes(), 44100))
    assert np.array_equal(heard, decoded(path))
    name = "standard input" if is_piped else path
    there = f"{format_count(44100 - said)} more were played" if is_piped else "44 100 frames are there, and played"
    assert f"the header of {name} says {format_frames(said)}: {there}" in result.stderr


@pytest.mark.parametrize("suffix", ["ogg", "mp3", "flac"])
def test_sounds_beyond_the_most_that_are_played_are_told(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = encoded(tmp_path / f"part.{suffix}", seconds=0.3).read_bytes()
    joined = tmp_path / "joined"
    monkeypatch.setattr(ogg, "_MOST_LINKS", 2)
    monkeypatch.setattr(mp3, "_MOST_LINKS", 2)
    monkeypatch.setattr(flac, "_MOST_LINKS", 2)
    finders: dict[str, Callable[[int, str, Callable[[str], None]], list[ByteSource]]] = {
        "mp3": mp3.find_recordings,
        "ogg": ogg.find_sounds,
        "flac": lambda descriptor, name, warn: flac.find_sounds(descriptor, 0, name, warn),
    }
    for count, lines in ((2, []), (3, ["x holds more than 2 sounds: the others are left out"])):
        joined.write_bytes(count * part)
        told: list[str] = []
        with joined.open("rb") as file:
            sources = finders[suffix](os.dup(file.fileno()), "x", told.append)
        assert (len(sources), told) == (2, lines)
        sources[0].close()
