"""What is left of a run that is over."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.disk_faults import DiskHang
from tests.chaos.faults import Fault
from tests.chaos.scenarios import Scenario, Sink
from tests.sounds import Samples, readable

OLD = b"the take of my life"
"""What a file holds that was there before."""


@dataclass(frozen=True)
class Struck:
    """A fault that met the take, and when; monotonic seconds."""

    fault: Fault
    begun: float
    ended: float


@dataclass(kw_only=True)
class Evidence:
    """All that is left of a run. Times are monotonic seconds, `None` for what never came."""

    scenario: Scenario
    folder: Path
    source: Samples | None = None
    returncode: int = 0
    stdout: bytes = b""
    stderr: str = ""
    struck: list[Struck] = field(default_factory=list)
    epoch: float = field(default_factory=lambda: time.time() - time.monotonic())
    """What the wall clock shows when the monotonic clock shows 0."""
    started: float = 0.0
    first_seen: float | None = None
    """When a thousand frames were on the disk."""
    ended: float = 0.0
    starved_seconds: float = 0.0
    """For how long in all a busy machine let the thread of the take wait that waited most, or its server."""
    server_log: str = ""
    """What its server had to say meanwhile."""
    left_behind: list[str] = field(default_factory=list)
    """Processes and semaphores that it has not ended and removed."""
    hangs: bool = False
    stacks: str = ""

    def met(self, *kinds: type[Fault]) -> list[Struck]:
        """Return the faults of these kinds that struck."""
        return [struck for struck in self.struck if isinstance(struck.fault, kinds)]

    def may_be_unseen(self, *kinds: type[Fault]) -> bool:
        """Tell whether a fault of these kinds struck when the files may have been finished and told already."""
        # a file is closed when all is known of it, and its disk may hang in that
        hangs = [struck.fault for struck in self.met(DiskHang) if isinstance(struck.fault, DiskHang)]
        slack = 0.5 + self.starved_seconds + sum(hang.seconds for hang in hangs if "close" in hang.calls.split(","))
        return any(self.ended - struck.begun < slack for struck in self.met(*kinds))


def read_take(path: Path, scenario: Scenario) -> Samples:
    """Return the frames that can be read of one file of a take, whatever its type."""
    if scenario.file_type != "raw":
        return readable(path, scenario.channels)
    encoding = scenario.encoding.upper()
    raw = {"format": "RAW", "samplerate": scenario.rate, "channels": scenario.channels, "subtype": encoding}
    return readable(path, scenario.channels, **raw)


def files_in(evidence: Evidence) -> list[str]:
    """Return what is in the folder beside what was there before."""
    names = sorted(path.name for path in evidence.folder.iterdir())
    own = {"in.wav", "fed", "filler"} | ({"take"} if evidence.scenario.sink is Sink.FIFO else set())
    return [name for name in names if name not in own and (evidence.folder / name).read_bytes() != OLD]
