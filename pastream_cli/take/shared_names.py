"""The names of a take's copies: the files of one piece have one number, which is free in all places."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from pastream_cli.engine.files.paths import ExistsError, are_one_file, is_special
from pastream_cli.engine.worker import Task, Worker
from pastream_cli.errors import STANDARD_STREAM, FileError
from pastream_cli.take.naming import Names
from pastream_cli.take.outputs import Output

# A disk that does not answer for so long is not asked whether a name is free: the others must not wait for it.
_ANSWER_SECONDS = 0.5


class SharedNames:
    """Names for the files of several copies. Any thread may ask.

    Parameters
    ----------
    outputs : sequence of Output
        The copies.
    input_path : str, optional
        What is played, which no copy replaces.
    """

    def __init__(self, outputs: Sequence[Output], input_path: str | None) -> None:
        self._outputs = outputs
        self._input_path = input_path
        self._names = [Names(output.path, is_split=output.has_several) for output in outputs]
        self._lookers = [Worker("names", lambda: None) for _ in outputs]
        self._lock = threading.Lock()
        self._paths: dict[int, tuple[str, ...]] = {}
        self._used: set[str] = set()

    def path_of(self, number: int, piece: int, first_frame: datetime) -> str:
        """Return the path for one copy's file of a piece; whoever asks first chooses for all."""
        with self._lock:
            if piece not in self._paths:
                self._paths[piece] = self._choose(first_frame)
                self._paths.pop(piece - 100, None)
            return self._paths[piece][number]

    def forget(self, number: int, piece: int, path: str) -> None:
        """Choose anew for a piece for which one copy's file was made and not used, unless another copy has done so."""
        with self._lock:
            paths = self._paths.get(piece)
            if paths is not None and paths[number] == path:
                del self._paths[piece]
                self._used.difference_update(paths)

    def _choose(self, first_frame: datetime) -> tuple[str, ...]:
        error: FileError = FileError(f"cannot create {self._outputs[0].path}: every number is taken")
        # a name that was free when the wait for a sound began may be taken by now, and is then numbered
        for _ in range(2 if self._outputs[0].is_triggered else 1):
            are_fixed = [names.is_fixed for names in self._names]  # which ends with the search
            for paths in self._candidates(first_frame):
                taken = self._taken(paths)
                if not taken:
                    self._used.update(path for path, o in zip(paths, self._outputs, strict=True) if o.overwrite)
                    return paths
                if any(are_fixed[i] for i in taken):
                    error = ExistsError(paths[taken[0]])
                    break
        raise error

    def _candidates(self, first_frame: datetime) -> Iterator[tuple[str, ...]]:
        """Go through the names that the files of a piece could have together; fixed ones come again and again."""
        return zip(*(names.candidates_without_end(first_frame) for names in self._names), strict=False)

    def _taken(self, paths: Sequence[str]) -> list[int]:
        """Return which of the names are taken, as far as the disks say so in time."""
        asked: list[Task[bool]] = [
            looker.start(partial(self._is_taken, output.overwrite and names.may_replace(path), path), quietly=True)
            for looker, output, names, path in zip(self._lookers, self._outputs, self._names, paths, strict=True)
        ]
        answered = [task.wait(_ANSWER_SECONDS) and task.error is None for task in asked]
        return [i for i, task in enumerate(asked) if answered[i] and task.result()]

    def _is_taken(self, may_replace: bool, path: str) -> bool:
        if path == STANDARD_STREAM or is_special(path):
            return False
        if self._input_path is not None and are_one_file(self._input_path, path):
            return True
        return path in self._used if may_replace else os.path.lexists(path)
