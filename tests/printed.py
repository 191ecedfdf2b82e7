"""Runs commands as they are printed in the README and the guide: in a shell, on the default devices."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from tests.homes import wait_until
from tests.servers import PulseServer
from tests.sounds import RATE

INSTALLED_IN = os.environ.get("PASTREAM_FOLDER", str(Path(sys.executable).parent))
"""The folder of the command that is tried: of the environment of the tests, or of one that it was just installed in."""

READER_HAS_GONE = 141
SECONDS_TO_START = 30
SECONDS_TO_RUN = 0.5
"""After that somebody presses Ctrl-C, unless the command ends by itself soon."""
SECONDS_OF_A_SOUND = 4

SOURCES_AND_SINKS = """
module-null-source source_name=usb description="USB Microphone"
module-null-source source_name=alsa_input.usb-Focusrite_Scarlett-00.multichannel description="Scarlett 4i4" channels=4
module-null-sink sink_name=analog sink_properties='device.description="Built-in Audio Analog Stereo"'
"""
"""What a reader has on the sound server, as `pactl load-module` takes it."""

SECONDS_TO_BEGIN_QUIETLY = 2.0

_BANNER = re.compile(r"^pastream: (recording|playing|listening) ", re.MULTILINE)
_ENDS_SOON = re.compile(r"-d [1-6](?=[ ']|$)|sleep|-l$|:fast|^(sox(?!.*\|)|truncate|systemctl|loginctl|python)")


def plug_in_what_a_reader_has(server: PulseServer) -> None:
    """Plug them in; the microphone is the default, since the monitor of an idle sink takes two seconds to begin."""
    for module in SOURCES_AND_SINKS.strip().splitlines():
        loaded = server.run("pactl", "load-module", *module.split(" ", 1), "rate=48000")
        assert loaded.returncode == 0, loaded.stderr
    server.run("pactl", "set-default-source", "usb")


def make_what_it_plays(folder: Path, words: str) -> None:
    """Make the file that a command line plays, unless it is there, as long as it has to be."""
    played = re.search(r"pastream (\w+\.\w+(?:\.part)?)", words) or re.match(r"sox (?:--\S+ )?(\w+\.\w+)", words)
    if not played or is_long_enough(folder / played[1]):
        return
    sound = np.full((SECONDS_OF_A_SOUND * RATE, 2), 0.25)
    if played[1].endswith(".raw"):
        soundfile.write(folder / played[1], sound[:, 0], RATE, "PCM_16", format="RAW")
    else:
        kind = played[1].removesuffix(".part").rpartition(".")[2]
        soundfile.write(folder / played[1], sound, RATE, format=kind)


def is_long_enough(path: Path) -> bool:
    try:
        return bool(soundfile.info(path).duration > SECONDS_OF_A_SOUND / 2)
    except (TypeError, soundfile.LibsndfileError):  # raw data, or nothing
        return path.suffix == ".raw" and path.exists()


def run_as_printed(words: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command line, press Ctrl-C if it goes on for long; return its exit code and what it said."""
    make_what_it_plays(folder, words)
    said = folder / "said"
    with said.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def has_ended() -> bool:
            return shell.poll() is not None

        def has_begun() -> bool:
            return has_ended() or _BANNER.search(said.read_text(errors="replace")) is not None

        try:
            if _ENDS_SOON.search(words):
                wait_until(has_ended, "its end", SECONDS_TO_START)
            elif "-q" in words.split():
                time.sleep(SECONDS_TO_BEGIN_QUIETLY)
            else:
                wait_until(has_begun, "its beginning", SECONDS_TO_START)
                time.sleep(SECONDS_TO_RUN)
            if not has_ended():
                os.killpg(shell.pid, signal.SIGINT)
                wait_until(has_ended, "its end after Ctrl-C", SECONDS_TO_START)
                if "|" in words and shell.returncode == READER_HAS_GONE:
                    return 0, ""  # Ctrl-C ends all programs of a pipeline, in any order
        except TimeoutError as error:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
            return -1, f"{error}\n{said.read_text(errors='replace')}"
    return shell.returncode, said.read_text(errors="replace")
