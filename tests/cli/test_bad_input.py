"""What cannot work is refused: with its exit code, in one line and the way out, and nothing is made or changed."""

from __future__ import annotations

import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile

from pastream_cli.args import USAGE
from pastream_cli.errors import ExitCode
from pastream_cli.options import OPTIONS, PAIRS, Kind, Option
from pastream_cli.units import RATE_FORMS, SIZE_FORMS, TIME_FORMS
from tests.explanations import explanation
from tests.forks import Forks, forks_of
from tests.homes import make_home, need
from tests.runner import Pastream, Result
from tests.servers import JackServer, PulseServer, Server
from tests.sounds import RATE, make_noise

DEVICE, USAGE_ERROR, FILE = ExitCode.DEVICE, ExitCode.USAGE, ExitCode.FILE

FAST = ("-D", "virtual:fast")
RAW_FORMS = "headerless data needs -t raw -c CHANNELS -r RATE -e ENCODING"
DAMAGED = "the file is damaged, or was cut off"
RAW_IN_A_PIPE = "raw data needs -t raw -c CHANNELS -r RATE -e ENCODING"
NO_TYPE = "end it in .wav, .flac, .ogg, ..., or say it with -t"
SAME_FILE = "name another OUTPUT"

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and give up rights")


def contents(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return what is in a folder: mode, inode, time and content of every file by its path."""
    found = {}
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(root, name)
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            found[str(path)] = (status.st_mode, status.st_ino, status.st_mtime_ns if content else 0, content)
    return found


class Refused:
    """Runs commands that must end in a code, say exactly what is expected, and leave the folder as it was."""

    def __init__(self, pastream: Pastream, forks: Forks) -> None:
        self._pastream = pastream
        self._forks = forks

    def __call__(
        self,
        *arguments: str,
        code: ExitCode,
        says: str,
        way_out: str | None = None,
        run: Callable[..., Result] | None = None,
        server: Server | None = None,
        stdin: bytes | int | None = None,
    ) -> None:
        """Run a command, by `run` where it is given, and judge it."""
        folder = self._pastream.folder
        before = contents(folder)
        if run is not None:
            result = run(*arguments)
        elif server is not None or stdin is not None:
            result = self._pastream(*arguments, server=server, stdin=subprocess.DEVNULL if stdin is None else stdin)
        else:
            result = self._forks(*arguments, cwd=folder)
        assert result.stderr == "".join(f"pastream: {line}\n" for line in (says, way_out) if line)
        assert result.returncode == code
        assert result.stdout == b""
        assert contents(folder) == before


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """The command in forks, in a home without sound servers."""
    with forks_of(make_home(tmp_path_factory.mktemp("home"))) as lent:
        yield lent


@pytest.fixture
def refused(pastream: Pastream, forks: Forks) -> Refused:
    """Runs a command that must be refused."""
    return Refused(pastream, forks)


@pytest.fixture
def sound(tmp_path: Path) -> bytes:
    """The content of in.wav: a tenth of a second, stereo."""
    make_noise(tmp_path / "in.wav", RATE // 10)
    return (tmp_path / "in.wav").read_bytes()


has_sound = pytest.mark.usefixtures("sound")


def run_behind(pastream: Pastream, *prefix: str) -> Callable[..., Result]:
    """Give a runner of the command behind words that change what it finds."""

    def run(*arguments: str) -> Result:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "pastream_cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=pastream.folder,
            env=pastream.environment,
        )
        return pastream.finish(process)

    return run


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


@pytest.mark.parametrize("suffix", ["wav", "aiff", "au"])
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


@pytest.mark.parametrize("length", [0x7FFFF000 - 36, 0xFFFFFFFF])
def test_an_input_whose_length_its_maker_did_not_know_is_no_cut_off_one(
    pastream: Pastream, tmp_path: Path, sound: bytes, length: int
) -> None:
    (tmp_path / "piped.wav").write_bytes(sound[:40] + length.to_bytes(4, "little") + sound[44:])
    result = pastream("piped.wav", *FAST)
    assert (result.returncode, "warning" in result.stderr) == (0, False), result.stderr


def test_an_input_whose_middle_is_lost_is_played_up_to_there(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.flac", RATE)
    content = bytearray((tmp_path / "in.flac").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 50_000] = bytes(50_000)
    (tmp_path / "in.flac").write_bytes(content)
    result = pastream("in.flac", *FAST)
    assert result.returncode == FILE
    assert explanation(result.stderr)[0].startswith("cannot read in.flac: ")
    frames = int(re.findall(r"([0-9 ]+) frames", result.stderr)[-1].replace(" ", ""))
    assert RATE // 4 < frames < RATE * 3 // 4


def test_an_input_that_is_no_sound_is_refused(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_text("This is no sound.\n" * 100)
    refused("in.wav", *FAST, code=FILE, says="cannot open in.wav: Format not recognised", way_out=RAW_FORMS)


def test_an_input_of_a_kind_that_is_not_known_is_refused_with_who_may_know_it(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "my take.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(1000))
    way_out = "another program may read it: ffmpeg -i 'my take.m4a' -f au - | pastream -"
    refused("my take.m4a", *FAST, code=FILE, says="cannot open my take.m4a: Format not recognised", way_out=way_out)


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


def without_rights(pastream: Pastream) -> Callable[..., Result]:
    """Give a runner for whom permissions count, although it is root's."""
    need("setpriv")
    return run_behind(pastream, "setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


def test_a_folder_is_no_input(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "takes").mkdir()
    refused("takes", *FAST, code=FILE, says="cannot open takes: Is a directory")


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


# ---- where a recording goes ----


@pytest.mark.parametrize("name", ["takes", "takes.wav"])
@has_sound
def test_a_folder_is_no_output(refused: Refused, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    for arguments in (["in.wav", name], ["null", name, "-y", "-d", "1"]):
        refused(*arguments, *FAST, code=FILE, says=f"cannot create {name}: Is a directory")


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


@pytest.mark.parametrize("arguments", [["in.wav"], ["null", "-d", "1"]])
@has_sound
def test_an_output_that_is_there_is_not_replaced_without_leave(
    refused: Refused, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "out.wav").write_text("precious")
    says = "cannot create out.wav: it exists already"
    refused(*arguments, "out.wav", *FAST, code=FILE, says=says, way_out="-y replaces it")


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


@pytest.mark.parametrize("option", ["-h", "--version", "-l"])
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


# ---- devices ----

NO_DEVICE = "-D virtual needs no sound hardware; -l lists devices"


@has_sound
def test_a_machine_without_a_device_is_told_of_the_virtual_one(refused: Refused) -> None:
    for line, side in (("in.wav", "playback"), ("null out.wav", "capture"), ("in.wav out.wav", "playback")):
        refused(*line.split(), code=DEVICE, says=f"cannot choose a {side} device: there is none", way_out=NO_DEVICE)


@has_sound
def test_an_unknown_device_on_a_machine_without_any_is_told_of_the_virtual_one(refused: Refused) -> None:
    says = "cannot find a playback device: nothing is called 'hw:1,0'"
    way_out = "there is no playback device here; -D virtual needs no sound hardware"
    refused("in.wav", "-D", "hw:1,0", code=DEVICE, says=says, way_out=way_out)


@has_sound
def test_an_unknown_device_is_answered_with_those_that_are_there(refused: Refused, pulseaudio: PulseServer) -> None:
    for device, reason in (("focusrite", "nothing is called 'focusrite'"), ("7", "there is no number 7")):
        says = f"cannot find a playback device: {reason}"
        way_out = "one of: 0 pulse, ALSA; 1 default, ALSA"
        refused("in.wav", "-D", device, code=DEVICE, says=says, way_out=way_out, server=pulseaudio)


def test_a_name_of_several_devices_is_answered_with_them(refused: Refused, pulseaudio: PulseServer) -> None:
    says = "cannot choose a capture device: 'alsa' stands for several"
    way_out = "one of: 0 pulse, ALSA; 1 default, ALSA"
    refused("null", "out.wav", "-D", "alsa", code=DEVICE, says=says, way_out=way_out, server=pulseaudio)


@pytest.mark.parametrize("device", ["virtual,default", "default,virtual:sine"])
@has_sound
def test_a_virtual_device_does_not_pair_with_a_real_one(refused: Refused, pulseaudio: PulseServer, device: str) -> None:
    says = f"cannot use -D {device}: the virtual device does not pair with another one"
    way_out = "one stream has one clock"
    refused("in.wav", "out.wav", "-D", device, code=USAGE_ERROR, says=says, way_out=way_out, server=pulseaudio)


FAULT_FORMS = "the forms are xrun=AT, stall=AT+LENGTH, die=AT and hang=AT"
VIRTUAL_FORMS = "the forms are virtual[:silence|:sine[=HZ]|:noise][:fast][:channels=N][:rate=HZ]"


@pytest.mark.parametrize(
    ("device", "reason", "way_out"),
    [
        ("virtual:sin", "'sin' is not known", VIRTUAL_FORMS),
        ("virtual:sine=high", "'high' is not a frequency", "sine=HZ, as in sine=440"),
        ("virtual:channels=0", "'0' is not 1 to 1024 channels", None),
        ("virtual:rate=0", "not a sample rate", RATE_FORMS),
        ("virtual:xrun=", "not a time", TIME_FORMS),
        ("virtual:stall=1", "stall takes a time and a length", FAULT_FORMS),
        ("virtual:die=1+1", "die takes one time", FAULT_FORMS),
        ("virtual:fast:die=1", "faults happen in real time, without :fast", None),
    ],
)
def test_a_virtual_device_that_does_not_exist_is_refused(
    refused: Refused, device: str, reason: str, way_out: str | None
) -> None:
    says = f"cannot use -D {device}: {reason}"
    refused("null", "out.wav", "-d", "1", "-D", device, code=USAGE_ERROR, says=says, way_out=way_out)


@pytest.mark.parametrize(
    ("line", "device"),
    [("null out.wav", "null,virtual"), ("in.wav", "virtual,null"), ("in.wav out.wav", "virtual,virtual")],
)
@has_sound
def test_a_virtual_device_can_be_named_for_each_side(pastream: Pastream, line: str, device: str) -> None:
    result = pastream(*line.split(), "-d", "0.05", "-D", device)
    assert result.returncode == 0, result.stderr


def test_the_virtual_device_in_capitals_is_told_how_it_is_written(refused: Refused) -> None:
    says, way_out = (
        "cannot find a capture device: nothing is called 'Virtual:sine'",
        "the virtual device is written in small letters",
    )
    refused("null", "out.wav", "-d", "1", "-D", "Virtual:sine", code=DEVICE, says=says, way_out=way_out)


def test_a_rate_that_the_device_does_not_run_at_is_refused_with_its_own(refused: Refused, jackd: JackServer) -> None:
    for device, rate, words in (
        ("system", "44.1k", "44100 Hz"),
        ("system", "1000k", "1000000 Hz"),
        ("jack, ALSA", "96k", "96000 Hz"),
    ):
        says = f"cannot open {device.partition(',')[0]}: it does not run at {words}"
        arguments = ("null", "out.wav", "-d", "1", "-r", rate, "-D", device)
        refused(*arguments, code=DEVICE, says=says, way_out="its own rate is 48000 Hz; see -r", server=jackd)


def test_a_file_at_a_rate_that_the_device_does_not_run_at_is_refused(
    refused: Refused, jackd: JackServer, tmp_path: Path
) -> None:
    make_noise(tmp_path / "in.wav", 100, rate=44100)
    says = "cannot open system: it does not run at 44100 Hz"
    way_out = "its own rate is 48000 Hz; a file is not converted to it"
    refused("in.wav", "-D", "system", code=DEVICE, says=says, way_out=way_out, server=jackd)


CHANNELS_FORM = "-c says how many channels to open; -l lists what each device has"


MAP_FORM = "-m names channels by their numbers; -l lists what each device has"


@pytest.mark.parametrize(
    ("option", "channels", "way_out"), [(["-c", "64"], 64, CHANNELS_FORM), (["-m", "1,9"], 9, MAP_FORM)]
)
def test_channels_that_the_device_does_not_have_are_refused(
    refused: Refused, jackd: JackServer, option: list[str], channels: int, way_out: str
) -> None:
    says = f"cannot open system with {channels} capture channels: it has 8"
    arguments = ("null", "out.wav", "-d", "1", *option, "-D", "system")
    refused(*arguments, code=DEVICE, says=says, way_out=way_out, server=jackd)


def test_a_file_with_more_channels_than_the_device_is_refused(
    refused: Refused, tmp_path: Path, jackd: JackServer
) -> None:
    make_noise(tmp_path / "in.wav", 100, 64)
    says = "cannot open system with 64 playback channels: it has 8"
    refused("in.wav", "-D", "system", code=DEVICE, says=says, way_out=CHANNELS_FORM, server=jackd)


@has_sound
def test_a_map_of_channels_that_the_file_does_not_have_is_refused(refused: Refused) -> None:
    says, way_out = "cannot map channel 3 of in.wav: it has 2", "-m is IN[:OUT], IN of the file"
    refused("in.wav", "-m", "1,3", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


def test_channels_of_a_driver_are_refused_where_there_is_no_such_driver(refused: Refused) -> None:
    says, way_out = "cannot use --channel-select: no ASIO device is in use", "-m MAP selects channels anywhere"
    for option in ("--channel-select", "-s"):
        refused("null", "out.wav", "-d", "1", option, "0,1", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


@AS_ROOT
@has_sound
def test_a_machine_without_portaudio_is_told_what_to_install(
    refused: Refused, pastream: Pastream, tmp_path: Path
) -> None:
    # what looks for libraries finds none: neither ldconfig nor a compiler
    hide = 'mount --bind /bin/true /sbin/ldconfig && PATH=/nowhere exec "$@"'
    run = run_behind(pastream, "unshare", "--mount", "sh", "-c", hide, "sh")
    says = "cannot use a sound device: the PortAudio library is not installed"
    way_out = "install it (apt install libportaudio2, brew install portaudio), or try -D virtual"
    for arguments in (["in.wav"], ["null", "out.wav", "-d", "1"]):
        refused(*arguments, code=DEVICE, says=says, way_out=way_out, run=run)
    result = run("null", "out.wav", "-d", "0.1", "-D", "virtual")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.wav").exists()


def test_a_block_that_is_too_long_to_wait_for_is_refused(refused: Refused) -> None:
    says = "cannot use -b 10485760: a block of 218 s comes too seldom"
    way_out = "a device that is silent for 10 s is given up; without -b the host chooses"
    refused("null", "out.wav", "-b", "10M", "-D", "virtual", code=USAGE_ERROR, says=says, way_out=way_out)


@pytest.mark.parametrize("option", [("--buffersize", "1900M", "-c", "1024"), ("-b", "1900M", "-c", "1024")])
def test_a_buffer_that_does_not_fit_the_memory_is_refused(
    pastream: Pastream, tmp_path: Path, option: list[str]
) -> None:
    result = pastream("null", "out.wav", "-d", "1", *option, *FAST)
    says, way_out = explanation(result.stderr)
    assert (result.returncode, way_out) == (USAGE_ERROR, "make --buffersize or -b smaller")
    assert re.fullmatch(r"cannot buffer so much: it takes [0-9.]+ GB of [0-9.]+ GB of memory", says)
    assert not (tmp_path / "out.wav").exists()


# ---- kinds of files ----


def test_a_type_that_there_is_not_is_refused_with_those_that_there_are(refused: Refused) -> None:
    types = ", ".join(sorted(soundfile.available_formats()))
    arguments = ("null", "out.m4a", "-t", "m4a", "-d", "1")
    refused(*arguments, *FAST, code=USAGE_ERROR, says="cannot use -t M4A: not a file type", way_out=f"one of {types}")


def test_an_encoding_that_there_is_not_is_refused_with_those_that_there_are(pastream: Pastream, tmp_path: Path) -> None:
    result = pastream("null", "out.wav", "-e", "16", "-d", "1", *FAST)
    failure, way_out = explanation(result.stderr)
    assert (result.returncode, failure) == (USAGE_ERROR, "cannot use -e 16: not an encoding")
    assert way_out.startswith("one of PCM_S8, PCM_16, PCM_24, PCM_32, PCM_U8, FLOAT, DOUBLE, ")
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("name", "encoding", "file_type", "encodings"),
    [
        ("out.flac", "float", "FLAC", "PCM_S8, PCM_16, PCM_24"),
        ("out.mp3", "pcm_16", "MP3", "MPEG_LAYER_III"),
        ("out.ogg", "pcm_16", "OGG", "VORBIS, OPUS"),
        ("out.voc", "pcm_24", "VOC", "PCM_16, PCM_U8, ULAW, ALAW"),
    ],
)
def test_an_encoding_that_the_type_does_not_take_is_refused_with_those_that_it_does(
    refused: Refused, name: str, encoding: str, file_type: str, encodings: str
) -> None:
    says = f"cannot write {name}: {file_type} does not take {encoding.upper()}"
    arguments = ("null", name, "-e", encoding, "-d", "1")
    refused(*arguments, *FAST, code=FILE, says=says, way_out=f"it takes {encodings}")


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
    refused("null", name, "-c", str(channels), "-d", "1", *FAST, code=FILE, says=says, way_out=way_out)


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
    refused(*arguments, *FAST, code=FILE, says=says, way_out="leave out --endian")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, "its name does not say the file type") for name in ("out", "out.", ".wav")),
        ("out.m4a", ".m4a is no file type that is known"),
        ("take.1", ".1 is no file type that is known"),
    ],
)
def test_a_name_that_tells_no_type_is_refused(refused: Refused, name: str, reason: str) -> None:
    says = f"cannot write {name}: {reason}"
    refused("null", name, "-d", "1", *FAST, code=USAGE_ERROR, says=says, way_out=NO_TYPE)


