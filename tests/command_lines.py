"""Command lines: what one asks for; random ones over the whole grammar, most of their parts right, and their files."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import strategies as st

from pastream_cli.args import parse
from pastream_cli.command.job import Job
from pastream_cli.command.option import Kind, Option
from pastream_cli.command.options import OPTIONS
from pastream_cli.errors import ExitCode, UsageError
from pastream_cli.units import Time
from tests.sounds import make_noise

FRAMES = 4800
LONG_NAME = "l" * 251 + ".wav"
"""As long as a name may be."""
ARGUMENTS_FILE = "args.txt"


def words(text: str, *others: str) -> list[str]:
    """Return the words of a text, and others that could not stand in it."""
    return [*text.split(), *others]


# ---- words ----

GOOD_INPUTS = words(
    "in.wav mono.flac six.aiff in.au in.ogg in.caf in.mp3 in.opus ./in.wav link.wav hard.wav größe.wav ./@at.wav "
    "./-dash.wav read-only.wav unknown.flac 1.wav - - null null NULL ^",
    "a b.wav",
    LONG_NAME,
)
ODD_INPUTS = words(
    "short.wav header.wav half-a-header.wav corrupt.flac text.wav empty.wav missing.wav in.raw headerless dangling.wav "
    "round.wav folder.wav folder.wav/in.wav in.wav/in.wav fifo / . /dev/null /dev/zero /dev/full /dev/stdin {n} "
    "%s%d{0}.wav @at.wav -dash.wav @missing @self.txt @in.wav play record list 10m \u2013q “in.wav” https://a.b/c.mp3 a://",
    "",
    f"@{ARGUMENTS_FILE}",
    "missing\nline.wav",
    "\udcff\udcfe.wav",
    "m" * 252 + ".wav",
    "m" * 5000,
)
GOOD_OUTPUTS = words(
    "out.wav ./out.wav out.flac out.ogg out.opus out.mp3 out.aiff out.au out.caf out.w64 out.rf64 out.raw out.WAV "
    "größe-2.wav folder.wav/out.wav null Null ^ -",
    "a b c.wav",
)
ODD_OUTPUTS = words(
    "out.aifc out.sf out.voc out.nist out.mat4 out.mat5 out.xi out.sd2 out.wve out.htk out.iff out.paf out.pvf out.avr "
    "out.gsm out.wavex out.sds out.mpc2k out out. .wav out.nonsense new/out.wav folder.wav in.wav/out.wav in.wav "
    "./in.wav link.wav hard.wav mono.flac dangling.wav round.wav read-only.wav text.wav empty.wav fifo /dev/null "
    "/dev/full / . /nowhere/out.wav %s.wav -out.wav @out.wav {n}.wav {n:03}-{date}-{time}.wav {start:%H%M}.flac "
    "{utc:%Y/%m}/{n}.wav {{x}}.wav {nonsense}.wav {.wav {n:9999999999}.wav {n.real}.wav {n!r:>{n}}.wav out-{date}.ogg "
    "{date:%Y} {start:YYYY} {utc: {} out-%Y-%m.wav out-%03d.flac out.m4a out.gz out.wva \u2013d icecast://a/b",
    "",
    "out\nline.wav",
    "\udcff.wav",
    "m" * 252 + ".wav",
    "m" * 5000 + ".wav",
)


def make_files(folder: Path) -> None:
    """Make the files that the words name."""
    for name, channels, encoding in (
        ("in.wav", 2, "PCM_16"),
        ("mono.flac", 1, "PCM_24"),
        ("six.aiff", 6, "PCM_24"),
        ("in.au", 2, "FLOAT"),
        ("in.ogg", 2, "VORBIS"),
        ("in.caf", 1, "PCM_32"),
        ("in.mp3", 2, "MPEG_LAYER_III"),
        ("in.opus", 2, "OPUS"),
        ("1.wav", 1, "PCM_16"),
        (LONG_NAME, 1, "PCM_16"),
        ("-dash.wav", 1, "PCM_16"),
        ("@at.wav", 1, "PCM_16"),
        ("a b.wav", 1, "PCM_16"),
        ("größe.wav", 1, "PCM_16"),
        ("read-only.wav", 1, "PCM_16"),
    ):
        file_type = "OGG" if encoding == "OPUS" else None
        make_noise(folder / name, FRAMES, channels, encoding=encoding, file_type=file_type)
    sound = (folder / "in.wav").read_bytes()
    flac = bytearray((folder / "mono.flac").read_bytes())
    flac[21:26] = flac[21] & 0xF0, 0, 0, 0, 0  # the number of frames: not known, as from a pipe
    for name, content in (
        ("unknown.flac", flac),
        ("headerless", sound[44:]),
        ("in.raw", sound[44:]),
        ("short.wav", sound[:1000]),
        ("header.wav", sound[:44]),
        ("half-a-header.wav", sound[:20]),
        ("empty.wav", b""),
        ("corrupt.flac", bytes(range(256)) * 40),
        ("text.wav", b"This is no sound.\n" * 100),
        ("self.txt", b"@self.txt -q\n"),
    ):
        (folder / name).write_bytes(content)
    (folder / "read-only.wav").chmod(0o444)
    (folder / "folder.wav").mkdir()
    (folder / "folder.wav/in.wav").write_bytes(sound)
    (folder / "hard.wav").hardlink_to(folder / "in.wav")
    for name, target in (("link", "in"), ("dangling", "nothing"), ("round", "round")):
        (folder / f"{name}.wav").symlink_to(f"{target}.wav")


STANDARD_INPUTS = ("/dev/null", "in.au", "in.wav", "mono.flac", "in.raw", "text.wav", "/dev/zero")

# ---- options ----

TIMES = words("0.05 0.1 .2 0 2400s 1.2ks 1Ks 0:00.1 0:0:0.1 -1")
ODD_TIMES = words(
    "1s 1 10:00 90:00 36:00:00 1000000000 999999999:0:0 10ms 1e9s 1000000000000000000s 1h 1m30 nan inf -5 1e400 0x10 "
    "1,5 1_0 ½ 1:2:3:4 out.wav 10m 1h30m15 1.5d 1:30h PT5M 48k 5'30 forever null",
    "",
    "9" * 400,
)

VALUES = {
    Kind.LIMIT: (TIMES, ODD_TIMES),
    Kind.OFFSET: (words("0 0.01 100s 1s 0.04"), ODD_TIMES),
    Kind.OPTIONAL_LIMIT: (TIMES, ODD_TIMES),
    Kind.TIME: (words("0.01 0.05 1000s 480s 1"), ["0", "1s", "-1", *ODD_TIMES]),
    Kind.LEVEL: (words("-40dB -40 key 0 -12.5dBFS"), words("40 -40LU quiet -900", "")),
    Kind.SILENCE: (words("-50dB,3 -50,1:00 0,48000s"), words("-50dB -50,0 5,3 -50,x", "")),
    Kind.WHEN: (words("00:00 2099-12-24T06:00Z"), words("6:00 24:00 noon 06 2020-01-01T00:00 06:00Z 10", "")),
    Kind.SIZE: (
        words("0 64 100 1024 1k 1K 4096 2.5k"),
        words("1 16 -1 1.5 nan 4g 1s 100k 1M 2147483648 0.0001k pcm_24", "", "9" * 30),
    ),
    Kind.RATE: (
        words("48000 48k 44.1k 8K 8000 192k"),
        words("0 -8000 1 100 2147483647 2147483648 44.1 nan 48000,44100 48kHz 44,1k cd", "", "48 k"),
    ),
    Kind.CHANNELS: (
        words("1 2 6 1,2 2,null ^,3 ,1 64"),
        words("0 1024 1025 -1 1,2,3 two null,null 65536 , 1;2 stereo mono,2ch 3-4 left", ""),
    ),
    Kind.SAMPLE_FORMAT: (
        words("float32 int32 int24 int16 int8 uint8 s16 F32 S24_3LE int16,float32 null,s32"),
        words("float64 16 pcm_16 s16,s16,s16 s17", ""),
    ),
    Kind.ENDIAN: (words("file little big BIG little,big null,big"), words("middle cpu big,big,big", "")),
    Kind.LATENCY: (
        words("low high 0.1 0.02 low,high null,0.05 0 HIGH"),
        words("-1 60 61 nan 1e3 lowest low,low,low", ""),
    ),
    Kind.MAP: (
        words("1 1,2 2,1 1:1 1:2,2:1 0:1 1,1 2:3 0 1-2 2-1 2,1-2"),
        words("7 0-1 L,R 1-9999 1-1024,1 1-2:3-4 1+2 1..2 all 1:0 0:0 1:1,2:1 1024:1024 1025 1:2:3 a -1 1, 9999", ""),
    ),
    Kind.COMMAND: (["true", "false", 'test -s "$1"'], [""]),
    Kind.CHANNEL_LIST: (["0", "0,1"], words("-1 1,,2 a", "")),
    Kind.OUTPUT: (words("also.wav also.flac"), words("- null also out.wav in.wav also.xyz", "")),
    Kind.SHELL: (words("bash zsh fish"), words("tcsh sh", "")),
}
"""What is typed after an option: what it takes, and what it hardly does."""

NAMES = {
    "file_type": (
        words("wav WAV au raw flac ogg mp3 aiff caf w64 rf64 raw,wav null,au wavex"),
        words("sd2 mat4 htk xi voc nist mpc2k sds wve avr mp4 raw, wav,wav,wav wave opus .wav 10 pcm_16 falc", ""),
    ),
    "encoding": (
        words("pcm_16 PCM_24 float null,pcm_16 24 16bit s24 null,f32"),
        words(
            "pcm_32 double pcm_s8 pcm_u8 vorbis opus mpeg_layer_iii ulaw ima_adpcm gsm610 dwvw_12 alac_24 nms_adpcm_16 "
            "g721_32 dpcm_8 nonsense float,, 8bit s16be flac 24bti Flaot",
            "",
        ),
    ),
}
"""The same for options whose values are names of libsndfile's, by their field."""

