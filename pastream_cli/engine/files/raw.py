"""RAW data: samples without a header, as far as options describe them."""

from __future__ import annotations

from typing import Any, NamedTuple

from pastream_cli.engine.files.formats import plays_raw, raw_encodings
from pastream_cli.errors import ErrorKind, UsageError

# libsndfile's numbers (sndfile.h)
_RAW = 0x40000
_SUBTYPES = {
    "PCM_S8": 1,
    "PCM_16": 2,
    "PCM_24": 3,
    "PCM_32": 4,
    "PCM_U8": 5,
    "FLOAT": 6,
    "DOUBLE": 7,
    "ULAW": 0x10,
    "ALAW": 0x11,
}
_ENDIANS = {"LITTLE": 0x10000000, "BIG": 0x20000000}


class RawDescription(NamedTuple):
    """The format of RAW data, as far as options say it."""

    rate: int | None
    channels: int | None
    encoding: str | None
    endian: str | None

    @property
    def is_complete(self) -> bool:
        return None not in (self.rate, self.channels, self.encoding)

    def format(self, name: str) -> dict[str, Any]:
        """Return soundfile's arguments; `UsageError` where an option is missing."""
        if self.rate is None or self.channels is None or self.encoding is None:
            raise UsageError(f"cannot open {name}: RAW data does not say what it is", kind=ErrorKind.RAW_UNDESCRIBED)
        if not plays_raw(self.encoding, self.endian):
            raise UsageError(
                f"cannot open {name}: RAW does not take {self.encoding}", f"it takes {', '.join(raw_encodings())}"
            )
        return raw_format(self.rate, self.channels, self.encoding, self.endian)


def raw_format(rate: int, channels: int, encoding: str, endian: str | None) -> dict[str, Any]:
    """Return soundfile's arguments for RAW data."""
    return {"format": "RAW", "samplerate": rate, "channels": channels, "subtype": encoding, "endian": endian}


def raw_number(encoding: str, endian: str) -> int:
    """Return libsndfile's number for RAW data."""
    return _RAW | _SUBTYPES[encoding] | _ENDIANS[endian]
