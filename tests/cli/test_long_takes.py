"""A take without end: what it holds of itself does not grow with it, and its report tells all the same."""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.runner import Pastream

RATE = 1000  # what is looked for grows with pieces and losses, not with frames
PIECE_SECONDS = 60
WEEK_HOURS = 168
# Behind a piece that is done there are the present one and the next.
PIECES_IN_HAND = 3
MOST_GROWTH_KB = 1024
# Of the cheapest hour of the last third against that of the first. The others may be dear because the machine is busy.
MOST_SLOWDOWN = 1.5
SECONDS_UNTIL_CALM = 6
SECONDS_LEFT_ALONE = 2


def resident_kb(process: subprocess.Popen[bytes]) -> int:
    """Return how much memory a process has by now; 0 once it has ended."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return how much processor time a process has taken, until it has ended."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listed(text: str, name: str) -> Iterator[dict[str, Any]]:
    """Return what a list in a report holds, one by one: all of it at once takes a gigabyte."""
    decoder = json.JSONDecoder()
    place = text.index(f'"{name}": [') + len(f'"{name}": [')
    while text[place] != "]":
        value, place = decoder.raw_decode(text, place)
        yield value
        place += 2 * (text[place] == ",")


def last_number(folder: Path) -> int:
    """Remove the pieces that are done, and return how many have been begun."""
    numbers = sorted(int(path.stem.rpartition("-")[2]) for path in folder.iterdir())
    for number in numbers[:-PIECES_IN_HAND]:
        (folder / f"take-{number:03}.wav").unlink()
    return numbers[-1] if numbers else 0


def costs_of_hours(taken_seconds: dict[int, float], hours: int, per_hour: int) -> list[float]:
    """Return the processor time of a piece in each hour of a take but the first, and the last, which has the report."""
    ends = [min(taken_seconds, key=lambda number: abs(number - hour * per_hour)) for hour in range(1, hours)]
    return [(taken_seconds[end] - taken_seconds[begin]) / (end - begin) for begin, end in pairwise(ends)]


def test_a_week_of_minutes_with_a_loss_each_second_takes_no_more_than_its_first_hour(
    pastream: Pastream, tmp_path: Path, campaign: Callable[[int], int]
) -> None:
    faulthandler.cancel_dump_traceback_later()  # a week takes longer than any other test
    hours = campaign(WEEK_HOURS)
    seconds, per_hour = 3600 * hours, 3600 // PIECE_SECONDS
    folder, report = tmp_path / "pieces", tmp_path / "report.json"
    folder.mkdir()
    words = ["-c", "1", "-r", str(RATE), "-d", str(seconds), "--split", str(PIECE_SECONDS), "--json"]
    device = "virtual:silence:fast:xrun=0.5/1"
    memory_kb: dict[int, int] = {}
    taken_seconds: dict[int, float] = {}
    with report.open("wb") as output:
        process = pastream.start(
            *("null", "take.wav", "-q", *words, "-D", device), stdout=output, stderr=subprocess.DEVNULL, cwd=folder
        )
        while process.poll() is None:
            number = last_number(folder)
            memory_kb[number] = max(resident_kb(process), memory_kb.get(number, 0))
            taken_seconds[number] = cpu_seconds(process)
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
    assert process.returncode == 0
    first = max(kb for number, kb in memory_kb.items() if per_hour <= number <= 2 * per_hour)
    last = max(kb for number, kb in memory_kb.items() if number > 2 * per_hour)
    assert last - first <= MOST_GROWTH_KB, memory_kb

    costs = costs_of_hours(taken_seconds, hours, per_hour)
    assert min(costs[-len(costs) // 3 :]) < MOST_SLOWDOWN * min(costs[: len(costs) // 3]), costs

    text = report.read_text(encoding="ascii")
    names = [f"take-{number + 1:03}.wav" for number in range(hours * per_hour)]
    first_frame = 0
    for name, file in zip(names, listed(text, "files"), strict=True):
        assert (file["name"], file["first_frame"], file["frames"]) == (name, first_frame, PIECE_SECONDS * RATE)
        first_frame += file["frames"]
    block = 0
    for second, xrun in zip(range(seconds), listed(text, "xruns"), strict=True):
        block = block or xrun["frames"]
        assert (xrun["kind"], xrun["frames"], xrun["certainty"]) == ("device", block, "exact")
        assert 0 <= xrun["frame"] - (second * RATE + RATE // 2) < block
    head = text[: text.index('"files"')] + text[text.index('"unlisted_files"') : text.index('"xruns"')]
    rest = json.loads(head + text[text.index('"unlisted_xruns"') :])
    assert (rest["losses"], rest["lost_frames"], rest["frames"]) == (seconds, seconds * block, seconds * RATE)
    assert (rest["unlisted_files"], rest["unlisted_xruns"], rest["unwritten_frames"]) == (0, 0, 0)
    assert rest["error"] is None


def wakings(process: subprocess.Popen[bytes]) -> int:
    """Return how often the main thread of a process has waited for something so far."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("voluntary_ctxt_switches:"))


def test_a_take_that_nobody_watches_is_left_alone(pastream: Pastream) -> None:
    kinds = {"plain": (), "pieces": ("--split", "1:00:00"), "armed": ("--trigger", "-3", "--preroll", "2")}
    takes = {
        name: pastream.start("null", f"{name}.wav", "-q", "-D", "virtual:silence", *words)
        for name, words in kinds.items()
    }
    time.sleep(SECONDS_UNTIL_CALM)
    before = {name: wakings(process) for name, process in takes.items()}
    time.sleep(SECONDS_LEFT_ALONE)
    # a take is looked at about as often as it is tenths of its age old, and at most once each second
    most = 2 * 10 * SECONDS_LEFT_ALONE / SECONDS_UNTIL_CALM
    assert {name: count for name in takes if (count := wakings(takes[name]) - before[name]) > most} == {}
