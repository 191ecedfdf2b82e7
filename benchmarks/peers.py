"""The commands that are compared: the same recording, as each of the peers is asked for it."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# an ordinary installation: an editable one costs every Python of its environment 30 ms
PYTHON = str(ROOT / ".venv-bench/bin/python")
OURS = str(ROOT / ".venv-bench/bin/pastream")
PREDECESSOR = str(ROOT / ".venv-predecessor/bin/pastream")


def is_there(command: str) -> bool:
    return shutil.which(command) is not None


def ours(*words: str) -> list[str]:
    return [OURS, *words, "null", "{out}"]


def predecessor(device: str, channels: int, *words: str) -> list[str]:
    return [PREDECESSOR, "-D", device, "-r", "48000", "-c", str(channels), *words, "null", "{out}"]


ARECORD = ["arecord", "-q", "-f", "dat", "{out}"]
# its own defaults: 16 bit on PulseAudio
SOX = ["rec", "-q", "-r", "48000", "-c", "2", "{out}"]
FFMPEG = ["ffmpeg", "-v", "error", "-f", "pulse", "-i", "default", "-ar", "48000", "-ac", "2", "{out}"]
PW_RECORD = ["pw-record", "--rate", "48000", "--channels", "2", "--format", "f32", "{out}"]


def jack_capture(channels: int) -> list[str]:
    return ["jack_capture", "--daemon", "-c", str(channels), "-p", "system:capture*", "{out}"]


def jack_capture_of_pipewire() -> list[str]:
    return ["jack_capture", "--daemon", "-c", "2", "-p", "virt:capture*", "{out}"]