FAST_DEVICES = words("virtual:fast virtual:sine:fast virtual:noise:fast virtual:silence:fast:channels=3:rate=44100")
OTHER_DEVICES = words(
    "virtual virtual:sine=440 virtual:channels=3:rate=44100 virtual:xrun=0.05 virtual:stall=0.05+0.1 virtual:die=0.05 "
    "virtual:xrun=0:die=0 virtual:fast:xrun=0/0.01 virtual:xrun=0/0 virtual:stall=1s+480s virtual:sine=1e5 "
    "virtual:sine=0 virtual: virtual:nonsense virtual:fast:die=1 virtual:rate=0 virtual:channels=1025 "
    "virtual:stall=1 virtual:xrun= virtual:fast:rate=1 "
    "virtual:rate=2147483647:fast virtual:channels=1024:fast virtual,virtual virtual:fast,0 VIRTUAL nonsense 0 9999 "
    "virtual:440 virtual:fats virtual-sine virtual,virtual:sine,virtual sine virt",
    '"virtual"',
    "",
)

RARE_OPTIONS = frozenset({"--channel-select", "--completions", "--help", "--list", "--man", "--meter", "--version"})
"""They end the line early: most tests have neither an ASIO driver nor a terminal."""

TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)


@dataclass(frozen=True)
class CommandLine:
    """What is typed, what is in the file of arguments that it may name, and what standard input is."""

    arguments: tuple[str, ...]
    arguments_file: str
    standard_input: str


