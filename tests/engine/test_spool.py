"""Lists that only grow: all is in them, in order, and memory does not show how much that is."""

from __future__ import annotations

import resource
import tempfile
import tracemalloc
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pastream_cli.engine.elapsed import Elapsed
from pastream_cli.engine.facts import Loss, LossKind, RecordedFile
from pastream_cli.engine.loss_list import LossList
from pastream_cli.engine.spool import Spool
from pastream_cli.take.naming import NameMemory

MOMENT = datetime(2026, 11, 23, 6, tzinfo=timezone.utc)
IN_MEMORY = 1000


def file_number(number: int) -> RecordedFile:
    return RecordedFile(f"{number}.wav", MOMENT, 48_000 * number, 48_000, (0.5, 0.25), (0, number))


@pytest.mark.parametrize("count", [0, 1, IN_MEMORY, IN_MEMORY + 1, 2 * IN_MEMORY, 3456])
def test_a_spool_gives_back_all_that_it_took(count: int) -> None:
    spool: Spool[RecordedFile] = Spool()
    for number in range(count):
        spool.append(file_number(number))
    for _ in range(2):
        assert list(spool) == [file_number(number) for number in range(count)]
    assert (len(spool), spool.dropped) == (count, 0)


def test_a_spool_goes_on_behind_another_which_stays_as_it_is() -> None:
    before: Spool[int] = Spool()
    for number in range(1500):
        before.append(number)
    spool = Spool(before=before)
    spool.append(-1)
    assert list(spool) == [*range(1500), -1]
    assert list(before) == list(range(1500))
    assert (len(spool), len(before)) == (1501, 1500)


def test_a_spool_without_a_folder_for_temporary_files_counts_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    spool: Spool[int] = Spool()
    for number in range(2500):
        spool.append(number)
    assert (list(spool), len(spool), spool.dropped) == (list(range(IN_MEMORY)), 2500, 1500)


def test_a_spool_on_a_disk_that_is_full_keeps_what_it_has() -> None:
    spool: Spool[int] = Spool()
    for number in range(1500):
        spool.append(number)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        for number in range(1500, 3500):
            spool.append(number)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (list(spool), len(spool), spool.dropped) == (list(range(2400)), 3500, 1100)


def test_losses_are_in_the_order_of_their_places_whenever_they_were_found() -> None:
    losses = LossList()
    for number in range(3000):
        losses.add(Loss(LossKind.DEVICE, 10 * number, 5, number))
        if number >= 700:  # found late
            losses.add(Loss(LossKind.DEFICIT, 10 * (number - 700) + 5, 7, number))
    losses.add(Loss(LossKind.OVERRUN, 3, 1, 0))
    places = [loss.frame for loss in losses]
    assert places == sorted(places)
    assert len(places) == len(losses) == 3000 + 2300 + 1
    assert losses.count(LossKind.OVERRUN, LossKind.DEVICE) == 3001
    assert next(iter(losses.of(LossKind.DEFICIT))) == Loss(LossKind.DEFICIT, 5, 7, 700)


def test_a_long_list_takes_no_more_memory_than_a_short_one() -> None:
    losses = LossList()

    def add(first: int, last: int) -> int:
        for number in range(first, last):
            losses.add(Loss(LossKind.DEVICE, number, 5, number))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()  # the interpreter keeps some thousand small tuples for later
    try:
        short = add(0, 3500)
        assert add(3500, 33_500) - short < 250_000
        assert sum(1 for _ in losses) == 33_500
        assert tracemalloc.get_traced_memory()[0] - short < 250_000
    finally:
        tracemalloc.stop()


def test_what_went_by_beside_the_timeline_is_summed_up_to_a_place() -> None:
    elapsed = Elapsed()
    elapsed.pause(100, 1000)
    elapsed.miss(200, 30, merged_frames=50)
    elapsed.miss(240, 4, merged_frames=50)
    elapsed.lead(300, 60)
    assert [elapsed.before(frame) for frame in (99, 100, 200, 250, 320, 400)] == [0, 1000, 1034, 1034, 1014, 974]


def test_of_many_places_the_latest_are_exact() -> None:
    elapsed = Elapsed()
    for number in range(5000):
        elapsed.miss(100 * number, 2, merged_frames=10)
    assert elapsed.before(100 * 4500) == 2 * 4501
    assert elapsed.before(100 * 5000) == 2 * 5000


def test_a_name_that_was_remembered_is_never_forgotten() -> None:
    names = NameMemory()
    for number in range(10_000):
        names.add(f"take {number}.wav")
    assert all(f"take {number}.wav" in names for number in range(10_000))
    assert sum(f"other {number}.wav" in names for number in range(10_000)) <= 2
