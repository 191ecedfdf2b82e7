"""What buffers and arrays hold: the type and the channels of their samples, and how each type gets to the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pastream_cli.engine.buffer_types import is_plain_bytes, sample_format_of
from pastream_cli.engine.devices.sides import Side
from pastream_cli.engine.native import ffi, lib
from pastream_cli.engine.streams.arrays import is_array, numpy_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence

# The types that the loops convert to and from the type of any device, and the bytes of a sample.
_CONVERTED_IN_C = {"float32": (lib.FILE_FLOAT32, 4), "int32": (lib.FILE_INT32, 4), "int16": (lib.FILE_INT16, 2)}
_FULL_SCALE = 2.0**31


class Samples(NamedTuple):
    """Frames in a row, as the loops of reader and writer take them."""

    data: Any
    """A buffer without gaps."""
    code: int
    """The engine's name for the type: one of ``FILE_...``."""
    sample_bytes: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.sample_bytes

    @property
    def frames(self) -> int:
        with memoryview(self.data) as view:
            return view.nbytes // self.frame_bytes


# ---- to be played ----


def samples_to_play(data: Any, side: Side) -> Samples:
    """Return the frames of a buffer or array.

    Plain bytes are samples as the device has them, and what is no array has the device's channels unless it has two
    dimensions. An array of one dimension is one channel. Numbers of a type that the loops do not convert are converted
    here, by numpy.

    Raises
    ------
    TypeError
        Where it is no buffer, or of a type that cannot be played.
    ValueError
        Where it does not hold a whole number of frames.
    """
    if not is_array(data) and hasattr(data, "__array__"):
        data = data.__array__()
    try:
        view = memoryview(data)
    except TypeError:
        raise TypeError(
            f"cannot play {_article(data)}: it must be an array or buffer, a SoundFile or the path of one, "
            "a function, a RingBuffer or an iterator of chunks"
        ) from None
    with view:
        # numpy has no packed 24 bits, so an array may hold their bytes
        has_bytes = not is_array(data) or (side.sample_format == "int24" and view.format == "B")
        plays_bytes = is_plain_bytes(view) and has_bytes
        as_it_is = lib.FILE_DEVICE, side.sample_bytes
        known = as_it_is if plays_bytes else _type_of(view, side)
        channels = 1 if is_array(data) and not plays_bytes else side.channels
        channels = _channels_of(view, channels)
        if known is None:
            known = as_it_is if side.sample_format == "float32" else _CONVERTED_IN_C["int32"]
            data = _converted(data, view, known)
        elif not view.c_contiguous:
            data = view.tobytes()  # a copy has no gaps
    return _whole(Samples(data, *known, channels))


def bytes_to_play(chunk: Any, side: Side, channels: int) -> memoryview:
    """Return the frames of a chunk with the device's samples and so many channels; mono is repeated in each."""
    samples = samples_to_play(chunk, side)
    if samples.channels not in {1, channels}:
        raise ValueError(f"the chunk has {samples.channels} channels and the stream plays {channels}")
    data = memoryview(samples.data).cast("B")
    if samples.code not in {lib.FILE_DEVICE, side.format_code}:
        count = samples.frames * samples.channels
        converted = bytearray(count * side.sample_bytes)
        target, source = ffi.from_buffer(converted), ffi.from_buffer(data)
        lib.convert(target, side.format_code, 32, source, samples.code, count)
        data = memoryview(converted)
    return data if samples.channels == channels else _repeated(data, side.sample_bytes, channels)


def _repeated(mono: memoryview, sample_bytes: int, channels: int) -> memoryview:
    """Return frames of so many channels, each of which has the same samples."""
    frames = bytearray(len(mono) * channels)
    for place in range(0, channels * sample_bytes, sample_bytes):
        for byte in range(sample_bytes):
            frames[place + byte :: channels * sample_bytes] = mono[byte::sample_bytes]
    return memoryview(frames)


