"""libsndfile's own functions, borrowed from soundfile at run time.

This module alone uses four private names of soundfile: `_snd`, `_ffi`, `SoundFile._file` and `SoundFile._open`; and a
fifth, `SoundFile._info`, which soundfiles.py uses too. If one of them changes, tests/engine/test_contracts.py fails.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import soundfile

from pastream_cli.engine.native import ffi, lib

if TYPE_CHECKING:
    from pastream_cli.engine.files.byte_source import ByteSource
    from pastream_cli.engine.native import Pointer, SndfileFunctions

CUT_SHORT = "another program has shortened it"
_SF_ERR_SYSTEM = 2
_SFC_UPDATE_HEADER_NOW = 0x1060
_SFC_RF64_AUTO_DOWNGRADE = 0x1210
_SFC_SET_COMPRESSION_LEVEL = 0x1301
_SFC_SET_OGG_PAGE_LATENCY_MS = 0x1302
_SFC_SET_BITRATE_MODE = 0x1305
_SF_BITRATE_MODE_CONSTANT = 0
# From each sample rate on: the least and the most kbit/s of MPEG (libsndfile's compression levels 1 and 0), and the
# kbit/s that each channel gets here.
_MP3_BIT_RATES = ((32000, 32, 320, 128), (16000, 8, 160, 80), (0, 8, 64, 32))


def _borrow_functions() -> SndfileFunctions:
    snd = soundfile._snd  # noqa: SLF001
    borrowed = ffi.new("struct sndfile_functions *")
    for name, function in {
        "read_short": "sf_readf_short",
        "read_int": "sf_readf_int",
        "read_float": "sf_readf_float",
        "write_short": "sf_writef_short",
        "write_int": "sf_writef_int",
        "write_float": "sf_writef_float",
        "seek": "sf_seek",
        "command": "sf_command",
        "error": "sf_error",
        "open_virtual": "sf_open_virtual",
        "open_descriptor": "sf_open_fd",
        "close": "sf_close",
    }.items():
        member = ffi.typeof("struct sndfile_functions").fields
        pointer_type = dict(member)[name].type
        address = int(soundfile._ffi.cast("uintptr_t", getattr(snd, function)))  # noqa: SLF001
        setattr(borrowed, name, ffi.cast(pointer_type, address))
    return borrowed


_FUNCTIONS_OF_A_SOURCE = {
    "get_filelen": "byte_source_get_length",
    "seek": "byte_source_seek",
    "read": "byte_source_read",
    "write": "byte_source_write",
    "tell": "byte_source_tell",
}

FUNCTIONS = _borrow_functions()
"""libsndfile's functions as the C loops take them; never freed."""


def handle_of(sound_file: soundfile.SoundFile) -> Pointer:
    """Return libsndfile's handle of an open file; the file still owns it."""
    return ffi.cast("void *", int(soundfile._ffi.cast("uintptr_t", sound_file._file)))  # noqa: SLF001


class SoundInSource(soundfile.SoundFile):  # type: ignore[misc]  # soundfile is not typed
    """A sound file that libsndfile reads from a byte source, through functions in C.

    The other parameters are those of `soundfile.SoundFile`, for RAW data. Closing it closes the source.
    """

    def __init__(self, source: ByteSource, **raw: Any) -> None:
        self._source = source
        self._functions = soundfile._ffi.new("SF_VIRTUAL_IO *")  # noqa: SLF001
        for name, function in _FUNCTIONS_OF_A_SOURCE.items():
            address = int(ffi.cast("uintptr_t", ffi.addressof(lib, function)))
            setattr(self._functions, name, soundfile._ffi.cast(f"sf_vio_{name}", address))  # noqa: SLF001
        try:
            super().__init__(source.descriptor, closefd=False, **raw)
        except Exception:
            source.close()
            raise

    def _open(self, _file: object, mode: int, _closefd: bool) -> Any:
        snd, its_ffi = soundfile._snd, soundfile._ffi  # noqa: SLF001
        source = its_ffi.cast("void *", int(ffi.cast("uintptr_t", self._source.handle)))
        file = snd.sf_open_virtual(self._functions, mode, self._info, source)
        if file == its_ffi.NULL:
            raise soundfile.LibsndfileError(snd.sf_error(file))
        return file

    def close(self) -> None:
        super().close()
        self._source.close()


