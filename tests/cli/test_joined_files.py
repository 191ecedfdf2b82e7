"""Files of MP3, Ogg and FLAC as they are found: joined, without an index, cut, with other things around the sound."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pastream_cli.engine.files import flac, mp3, ogg
from pastream_cli.engine.files.byte_source import ByteSource
from pastream_cli.engine.files.open_input import open_input
from pastream_cli.engine.native import lib
from pastream_cli.errors import FileError
from pastream_cli.units import format_count, format_frames
from tests.homes import need
from tests.runner import Pastream, Result

Encode = Callable[[str, Path], Path]

ENCODERS = {
    "mp3": ("lame", "--quiet", "-V2", "IN", "OUT"),
    "ogg": ("oggenc", "-Q", "-o", "OUT", "IN"),
    "opus": ("opusenc", "--quiet", "IN", "OUT"),
    "flac": ("flac", "-s", "-f", "-o", "OUT", "IN"),
    "oga": ("flac", "-s", "-f", "--ogg", "-o", "OUT", "IN"),
}


def encoded(path: Path, *, rate: int = 44100, channels: int = 2, seconds: float = 1.0, seed: int = 1) -> Path:
    """Encode noise with the tool that people use for files of this suffix."""
    program, *arguments = ENCODERS[path.suffix[1:]]
    need(program)
    wav = path.with_suffix(".wav")
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (int(rate * seconds), channels))
    soundfile.write(wav, noise, rate, "PCM_16")
    words = {"IN": wav, "OUT": path}
    subprocess.run([program, *(words.get(word, word) for word in arguments)], check=True, stderr=subprocess.DEVNULL)
    return path


def decoded(path: Path) -> NDArray[np.float32]:
    if path.suffix == ".oga":  # FLAC in Ogg, which loses nothing, and which libsndfile does not know
        path = path.with_suffix(".wav")
    samples: NDArray[np.float32] = soundfile.read(path, dtype="float32", always_2d=True)[0]
    return samples


def play(pastream: Pastream, path: Path, *options: str, is_piped: bool = False) -> tuple[NDArray[np.float32], Result]:
    """Play a file on the virtual device; return what was heard, and how the command ended."""
    heard = path.with_name("heard.wav")
    words = ("-" if is_piped else path, heard, "-e", "float", "-y", "-D", "virtual:fast", *options)
    result = pastream(*words, stdin=path.read_bytes()) if is_piped else pastream(*words)
    assert result.returncode == 0, result.stderr
    return decoded(heard), result


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


def flac_of(path: Path, frames: int, *, seed: int = 1) -> bytes:
    """Return a FLAC of noise."""
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.5, 0.5, frames), 44100, "PCM_16", format="FLAC")
    return path.read_bytes()


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
