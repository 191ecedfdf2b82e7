"""A power cut leaves a file that can be read, whatever of the last second had reached the disk."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.powercut import takes
from tests.powercut.campaign import judge

_SECONDS = 2.4
_PLAIN = {"WAV", "AIFF", "FLAC"}
# The header of these counts what was synced and nothing else.
_COUNTED = ("WAV", "WAV -y", "AIFF")


def test_what_a_power_cut_leaves_can_be_read_and_counts_nothing_that_is_not_there(
    tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    kinds = [kind for kind in (*takes.kinds(), *takes.replacing_kinds()[:1]) if str(kind) in {*_PLAIN, *_COUNTED}]
    tally = judge(takes.record(kinds, tmp_path, _SECONDS), random.Random(16), campaign(1000))
    assert tally.problems == []
    assert {label: tally.most_false_seconds[label] for label in _COUNTED} == dict.fromkeys(_COUNTED, 0.0)