def error_text(sound_file: soundfile.SoundFile | None, code: int, system_error: int = 0) -> str:
    """Return libsndfile's reason for an error, or the system's where that was the cause."""
    if code == lib.FILE_CUT_SHORT:
        return CUT_SHORT
    if code == lib.INPUT_OUT_OF_MEMORY:
        return os.strerror(errno.ENOMEM)
    if system_error:
        return os.strerror(system_error)
    snd, its_ffi = soundfile._snd, soundfile._ffi  # noqa: SLF001
    text = snd.sf_strerror(its_ffi.NULL if sound_file is None or sound_file.closed else sound_file._file)  # noqa: SLF001
    return _plain(str(its_ffi.string(text), "utf-8", "replace")) or f"libsndfile's error {code}"


def _plain(words: str) -> str:
    """Return libsndfile's reason without the prefix that says nothing."""
    for prefix in ("System error : ", "Internal error : ", "Error : "):
        words = words.removeprefix(prefix)
    return words.rstrip(". ")


def reason_of(error: Exception, system_error: int = 0) -> str:
    """Return the reason that soundfile, or the system, has for an error."""
    if isinstance(error, soundfile.LibsndfileError) and error.code == _SF_ERR_SYSTEM and system_error:
        return os.strerror(system_error)
    if isinstance(error, soundfile.LibsndfileError):
        if error.code == _SF_ERR_SYSTEM:  # the text of this code does not name the system's error
            return error_text(None, error.code)
        return _plain(str(error.error_string))
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    return str(error)


def last_system_error() -> int:
    """Return the errno of the last call of libsndfile that failed."""
    return int(soundfile._ffi.errno)  # noqa: SLF001


def allow_plain_riff(sound_file: soundfile.SoundFile) -> None:
    """Have a new RF64 written as RIFF as long as it is below 4 GiB."""
    _command(sound_file, _SFC_RF64_AUTO_DOWNGRADE, 1)


def update_header(sound_file: soundfile.SoundFile) -> None:
    """Write the header that the file would have if it ended here."""
    _command(sound_file, _SFC_UPDATE_HEADER_NOW, 0)


def set_constant_bit_rate(sound_file: soundfile.SoundFile) -> None:
    """Have a new MP3 encoded at a constant bit rate, so that readers know its length, even if it was cut off."""
    least, most, of_channel = next(rates for first, *rates in _MP3_BIT_RATES if sound_file.samplerate >= first)
    # half a kbit/s more: libsndfile rounds down, and MPEG has no rate of one kbit/s less
    kilobits = min(most, of_channel * sound_file.channels + 0.5)
    _set(sound_file, _SFC_SET_BITRATE_MODE, "int", _SF_BITRATE_MODE_CONSTANT)
    _set(sound_file, _SFC_SET_COMPRESSION_LEVEL, "double", (most - kilobits) / (most - least))


def set_page_seconds(sound_file: soundfile.SoundFile, seconds: float) -> None:
    """Have a new Opus written in pages of that length: without its first page nobody can open it."""
    _set(sound_file, _SFC_SET_OGG_PAGE_LATENCY_MS, "double", seconds * 1000)


def _set(sound_file: soundfile.SoundFile, command: int, kind: str, value: float) -> None:
    its_ffi = soundfile._ffi  # noqa: SLF001
    data = its_ffi.new(f"{kind} *", value)
    soundfile._snd.sf_command(sound_file._file, command, data, its_ffi.sizeof(kind))  # noqa: SLF001


def write_at_least_a_header(sound_file: soundfile.SoundFile) -> None:
    """Give a file without frames at least the header of its type."""
    if sound_file.format in {"MP3", "FLAC"}:  # these types write their header with the first frame
        update_header(sound_file)


def _command(sound_file: soundfile.SoundFile, command: int, size: int) -> None:
    soundfile._snd.sf_command(sound_file._file, command, soundfile._ffi.NULL, size)  # noqa: SLF001
