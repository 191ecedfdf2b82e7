"""What is played falls silent while its process is stopped, waits at its frame, and goes on from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.engine.test_replaced_devices import RATE, Take, open_virtual
from tests.takes import silences


def test_what_is_silenced_waits_at_its_frame_and_nothing_of_it_is_an_underrun(tmp_path: Path) -> None:
    played = np.arange(1, 30001, dtype=np.int16)
    take = Take(tmp_path / "take.wav", open_virtual("", "duplex"), played=played)
    take.goes_on_for(0.1)
    take.core.silence(True)
    take.goes_on_for(0.1)
    take.core.silence(False)
    take.goes_on_for(0.1)
    recorded = take.ends()
    [(place, frames)] = silences(recorded.samples[:, np.newaxis].astype("int32"))
    assert frames >= 0.1 * RATE
    rest = recorded.samples[place + frames :]
    assert np.array_equal(recorded.samples[:place], played[:place])
    assert np.array_equal(rest, played[place:][: len(rest)])
    assert (recorded.losses, recorded.counts.underruns) == ([], 0)
