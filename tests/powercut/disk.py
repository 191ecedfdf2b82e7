"""What a disk may hold after its power was cut.

What was synced is there. Of what was written since, each page is as it was, or as it was after any of the writes, or
torn: some of its sectors are old and some are new. The length of a file may have changed before its pages, or after
them. Names that were not synced are there or are not.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.powercut.journal import Event

PAGE = 4096
SECTOR = 512
_BLANK = bytes(PAGE)


class Content(NamedTuple):
    """A file: its pages, of which those that are left out are zeros, and how long it is."""

    pages: Mapping[int, bytes]
    size: int

    def to_bytes(self) -> bytes:
        whole = -(-self.size // PAGE)
        return b"".join(self.pages.get(number, _BLANK) for number in range(whole))[: self.size]


def content_of(data: bytes) -> Content:
    """Return the content of a file that has these bytes."""
    padded = data + bytes(-len(data) % PAGE)
    return Content({at // PAGE: padded[at : at + PAGE] for at in range(0, len(padded), PAGE)}, len(data))


@dataclass
class _Synced:
    """What is pending until a sync that began after it has ended."""

    pending: list[Event] = field(default_factory=list)
    _begun: list[int] = field(default_factory=list)  # how much was pending when each sync began

    def begin_sync(self) -> None:
        self._begun.append(len(self.pending))

    def give_sync_up(self) -> None:
        self._begun.pop(0)

    def end_sync(self) -> list[Event]:
        """Return what is certain from now on. Of several syncs at once, the one that began first is taken to end."""
        count = self._begun.pop(0)
        self._begun = [max(0, begun - count) for begun in self._begun]
        done, self.pending = self.pending[:count], self.pending[count:]
        return done


class File(_Synced):
    """A file: what is certain of it, and what was done since."""

    def __init__(self, content: Content = Content({}, 0)) -> None:  # noqa: B008 - it cannot be changed
        super().__init__()
        self.pages = dict(content.pages)
        self.size = content.size
        self.syncs = 0

    def sync(self) -> None:
        for event in self.end_sync():
            self.size = _do(event, self.pages, self.size)
        self.syncs += 1

    @property
    def certain(self) -> Content:
        """What is there in any case, and nothing else."""
        return Content(dict(self.pages), self.size)

    @property
    def newest(self) -> Content:
        """What is there if all that was written has reached the disk."""
        pages, size = dict(self.pages), self.size
        for event in self.pending:
            size = _do(event, pages, size)
        return Content(pages, size)

    def drawn(self, dice: random.Random) -> Content:
        """Return one of the contents that a power cut may leave."""
        versions, sizes = self._versions()
        share_of_new = dice.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        share_of_torn = dice.choice((0.0, 0.0, 0.3))
        begins_new = dice.random() < 0.5
        pages = dict(self.pages)
        for number, contents in versions.items():
            is_new = dice.random() < share_of_new if number else begins_new
            page = dice.choice(contents[1:]) if is_new else contents[0]
            if dice.random() < share_of_torn:
                page = _torn(page, dice.choice(contents), dice)
            pages[number] = page
        size = dice.choice((sizes[0], sizes[-1], dice.choice(sizes)))
        return Content(pages, size)

    def _versions(self) -> tuple[dict[int, list[bytes]], list[int]]:
        """Return each page that was written since the last sync, in all of its versions, and each size."""
        pages, size = dict(self.pages), self.size
        versions: dict[int, list[bytes]] = {}
        sizes = [size]
        for event in self.pending:
            touched = _touched(event)
            for number in touched:
                versions.setdefault(number, [pages.get(number, _BLANK)])
            size = _do(event, pages, size)
            for number in touched:
                versions[number].append(pages.get(number, _BLANK))
            sizes.append(size)
        return versions, sizes


def _touched(event: Event) -> range:
    if event.what != "w":
        return range(0)
    return range(event.offset // PAGE, -(-(event.offset + event.length) // PAGE))


def _do(event: Event, pages: dict[int, bytes], size: int) -> int:
    """Change pages as the event does, and return the new size."""
    if event.what == "t":
        return event.offset
    for number in _touched(event):
        begin = number * PAGE
        page = pages.get(number, _BLANK)
        first, last = max(begin, event.offset), min(begin + PAGE, event.offset + event.length)
        some = event.data[first - event.offset : last - event.offset]
        pages[number] = page[: first - begin] + some + page[last - begin :]
    return max(size, event.offset + event.length)


def _torn(page: bytes, other: bytes, dice: random.Random) -> bytes:
    """Return a page whose first sectors are those of one version and whose rest are another's, or any of both."""
    if dice.random() < 0.5:
        at = dice.randrange(1, PAGE // SECTOR) * SECTOR
        return page[:at] + other[at:]
    sectors = range(0, PAGE, SECTOR)
    return b"".join(dice.choice((page, other))[at : at + SECTOR] for at in sectors)


class Folder(_Synced):
    """A folder: the names that are certain, each with the inode of its file, and what was done since."""

    def __init__(self, names: Mapping[str, int]) -> None:
        super().__init__()
        self.names = dict(names)

    def sync(self) -> None:
        for event in self.end_sync():
            _name(event, self.names)

    def drawn(self, dice: random.Random) -> dict[str, int]:
        """Return names that a power cut may leave: those until some moment, or any of them."""
        names = dict(self.names)
        until = dice.randint(0, len(self.pending))
        is_in_order = dice.random() < 0.5
        for number, event in enumerate(self.pending):
            if number < until if is_in_order else dice.random() < 0.5:
                _name(event, names)
        return names


def _name(event: Event, names: dict[str, int]) -> None:
    if event.what == "c":
        names[event.name] = event.inode
    elif event.what == "u":
        names.pop(event.name, None)
    elif event.what == "l" and event.inode:
        names[event.other_name] = event.inode
    elif event.what == "r" and event.name in names:
        names[event.other_name] = names.pop(event.name)


class Disk:
    """A folder with its files, to which one event after the other is done.

    Parameters
    ----------
    folder : int
        Its inode.
    names : mapping
        The names in it at the beginning, with inodes.
    contents : mapping
        The files at the beginning, by inode.
    """

    def __init__(self, folder: int, names: Mapping[str, int], contents: Mapping[int, bytes]) -> None:
        self._folder_inode = folder
        self.folder = Folder(names)
        self.files = {inode: File(content_of(data)) for inode, data in contents.items()}

    def do(self, event: Event) -> None:
        is_of_folder = event.inode == self._folder_inode
        if event.what in "sS":
            place = self.folder if is_of_folder else self.files.setdefault(event.inode, File())
            if event.what == "s":
                place.begin_sync()
            elif event.is_refused:
                place.give_sync_up()
            else:
                place.sync()
        elif event.what in "wzt":
            self.files.setdefault(event.inode, File()).pending.append(event)
        else:
            self.folder.pending.append(event)
            self.files.setdefault(event.inode, File())