def _converted(data: Any, view: memoryview, known: tuple[int, int]) -> Any:
    """Return numbers of any other type as float32 or int32, whichever `known` stands for."""
    np = numpy_or_none()
    kind, size = (np.asarray(data).dtype.kind, view.itemsize) if np is not None else ("", 0)
    if not (kind == "f" or (kind in {"i", "u"} and size <= 4)):
        raise TypeError(
            f"cannot play samples of {data.dtype if is_array(data) else f'type {view.format!r}'}: "
            "convert them, as by array.astype('float32'), with full scale at 1"
        )
    array = np.asarray(data)
    if kind == "f" and known[0] == lib.FILE_INT32:  # float32 has 24 bits, which would not do for an int32 device
        scaled = np.rint(np.nan_to_num(array.astype("float64"), nan=0, posinf=1, neginf=-1) * _FULL_SCALE)
        return np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype("int32", order="C")
    if kind == "f":
        with np.errstate(over="ignore"):
            return array.astype("float32", order="C")
    numbers = array.astype("int64", order="C")
    if kind == "u":
        numbers -= 1 << (8 * size - 1)
    justified = (numbers << (32 - 8 * size)).astype("int32")
    return justified if known[0] == lib.FILE_INT32 else (justified / np.float64(_FULL_SCALE)).astype("float32")


# ---- to be recorded into ----


def samples_to_record(data: Any, side: Side, channels: int) -> Samples:
    """Return a buffer or array that frames can be written to.

    Parameters
    ----------
    data : buffer
        Plain bytes get samples as the device has them.
    side : Side
        What the device was opened with.
    channels : int
        Of a frame, where the buffer has not two dimensions.

    Raises
    ------
    TypeError
        Where it is no buffer, or has numbers of a type that cannot be converted.
    ValueError
        Where it cannot be written, has gaps between its elements, or does not hold a whole number of frames.
    """
    try:
        view = memoryview(data)
    except TypeError:
        raise TypeError(
            f"cannot record into {_article(data)}: it must be an array or buffer, a SoundFile, "
            "the path of a new sound file, a function or a RingBuffer"
        ) from None
    with view:
        if view.readonly:
            raise ValueError("cannot record into a buffer that is read-only")
        if not view.c_contiguous:
            raise ValueError("cannot record into an array that is not contiguous")
        known = (lib.FILE_DEVICE, side.sample_bytes) if is_plain_bytes(view) else _type_of(view, side)
        if known is None:
            takes = ", ".join(dict.fromkeys([side.sample_format, *_CONVERTED_IN_C]))
            raise TypeError(
                f"cannot record into {data.dtype if is_array(data) else f'type {view.format!r}'}: "
                f"a buffer may hold {takes} or plain bytes"
            )
        return _whole(Samples(data, *known, _channels_of(view, channels)))


# ---- both ----


def _type_of(view: memoryview, side: Side) -> tuple[int, int] | None:
    """Return the type in which samples pass between the buffer and the loops, and the bytes of one; `None`: neither."""
    sample_format = sample_format_of(view)
    if sample_format == side.sample_format:
        return lib.FILE_DEVICE, side.sample_bytes
    return _CONVERTED_IN_C.get(sample_format or "")


def _channels_of(view: memoryview, channels: int) -> int:
    shape: Sequence[int] = view.shape or ()
    if view.ndim > 2:
        raise ValueError(f"the array has {view.ndim} dimensions, and must be frames by channels")
    return shape[1] if len(shape) == 2 else channels


def _whole(samples: Samples) -> Samples:
    """Return the samples; `ValueError` unless they are whole frames."""
    with memoryview(samples.data) as view:
        if not samples.frame_bytes or view.nbytes % samples.frame_bytes:
            raise ValueError(f"the buffer must hold whole frames of {samples.channels} channels")
    return samples


def _article(data: Any) -> str:
    name = type(data).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
