"""An input that comes through a pipe: standard input, a FIFO or a device."""

from __future__ import annotations

import os
from collections.abc import Callable

from pastream_cli.engine.files import headers, mp3, relay
from pastream_cli.engine.files.chain import Chain, known_frames
from pastream_cli.engine.files.encoded import open_encoded
from pastream_cli.engine.files.encoded_stream import open_encoded_stream
from pastream_cli.engine.files.foreign import bytes_to_know, codec_of
from pastream_cli.engine.files.formats import frame_bytes
from pastream_cli.engine.files.head import Head, HeaderError, StreamFormat, Way
from pastream_cli.engine.files.input_file import NO_SOUND, InputFile, cannot_open, damaged, not_decoded, opened
from pastream_cli.engine.files.paths import STANDARD_INPUT
from pastream_cli.engine.files.raw import RawDescription, raw_format
from pastream_cli.engine.files.regular_file import open_file
from pastream_cli.engine.files.sample_range import LENGTH_OPEN_OF_AIFF, promised_frames
from pastream_cli.engine.files.wav_stream import open_wavs
from pastream_cli.errors import STANDARD_STREAM, ErrorKind, FileError


def open_stream(path: str, name: str, described: RawDescription | None, warn: Callable[[str], None]) -> InputFile:
    """Open standard input, a FIFO or a device; its first bytes decide how it is read."""
    descriptor = STANDARD_INPUT
    try:
        if path != STANDARD_STREAM:
            descriptor = relay.open_stream(path)
        relay.make_blocking(descriptor)
        head = Head(lambda count: os.read(descriptor, count))
        first = head.fill(headers.FIRST_BYTES)
        if described is not None and described.is_complete and not headers.begins_with_a_header(first):
            return opened(_pumped(descriptor, bytes(head.taken)), name, described.format(name))
        found = headers.find_way(head)
        if not isinstance(found, StreamFormat) and (codec := codec_of(head.fill(bytes_to_know(first)))):
            raise not_decoded(name, codec)
        if described is not None and found is Way.NOT_AT_ALL:
            described.format(name)  # raises, and names the missing options
        if not first:
            raise FileError(f"cannot read {name}: it is empty", kind=ErrorKind.EMPTY)
        return _open_after_header(descriptor, name, head, found, warn)
    except HeaderError as error:
        raise damaged(name, str(error)) from None
    except OSError as error:
        raise FileError(f"cannot read {name}: {error.strerror}") from None


def _open_after_header(
    descriptor: int, name: str, head: Head, found: StreamFormat | Way, warn: Callable[[str], None]
) -> InputFile:
    if isinstance(found, StreamFormat):
        is_wav = found.file_type in headers.OWN_TYPES
        return open_wavs(descriptor, name, found) if is_wav else _open_samples(descriptor, name, found)
    try:
        if found is Way.AS_IT_COMES:
            return _open_as_it_comes(descriptor, name, head)
        if encoded := open_encoded_stream(descriptor, name, head, found):
            return encoded
        if found is Way.AS_A_FILE or mp3.is_free_format(head.fill(mp3.ENOUGH_BYTES)):
            warn(f"{name} cannot be decoded as it comes: playing begins when it ends")
            return _open_kept(relay.keep(descriptor, bytes(head.taken), name), name, warn)
    except FileError as error:
        if error.kind in {
            ErrorKind.NO_HEADER,
            ErrorKind.NO_HEADER_IN_A_STREAM,
        }:  # its beginning is that of a sound all the same
            raise damaged(name, NO_SOUND) from None
        raise
    if found is Way.NOT_AT_ALL:
        raise cannot_open(name, None, "not a sound format that is known")
    raise damaged(name, NO_SOUND)


def _open_kept(descriptor: int, name: str, warn: Callable[[str], None]) -> InputFile:
    """Open a stream that has been kept, as the file that it is."""
    try:
        if encoded := open_encoded(os.dup(descriptor), name, warn):
            os.close(descriptor)
            return encoded
    except FileError:
        os.close(descriptor)
        raise
    return open_file(descriptor, name, warn)


def _open_samples(descriptor: int, name: str, form: StreamFormat) -> InputFile:
    """Open the samples behind a header that has been read."""
    source = _pumped(descriptor, b"") if relay.is_within_a_file(descriptor) else descriptor
    found = opened(source, name, raw_format(form.rate, form.channels, form.encoding, form.endian), form)
    return found._replace(chain=Chain(found.sound_file, None, promised_frames(form)))


def _open_as_it_comes(descriptor: int, name: str, head: Head) -> InputFile:
    """Open what libsndfile knows by its header, and tell if it is shorter than that promises."""
    found = opened(_pumped(descriptor, bytes(head.taken)), name, {})
    size, frames = frame_bytes(found.encoding, found.channels), known_frames(found.sound_file)
    is_promise = size is not None and frames is not None and frames * size < LENGTH_OPEN_OF_AIFF
    return found._replace(chain=Chain(found.sound_file, None, frames if is_promise else None))


def _pumped(descriptor: int, first: bytes) -> int:
    return relay.pump(descriptor, first, closes_source=descriptor != STANDARD_INPUT)
