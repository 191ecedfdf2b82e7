"""What is played waits at its frame while its device is away, and goes on there, as a listener on the server tells."""

from __future__ import annotations

import logging
import random
import shlex
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ears import Ear, listening, write_numbers
from tests.runner import Pastream
from tests.scenes import FAULTS, SCENES, begin, drawn_faults, finish, overheard, suffer
from tests.servers import JackServer, Server
from tests.sounds import RATE
from tests.terminals import COMMAND, Window

LOG = logging.getLogger(__name__)  # --log-cli-level=INFO shows the figures
HELD = RATE
"""The most frames that a device may have taken and not yet played when it goes."""
SECONDS_TO_SILENCE = 0.5


@pytest.mark.parametrize("name", SCENES)
def test_what_is_played_goes_on_at_the_frame_where_it_waited(
    pastream: Pastream, tmp_path: Path, soak_only: None, name: str
) -> None:
    del soak_only
    dice = random.Random(name)
    write_numbers(tmp_path / "in.wav", 150)
    for turn in range(3):
        folder = tmp_path / f"{turn}"
        folder.mkdir()
        with overheard(name, folder) as (scene, ear):
            take = begin(pastream, scene, tmp_path, "in.wav", "-D", scene.loopback)
            ear.wait_for(RATE // 2)
            faults = drawn_faults(name, dice, len(FAULTS))
            for fault in faults:
                LOG.info("%s: %s", name, fault)
                suffer(take, FAULTS[fault])
                ear.wait_for(ear.last_number + RATE)
            report = finish(take)
            LOG.info("%s, frames not heard: %s", name, dict(zip(faults, check_heard(ear, report), strict=True)))


def test_what_is_stopped_is_silent_soon_and_goes_on_at_its_frame(tmp_path: Path, jackd: JackServer) -> None:
    with listening(jackd, tmp_path) as ear:
        check_silence(tmp_path, jackd, "jackrec", ear)


def test_what_is_stopped_is_silent_soon_on_any_server(tmp_path: Path, soak_only: None) -> None:
    del soak_only
    for name in SCENES:
        folder = tmp_path / name
        folder.mkdir()
        with overheard(name, folder) as (scene, ear):
            check_silence(folder, scene.server, scene.loopback, ear)


def check_silence(folder: Path, server: Server, device: str, ear: Ear) -> None:
    """Nothing is heard soon after Ctrl-Z, or q, whatever lies in the buffer; what waited is heard later."""
    write_numbers(folder / "in.wav", 60)
    shell = Window(folder / "shell", server.environment, "bash", "--norc", "--noprofile", "-i")
    try:
        shell.wait_for("bash")
        shell.type(shlex.join([*server.prefix, *COMMAND, "../in.wav", "-D", device, "-c", "2", "-r48k"]), "Enter")
        ear.wait_for(RATE // 2)
        shell.type("C-z")
        heard = fallen_silent(ear)
        shell.type("fg", "Enter")
        ear.wait_for(heard + RATE // 2)
        shell.type("q")
        fallen_silent(ear)
        shell.wait_for("peaks")
        numbers = ear.numbers()
        assert (np.diff(numbers) == 1).all() or "1 dropout" in shell.text(), numbers[:-1][np.diff(numbers) != 1]
    finally:
        shell.close()


def fallen_silent(ear: Ear) -> int:
    """Return the last number that is heard; none may be heard for a second after a while."""
    time.sleep(SECONDS_TO_SILENCE)
    heard = ear.last_number
    time.sleep(1)
    assert ear.last_number == heard
    return heard


def check_heard(ear: Ear, report: dict[str, Any]) -> list[int]:
    """All is heard, in order, but what a device had when it went; what follows is the frame that the report has.

    Returns
    -------
    list of int
        For each gap, how many frames the device had taken and did not play.
    """
    numbers = ear.numbers()
    gaps = [xrun["input_frame"] for xrun in report["xruns"] if xrun["kind"] == "device-away"]
    others = [xrun for xrun in report["xruns"] if xrun["kind"] != "device-away"]
    at = np.flatnonzero(np.diff(numbers) != 1)
    breaks = [(int(last), int(first)) for last, first in zip(numbers[at], numbers[at + 1], strict=True)]
    LOG.info("the first is %d; gaps %s, breaks %s, others %s", numbers[0], gaps, breaks, others)
    assert {gap + 1 for gap in gaps} <= set(numbers)
    unheard = dict.fromkeys(gaps, 0) | {first - 1: first - 1 - last for last, first in breaks if first - 1 in gaps}
    assert all(0 <= frames <= HELD for frames in unheard.values()), breaks
    assert len([first for _, first in breaks if first - 1 not in gaps]) <= len(others), (breaks, others)
    return list(unheard.values())
