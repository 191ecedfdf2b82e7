"""Finds the word that a mistyped one stands for. Loaded only when something was mistyped."""

from __future__ import annotations

TYPE_CHECKING = False  # importing it from typing takes longer than the rest
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHORTEST = 3
_LETTERS_PER_TYPO = 4
_LONGEST = 64


def by_word(words_of: Mapping[str, str]) -> dict[str, str]:
    """Return what each word stands for, from a table that has the words, apart by spaces, of each thing."""
    return {word: thing for thing, words in words_of.items() for word in words.split()}


def closest(wanted: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like `wanted`, in upper or lower case; `None` if none is like it.

    One letter may be wrong, and one more for each four letters beyond the first four.
    """
    if not _SHORTEST <= len(wanted) <= _LONGEST:
        return None
    most = max(1, len(wanted) // _LETTERS_PER_TYPO)
    word = wanted.lower()
    near = [(_typos(word, name.lower()), name) for name in names if abs(len(name) - len(word)) <= most]
    return next((name for typos, name in sorted(near) if typos <= most), None)


def _typos(word: str, other: str) -> int:
    """Return how many letters to change, leave out, put in or swap with the next to get from one word to the other.

    Loading difflib, which could tell, would take half as long as Python's start.
    """
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for count, letter in enumerate(word, 1):
        present = [count]
        for place, its_letter in enumerate(other, 1):
            typos = min(last[place - 1] + (letter != its_letter), last[place] + 1, present[place - 1] + 1)
            if count > 1 and place > 1 and word[count - 2] == its_letter and letter == other[place - 2]:
                typos = min(typos, before_last[place - 2] + 1)
            present.append(typos)
        before_last, last = last, present
    return last[-1]
