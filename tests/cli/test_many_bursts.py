"""Files of a hundred bursts with random gaps, cut out by a trigger: what is in them is compared with the sound itself.

No report is asked. What is lost is found in an unsplit recording of the same sound.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.bursts import LEVEL, Spans, bursts, spans_of
from tests.forks import Forks
from tests.sounds import RATE, assert_same, read

EVENTS = 100
LONGEST_BLOCK = 4096


class Case(NamedTuple):
    """One way to cut a sound."""

    block: int
    device: str
    preroll: int
    silence: int
    piece: int | None
    name: str
    words: tuple[str, ...]


def draw(dice: random.Random) -> Case:
    block = dice.choice([1, LONGEST_BLOCK, dice.randint(1, LONGEST_BLOCK), 2 ** dice.randint(0, 12)])
    lost = f":xrun={dice.randint(0, 3000)}s/{dice.randint(block, 20_000)}s" if dice.random() < 0.5 else ""
    preroll, silence = dice.choice([0, dice.randint(1, 1000)]), dice.choice([1, dice.randint(2, 800)])
    piece = dice.choice([None, None, dice.randint(300, 2000)])
    name = dice.choice(["a-{n:04}.wav", "a.wav", "a-{n:04}.flac"])
    words = ["--preroll", f"{preroll}s"] if preroll else []
    words += ["--split", f"{piece}s"] if piece else []
    words += dice.choice([[], ["--part"]]) + dice.choice([[], ["--also", "b-{n:04}.wav"], ["--also", "b.flac"]])
    words += dice.choice([[], ["--exec", 'sha256sum "$1" >> hooks']])
    return Case(block, f"virtual:fast{lost}", preroll, silence, piece, name, tuple(words))


def make(forks: Forks, case: Case, sound: Path, folder: Path) -> dict[str, bytes]:
    """Make the take; return what is in each file."""
    folder.mkdir()
    options = ("-D", case.device, "-b", str(case.block), "-e", "pcm_24")
    trigger = ("--trigger", "-40", "--silence", f"-40,{case.silence}s")
    result = forks(str(sound), case.name, *options, *trigger, *case.words, cwd=folder)
    assert result.returncode == 0, (case, result)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def whole_of(forks: Forks, case: Case, sound: Path, folder: Path) -> NDArray[np.int32]:
    """Return the unsplit recording: the sound, with silence where the device has lost a block."""
    options = ("-D", case.device, "-b", str(case.block), "-e", "pcm_24", "-y")
    result = forks(str(sound), "whole.wav", *options, cwd=folder)
    assert result.returncode == 0, (case, result)
    whole, played = read(folder / "whole.wav"), read(sound)
    is_lost = (whole == 0).all(axis=1)
    assert_same(whole[~is_lost], played)
    assert "xrun" in case.device or not is_lost.any()
    return whole.astype("int32")


def pieces_of(spans: Spans, piece: int | None) -> Spans:
    if piece is None:
        return spans
    return [(first, min(first + piece, end)) for begin, end in spans for first in range(begin, end, piece)]


def test_files_of_bursts_have_the_frames_of_the_sound_and_the_same_bytes_each_time(
    forks: Forks, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    for seed in range(campaign(30)):
        dice = random.Random(seed)
        sound, case = bursts(seed, EVENTS, dice.choice([60, 900]), dice.choice([1, 300])), draw(dice)
        soundfile.write(tmp_path / "in.wav", sound.samples, RATE, subtype="PCM_24")
        whole = whole_of(forks, case, tmp_path / "in.wav", tmp_path)
        is_loud = np.abs(whole[:, 1] / 2**31) >= LEVEL
        expected = pieces_of(spans_of(is_loud, case.preroll, case.silence), case.piece)
        made = make(forks, case, tmp_path / "in.wav", tmp_path / f"{seed}-once")
        assert made == make(forks, case, tmp_path / "in.wav", tmp_path / f"{seed}-again"), case
        for stem in ("a", "b") if "--also" in case.words else ("a",):
            names = [name for name in made if name.startswith(stem)]
            assert len(names) == len(expected), case
            for name, (begin, end) in zip(names, expected, strict=True):
                assert_same(read(tmp_path / f"{seed}-once" / name), whole[begin:end])
        if "--exec" in case.words:
            lines = [line.split("  ") for line in made["hooks"].decode().splitlines()]
            called = {name: checksum for checksum, name in lines}
            assert called == {name: hashlib.sha256(made[name]).hexdigest() for name in made if name.startswith("a")}