def test_an_mp3_is_recorded_into_a_wav_without_a_word_about_encodings(pastream: Pastream, tmp_path: Path) -> None:
    make_noise(tmp_path / "in.mp3", RATE // 10, encoding="MPEG_LAYER_III")
    result = pastream("in.mp3", "out.wav", *FAST)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["out.wav", "out.flac", "out.mp3", "out.ogg", "out.aiff", "out.caf"])
def test_a_recording_of_no_length_is_a_file_that_can_be_played(pastream: Pastream, name: str) -> None:
    assert pastream("null", name, "-d", "0", *FAST).returncode == 0
    result = pastream(name, *FAST)
    assert result.returncode == 0, result.stderr


# ---- the command line ----


def test_no_arguments_are_answered_with_the_usage(refused: Refused) -> None:
    refused(code=USAGE_ERROR, says="cannot start: no INPUT was given", way_out=USAGE)


def test_options_without_a_word_are_answered_with_the_commonest_commands(refused: Refused) -> None:
    way_out = "pastream in.wav plays, pastream null out.wav records, pastream -h says more"
    refused("-d", "10", code=USAGE_ERROR, says="cannot start: no INPUT was given", way_out=way_out)


def test_a_file_of_arguments_that_is_not_there_is_named(refused: Refused) -> None:
    says = "cannot read arguments from @take: No such file or directory"
    way_out = "for a sound file whose name begins with @ write ./@take"
    refused("@take", code=USAGE_ERROR, says=says, way_out=way_out)


