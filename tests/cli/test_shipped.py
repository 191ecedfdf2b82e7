"""The manual and the completions that the program itself shows, wherever it was installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pastream_cli.command.options import OPTIONS
from pastream_cli.command.page_text import text_of_page
from pastream_cli.pages.man_page import man_page, sections
from tests.runner import Pastream
from tests.terminals import Window

ROOT = Path(__file__).parents[2]
DATA = {
    "man/pastream.1": "share/man/man1/pastream.1",
    "completions/pastream.bash": "share/bash-completion/completions/pastream.bash",
    "completions/_pastream": "share/zsh/site-functions/_pastream",
    "completions/pastream.fish": "share/fish/vendor_completions.d/pastream.fish",
}


@pytest.fixture(params=["lib/python3.11/site-packages", "lib/python3/dist-packages", "."])
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the package is in a prefix: of a venv or of pipx, of Debian, of ``pip install --target``."""
    packages: Path = tmp_path / "prefix" / request.param
    packages.mkdir(parents=True)
    shutil.copytree(ROOT / "pastream_cli", packages / "pastream_cli", ignore=shutil.ignore_patterns("pages", "*.so"))
    for source, target in DATA.items():
        path = tmp_path / "prefix" / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, path)
    return packages


def shown(packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", "-m", "pastream_cli", *arguments]
    env = {**os.environ, "PYTHONPATH": str(packages)}
    return subprocess.run(command, cwd=packages.parent, env=env, capture_output=True, text=True, check=False)


def test_what_was_installed_is_shown_in_every_layout(installed: Path) -> None:
    for shell, name in (("bash", "pastream.bash"), ("zsh", "_pastream"), ("fish", "pastream.fish")):
        assert shown(installed, "--completions", shell).stdout == (ROOT / "completions" / name).read_text()
    assert shown(installed, "--man").stdout.startswith("NAME\n    pastream - ")


def test_what_was_not_installed_is_told(installed: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "prefix" / "share")
    result = shown(installed, "--man")
    assert result.returncode == 4
    says = "cannot find the manual: it was not installed with the program"
    assert result.stderr == f"pastream: {says}\npastream: pastream --help lists the options\n"


def test_the_manual_as_text_has_every_section_and_option(pastream: Pastream) -> None:
    result = pastream("--man")
    text = result.stdout.decode()
    assert (result.returncode, result.stderr) == (0, "")
    assert re.findall(r"^[A-Z].*", text, re.MULTILINE) == list(sections())
    lines = text.splitlines()
    assert not {option.long_name for option in OPTIONS if not any(option.long_name in line for line in lines)}
    assert not [line for line in lines if len(line) > 80 and not line.startswith("        ")], (
        "only examples are longer"
    )
    assert "\\" not in re.sub(r"\\(%|xff)", "", text)


def test_the_manual_as_text_has_the_words_that_man_shows() -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    page = man_page()
    command = ["man", "--local-file", "-"]
    env = {**os.environ, "MANWIDTH": "5000", "LC_ALL": "C"}
    run = subprocess.run(command, input=page, env=env, capture_output=True, text=True, check=True)
    words = run.stdout.split()
    ours = text_of_page(page, 5000).split()
    start = words.index("NAME")
    assert [word.replace("\u2019", "'") for word in words[start : start + len(ours)]] == ours


def test_the_manual_on_a_terminal_is_shown_by_man(tmp_path: Path) -> None:
    (tmp_path / "man").write_text("#!/bin/sh\necho shown by man: $1\n")
    (tmp_path / "man").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = f"{sys.executable} -m pastream_cli --man; sleep 60"
    window = Window(tmp_path, environment, "sh", "-c", command, columns=120)
    try:
        window.wait_for(f"shown by man: {ROOT}/man/pastream.1")
    finally:
        window.close()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completions_can_be_sourced(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    setting_up = "autoload -Uz compinit; compinit -u -D; " if shell == "zsh" else ""
    asks = "print $_comps[pastream]" if shell == "zsh" else "complete -p pastream"
    program = f"{sys.executable} -m pastream_cli --completions {shell}"
    command = f"{setting_up}source <({program}); {asks}"
    run = subprocess.run(
        [shell, "-f", "-c", command] if shell == "zsh" else [shell, "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_pastream" in run.stdout
