"""What a user types, and what the program understands by it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastream_cli import args
from pastream_cli.args import Completions, ListDevices, Show, all_options_text, help_text, parse
from pastream_cli.command.job import Job
from pastream_cli.command.option import Kind, Option
from pastream_cli.command.options import EXAMPLES, OPTIONS
from pastream_cli.command.value_types import Pair
from pastream_cli.errors import UsageError
from pastream_cli.pages.man_page import sections
from tests.command_lines import job_of, mistake_in, seconds

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("in.wav", ("in.wav", None)),
        ("in.wav out.wav", ("in.wav", "out.wav")),
        ("null out.wav", (None, "out.wav")),
        ("NULL out.wav", (None, "out.wav")),
        ("Null ^", (None, None)),
        ("^ out.wav", (None, "out.wav")),
        ("null", (None, None)),
        ("- out.wav", ("-", "out.wav")),
        ("- - -t au", ("-", "-")),
        ("-- -in.wav -out.wav", ("-in.wav", "-out.wav")),
        ("-q -- -d @out.wav", ("-d", "@out.wav")),
        ("in.wav -- out.wav", ("in.wav", "out.wav")),
        ("./null nullify", ("./null", "nullify")),
        ("'a b.wav'", ("a b.wav", None)),
    ],
)
def test_the_words_are_what_is_played_and_what_is_recorded(line: str, words: tuple[str | None, str | None]) -> None:
    job = job_of(line)
    assert (job.input, job.output) == words
    assert job.warnings == ()


@pytest.mark.parametrize(
    "line",
    ["-d 5 null out.wav", "null -d 5 out.wav", "null out.wav -d 5", "null out.wav -d5", "--duration=5 null out.wav"],
)
def test_options_stand_before_between_and_after_the_words(line: str) -> None:
    assert job_of(line) == Job(input=None, output="out.wav", duration=seconds(5))


def test_an_empty_word_is_null_with_a_warning() -> None:
    job = job_of("'' ''")
    assert (job.input, job.output) == (None, None)
    assert [warning.partition(":")[0] for warning in job.warnings] == [
        "an empty INPUT counts as null",
        "an empty OUTPUT counts as null",
    ]


def test_no_arguments_at_all_are_answered_with_a_short_usage() -> None:
    mistake = mistake_in("")
    assert mistake.way_out == args.USAGE
    assert len(args.USAGE.splitlines()) <= 8


def test_options_without_a_word_are_refused() -> None:
    assert mistake_in("-d 10").message == "cannot start: no INPUT was given"


def test_a_third_word_is_named() -> None:
    mistake = mistake_in("my take one.wav")
    assert mistake.message == "cannot use one.wav: INPUT is my and OUTPUT is take"
    assert mistake.way_out == "put quotes around a name that has spaces"


def test_a_length_as_third_word_meets_the_option_for_it() -> None:
    assert mistake_in("null out.wav 10:00").way_out == "a length is -d 10:00"


@pytest.mark.parametrize("line", ["-d 10", "-d10", "-d=10", "--duration 10", "--duration=10", "-qd10", "-yqd 10"])
def test_a_value_is_attached_or_not(line: str) -> None:
    assert job_of(f"in.wav {line}").duration == seconds(10)


def test_the_examples_of_old_work_as_printed() -> None:
    assert job_of("-c1 -r48k -e=pcm_16 output.raw") == Job(
        input="output.raw",
        output=None,
        channels=Pair(1, 1, lone=True),
        rate=48000,
        encoding=Pair("PCM_16", "PCM_16", lone=True),
    )
    assert job_of("null output.wav -r48k -d10:00") == Job(
        input=None, output="output.wav", rate=48000, duration=seconds(600)
    )
    assert job_of("input.wav output.wav") == Job(input="input.wav", output="output.wav")
    assert job_of("- output.wav") == Job(input="-", output="output.wav")
    assert parse(["-h"]) == Show.HELP
    assert parse(["--help"]) == Show.ALL_OPTIONS
    assert isinstance(parse(["-l"]), ListDevices)


def test_flags_share_a_dash() -> None:
    job = job_of("-qy in.wav out.wav")
    assert job.quiet
    assert job.overwrite


def test_the_last_of_repeated_options_counts() -> None:
    job = job_of("in.wav -d 5 -c 1 -d 7 --channels 2,4")
    assert job.duration == seconds(7)
    assert job.channels == Pair(2, 4)


def test_old_names_are_kept() -> None:
    assert job_of("in.raw --file_type raw").file_type == Pair("RAW", "RAW", lone=True)
    assert job_of("in.wav -s 0,1").channel_select == ((0, 1),)


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("--fatal-xrun", "did you mean --fatal-xruns?"),
        ("--fatal_xruns", "did you mean --fatal-xruns?"),
        ("--dur", "did you mean --duration?"),
        ("--buffer-size=1k", "did you mean --buffersize?"),
        ("--Loop", "did you mean --loop?"),
        ("--ver", "did you mean --verify or --verbose or --version?"),
        ("--xyzzy", "pastream --help lists the options"),
        ("-z", "pastream --help lists the options"),
        ("-qz", "pastream --help lists the options"),
        ("--=5", "pastream --help lists the options"),
    ],
)
def test_an_unknown_option_is_refused_and_a_near_miss_named(typed: str, question: str) -> None:
    mistake = mistake_in(f"in.wav {typed}")
    assert mistake.message.startswith("cannot use -")
    assert "there is no" in mistake.message
    assert mistake.way_out == question


def test_no_long_option_can_be_abbreviated() -> None:
    for option in OPTIONS:
        assert "there is no such option" in mistake_in(f"in.wav {option.long_name[:-1]}").message


@pytest.mark.parametrize("typed", ["-duration 10", "-device=hw", "-loop", "-quiet"])
def test_a_long_option_with_one_dash_is_refused(typed: str) -> None:
    mistake = mistake_in(f"in.wav {typed}")
    assert mistake.message.endswith("a long option has two dashes")
    assert mistake.way_out == f"did you mean -{shlex.split(typed)[0]}?"


@pytest.mark.parametrize("typed", ["--quiet=yes", "-q=1", "--loop="])
def test_a_flag_takes_no_value(typed: str) -> None:
    assert mistake_in(f"in.wav {typed}").message.endswith("takes no value")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("in.wav -d", "cannot use -d: its TIME is missing"),
        ("in.wav -d -q", "cannot use -d: its TIME is missing before -q"),
        ("--device --loop in.wav", "cannot use --device: its DEV is missing before --loop"),
        ("-c -- in.wav", "cannot use -c: its N is missing before --"),
    ],
)
def test_a_missing_value_is_told_with_what_the_option_does(line: str, message: str) -> None:
    mistake = mistake_in(line)
    assert mistake.message == message
    assert mistake.way_out is not None
    assert ": " in mistake.way_out


def test_a_dash_is_a_value_too() -> None:
    assert job_of("-D - in.wav").device == "-"
    assert job_of("-D=-q in.wav").device == "-q"


@pytest.mark.parametrize(
    "line", ["-h", "in.wav -h", "-d abc -h", "--no-such -h", "-d -h", "-qh", "a b c d -h", "-h --man --help"]
)
def test_help_wins_over_everything_else(line: str) -> None:
    assert parse(shlex.split(line)) == Show.HELP


@pytest.mark.parametrize(("option", "shows"), [("--help", Show.ALL_OPTIONS), ("--man", Show.MANUAL)])
def test_all_options_and_the_manual_win_over_mistakes_too(option: str, shows: Show) -> None:
    for line in (option, f"in.wav {option}", f"-d abc {option}", f"--no-such {option} -h"):
        assert parse(shlex.split(line)) == shows


@pytest.mark.parametrize("line", ["--version", "in.wav --version", "--bogus --version", "--version -h"])
def test_version_wins_over_everything_else(line: str) -> None:
    assert parse(shlex.split(line)) == Show.VERSION


def test_help_behind_two_dashes_is_a_word() -> None:
    assert job_of("-- -h").input == "-h"


@pytest.mark.parametrize("line", ["-l", "--list", "in.wav out.wav -l", "-ql", "a b c -l"])
def test_list_wins_over_the_words(line: str) -> None:
    assert isinstance(parse(shlex.split(line)), ListDevices)


@pytest.mark.parametrize("line", ["--completions zsh", "--completions=zsh in.wav", "--completions /usr/bin/ZSH"])
def test_completions_are_of_a_shell(line: str) -> None:
    wish = parse(shlex.split(line))
    assert isinstance(wish, Completions)
    assert wish.shell == "zsh"
    assert mistake_in("--completions tcsh").way_out == "one of bash, zsh, fish"


def test_a_mistake_beside_list_is_told() -> None:
    assert "there is no such option" in mistake_in("-l --jsno").message


def test_the_list_can_be_json() -> None:
    wish = parse(["-l", "--json"])
    assert isinstance(wish, ListDevices)
    assert (wish.json, wish.verbose) == (True, False)


def test_json_and_verbose_are_flags() -> None:
    job = job_of("null out.wav --json -v")
    assert job.json
    assert job.verbose


def test_arguments_come_from_a_file(tmp_path: Path) -> None:
    arguments = tmp_path / "studio"
    arguments.write_text("-r 48k  # the interface's own\n# don't forget the mixer\n-D 'My \"card\"'\nnull take#1.wav\n")
    job = job_of(f"@{arguments} -d 5")
    assert job == Job(input=None, output="take#1.wav", rate=48000, device='My "card"', duration=seconds(5))


def test_arguments_from_a_file_stand_in_the_place_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("-d 1")
    assert job_of(f"null @{tmp_path}/a out.wav -d 2").duration == seconds(2)
    assert job_of(f"null -d 2 @{tmp_path}/a out.wav").duration == seconds(1)


def test_a_file_of_arguments_may_name_another(tmp_path: Path) -> None:
    (tmp_path / "outer").write_text(f"@{tmp_path}/inner out.wav")
    (tmp_path / "inner").write_text("\ufeffnull")
    assert job_of(f"@{tmp_path}/outer") == Job(input=None, output="out.wav")


def test_a_file_of_arguments_that_names_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "snake").write_text(f"@{tmp_path}/snake " * 9)
    mistake = mistake_in(f"@{tmp_path}/snake")
    assert mistake.message == f"cannot read arguments from @{tmp_path}/snake: more than 16 files"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"-D 'open", "no closing quotation"),
        (b"RIFF\0\0", "not a text of arguments"),
        (b"x" * 300_000, "not a text of arguments"),
    ],
)
def test_a_file_of_arguments_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "options"
    if content is not None:
        path.write_bytes(content)
    assert mistake_in(f"in.wav @{path}").message == f"cannot read arguments from @{path}: {reason}"


def test_help_wins_over_a_missing_file_of_arguments() -> None:
    assert parse(["@missing", "-h"]) == Show.HELP


def test_names_in_any_bytes_pass_through_a_file_of_arguments(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"null 'caf\xe9.wav'")
    assert job_of(f"@{tmp_path}/list").output == "caf\udce9.wav"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.long_name)
def test_every_option_is_in_the_help(option: Option) -> None:
    line = next(
        line for line in all_options_text().splitlines() if f"{option.long_name} " in f"{line} " and option.help in line
    )
    assert all(name in line for name in option.names)
    assert (line in help_text().splitlines()) == option.is_common


def test_the_short_help_fits_one_screen_with_the_prompt_below_it() -> None:
    assert len(help_text().splitlines()) <= 23


@pytest.mark.parametrize("text", [help_text(), all_options_text()])
def test_help_is_plain_and_fits_a_terminal(text: str) -> None:
    assert max(map(len, text.splitlines())) <= 79
    assert text.isascii()


def test_the_commonest_commands_are_at_the_top_of_the_help() -> None:
    assert len(EXAMPLES) == 6
    for text in (help_text(), all_options_text()):
        for line, (command, what) in zip(text.splitlines()[1:], EXAMPLES, strict=False):
            assert command in line
            assert what in line


def test_every_option_sets_a_field_of_a_job_or_shows_something() -> None:
    known = set(Job._fields) | {"list", "help", "man", "completions", "version"}
    assert {option.field for option in OPTIONS} <= known
    assert known - {option.field for option in OPTIONS} == {"input", "output", "warnings"}


def test_no_name_is_given_to_two_options() -> None:
    names = [name for option in OPTIONS for name in (*option.names, *option.aliases)]
    assert len(names) == len(set(names))


def test_every_option_with_a_value_says_what_it_is() -> None:
    for option in OPTIONS:
        assert bool(option.metavar) == (option.kind is not Kind.FLAG)


def commands_shown() -> list[str]:
    """Return what stands after ``pastream`` in every example of the help and the manual."""
    lines = [command for command, _ in EXAMPLES]
    lines += [line for line in sections()["EXAMPLES"].splitlines() if line.startswith("    ")]
    parts = (part.partition("pastream ")[2] for line in lines for part in line.split(" | "))
    return [re.sub(r" >\S+", "", part) for part in parts if part]


@pytest.mark.parametrize("line", commands_shown())
def test_every_example_is_understood(line: str) -> None:
    parse(shlex.split(line))


def test_understanding_a_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pastream_cli import args; args.parse(['null', 'out.wav', '-d', '5']); args.help_text();"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = (
        "numpy rich sounddevice soundfile cffi argparse difflib shlex importlib.metadata pathlib subprocess threading"
    )
    assert not set(heavy.split()) & set(run.stdout.split())


PLAUSIBLE = [
    *(name for option in OPTIONS for name in (*option.names, *option.aliases)),
    *shlex.split("in.wav out.wav null ^ - -- -1 5 10:00 48ks 0 0s 10ms 1,2 null,2 1:2,2:1 low high,0.1 S16_LE wav"),
    *shlex.split("-qy -d5 -c=2 -r48k --pad=1 -p-1 -b24 @missing --dur -= --= = , virtual:sine:fast hw:1,0"),
    *("", "a\nb", "-\xe9", "-d\udcff", "9" * 5000),
]


@given(st.lists(st.sampled_from(PLAUSIBLE) | st.text(max_size=6), max_size=9))
def test_whatever_is_typed_is_understood_or_refused_in_one_line(argv: list[str]) -> None:
    lines = []
    try:
        parse(argv)
    except UsageError as mistake:
        lines = [mistake.message, mistake.way_out or ""]
    assert not argv or all(line.isprintable() for line in lines)
