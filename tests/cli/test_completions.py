"""Completions in the shells that they are for: typed, completed with Tab, looked at."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pastream_cli.engine.files.formats import encodings, file_types, raw_encodings
from tests.homes import need
from tests.runner import Pastream
from tests.servers import PulseServer
from tests.terminals import Window

COMPLETIONS = Path(__file__).parents[2] / "completions"

SHELLS = {
    "bash": ("bash --norc --noprofile -i", f"source {COMPLETIONS}/pastream.bash"),
    "zsh": ("zsh -f -i", f"fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -u -D"),
    "fish": ("fish --no-config", f"set -g fish_autosuggestion_enabled 0; source {COMPLETIONS}/pastream.fish"),
}
PULSE = {"bash": r"pulse\,\ ALSA", "zsh": r"pulse,\ ALSA", "fish": r"pulse,\ ALSA"}
COMPLETED = {
    "--fat": "--fatal-xruns",
    "null take.wav --no": "null take.wav --no-meter",
    "-t fl": "-t flac",
    "-tfl": "-tflac",
    "--encoding=pcm_2": "--encoding=pcm_24",
    "-e pcm_16,pcm_2": "-e pcm_16,pcm_24",
    "--latency lo": "--latency low",
    "-D virtual:n": "-D virtual:noise",
    "null take.opus -e o": "null take.opus -e opus",
    "null take.flac -e pcm_s": "null take.flac -e pcm_s8",
    "--rate=9": "--rate=96k",
    "--completions z": "--completions zsh",
    "nu": "null",
    "null tak": "null take-one.wav",
    "null a.wav --also tak": "null a.wav --also take-one.wav",
    "null a.wav --also=tak": "null a.wav --also=take-one.wav",
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path, pulseaudio: PulseServer) -> Iterator[tuple[str, Window]]:
    """A shell in a window, beside a PulseAudio server; it has read our completion of its kind."""
    name: str = request.param
    need(name)
    command, setting_up = SHELLS[name]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**pulseaudio.environment, "PATH": path, "LANG": "C.UTF-8"}
    (tmp_path / "shell").mkdir()
    (tmp_path / "shell" / "take-one.wav").touch()
    window = Window(tmp_path / "shell", environment, *shlex.split(command), columns=120)
    with ExitStack() as stack:
        stack.callback(window.close)
        window.type("-l", f"{setting_up}; clear; echo rea''dy")
        window.type("Enter")
        window.wait_for("ready")
        yield name, window


def test_tab_completes_options_values_devices_and_files(shell: tuple[str, Window]) -> None:
    name, window = shell
    for typed, completed in {**COMPLETED, "-D pul": f"-D {PULSE[name]}"}.items():
        window.type("-l", f"pastream {typed}")
        window.type("Tab")
        window.wait_for(f"pastream {completed}")
        window.type("C-u", "C-l")


@pytest.fixture
def ask(pastream: Pastream) -> Callable[..., list[str]]:
    """Asks as completions do."""

    def answers(*what: str) -> list[str]:
        result = pastream("--complete", *what)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout.decode().splitlines()

    return answers


def test_the_program_answers_with_what_it_takes(ask: Callable[..., list[str]]) -> None:
    assert ask("types") == [name.lower() for name in file_types() if encodings(name)]
    usable = {*raw_encodings(), *(encoding for name in file_types() for encoding in encodings(name))}
    assert set(ask("encodings")) == {name.lower() for name in usable}
    assert ask("devices") == [
        *("virtual", "virtual:fast", "virtual:silence", "virtual:sine", "virtual:sine:fast", "virtual:noise")
    ]
    assert ask("nonsense") == []


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("null take.flac -e", "pcm_s8 pcm_16 pcm_24"),
        ("-e '' null take.ogg", "vorbis opus"),
        ("null - -t mp3 -e pcm", "mpeg_layer_iii"),
        ("in.wav -t raw,flac -e", "pcm_s8 pcm_16 pcm_24"),
    ],
)
def test_encodings_are_those_that_the_output_takes(ask: Callable[..., list[str]], line: str, offered: str) -> None:
    assert ask("encodings", *shlex.split(line)) == offered.split()