def mostly(good: st.SearchStrategy[str], odd: st.SearchStrategy[str], times: int = 12) -> st.SearchStrategy[str]:
    """Draw what is good so many times as often as what is odd."""
    return st.sampled_from([*[good] * times, odd]).flatmap(lambda strategy: strategy)


@st.composite
def values(draw: st.DrawFn, option: Option) -> str:
    """Draw a value for an option."""
    good, odd = NAMES[option.field] if option.field in NAMES else VALUES[option.kind]
    others = st.sampled_from(odd) if option.kind is Kind.COMMAND else st.sampled_from(odd) | TEXTS  # it would be run
    return draw(mostly(st.sampled_from(good), others))


@st.composite
def typed(draw: st.DrawFn, option: Option, value: str | None) -> list[str]:
    """Draw one of the ways in which an option can be typed."""
    name = draw(st.sampled_from((*option.names, *option.aliases)))
    if value is None:
        return [name]
    attached = f"{name}={value}" if name.startswith("--") else f"{name}{value}"
    return draw(st.sampled_from(([name, value], [name, value], [attached])))


@st.composite
def options(draw: st.DrawFn) -> list[list[str]]:
    """Draw a device, and some of the other options."""
    devices = mostly(st.sampled_from(FAST_DEVICES), st.sampled_from(OTHER_DEVICES) | TEXTS, 4)
    kinds = {option.long_name: option for option in OPTIONS}
    usual = sorted(kinds.keys() - RARE_OPTIONS - {"--device"})
    given = [] if draw(st.integers(0, 15)) == 0 else [draw(typed(kinds["--device"], draw(devices)))]
    if draw(st.booleans()):
        given.append(["-d", draw(st.sampled_from(TIMES))])
    for _ in range(draw(st.integers(0, 5))):
        option = kinds[draw(mostly(st.sampled_from(usual), st.sampled_from(sorted(RARE_OPTIONS)), 20))]
        is_flag = option.kind is Kind.FLAG or (option.kind is Kind.OPTIONAL_LIMIT and draw(st.booleans()))
        given.append(draw(typed(option, None if is_flag else draw(values(option)))))
    return given


