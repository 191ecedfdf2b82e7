"""What the C core costs, in nanoseconds per frame, beside a memcpy of the same bytes.

    python -m benchmarks.core [--engine FOLDER] [--runs N] [--least]

Compiles the core with the flags of the extension module. At 48 kHz a frame lasts 20,833 ns.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from pastream_cli.engine import _build

HERE = Path(__file__).resolve().parent

Row = tuple[str, int]
Table = dict[Row, dict[str, list[float]]]


def build(compiler: str, engine: Path, target: Path) -> None:
    """Compile and link the program that measures."""
    own = ("core.c", "core_callback.c", "core_loops.c", "measuring.c")
    sources = [*(HERE / name for name in own), *(engine / name for name in _build.SOURCES)]
    command = [compiler, *_build.GNU_FLAGS, "-fPIC", f"-I{engine}", *map(str, sources), "-lm", "-o", str(target)]
    subprocess.run(command, check=True)


def measure(program: Path, runs: int) -> dict[str, Table]:
    """Run the program so many times and return every figure, by table, row and column."""
    tables: dict[str, Table] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for _ in range(runs):
        output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
        for line in output.splitlines():
            table, row, channels, column, figure = line.split("\t")
            tables[table][row, int(channels)][column].append(float(figure))
    return tables


def print_table(name: str, table: Table, summarise: Callable[[list[float]], float]) -> None:
    columns = list(next(iter(table.values())))
    print(f"\n{name:<20} {'channels':>8}" + "".join(f" {column:>15}" for column in columns))
    for (row, channels), figures in table.items():
        summaries = "".join(f" {summarise(figures[column]):>15.2f}" for column in columns)
        print(f"{row:<20} {channels:>8}{summaries}")


def main() -> None:
    parser = argparse.ArgumentParser(description="measure what the C core costs")
    parser.add_argument("--engine", type=Path, default=_build.HERE, help="folder of the C sources")
    parser.add_argument("--compiler", default="gcc")
    parser.add_argument("--runs", type=int, default=7, help="the figures are medians of so many (7)")
    parser.add_argument("--least", action="store_true", help="the least of all runs instead, for a busy machine")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "core"
        build(arguments.compiler, arguments.engine, program)
        tables = measure(program, arguments.runs)
    which = "least" if arguments.least else "medians"
    print(f"Nanoseconds per frame, {which} of {arguments.runs} runs, {arguments.compiler}")
    for name, table in tables.items():
        print_table(name, table, min if arguments.least else statistics.median)


if __name__ == "__main__":
    main()
