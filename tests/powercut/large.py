"""Cuts the power of takes of more than 4 GiB, of silence that is passed over on the disk: the header has to change."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import soundfile

from tests.powercut.disk import Content, Disk
from tests.powercut.headers import HeaderError, find_sound
from tests.powercut.journal import Event, logged, read_journal

TYPES = ("wav", "w64", "rf64")
_RATE, _CHANNELS, _FRAME_BYTES = 192_000, 64, 256
BORDER = 2**32
_SECONDS = 100  # 4.9 GB
_HEAD_BYTES = 2**16


def record(file_type: str, folder: Path) -> list[Event]:
    """Record silence of more than 4 GiB, as fast as it goes; return what was done for its file."""
    place, log = folder / "disk", folder / "log"
    place.mkdir(parents=True)
    words = ("-t", file_type, "-e", "float", "-c", str(_CHANNELS), "-r", str(_RATE), "-d", str(_SECONDS))
    command = [sys.executable, "-m", "pastream_cli", "null", "take.x", *words, "-q", "-D", "virtual:fast"]
    root = str(Path(__file__).parents[2])
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": root, **logged(folder, place, log, is_sparse=True)}
    subprocess.run(command, cwd=place, env=environment, stdin=subprocess.DEVNULL, check=True)
    inode = (place / "take.x").stat().st_ino
    return [event for event in read_journal(log) if event.inode == inode]


def states(events: list[Event], dice: random.Random, count: int) -> Iterator[tuple[Content, Content]]:
    """Yield what is certain and what may be there, for cuts of which half are near the border of 4 GiB."""
    ends = [number for number, event in enumerate(events) if event.what == "S"]
    near = [number for number, event in enumerate(events) if abs(event.offset + event.length - BORDER) < 2**28]
    cuts = [
        dice.choice(near if near and dice.random() < 0.5 else range(ends[0] + 1, len(events))) for _ in range(count)
    ]
    disk = Disk(-1, {}, {})
    for number, event in enumerate(events):
        disk.do(event)
        if number > ends[0]:
            for _ in range(cuts.count(number)):
                yield disk.files[event.inode].certain, disk.files[event.inode].drawn(dice)


def problem(certain: Content, content: Content, scratch: Path) -> str | None:
    """Return what is wrong with a state: by the header, and by libsndfile, which reads its last frame that counts."""
    try:
        there, synced = _frames_by_header(content), _frames_by_header(certain)
    except HeaderError as error:
        return f"header: {error}"
    if there < synced:
        return f"of {synced} frames that were synced, the header counts {there}"
    with scratch.open("wb") as file:
        os.truncate(file.fileno(), content.size)
        for number, page in content.pages.items():
            os.pwrite(file.fileno(), page[: max(0, content.size - number * len(page))], number * len(page))
    try:
        with soundfile.SoundFile(str(scratch)) as sound:
            if sound.frames < there:  # of a W64 it reads what there is, whatever the header counts
                return f"libsndfile counts {sound.frames} frames, the header {there}"
            sound.seek(max(0, there - 1))
            if there and len(sound.read(1)) != 1:
                return f"libsndfile cannot read frame {there}"
    except soundfile.SoundFileError as error:
        return f"libsndfile: {error}"
    return None


def _frames_by_header(content: Content) -> int:
    head = Content(content.pages, min(content.size, _HEAD_BYTES)).to_bytes()
    sound = find_sound(head)
    return max(0, min(sound.bytes, content.size - sound.begin)) // _FRAME_BYTES
