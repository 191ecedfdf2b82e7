"""Takes on which everything happens that happens to takes: python -m tests.chaos --seconds 120 --seed 1."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from pathlib import Path

from tests.chaos.campaign import Campaign, Tally
from tests.jack_database import private_jack_databases
from tests.runner import have_programs_hear_signals

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "chaos"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="for how long new runs are begun")
    parser.add_argument("--seed", type=int, default=None, help="what the runs are drawn from; any, if left out")
    parser.add_argument("--only", type=int, action="append", metavar="NUMBER", help="this run alone; may be repeated")
    arguments = parser.parse_args()
    have_programs_hear_signals()
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    shutil.rmtree(KEPT, ignore_errors=True)
    campaign = Campaign(seed, KEPT, say)
    begun = time.monotonic()
    say(f"chaos: seed {seed}")
    with private_jack_databases():
        if arguments.only:
            for number in arguments.only:
                campaign.run_only(number)
        else:
            campaign.run_for(arguments.seconds)
    say(table(campaign.tally, seed, time.monotonic() - begun))
    return 1 if campaign.tally.problems else 0


def table(tally: Tally, seed: int, seconds: float) -> str:
    """Return what was counted, as a small table."""
    rows = {
        f"seed {seed}, seconds": f"{seconds:.0f}",
        "runs": _listed(tally.runs),
        "exit codes": ", ".join(f"{code}: {count}" for code, count in sorted(tally.codes.items())),
        "faults": _listed(tally.faults),
        "frames checked": f"{tally.frames:,}",
        "streams ended by PortAudio": str(tally.given_up),
        "losses and underruns explained": str(tally.losses_explained),
        "problems of servers, looked for again": str(sum(tally.repeated.values())),
    } | {
        kind: str(tally.problems[kind])
        for kind in sorted({"losses NOT explained", "tracebacks", "hangs", "leftovers", "wrong", *tally.problems})
    }
    return "\n".join(f"{name:37} {value}" for name, value in rows.items())


def _listed(counter: dict[str, int]) -> str:
    parts = ", ".join(f"{name} {count}" for name, count in sorted(counter.items(), key=lambda item: -item[1]))
    return f"{sum(counter.values())} ({parts})"


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    sys.exit(main())
