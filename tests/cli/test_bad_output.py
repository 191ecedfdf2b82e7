"""What cannot be recorded to is refused, and nothing is made or changed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.explanations import explanation
from tests.refusals import (
    AS_ROOT,
    FAST,
    FILE,
    USAGE_ERROR,
    Refused,
    contents,
    has_sound,
    run_behind,
    without_rights,
)
from tests.runner import Pastream
from tests.sounds import RATE, assert_same, make_noise, read

NO_TYPE = "end it in .wav, .flac, .ogg, ..., or say it with -t"
SAME_FILE = "name another OUTPUT"
ONLY_PLAYED = ("HTK", "SD2", "SDS")


# ---- where a recording goes ----


@pytest.mark.parametrize("name", ["takes", "takes.wav"])
@has_sound
def test_a_folder_is_no_output(refused: Refused, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    for arguments in (["in.wav", name], ["null", name, "-y", "-d", "1"]):
        says, way_out = f"cannot create {name}: Is a directory", f"name a file in it, as in {name}/take.wav"
        refused(*arguments, *FAST, code=FILE, says=says, way_out=way_out)


def test_an_output_in_a_folder_that_is_not_there_is_refused(refused: Refused) -> None:
    says = "cannot create takes/new/out.wav: there is no folder takes/new"
    refused("null", "takes/new/out.wav", *FAST, "-d", "1", code=FILE, says=says, way_out="mkdir -p takes/new")
    says = "cannot create new takes/out.wav: there is no folder new takes"
    refused("null", "new takes/out.wav", *FAST, "-d", "1", code=FILE, says=says, way_out="mkdir -p 'new takes'")


@has_sound
def test_nothing_is_below_a_file(refused: Refused) -> None:
    for name in ("in.wav/take.wav", "in.wav/new/take.wav"):
        refused("null", name, *FAST, "-d", "1", code=FILE, says=f"cannot create {name}: in.wav is no folder")
        refused(name, *FAST, code=FILE, says=f"cannot open {name}: in.wav is no folder")


@has_sound
def test_an_output_that_is_there_is_not_replaced_without_leave(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "out.wav").write_text("precious")
    says = "cannot create out.wav: it exists already"
    refused("null", "out.wav", "-d", "1", *FAST, code=FILE, says=says, way_out="-y replaces it")


@has_sound
def test_two_files_that_are_there_are_answered_with_how_to_play_both(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "out.wav").write_text("precious")
    says = "cannot create out.wav: it exists already; this would play in.wav and record over out.wav"
    both = 'to play one after the other: for f in *.wav; do pastream "$f"; done, or -y to record over out.wav'
    refused("in.wav", "out.wav", *FAST, code=FILE, says=says, way_out=both)
    (tmp_path / "third.wav").touch()
    refused("in.wav", "out.wav", *FAST, code=FILE, says=says, way_out=both.replace("*.wav", "in.wav out.wav"))


def test_an_input_that_is_missing_is_told_before_an_output_that_is_there(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "out.wav").write_text("precious")
    says = "cannot open inn.wav: No such file or directory"
    refused("inn.wav", "out.wav", *FAST, code=FILE, says=says, way_out="to play out.wav alone: pastream out.wav")


def test_a_link_that_leads_nowhere_is_no_output(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "out.wav").symlink_to("nowhere/take.wav")
    says = "cannot create out.wav: it is a link that leads nowhere"
    for arguments in ([], ["-y"]):
        refused("null", "out.wav", *arguments, *FAST, "-d", "1", code=FILE, says=says)


@AS_ROOT
def test_an_output_in_a_folder_that_may_not_be_written_is_refused(
    refused: Refused, pastream: Pastream, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    says = "cannot create closed/out.wav: Permission denied"
    refused("null", "closed/out.wav", *FAST, "-d", "1", code=FILE, says=says, run=without_rights(pastream))


@pytest.mark.parametrize("output", ["in.wav", "./in.wav", "sub/../in.wav", "{absolute}", "hard.wav", "link.wav"])
@pytest.mark.parametrize("leave", [[], ["-y"]])
@has_sound
def test_what_is_played_is_not_recorded_over(refused: Refused, tmp_path: Path, output: str, leave: list[str]) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "hard.wav").hardlink_to(tmp_path / "in.wav")
    (tmp_path / "link.wav").symlink_to("sub/../in.wav")
    output = output.replace("{absolute}", str(tmp_path / "in.wav"))
    says = f"cannot record to {output}: it is the file that is played"
    refused("in.wav", output, *leave, *FAST, code=FILE, says=says, way_out=SAME_FILE)


@pytest.mark.parametrize(
    ("line", "redirection", "name"),
    [
        ("- in.wav -y", "<in.wav", "in.wav"),
        ("in.wav - -t raw", ">>in.wav", "standard output"),
        ("- - -t raw", "<in.wav >>in.wav", "standard output"),
    ],
)
@has_sound
def test_what_a_shell_opens_to_be_played_is_not_recorded_over(
    refused: Refused, pastream: Pastream, line: str, redirection: str, name: str
) -> None:
    run = run_behind(pastream, "sh", "-c", f'exec "$@" {redirection}', "sh")
    says = f"cannot record to {name}: it is the file that is played"
    refused(*line.split(), *FAST, code=FILE, says=says, way_out=SAME_FILE, run=run)


@pytest.mark.parametrize("arguments", [["take.wav", "--split", "0.05"], ["take-{n:03}.wav"]])
def test_what_is_played_is_passed_by_where_names_have_numbers(
    pastream: Pastream, sound: bytes, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "in.wav").rename(tmp_path / "take-001.wav")
    result = pastream("take-001.wav", *arguments, "-y", *FAST)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "take-001.wav").read_bytes() == sound
    assert (tmp_path / "take-002.wav").exists()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which a file can be made but nothing can be written."""
    disk = tmp_path / "full"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        (disk / "in.wav").write_bytes(bytes(65536))
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


