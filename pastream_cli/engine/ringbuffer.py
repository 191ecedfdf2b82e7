"""`RingBuffer`: the lock-free ring between the device's thread and another one, for users of Python."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from pastream_cli.engine.buffer_types import is_plain_bytes, sample_format_of
from pastream_cli.engine.native import SAMPLE_FORMATS, check_fits, check_memory, ffi, lib

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from pastream_cli.engine.native import EngineHandle, Pointer, RingHandle

    BufferOrArray: TypeAlias = Buffer | NDArray[Any]
    """Arrays are buffers too, but numpy says so to type checkers from Python 3.12 on only."""


def check_size(size: int) -> None:
    """Raise `ValueError` unless a ring can have so many elements, `TypeError` where it is no whole number."""
    try:
        size = operator.index(size)
    except TypeError:
        raise TypeError(f"the size of a ring must be a whole number, not {size!r}") from None
    if size < 1 or size & (size - 1):
        raise ValueError("size must be a power of 2")


class RingBuffer:
    """Lock-free ring of elements for one reading and one writing thread.

    Parameters
    ----------
    elementsize : int
        Size of one element in bytes.
    size : int, optional
        Number of elements, a power of two. May be left out where `buffer` is given.
    buffer : buffer, optional
        Memory to use; its length is `elementsize` times a power of two. The ring writes into it
        even where the object is read-only.
    dtype : str, optional
        What the elements are made of, such as ``'float32'``. `write` then refuses numbers of any other type, which
        would be noise, and takes plain bytes. The rings that streams make have the type of the stream.

    Raises
    ------
    ValueError
        Where `size` is no power of two, or more than the machine has memory for, or `buffer` is too
        small for it.
    TypeError
        Where neither is given.

    Notes
    -----
    Semantics follow PortAudio's ``pa_ringbuffer`` as python-pa-ringbuffer presents it. One thread
    may read while another one writes; two that read, or two that write, need a lock. Nothing here
    blocks or waits.
    """

    def __init__(
        self,
        elementsize: int,
        size: int | None = None,
        buffer: BufferOrArray | Pointer | None = None,
        dtype: str | None = None,
    ) -> None:
        elementsize = operator.index(elementsize)
        if not 1 <= elementsize < 2**32:
            raise ValueError("elementsize must be at least 1, and less than 2**32")
        if buffer is not None:
            memory, size = _memory_of(buffer, elementsize, size)
        elif size is None:
            raise TypeError("either size or buffer must be given")
        size = operator.index(size)
        check_size(size)
        check_fits(size * elementsize, f"cannot make a ring of {size} elements")
        if buffer is None:
            # Python owns the memory, so a view of it may outlive the ring. It is filled with zeros, so
            # that the callback never touches a page for the first time.
            memory = ffi.from_buffer(bytearray(size * elementsize))
        if dtype is not None and dtype not in SAMPLE_FORMATS:
            raise ValueError(f"dtype must be one of {', '.join(SAMPLE_FORMATS)}, not {dtype!r}")
        self._dtype = dtype
        # writable, even where the object says that it is read-only
        self._view = memoryview(ffi.buffer(memory, size * elementsize))
        self._memory = memory  # kept alive as long as the ring
        self._ring = ffi.gc(
            check_memory(lib.ring_new(elementsize, size, memory), f"cannot make a ring of {size} elements"),
            lib.ring_free,
        )

    @property
    def handle(self) -> RingHandle:
        """The C ring; it is freed with this object."""
        return self._ring

    @property
    def elementsize(self) -> int:
        """Element size in bytes."""
        return lib.ring_element_bytes(self._ring)

    @property
    def size(self) -> int:
        """Number of elements that the ring can hold."""
        return lib.ring_capacity(self._ring)

    def __len__(self) -> int:
        return self.size

    @property
    def read_available(self) -> int:
        """Number of elements that can be read."""
        return lib.ring_readable(self._ring)

    @property
    def write_available(self) -> int:
        """Number of elements that can be written."""
        return lib.ring_writable(self._ring)

    def flush(self) -> None:
        """Empty the ring; only while nobody reads or writes."""
        lib.ring_reset(self._ring, 0)

    def write(self, data: BufferOrArray | Pointer, size: int = -1) -> int:
        """Copy elements from `data`.

        Parameters
        ----------
        data : buffer or CData pointer
            Elements one after the other; an array may have gaps between them.
        size : int, optional
            Number of elements; all that `data` holds where it is negative.

        Returns
        -------
        int
            How many elements were written: all for which there was room.

        Raises
        ------
        ValueError
            Where `data` holds part of an element, or less than `size`, or is a bare pointer and no
            `size` is given.
        TypeError
            Where `data` holds numbers of another type than the ring.
        """
        if not isinstance(data, ffi.CData):
            data = self._checked(data)
        data, size = self._elements_of(data, size)
        return lib.ring_write(self._ring, data, min(size, self.size))

    def read(self, size: int = -1) -> bytearray:
        """Take elements out, into a new buffer.

        Parameters
        ----------
        size : int, optional
            Number of elements; where it is negative, all that can be read.

        Returns
        -------
        bytearray
            The bytes of `size` elements, or of all that can be read if those are fewer.
        """
        available = self.read_available
        if size < 0 or size > available:
            size = available
        data = bytearray(size * self.elementsize)
        lib.ring_read(self._ring, ffi.from_buffer(data), size)
        return data

    def readinto(self, data: BufferOrArray | Pointer) -> int:
        """Take elements out, into memory of the caller's.

        Parameters
        ----------
        data : buffer or CData array
            Memory to fill with elements; writable, and long enough for a whole number of them.

        Returns
        -------
        int
            How many elements were read; the rest of `data` is not changed.

        Raises
        ------
        ValueError
            Where `data` is not a whole number of elements long, or is read-only.
        """
        data, size = self._elements_of(data, -1, is_written=True)
        return lib.ring_read(self._ring, data, size)

    def get_write_buffers(self, size: int) -> tuple[int, memoryview, memoryview]:
        """Return memory of the ring to which elements can be written without a copy.

        Parameters
        ----------
        size : int
            Number of elements that are to be written.

        Returns
        -------
        (int, memoryview, memoryview)
            The number of elements for which there is room, at most `size`, and their memory in two
            parts. The second part is empty unless they wrap around the end of the ring. What was
            written there can be read after `advance_write_index`.
        """
        return self._regions(lib.ring_write_index(self._ring), min(max(size, 0), self.write_available))

    def get_read_buffers(self, size: int) -> tuple[int, memoryview, memoryview]:
        """Return memory of the ring that holds elements, without a copy.

        Parameters
        ----------
        size : int
            Number of elements that are to be read.

        Returns
        -------
        (int, memoryview, memoryview)
            The number of elements that can be read, at most `size`, and their memory in two parts. The
            second part is empty unless they wrap around the end of the ring. They are valid until
            `advance_read_index` gives the memory back.
        """
        return self._regions(lib.ring_read_index(self._ring), min(max(size, 0), self.read_available))

    def advance_write_index(self, size: int) -> int:
        """Publish `size` elements that were written to the memory from `get_write_buffers`.

        Returns
        -------
        int
            The new position, which counts elements modulo 2⁶⁴.

        Raises
        ------
        ValueError
            Where there is less room.
        """
        if not 0 <= size <= self.write_available:
            raise ValueError("cannot advance past the room of the ring")
        return lib.ring_advance_write(self._ring, size)

    def advance_read_index(self, size: int) -> int:
        """Give back the memory of `size` elements from `get_read_buffers`.

        Returns
        -------
        int
            The new position, which counts elements modulo 2⁶⁴.

        Raises
        ------
        ValueError
            Where there are fewer elements.
        """
        if not 0 <= size <= self.read_available:
            raise ValueError("cannot advance past the elements of the ring")
        return lib.ring_advance_read(self._ring, size)

    def _regions(self, index: int, elements: int) -> tuple[int, memoryview, memoryview]:
        element_bytes = self.elementsize
        start = index % self.size * element_bytes
        end = start + elements * element_bytes
        first = self._view[start:end]
        return elements, first, self._view[: end - start - len(first)]

    def _checked(self, data: Any) -> Any:
        """Return a buffer without gaps; `TypeError` where its numbers would be taken for others."""
        with memoryview(data) as view:
            wanted = self._dtype
            if wanted is not None and not is_plain_bytes(view) and sample_format_of(view) != wanted:
                given = getattr(data, "dtype", f"type {view.format!r}")
                raise TypeError(f"cannot write {given}: the ring holds {wanted}, as array.astype({wanted!r}) makes it")
            return data if view.c_contiguous else view.tobytes()

    def _elements_of(self, data: Any, size: int, *, is_written: bool = False) -> tuple[Pointer, int]:
        try:
            data = ffi.from_buffer(data, require_writable=is_written)
        except BufferError as error:
            raise ValueError(f"cannot use data: {error}") from None
        except TypeError:
            if not isinstance(data, ffi.CData):
                raise
            if size < 0 and ffi.typeof(data).kind != "array":
                raise ValueError("size is needed with a bare pointer") from None
        if ffi.typeof(data).kind != "array":
            return data, size
        elements, rest = divmod(ffi.sizeof(data), self.elementsize)
        if size < 0:
            if rest:
                raise ValueError("data must hold whole elements")
            return data, elements
        if size > elements:
            raise ValueError("data holds fewer elements than size")
        return data, size


class EngineRing(RingBuffer):
    """A ring in the memory of an engine, which has room for it."""

    def __init__(self, engine: EngineHandle, elementsize: int, size: int) -> None:
        self._dtype = None
        self._memory = engine
        self._ring = check_memory(
            lib.engine_new_ring(engine, elementsize, size), f"cannot make a ring of {size} elements"
        )
        self._view = memoryview(ffi.buffer(lib.ring_memory(self._ring), size * elementsize))


def _memory_of(buffer: Any, elementsize: int, size: int | None) -> tuple[Pointer, int]:
    """Return a buffer or pointer as CData, and how many elements of it the ring uses."""
    try:
        memory = ffi.from_buffer(buffer)
    except TypeError:
        memory = buffer
    length = ffi.sizeof(memory) if ffi.typeof(memory).kind == "array" else None
    if size is None:
        if length is None:
            raise ValueError("size is needed with a bare pointer")
        size, rest = divmod(length, elementsize)
        if rest:
            raise ValueError("the length of buffer must be a multiple of elementsize")
    elif length is not None and length < size * elementsize:
        raise ValueError("buffer is too small for size elements")
    return memory, size
