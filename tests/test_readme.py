"""The commands in the README do what it says, as they are printed: in a shell, on the default devices."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from tests.homes import need, wait_until
from tests.servers import PulseServer
from tests.sounds import RATE

README = Path(__file__).parent.parent / "README.md"
INSTALLED_IN = os.environ.get("PASTREAM_FOLDER", str(Path(sys.executable).parent))
"""The folder of the command that is tried: of the environment of the tests, or of one that it was just installed in."""

MICROPHONE = "module-null-source source_name=usb rate=48000 channels=2 description=USB-Microphone"
SECONDS_TO_START = 30
SECONDS_TO_RUN = 1.5
"""After that somebody presses Ctrl-C."""


def printed_commands() -> list[str]:
    """Return the command lines of the README in which pastream plays, records or lists."""
    lines = re.findall(r"^    (\S.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    commands = [re.split(r"\s{2,}", line)[0] for line in lines]  # what it does stands beside it
    return [words for words in commands if re.search(r"(^|\| )pastream ", words) and "source" not in words]


def prepare(folder: Path, words: str) -> None:
    """Make the folder, and the file in it that a command line plays."""
    folder.mkdir()
    sound = np.full((6 * RATE, 2), 0.25)
    played = re.match(r"(?:pastream|sox) (\w+\.\w+)", words)
    if not played:
        return
    if played[1].endswith(".raw"):
        soundfile.write(folder / played[1], sound[:, 0], RATE, "PCM_16", format="RAW")
    else:
        soundfile.write(folder / played[1], sound, RATE)


def run_as_printed(words: str, folder: Path, server: PulseServer) -> tuple[int, str]:
    """Run a command line, press Ctrl-C if it goes on for long; return its exit code and what it said."""
    prepare(folder, words)
    path = f"{INSTALLED_IN}{os.pathsep}{os.environ['PATH']}"
    with (folder / "said").open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", words],
            cwd=folder,
            env={**server.environment, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def has_begun() -> bool:
            return shell.poll() is not None or "latency" in (folder / "said").read_text(errors="replace")

        with shell:
            wait_until(has_begun, f"a beginning of {words}", SECONDS_TO_START)
            time.sleep(SECONDS_TO_RUN)
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGINT)
            shell.wait(SECONDS_TO_START)
    return shell.returncode, (folder / "said").read_text(errors="replace")


def test_the_readme_has_commands_of_every_kind() -> None:
    commands = printed_commands()
    assert len(commands) >= 15
    for word in ("-l", "--split", "--loop", "sox", "-D"):
        assert any(f"{word} " in f"{command} " for command in commands), word


def test_every_command_in_the_readme_runs_as_printed(tmp_path: Path, fresh_pulseaudio: PulseServer) -> None:
    need("bash", "sox")
    assert fresh_pulseaudio.run("pactl", "load-module", *MICROPHONE.split()).returncode == 0
    commands = printed_commands()

    def run(number: int) -> tuple[int, str]:
        return run_as_printed(commands[number], tmp_path / str(number), fresh_pulseaudio)

    with ThreadPoolExecutor(4) as pool:
        results = dict(zip(commands, pool.map(run, range(len(commands))), strict=True))
    assert {words: result for words, result in results.items() if result[0] != 0} == {}
