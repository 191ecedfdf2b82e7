"""Machines with clocks of their own, which a test sets, and takes that are made on them by the virtual device."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.homes import wait_until
from tests.runner import Pastream, Result
from tests.set_clocks import Clocks
from tests.sounds import RATE
from tests.takes import PATIENT, ramp_at, report_of

SIX = datetime(2026, 5, 5, 6, tzinfo=timezone.utc)
ROOT = Path(__file__).parents[1]
FRAME_BYTES = 8
_HALF_A_FRAME = 0.5 / RATE + 1e-6


class Machine:
    """A machine with clocks of its own, on which one take is made.

    Parameters
    ----------
    pastream : Pastream
        Runs the command.
    name : str
        The name of its folder.
    shown : datetime
        What the clock on the wall shows at the start.
    words : str
        What is typed after `pastream null`.
    device : str, optional
        What records.
    """

    def __init__(
        self, pastream: Pastream, name: str, shown: datetime, *words: str, device: str = "virtual:sine=0.01"
    ) -> None:
        self._pastream = pastream
        self.folder = pastream.folder / name
        self.folder.mkdir()
        path = self.folder.with_suffix(".clocks")
        self.clocks = Clocks(path)
        self.clocks.show(shown)
        options = ("-D", device, "-e", "pcm_32", *PATIENT)
        environment = {"TZ": "UTC", "PYTHONPATH": str(ROOT)}
        arguments = ("null", *options, *words, "--json")
        self.process = pastream.start(path, *arguments, module="tests.set_clocks", env=environment, cwd=self.folder)

    def wait_for_file(self) -> None:
        """The device is opened next."""
        wait_until(lambda: any(self.folder.iterdir()), f"a file in {self.folder}", 30)

    def wait_for_sound(self, seconds: float) -> None:
        def has_sound() -> bool:
            with suppress(FileNotFoundError):
                size = sum(path.stat().st_size for path in self.folder.iterdir())
                return size > seconds * RATE * FRAME_BYTES
            return False

        wait_until(has_sound, f"{seconds} s in {self.folder}", 30)

    def finish(self, code: int = 0) -> Take:
        """Wait for the end of the command, which is to have this exit code."""
        result = self._pastream.finish(self.process)
        assert result.returncode == code, result.stderr
        return Take(self.folder, result)


class Take:
    """What is left of a take: its files, and what was said."""

    def __init__(self, folder: Path, result: Result) -> None:
        self.folder = folder
        self.said = result.stderr
        self.report = report_of(result)
        self.files: list[dict[str, Any]] = self.report["files"]
        names = {file["name"] for one in self.files for file in (one, *one["copies"])}
        assert {path.name for path in folder.iterdir()} == names, self.said
        self.samples = [soundfile.read(folder / file["name"], dtype="int32")[0] for file in self.files]
        assert [len(samples) for samples in self.samples] == [file["frames"] for file in self.files]

    @property
    def starts(self) -> list[datetime]:
        return [datetime.fromisoformat(file["start"].replace("Z", "+00:00")) for file in self.files]

    @property
    def frames(self) -> int:
        return sum(len(samples) for samples in self.samples)

    def check_is_one_stretch(self) -> None:
        check_is_one_stretch(np.concatenate(self.samples)[:, 0])


def check_is_one_stretch(samples: NDArray[np.int32]) -> None:
    """Nothing that the device delivered since the first frame is missing or twice there."""
    first = next(frame for frame in range(60 * RATE) if ramp_at(frame) == samples[0])
    assert list(samples) == [ramp_at(first + frame) for frame in range(len(samples))]


def near(moment: datetime, other: datetime) -> bool:
    return abs((moment - other).total_seconds()) <= _HALF_A_FRAME
