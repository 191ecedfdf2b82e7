"""How a failure is told: in one line, and in one more where there is a way out."""

from __future__ import annotations

import re

_FAILURE = re.compile(r"pastream: (cannot .+?: .+)")
_WAY_OUT = re.compile(r"pastream: (.+)")
_USAGE_LINE = re.compile(r"  (?:pastream|sox) .*")


def explanation(stderr: str) -> list[str]:
    """Return the line of the failure and the way out, without the program's name; nothing where nothing failed.

    What is printed must have that form: act, object and reason in one line, then one more line at most, and nothing
    after it but a report for programs.
    """
    lines = [line for line in stderr.splitlines() if not _USAGE_LINE.fullmatch(line) and not line.startswith("{")]
    failures = [(number, match[1]) for number, line in enumerate(lines) if (match := _FAILURE.fullmatch(line))]
    if not failures:
        return []
    assert len(failures) == 1, f"a failure is one line: {stderr}"
    number, failure = failures[0]
    ways_out = [_WAY_OUT.fullmatch(line) for line in lines[number + 1 :]]
    assert len(ways_out) <= 1, f"there is one way out at most: {stderr}"
    assert all(ways_out), f"every line says whose it is: {stderr}"
    return [failure, *[way_out[1] for way_out in ways_out if way_out]]