SIZE_OR_RATE = {Kind.SIZE: ("not a size", SIZE_FORMS), Kind.RATE: ("not a sample rate", RATE_FORMS)}
TIMES = {Kind.LIMIT, Kind.OFFSET, Kind.PAD, Kind.TIME}
NUMBERS = [option for option in OPTIONS if option.kind in {*TIMES, *SIZE_OR_RATE, Kind.CHANNELS, Kind.LATENCY}]
NO_NUMBERS = ("", "-5", "1e400", "0x10", "½", "1;5", "9" * 400)


def words_of(option: Option, name: str) -> tuple[str, str]:
    """Return what is said of a value that is no number: the reason and the forms that there are."""
    if option.kind in TIMES:
        return "not a time", TIME_FORMS
    if option.kind is Kind.CHANNELS:
        return "not a number of channels", f"{name} takes 1 to 1024, or two such numbers with a comma between"
    if option.kind is Kind.LATENCY:
        return "not a latency", "a latency is low, high, or seconds up to 60, as in 0.2"
    return SIZE_OR_RATE[option.kind]


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: str(option.long_name))
@has_sound
def test_nonsense_for_a_number_is_answered_with_the_forms_that_there_are(refused: Refused, option: Option) -> None:
    reason, forms = words_of(option, option.long_name)
    for value in NO_NUMBERS:
        if not value and option.kind in PAIRS:
            continue  # the default, with a warning
        says = f"cannot use {option.long_name} {value or repr(value)}: {reason}"
        arguments = ("in.wav", "out.wav", f"{option.long_name}={value}")
        refused(*arguments, *FAST, code=USAGE_ERROR, says=says, way_out=forms)


