"""What must not be found, by kinds."""

from __future__ import annotations


class Problem(AssertionError):  # noqa: N818 - a finding, which is told and counted
    """Something that must not be, whatever the faults."""

    kind = "wrong"


class UnexplainedLoss(Problem):
    kind = "losses NOT explained"


class Traceback(Problem):
    kind = "tracebacks"


class Hang(Problem):
    kind = "hangs"


class Leftover(Problem):
    kind = "leftovers"


def demand(condition: object, what: str, kind: type[Problem] = Problem) -> None:
    """Raise a problem unless the condition holds."""
    if not condition:
        raise kind(what)
