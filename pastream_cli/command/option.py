"""The description of one option: how it is typed, what it takes, what it sets, and how it is explained."""

from __future__ import annotations

from enum import Enum


class Group(Enum):
    """The headings under which options are listed, in this order."""

    LENGTH = "Length"
    FILES = "Files"
    DEVICE = "Device"
    SCREEN = "Screen"
    INFORMATION = "Information"


class Kind(Enum):
    """What an option takes."""

    FLAG = "nothing"
    LIMIT = "a time, or -1 for no limit"
    OFFSET = "a time, where a file name is a likely slip"
    OPTIONAL_LIMIT = "a time, -1, or nothing"
    TIME = "a time"
    WHEN = "a time of day"
    LEVEL = "a level, or a word for none"
    SILENCE = "a level and a time"
    SIZE = "a number of frames"
    RATE = "a sample rate"
    CHANNELS = "numbers of channels"
    DEVICE = "devices, left as typed"
    SAMPLE_FORMAT = "sample formats of the device"
    NAME = "file types, by libsndfile's names"
    ENCODING = "encodings, by libsndfile's names or as a bit depth"
    ENDIAN = "byte orders"
    LATENCY = "low, high or seconds"
    MAP = "channels and where they go"
    CHANNEL_LIST = "a list of channels"
    OUTPUT = "the name of a file, as OUTPUT"
    SHELL = "the name of a shell"
    COMMAND = "a command of the shell"


PAIRS = frozenset({Kind.CHANNELS, Kind.DEVICE, Kind.SAMPLE_FORMAT, Kind.NAME, Kind.ENCODING, Kind.ENDIAN, Kind.LATENCY})
"""Kinds that take one value for both sides of the stream, or one for each."""


class Option:
    """One option: how it is typed, what it sets, and everything that is said about it.

    It is no dataclass: loading that module takes longer than Python's own start.

    Parameters
    ----------
    names : tuple of str
        The short name, if there is one, and the long one.
    field : str
        The field of `Job` that it sets.
    group : Group
        The heading under which it is listed.
    help : str
        One line, for the help.
    manual : str
        What the manual says: paragraphs with an empty line between them.
    kind : Kind
        What it takes.
    metavar : str
        The word that stands for the value.
    default : str
        What applies without the option, in words.
    aliases : tuple of str
        Names that are kept for old scripts and listed in the manual only.
    constant : bool
        What a flag sets its field to.
    most : int
        How often it may be given; with 1 the last one counts.
    choices : tuple of str
        Values that a shell can offer.
    is_common : bool
        Whether it is among the few that ``-h`` shows.
    asks : str
        Which values a shell has to ask the program for: `devices`, `types` or `encodings`.
    """

    def __init__(
        self,
        *,
        names: tuple[str, ...],
        field: str,
        group: Group,
        help: str,  # noqa: A002 - the word that users know
        manual: str,
        kind: Kind = Kind.FLAG,
        metavar: str = "",
        default: str = "",
        aliases: tuple[str, ...] = (),
        constant: bool = True,
        most: int = 1,
        choices: tuple[str, ...] = (),
        is_common: bool = False,
        asks: str = "",
    ) -> None:
        self.names = names
        self.field = field
        self.group = group
        self.help = help
        self.manual = manual
        self.kind = kind
        self.metavar = metavar
        self.default = default
        self.aliases = aliases
        self.constant = constant
        self.most = most
        self.choices = choices
        self.is_common = is_common
        self.asks = asks

    @property
    def long_name(self) -> str:
        """The name without abbreviation."""
        return self.names[-1]

    @property
    def value_form(self) -> str:
        """What follows the name, as the help shows it; empty for a flag."""
        if self.kind is Kind.OPTIONAL_LIMIT:
            return f"[{self.metavar}]"
        return f"{self.metavar}[,{self.metavar}]" if self.kind in PAIRS else self.metavar
