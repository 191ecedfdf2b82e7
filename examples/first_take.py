"""Make a tone, play it while recording, and compare the recording with it, frame for frame.

It uses the installed command alone, on the built-in virtual device, which hears what it plays: no sound hardware is
needed. The files stay in the folder first-take.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

FOLDER = Path("first-take")


def pastream(*arguments: str) -> None:
    """Show the command, run it in the folder, and leave with its exit code if it fails."""
    print("$ pastream", *arguments, flush=True)
    completed = subprocess.run(["pastream", *arguments], cwd=FOLDER, check=False)
    if completed.returncode:
        sys.exit(completed.returncode)


def main() -> None:
    """Take the recording and say where it is and whether it is the tone."""
    FOLDER.mkdir(exist_ok=True)
    pastream("null", "tone.wav", "-d", "2", "-D", "virtual:sine:fast", "-q", "-y")
    pastream("tone.wav", "take.wav", "-D", "virtual", "-y")

    tone, rate = soundfile.read(FOLDER / "tone.wav", dtype="int32")
    take, _ = soundfile.read(FOLDER / "take.wav", dtype="int32")
    if len(tone) != 2 * rate or not np.array_equal(tone, take):
        sys.exit(f"{FOLDER}/take.wav has {len(take)} frames and is not {FOLDER}/tone.wav, which has {len(tone)}")

    print(f"{FOLDER}/tone.wav: {len(tone)} frames of a sine, as fast as the disk takes them")
    print(f"{FOLDER}/take.wav: what was recorded while it played; it matches bit for bit")


if __name__ == "__main__":
    main()