on_full_disk = pytest.mark.usefixtures("full_disk")


@AS_ROOT
@on_full_disk
@pytest.mark.parametrize("suffix", ["wav", "au", "aiff", "caf", "w64", "rf64"])
def test_a_disk_that_is_full_is_told_before_anything_runs(refused: Refused, suffix: str) -> None:
    says = f"cannot create full/out.{suffix}: No space left on device"
    refused("null", f"full/out.{suffix}", "-d", "1", *FAST, code=FILE, says=says)


@AS_ROOT
@on_full_disk
@pytest.mark.parametrize("suffix", ["raw", "flac", "ogg", "opus", "mp3"])
def test_a_disk_that_is_full_is_told_and_no_empty_file_stays(pastream: Pastream, tmp_path: Path, suffix: str) -> None:
    before = contents(tmp_path)
    result = pastream("null", f"full/out.{suffix}", "-d", "0.1", "-D", "virtual:noise:fast")
    assert result.returncode == FILE, result.stderr
    assert explanation(result.stderr)[0].endswith(f"full/out.{suffix}: No space left on device")
    assert contents(tmp_path) == before


@AS_ROOT
@on_full_disk
def test_a_file_that_was_to_be_replaced_stays_when_the_disk_is_full(refused: Refused) -> None:
    says = "cannot create full/in.wav: No space left on device"
    refused("null", "full/in.wav", "-y", "-d", "1", *FAST, code=FILE, says=says)


# ---- kinds of files ----


def test_a_type_that_there_is_not_is_refused_with_those_that_there_are(refused: Refused) -> None:
    types = ", ".join(sorted(soundfile.available_formats().keys() - set(ONLY_PLAYED)))
    arguments = ("null", "out.xyz", "-t", "xYz", "-d", "1")
    refused(*arguments, *FAST, code=USAGE_ERROR, says="cannot use -t xYz: not a file type", way_out=f"one of {types}")


@pytest.mark.parametrize("file_type", ONLY_PLAYED)
def test_a_type_that_can_only_be_played_is_refused_and_nothing_is_made(refused: Refused, file_type: str) -> None:
    name = f"out.{file_type.lower()}"
    says = f"cannot write {name}: {file_type} can be played, not recorded"
    refused("null", name, *FAST, "-d", "1", code=USAGE_ERROR, says=says, way_out="name another type")


@pytest.mark.parametrize("bits", [16, 20, 24, 32])
def test_alac_is_refused_with_the_type_that_loses_nothing_either(refused: Refused, bits: int) -> None:
    says = f"cannot write out.caf: ALAC_{bits} can be played, not recorded"
    arguments = ("null", "out.caf", "-e", f"alac_{bits}", "-d", "1")
    refused(*arguments, *FAST, code=USAGE_ERROR, says=says, way_out="FLAC loses nothing either: end the name in .flac")