@pytest.mark.parametrize(
    ("line", "message", "way_out"),
    [
        ("null -q", "listen quietly: without an OUTPUT there is nothing but the screen", "leave out -q"),
        ("in.wav -q -v", "use --verbose: --quiet says the opposite", "leave out one of the two"),
        ("in.wav -q --meter", "use --meter: --quiet says the opposite", "leave out one of the two"),
        ("null out.wav -p 1", "use --pad: there is no INPUT to follow", "a recording is as long as -d TIME says"),
        ("null out.wav --loop", "use --loop: there is no INPUT to repeat", None),
        ("in.wav -o 0.01", "use --offset: there is no OUTPUT", "-o drops TIME from the start of a recording"),
        ("in.wav --split 1", "use --split: OUTPUT is not a file", None),
        ("null - -t au --split 1", "use --split: OUTPUT is not a file", None),
        ("null out.wav --split 0", "use --split 0: a file holds at least one frame", None),
        ("null out.wav --buffersize 0", "use --buffersize 0: a buffer holds at least one frame", None),
        ("null out.wav -d 1 -o 2", "use --offset: it drops the whole recording", "make -o shorter than -d"),
        (
            "in.wav out.wav -o 1",
            "use --offset: it drops 48000 frames of a recording of 4800",
            "make -o shorter than the length",
        ),
        ("in.wav -m 1 -m 2", "use --map twice: this run has only one side", "give it once"),
        ("null out.wav", "run as fast as possible for ever: it would fill the disk", "say how long with -d"),
        (
            "in.wav out.wav third.wav",
            "use third.wav: INPUT is in.wav and OUTPUT is out.wav",
            "put quotes around a name that has spaces",
        ),
        ("null out.wav --durration 5", "use --durration: there is no such option", "did you mean --duration?"),
        ("-x.wav", "use -x.wav: there is no option -x", "for a file whose name begins with - write ./-x.wav"),
        ("null out.wav -z", "use -z: there is no such option", "pastream -h lists the options"),
        (
            "null out-{x}.wav -d 1",
            "use the name out-{x}.wav: {x} is no field",
            "the fields are {n}, {n:03}, {date}, {time}, {start:%H%M} or {utc:%H%M}; {{ is a brace",
        ),
    ],
)
@has_sound
def test_what_does_not_go_together_is_refused(refused: Refused, line: str, message: str, way_out: str | None) -> None:
    refused(*line.split(), *FAST, code=USAGE_ERROR, says=f"cannot {message}", way_out=way_out)


@has_sound
def test_a_meter_needs_a_terminal(refused: Refused) -> None:
    says, way_out = "cannot use --meter: standard error is no terminal", "leave it out, or run in a terminal"
    refused("in.wav", "--meter", *FAST, code=USAGE_ERROR, says=says, way_out=way_out)


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("-d 1s", "-d 1s is 1 frame, 0.0208 ms; seconds have no suffix"),
        ("-d 0.1 --split 4799s", "--split 4799s is 4 799 frames, 100 ms; seconds have no suffix"),
        ("-d 0 --buffersize 1 -D virtual", "--buffersize 1 holds 0.0208 ms of sound: every disk hesitates for longer"),
        ("-d 0.1 -b 1", "-b 1 is a block of 1 frame: a bit depth is -e, as in -e pcm_24"),
    ],
)
def test_what_was_probably_meant_otherwise_is_warned_of(pastream: Pastream, line: str, warning: str) -> None:
    result = pastream("null", "out.wav", *FAST, *line.split())
    assert result.returncode == 0
    assert f"pastream: warning: {warning}\n" in result.stderr
