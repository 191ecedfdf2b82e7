"""Every loss of a run by its place, in memory that does not grow with the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge

from pastream_cli.engine.facts import Loss, LossKind
from pastream_cli.engine.spool import Spool


class LossList:
    """Losses, in the order of their places.

    Losses of one kind come in that order by themselves, but the kinds have to be merged: a deficit is found late, after
    losses of other kinds that follow it on the timeline.

    Parameters
    ----------
    losses : iterable of Loss, optional
        The first of them.
    before : LossList, optional
        The losses that were found before them; this list is not changed.
    """

    def __init__(self, losses: Iterable[Loss] = (), before: LossList | None = None) -> None:
        self.of_kind: dict[LossKind, Spool[Loss]] = {
            kind: Spool(before=before.of_kind[kind] if before is not None else None) for kind in LossKind
        }
        self.of_copies: Spool[Loss] = Spool(before=before.of_copies if before is not None else None)
        """Those that only a further copy of the recording has, for want of room in its buffer."""
        for loss in losses:
            self.add(loss)

    def add(self, loss: Loss) -> None:
        """Add a loss."""
        (self.of_copies if loss.copy else self.of_kind[loss.kind]).append(loss)

    def of(self, *kinds: LossKind) -> Iterator[Loss]:
        """Go through the losses of these kinds."""
        return merge(*(self.of_kind[kind] for kind in kinds), key=lambda loss: loss.frame)

    def count(self, *kinds: LossKind) -> int:
        """Return how many losses of these kinds there are."""
        return sum(len(self.of_kind[kind]) for kind in kinds)

    def unlisted(self, *kinds: LossKind) -> int:
        """Return how many losses of these kinds are counted, but could not be kept."""
        return sum(self.of_kind[kind].dropped for kind in kinds)

    def __iter__(self) -> Iterator[Loss]:
        return merge(self.of(*LossKind), self.of_copies, key=lambda loss: loss.frame)

    def __len__(self) -> int:
        return self.count(*LossKind)