@pytest.mark.parametrize(
    ("name", "encoding", "encodings"),
    [
        ("out.au", "g721_32", "PCM_S8, PCM_16, PCM_24, PCM_32, FLOAT, DOUBLE, ULAW, ALAW"),
        ("out.voc", "dwvw_16", "PCM_16"),
        ("out.mp3", "mpeg_layer_ii", "MPEG_LAYER_III"),
    ],
)
def test_an_encoding_that_can_only_be_played_is_refused_with_those_of_the_type(
    refused: Refused, name: str, encoding: str, encodings: str
) -> None:
    says = f"cannot write {name}: {encoding.upper()} can be played, not recorded"
    way_out = f"{name[4:].upper()} takes {encodings}"
    refused("null", name, "-e", encoding, "-d", "1", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


def test_what_can_only_be_played_is_played(pastream: Pastream, tmp_path: Path) -> None:
    sound = make_noise(tmp_path / "in.caf", RATE // 10, encoding="ALAC_16")
    (tmp_path / "in.raw").write_bytes(bytes(400))
    for arguments in (["in.caf", "out.wav"], ["in.raw", "-c", "1", "-r", "8k", "-e", "vox_adpcm"]):
        result = pastream(*arguments, *FAST)
        assert result.returncode == 0, result.stderr
    assert_same(read(tmp_path / "out.wav"), sound)


@pytest.mark.parametrize(
    ("name", "rate", "nearest", "offered"),
    [
        ("out.opus", 44100, "48k", "OGG takes OPUS at 8000, 12000, 16000, 24000 and 48000 Hz"),
        ("out.ogg", 384000, "200k", "OGG takes VORBIS at up to 200000 Hz"),
        ("out.flac", 768000, "655350", "FLAC takes PCM_24 at up to 655350 Hz"),
        (
            "out.mp3",
            96000,
            "48k",
            "MP3 takes MPEG_LAYER_III at 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 and 48000 Hz",
        ),
        ("out.svx", 96000, "65535", "SVX takes PCM_16 at up to 65535 Hz"),
        ("out.wve", 48000, "8k", "WVE takes ALAW at 8000 Hz"),
        ("out.xi", 48000, "44.1k", "XI takes DPCM_16 at 44100 Hz"),
    ],
)
def test_a_rate_that_the_file_would_not_have_is_refused_with_those_that_it_can(
    refused: Refused, name: str, rate: int, nearest: str, offered: str
) -> None:
    says = f"cannot write {name}: {offered}, not at {rate}"
    arguments = ("null", name, "-r", str(rate), "-c", "1", "-d", "1")
    way_out = f"-r {nearest} is the nearest; a .wav takes every rate"
    refused(*arguments, *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


@has_sound
def test_a_file_that_is_played_at_such_a_rate_is_answered_with_how_to_convert_it(
    refused: Refused, tmp_path: Path
) -> None:
    make_noise(tmp_path / "fast.wav", RATE // 10, rate=96000)
    says = "cannot write out.opus: OGG takes OPUS at 8000, 12000, 16000, 24000 and 48000 Hz, not at 96000"
    way_out = "a .wav takes every rate; to convert: sox fast.wav -r 48000 -t au - | pastream - out.opus -D virtual:fast"
    refused("fast.wav", "out.opus", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


def test_an_encoding_that_there_is_not_is_refused_with_those_that_there_are(pastream: Pastream, tmp_path: Path) -> None:
    for name, offered in (("out.wav", "PCM_16, PCM_24, PCM_32, PCM_U8, FLOAT"), ("out.ogg", "VORBIS, OPUS")):
        result = pastream("null", name, "-e", "xYz", "-d", "1", *FAST)
        failure, way_out = explanation(result.stderr)
        assert (result.returncode, failure) == (USAGE_ERROR, "cannot use -e xYz: not an encoding")
        assert way_out.startswith(f"one of {offered}")
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("name", "encoding", "file_type", "encodings"),
    [
        ("out.flac", "float", "FLAC", "PCM_S8, PCM_16, PCM_24"),
        ("out.mp3", "pcm_16", "MP3", "MPEG_LAYER_III"),
        ("out.ogg", "pcm_16", "OGG", "VORBIS, OPUS"),
        ("out.voc", "ulaw", "VOC", "PCM_16"),
        ("out.aiff", "ima_adpcm", "AIFF", "PCM_S8, PCM_16, PCM_24, PCM_32, PCM_U8, FLOAT, DOUBLE, ULAW, ALAW, GSM610"),
    ],
)
def test_an_encoding_that_the_type_does_not_take_is_refused_with_those_that_it_does(
    refused: Refused, name: str, encoding: str, file_type: str, encodings: str
) -> None:
    says = f"cannot write {name}: {file_type} does not take {encoding.upper()}"
    arguments = ("null", name, "-e", encoding, "-d", "1")
    refused(*arguments, *FAST, code=USAGE_ERROR, says=says, way_out=f"it takes {encodings}")


@pytest.mark.parametrize(
    ("name", "channels", "file_type", "most"),
    [
        ("out.flac", 9, "FLAC", "8 channels of PCM_24"),
        ("out.mp3", 3, "MP3", "2 channels of MPEG_LAYER_III"),
        ("out.ogg", 256, "OGG", "255 channels of VORBIS"),
        ("out.svx", 2, "SVX", "1 channel of PCM_16"),
    ],
)
def test_more_channels_than_the_type_takes_are_refused_with_how_many_it_does(
    refused: Refused, name: str, channels: int, file_type: str, most: str
) -> None:
    says = f"cannot write {name}: {file_type} takes {most} at most, not {channels}"
    way_out = f"-c {most.partition(' ')[0]} records no more, and -m chooses which"
    refused("null", name, "-c", str(channels), "-d", "1", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


def test_as_many_channels_as_the_type_takes_are_recorded(pastream: Pastream, tmp_path: Path) -> None:
    for name, channels in (("out.flac", 8), ("out.ogg", 255)):
        result = pastream("null", name, "-c", str(channels), "-d", "0.05", "-D", "virtual:noise:fast")
        assert result.returncode == 0, result.stderr
        assert soundfile.info(tmp_path / name).channels == channels


def test_raw_data_in_an_encoding_that_it_does_not_have_is_refused_with_those_that_it_has(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "in.raw").write_bytes(bytes(400))
    encodings = [name for name in soundfile.available_subtypes("RAW") if name not in {"G721_32", "G723_24", "G723_40"}]
    says, way_out = "cannot open in.raw: RAW does not take VORBIS", f"it takes {', '.join(encodings)}"
    arguments = ("in.raw", "-c", "2", "-r", "8k", "-e", "vorbis")
    refused(*arguments, *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


def test_a_byte_order_that_the_type_does_not_take_is_refused(refused: Refused) -> None:
    says = "cannot write out.flac: FLAC does not take PCM_24 in big-endian order"
    arguments = ("null", "out.flac", "--endian", "big", "-d", "1")
    refused(*arguments, *FAST, code=USAGE_ERROR, says=says, way_out="leave out --endian")


NO_SUFFIX = "its name does not say the file type"
UNKNOWN = " is no file type that is known"


@pytest.mark.parametrize(
    ("name", "reason", "way_out"),
    [
        ("out", NO_SUFFIX, "name it out.wav, or say the type with -t"),
        ("out.", NO_SUFFIX, "name it out.wav, or say the type with -t"),
        (".wav", NO_SUFFIX, "name it take.wav, or say the type with -t"),
        ("out.m4a", f".m4a{UNKNOWN}", "ffmpeg makes it: pastream null - -t au | ffmpeg -i - out.m4a"),
        ("out.wav.gz", f".gz{UNKNOWN}", "a FLAC is compressed without loss: name it out.flac"),
        ("out.falc", f".falc{UNKNOWN}", "did you mean out.flac?"),
        ("take.1", f".1{UNKNOWN}", NO_TYPE),
    ],
)
def test_a_name_that_tells_no_type_is_refused(refused: Refused, name: str, reason: str, way_out: str) -> None:
    says = f"cannot write {name}: {reason}"
    refused("null", name, "-d", "1", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


def test_an_mp3_is_recorded_into_a_wav_without_a_word_about_encodings(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.mp3", RATE // 10, encoding="MPEG_LAYER_III")
    result = pastream("in.mp3", "out.wav", *FAST)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["out.wav", "out.flac", "out.mp3", "out.ogg", "out.aiff", "out.caf"])
def test_a_recording_of_no_length_is_a_file_that_can_be_played(pastream: Pastream, name: str) -> None:
    assert pastream("null", name, "-d", "0", *FAST).returncode == 0
    result = pastream(name, *FAST)
    assert result.returncode == 0, result.stderr
