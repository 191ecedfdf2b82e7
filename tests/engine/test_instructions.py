"""What the core costs, in instructions: no change makes it dearer unnoticed."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import instructions
from tests.homes import need


def test_neither_the_callback_nor_a_loop_takes_more_instructions_than_before(tmp_path: Path) -> None:
    need("gcc", "valgrind")
    stored = json.loads(instructions.STORED.read_text())
    grown = instructions.grown(instructions.count(tmp_path), stored, instructions.compiler())
    assert grown == [], "where it is worth it: python -m benchmarks.instructions --write"


def test_a_tenth_more_is_too_much_with_the_same_compiler() -> None:
    here = {"version": "gcc 1"}
    stored = {"compiler": here, "counts": {"calibration 2": 100, "record 2": 1000}}
    assert instructions.grown({"calibration 2": 100, "record 2": 1100}, stored, here) == []
    assert len(instructions.grown({"calibration 2": 100, "record 2": 1101}, stored, here)) == 1


def test_another_compiler_is_measured_by_what_it_makes_of_the_calibration() -> None:
    stored = {"compiler": {"version": "gcc 1"}, "counts": {"calibration 2": 100, "record 2": 1000}}
    here = {"version": "gcc 2"}
    assert instructions.grown({"calibration 2": 200, "record 2": 3000}, stored, here) == []
    assert len(instructions.grown({"calibration 2": 200, "record 2": 3001}, stored, here)) == 1
