"""Files are read back one at a time; a disk that does not answer keeps no other waiting."""

from __future__ import annotations

import threading

import pytest

from pastream_cli.engine.files import verifying
from pastream_cli.engine.files.finishing import Verdict
from pastream_cli.engine.files.verifying import verify


@pytest.fixture
def never() -> threading.Event:
    return threading.Event()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch, never: threading.Event) -> list[int]:
    """The descriptors that were read, by a reader that takes its time with each and never comes to an end with 1."""
    seen: list[int] = []

    def read(descriptor: int, *_: object) -> Verdict:
        seen.append(descriptor)
        never.wait(30.0 if descriptor == 1 else 0.05)
        seen.append(descriptor)
        return Verdict(None, None, cache_dropped=False)

    monkeypatch.setattr(verifying, "_verify", read)
    monkeypatch.setattr(verifying, "_turn", verifying._Turn())
    monkeypatch.setattr(verifying, "_ANSWER_SECONDS", 0.3)
    return seen


def started(descriptor: int) -> threading.Thread:
    def is_what_was_written(_: object) -> bool:
        return True

    words = {"sample_code": 0, "channels": 1, "raw": {}, "is_given_up": lambda: False}
    thread = threading.Thread(target=lambda: verify(descriptor, is_what_was_written, 1, **words), daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_one_file_is_read_at_a_time(turns: list[int]) -> None:
    for thread in [started(descriptor) for descriptor in (3, 4, 5)]:
        thread.join()
    assert sorted(turns) == [3, 3, 4, 4, 5, 5]
    assert turns[::2] == turns[1::2]


def test_a_disk_that_does_not_answer_keeps_no_other_waiting(turns: list[int], never: threading.Event) -> None:
    hanging = started(1)
    started(3).join(10)
    assert turns == [1, 3, 3]
    never.set()
    hanging.join()