@st.composite
def command_lines(draw: st.DrawFn) -> CommandLine:
    """Draw a command line."""
    inputs = mostly(st.sampled_from(GOOD_INPUTS), st.sampled_from(ODD_INPUTS) | TEXTS, 4)
    outputs = mostly(st.sampled_from(GOOD_OUTPUTS), st.sampled_from(ODD_OUTPUTS) | TEXTS, 3)
    count = int(draw(mostly(st.sampled_from("112222222"), st.sampled_from("03"), 15)))
    named = iter([draw(inputs), draw(outputs), draw(outputs)])
    parts = draw(st.permutations([*draw(options()), *[None] * count]))  # None: the next word
    arguments = [argument for part in parts for argument in ([next(named)] if part is None else part)]
    if draw(st.integers(0, 20)) == 0:
        stray = draw(st.sampled_from(["--", "-x", "--nonsense"]) | TEXTS)
        arguments.insert(draw(st.integers(0, len(arguments))), stray)
    lines = st.sampled_from(["-q", "-d 0.1", "'in.wav'", "# no more", "-D virtual:fast", "'"])
    arguments_file = "\n".join(draw(st.lists(lines, max_size=4)))
    return CommandLine(tuple(arguments), arguments_file, draw(st.sampled_from(STANDARD_INPUTS)))


def seconds(number: float) -> Time:
    return Time(seconds=Fraction(number))


def job_of(line: str) -> Job:
    """Return what a command line asks for, without the program's name."""
    job = parse(shlex.split(line))
    assert isinstance(job, Job)
    return job


def mistake_in(line: str) -> UsageError:
    """Return the error that a command line ends in."""
    with pytest.raises(UsageError) as caught:
        parse(shlex.split(line))
    assert caught.value.exit_code is ExitCode.USAGE
    assert "\n" not in caught.value.message
    return caught.value
