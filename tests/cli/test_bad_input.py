"""What cannot be played is refused, and so are standard streams that cannot be used."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from pastream_cli.errors import ExitCode
from pastream_cli.units import format_frames
from tests.explanations import explanation
from tests.homes import need
from tests.refusals import (
    AS_ROOT,
    FAST,
    FILE,
    USAGE_ERROR,
    Refused,
    has_sound,
    run_behind,
    without_rights,
)
from tests.runner import Pastream, Result
from tests.sounds import RATE, make_noise

RAW_FORMS = "headerless data needs -t raw -c CHANNELS -r RATE -e ENCODING"
DAMAGED = "the file is damaged, or was cut off"
RAW_IN_A_PIPE = "raw data needs -t raw -c CHANNELS -r RATE -e ENCODING"


# ---- what is played ----


def test_an_input_that_is_not_there_is_refused_with_how_to_record(refused: Refused) -> None:
    says = "cannot open take.wav: No such file or directory"
    refused("take.wav", *FAST, code=FILE, says=says, way_out="to record: pastream null take.wav")
    says = "cannot open record: No such file or directory"
    refused("record", "take.wav", *FAST, code=FILE, says=says, way_out="to record: pastream null take.wav")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "aiff", "au", "caf", "mp3"])
def test_an_empty_input_is_refused(refused: Refused, tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"in.{suffix}").touch()
    refused(f"in.{suffix}", *FAST, code=FILE, says=f"cannot open in.{suffix}: it is empty")


@pytest.mark.parametrize(
    ("length", "reason", "way_out"),
    [
        (8, "Format not recognised", RAW_FORMS),
        (20, "Error in WAV/W64/RF64 file. Malformed 'fmt ' chunk", DAMAGED),
        (36, "Error in WAV file. No 'data' chunk marker", DAMAGED),
    ],
)
def test_an_input_that_ends_in_its_header_is_refused(
    refused: Refused, tmp_path: Path, sound: bytes, length: int, reason: str, way_out: str
) -> None:
    (tmp_path / "short.wav").write_bytes(sound[:length])
    refused("short.wav", *FAST, code=FILE, says=f"cannot open short.wav: {reason}", way_out=way_out)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "au", "rf64", "w64"])
def test_an_input_that_ends_early_is_played_as_far_as_it_goes_and_told(
    pastream: Pastream, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"short.{suffix}"
    make_noise(path, 4800)
    os.truncate(path, path.stat().st_size - 4 * 3800 + 2)
    result = pastream(path.name, *FAST)
    assert result.returncode == 0
    assert f"warning: {path.name} was cut off: it has 1 000 of its 4 800 frames" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("pastream: 1 000 frames")


@pytest.mark.parametrize("length", [(), ("-d", "0.9"), ("-p", "2"), ("-d", "0.9", "-p", "0.1")])
def test_a_compressed_input_that_was_cut_off_is_told_with_what_is_there(
    pastream: Pastream, tmp_path: Path, length: tuple[str, ...]
) -> None:
    path = tmp_path / "short.mp3"
    make_noise(path, RATE, encoding="MPEG_LAYER_III")
    assert "warning" not in pastream(path.name, *FAST).stderr
    os.truncate(path, path.stat().st_size // 2)
    result = pastream(path.name, *length, *FAST)
    assert result.returncode == 0
    found = re.search(r"warning: short.mp3 was cut off: it has ([0-9 ]+) of its 48 000 frames\n", result.stderr)
    assert found, result.stderr
    with soundfile.SoundFile(path) as sound:
        assert 0 <= len(sound.read()) - int(found[1].replace(" ", "")) < 1152  # the rest of the last frame of MPEG
    played = pastream(path.name, *FAST).stderr.splitlines()[-1]
    assert played.startswith(f"pastream: {found[1]} frames")


def test_an_mp3_by_its_name_alone_is_told_as_none(pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "in.mp3").write_bytes(bytes(range(1, 255)) * 20)
    result = pastream("in.mp3", *FAST)
    assert result.returncode == 4
    first, second = result.stderr.splitlines()
    assert first == "pastream: cannot open in.mp3: it holds no sound that can be read"
    assert second == "pastream: the file is damaged, or was cut off"


@pytest.mark.parametrize("length", [0x7FFFF000 - 36, 0xFFFFFFFF])
def test_an_input_whose_length_its_maker_did_not_know_is_no_cut_off_one(
    pastream: Pastream, tmp_path: Path, sound: bytes, length: int
) -> None:
    (tmp_path / "piped.wav").write_bytes(sound[:40] + length.to_bytes(4, "little") + sound[44:])
    result = pastream("piped.wav", *FAST)
    assert (result.returncode, "cut off" in result.stderr) == (0, False), result.stderr
    assert re.search(r"warning: the header of piped.wav leaves its length open: [0-9 ]+ frames are there, and played\n",
                     result.stderr), result.stderr  # fmt: skip


def test_an_input_whose_middle_is_lost_is_silent_there(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.flac", RATE)
    content = bytearray((tmp_path / "in.flac").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50_000] = bytes(50_000)
    (tmp_path / "in.flac").write_bytes(content)
    result = pastream("in.flac", *FAST)
    assert result.returncode == 0
    lost = re.search(r"in.flac is damaged at 00:00:00.[0-9]: silence is played for ([0-9 ]+) frames", result.stderr)
    assert lost
    assert RATE // 8 < int(lost[1].replace(" ", "")) < RATE * 3 // 4
    assert f"pastream: {format_frames(RATE)}" in result.stderr


def test_an_input_that_is_no_sound_is_refused(refused: Refused, tmp_path: Path) -> None:
    for content, way_out in ((b"This is no sound.\n" * 100, "it is a text, and no sound"), (bytes(2000), RAW_FORMS)):
        (tmp_path / "in.wav").write_bytes(content)
        refused("in.wav", *FAST, code=FILE, says="cannot open in.wav: Format not recognised", way_out=way_out)


def test_an_input_of_a_kind_that_is_not_known_is_refused_with_who_may_know_it(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "my take.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(1000))
    need("ffmpeg")
    says = "cannot open my take.m4a: MPEG-4 (AAC, ALAC) is not decoded here"
    way_out = "ffmpeg decodes it: ffmpeg -i 'my take.m4a' -f au - | pastream -"
    refused("my take.m4a", *FAST, code=FILE, says=says, way_out=way_out)
    refused("my take.m4a", "a b.wav", *FAST, code=FILE, says=says, way_out=f"{way_out} 'a b.wav'")
    stream = (tmp_path / "my take.m4a").read_bytes()
    says = "cannot open standard input: MPEG-4 (AAC, ALAC) is not decoded here"
    way_out = "ffmpeg decodes it: ... | ffmpeg -i - -f au - | pastream -"
    refused("-", *FAST, code=FILE, says=says, way_out=way_out, stdin=stream)


def test_a_codec_that_ffmpeg_would_decode_is_told_where_ffmpeg_is_not_installed(
    pastream: Pastream, tmp_path: Path
) -> None:
    (tmp_path / "in.wma").write_bytes(bytes(1000))
    result = pastream("in.wma", *FAST, env={"PATH": str(tmp_path)})
    assert explanation(result.stderr) == [
        "cannot open in.wma: Windows Media is not decoded here",
        "apt install ffmpeg gets a program that decodes it: ffmpeg -i in.wma -f au - | pastream -",
    ]


@AS_ROOT
@has_sound
def test_an_input_that_may_not_be_read_is_refused(refused: Refused, pastream: Pastream, tmp_path: Path) -> None:
    (tmp_path / "in.wav").chmod(0)
    refused("in.wav", *FAST, code=FILE, says="cannot open in.wav: Permission denied", run=without_rights(pastream))


@AS_ROOT
def test_an_input_in_a_folder_that_may_not_be_entered_is_refused(
    refused: Refused, pastream: Pastream, tmp_path: Path
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    says = "cannot open closed/in.wav: Permission denied"
    refused("closed/in.wav", *FAST, code=FILE, says=says, run=without_rights(pastream))


def test_a_folder_is_no_input(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "takes").mkdir()
    way_out = 'to play what is in it: for f in takes/*; do pastream "$f"; done'
    refused("takes", *FAST, code=FILE, says="cannot open takes: Is a directory", way_out=way_out)


@pytest.mark.parametrize("length", [252, 5000])
def test_a_name_that_is_too_long_is_refused(refused: Refused, length: int) -> None:
    name = "x" * length + ".wav"
    refused(name, *FAST, code=FILE, says=f"cannot open {name}: File name too long")
    refused("null", name, *FAST, "-d", "1", code=FILE, says=f"cannot create {name}: File name too long")


def test_a_name_that_breaks_the_line_is_shown_on_one(refused: Refused) -> None:
    says = r"cannot open a\nb\x1b.wav: No such file or directory"
    refused("a\nb\x1b.wav", *FAST, code=FILE, says=says, way_out=r"to record: pastream null $'a\nb\x1b.wav'")


@pytest.mark.parametrize(
    ("name", "word"),
    [("my take.wav", "'my take.wav'"), ("it's.wav", r"'it'\''s.wav'"), ("-x.wav", "./-x.wav"), ("\udcff", r"$'\xff'")],
)
def test_a_way_out_can_be_pasted_into_a_shell(pastream: Pastream, name: str, word: str) -> None:
    result = pastream("--", name)
    assert explanation(result.stderr)[1] == f"to record: pastream null {word}"
    echo = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert echo.stdout.removeprefix(b"./") == os.fsencode(name)


def test_headerless_data_is_refused_without_a_description(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "in.raw").write_bytes(bytes(400))
    says = "cannot open in.raw: RAW data does not say what it is"
    way_out = "say it with -c, -r and -e, as in -c 2 -r 48k -e pcm_16"
    refused("in.raw", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


# ---- standard input and output ----


@pytest.mark.parametrize("data", [b"", b"This is no sound.\n" * 100], ids=["nothing", "text"])
def test_a_pipe_without_sound_is_refused(refused: Refused, data: bytes) -> None:
    if data:
        says, way_out = "cannot open standard input: not a sound format that is known", RAW_IN_A_PIPE
    else:
        says, way_out = "cannot read standard input: it is empty", None
    refused("-", *FAST, code=FILE, says=says, way_out=way_out, stdin=data)


def test_a_pipe_cannot_be_looped(refused: Refused, sound: bytes) -> None:
    says = "cannot loop standard input: it cannot be rewound"
    refused("-", "--loop", "-d", "1", *FAST, code=FILE, says=says, way_out="--loop needs a file", stdin=sound)


def test_a_terminal_is_no_input(refused: Refused) -> None:
    ours, theirs = pty.openpty()
    try:
        says, way_out = "cannot read standard input: it is a terminal", "pipe audio in, or name a file"
        refused("-", *FAST, code=USAGE_ERROR, says=says, way_out=way_out, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("source", ["null", "in.wav"])
@has_sound
def test_a_terminal_is_no_output(pastream: Pastream, source: str) -> None:
    ours, theirs = pty.openpty()
    try:
        process = pastream.start(source, "-", "-t", "au", "-d", "1", *FAST, stdout=theirs)
        result = pastream.finish(process)
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)
    finally:
        os.close(ours)
        os.close(theirs)
    assert result.returncode == USAGE_ERROR
    says, way_out = "cannot write standard output: it is a terminal", "pipe it into a program, or name a file"
    assert explanation(result.stderr) == [says, way_out]


def test_an_output_in_a_pipe_needs_a_type(refused: Refused) -> None:
    says = "cannot write to standard output: no file type was given"
    way_out = "-t au suits every length and most readers; -t wav, rf64, flac, ogg, mp3 and raw work too"
    refused("null", "-", "-d", "1", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


@pytest.mark.parametrize("file_type", ["AIFF", "CAF", "W64"])
def test_a_type_that_needs_a_file_is_refused_for_a_pipe(pastream: Pastream, file_type: str) -> None:
    result = pastream("null", "-", "-t", file_type, "-d", "1", *FAST)
    assert result.returncode == USAGE_ERROR
    says = f"cannot write standard output: {file_type} cannot be piped"
    assert explanation(result.stderr) == [says, "these can: wav, au, raw, rf64, flac, ogg, mp3"]


@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "02", "12", "012"])
def test_a_recording_does_not_care_which_standard_streams_are_closed(
    pastream: Pastream, tmp_path: Path, closed: str
) -> None:
    result = with_streams_closed(pastream, closed)("null", "out.wav", "-d", "0.1", *FAST)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.wav").stat().st_size > RATE // 10 * 6
    assert result.stdout == b""
    assert ("wrote out.wav" in result.stderr) == ("2" not in closed)


@pytest.mark.parametrize(("stream", "line", "name"), [("0", "-", "input"), ("1", "null - -t au -d 1", "output")])
def test_a_closed_standard_stream_is_no_input_or_output(pastream: Pastream, stream: str, line: str, name: str) -> None:
    result = with_streams_closed(pastream, stream)(*line.split(), *FAST)
    assert result.returncode == FILE
    assert f"standard {name}: " in explanation(result.stderr)[0]


def with_streams_closed(pastream: Pastream, streams: str) -> Callable[..., Result]:
    """Give a runner of the command with some of its standard streams closed."""
    closing = "".join(f" {stream}>&-" for stream in streams)
    return run_behind(pastream, "sh", "-c", f'exec "$@"{closing}', "sh")


@pytest.mark.parametrize("option", ["-h", "--help", "--man", "--completions=bash", "--version", "-l"])
def test_an_answer_that_does_not_fit_the_disk_is_told(pastream: Pastream, option: str) -> None:
    result = run_behind(pastream, "sh", "-c", 'exec "$@" >/dev/full', "sh")(option)
    assert result.returncode == FILE, result.stderr
    assert result.stderr.splitlines()[-1] == "pastream: cannot write standard output: No space left on device"


def test_a_report_that_does_not_fit_the_disk_is_told_and_the_take_is_kept(pastream: Pastream, tmp_path: Path) -> None:
    run = run_behind(pastream, "sh", "-c", 'exec "$@" >/dev/full', "sh")
    result = run("null", "out.wav", "-d", "0.1", "--json", *FAST)
    assert result.returncode == FILE
    assert explanation(result.stderr) == ["cannot write standard output: No space left on device"]
    assert soundfile.info(tmp_path / "out.wav").frames == RATE // 10
    result = run("null", "out.wav", "-d", "0.1", "--json", *FAST)
    assert explanation(result.stderr) == ["cannot create out.wav: it exists already", "-y replaces it"]


@pytest.mark.parametrize(
    ("line", "code"),
    [("--nonsense", USAGE_ERROR), ("missing.wav", FILE), ("null out.wav -d 0.1 -D virtual", ExitCode.COMPLETE)],
)
def test_an_exit_code_does_not_change_where_nobody_can_read_the_reason(
    pastream: Pastream, line: str, code: ExitCode
) -> None:
    result = run_behind(pastream, "sh", "-c", 'exec "$@" 2>/dev/full', "sh")(*line.split())
    assert result.returncode == code
