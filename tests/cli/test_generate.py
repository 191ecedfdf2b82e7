"""What is generated is up to date; the manual page is complete and clean."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pastream_cli import __version__
from pastream_cli.command.option import Option
from pastream_cli.command.options import OPTIONS
from pastream_cli.errors import ExitCode
from pastream_cli.pages import generate
from pastream_cli.pages.file_list import architecture
from pastream_cli.pages.man_page import MANUAL_DATE, man_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "man" / "pastream.1"


def plain(page: str) -> str:
    """Return the page without fonts, as it is searched."""
    return re.sub(r"\\f[BIR]", "", page).replace(r"\-", "-")


def test_what_is_generated_is_up_to_date() -> None:
    assert not generate.outdated(ROOT), "run make generate"


def test_every_file_says_what_is_in_it() -> None:
    rows = re.findall(r"^\| `(.+)` \| (.*) \|$", architecture().partition("\n## The files\n")[2], re.MULTILINE)
    assert len(rows) > 100
    assert not [name for name, says in rows if len(says.split()) < 3]


def test_a_page_that_was_touched_is_named(tmp_path: Path) -> None:
    generate.write(tmp_path)
    assert generate.outdated(tmp_path) == []
    page = tmp_path / "man" / "pastream.1"
    page.write_text(page.read_text() + "by hand\n")
    assert generate.outdated(tmp_path) == ["man/pastream.1"]
    page.unlink()
    assert generate.outdated(tmp_path) == ["man/pastream.1"]


def test_all_that_is_generated_is_installed_where_man_and_shells_look() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[tool.setuptools.data-files]\n")[2].partition("\n\n")[0]
    installed = dict(re.findall(r'^"(.+)" = \["(.+)"\]$', section, re.MULTILINE))
    assert installed == {
        "share/man/man1": "man/pastream.1",
        "share/bash-completion/completions": "completions/pastream.bash",
        "share/zsh/site-functions": "completions/_pastream",
        "share/fish/vendor_completions.d": "completions/pastream.fish",
    }
    assert set(installed.values()) == {name for name in generate.GENERATED if name.startswith(("man/", "completions/"))}


def test_what_makes_the_pages_is_not_installed() -> None:
    find = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.setuptools.packages.find]\n")[2]
    assert 'exclude = ["pastream_cli.pages"]' in find.partition("\n\n")[0].splitlines()


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.long_name)
def test_every_option_is_in_the_manual(option: Option) -> None:
    heading = f"{', '.join(option.names)} {option.value_form}".rstrip()
    page = plain(man_page())
    assert f".TP\n{heading}\n" in page
    assert all(alias in page for alias in option.aliases)
    assert option.help
    assert option.manual.endswith(".")


def test_every_exit_status_is_in_the_manual() -> None:
    section = plain(man_page()).partition('.SH "EXIT STATUS"')[2].partition(".SH")[0]
    assert re.findall(r"^\.TP\n(\d+)$", section, re.MULTILINE) == [str(code.value) for code in ExitCode]


def test_every_field_of_the_json_is_in_the_manual() -> None:
    section = plain(man_page()).partition(".SH JSON")[2].partition(".SH")[0]
    parts = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))["$defs"]
    fields = {field for name in ("run", "devices", "device") for field in parts[name]["properties"]}
    assert not {field for field in fields if not re.search(rf"\b{field}\b", section)}


def test_the_manual_has_the_sections_a_reader_looks_for() -> None:
    assert re.findall(r"^\.SH \"?([A-Z ]+)", man_page(), re.MULTILINE) == [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "TIMES AND SIZES",
        "LENGTHS",
        "TIMES OF DAY",
        "WAITING FOR SOUND",
        "LOSS AND THE CLOCK",
        "NAMES OF RECORDINGS",
        "COPIES",
        "SCREEN AND KEYS",
        "FINISHED FILES",
        "PIPES",
        "DEVICES",
        "WHEN A DEVICE GOES",
        "VIRTUAL DEVICE",
        "EXIT STATUS",
        "SIGNALS",
        "JSON",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
        "DIFFERENCES FROM THE OLD PASTREAM",
        "SEE ALSO",
    ]


def test_the_manual_names_its_version_and_a_fixed_date() -> None:
    heading = next(line for line in man_page().splitlines() if line.startswith(".TH "))
    assert heading == f'.TH PASTREAM 1 "{MANUAL_DATE}" "pastream {__version__}" "User Commands"'


def test_no_markup_is_left_in_the_manual() -> None:
    page = man_page()
    assert page.isascii()
    assert "`" not in page
    assert "*" not in page.replace("59 5 * * *", "")
    assert "# " not in page


@pytest.mark.parametrize("checker", [["mandoc", "-Tlint", "-Wall"], ["groff", "-ww", "-man", "-z"]], ids=lambda c: c[0])
def test_the_manual_is_clean(checker: list[str]) -> None:
    if shutil.which(checker[0]) is None:
        pytest.skip(f"{checker[0]} is not installed")
    run = subprocess.run([*checker, str(PAGE)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")
