"""`play`, `rec`, `playrec`, `wait` and `stop`: one stream of the module's, as sounddevice has it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from pastream_cli.engine.devices.defaults import of_one_side
from pastream_cli.engine.native import SAMPLE_FORMATS
from pastream_cli.engine.streams.arrays import is_array, numpy_or_none
from pastream_cli.engine.streams.capturing import InputStream
from pastream_cli.engine.streams.duplex import DuplexStream
from pastream_cli.engine.streams.endpoints import is_path, is_sound_file
from pastream_cli.engine.streams.paths import PlayedFile
from pastream_cli.engine.streams.playing import OutputStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Unpack

    from pastream_cli.engine.hints import Frames, OptionsOfBothSides, OutT, SampleType, Sink, Source
    from pastream_cli.engine.streams.lifecycle import Stream


class _Current:
    """The stream that the last call has opened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.stream: Stream | None = None

    def close(self) -> None:
        """Close the stream, if there is one; raises what its run has ended with."""
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.close()

    def replace(self, opened: Callable[[], Any], act: Callable[[Any], Any]) -> Any:
        """Close the stream, open another one, and do with it what was asked for."""
        with self._lock:
            stop()
            self.stream = stream = opened()
            try:
                return act(stream)
            except BaseException:
                stop()
                raise


_current = _Current()


def play(
    data: Source,
    samplerate: float | None = None,
    mapping: Sequence[int] | None = None,
    blocking: bool = False,
    loop: bool = False,
    **options: Unpack[OptionsOfBothSides],
) -> None:
    """Play an array, a sound file or whatever else `OutputStream.play` takes, on a stream of the module's.

    What was played or recorded by the last of these functions is stopped first.

    Parameters
    ----------
    data : ndarray or SoundFile or path
        An array of one dimension is mono, and plays on all channels; another one is frames by channels.
    samplerate : float, optional
        Frames per second; that of a sound file, or the device's, if left out.
    mapping : sequence of int, optional
        The device's channel, one-based, for each channel of `data`, each named once; the others are silent. Mono plays
        on each of them.
    blocking : bool, optional
        Return when all is played, instead of at once.
    loop : bool, optional
        Play it again and again.
    **options
        For the `OutputStream`.

    See Also
    --------
    OutputStream.play
    """
    data, channels, wanted = _played(data, samplerate)

    def act(stream: OutputStream) -> None:
        _map(stream, mapping, channels)
        stream.play(data, loop=loop)

    if mapping is not None:
        wanted["channels"] = _most(mapping)
    _current.replace(lambda: OutputStream(**{**wanted, **of_one_side("output", {**options})}), act)
    if blocking:
        wait()


@overload
def rec(
    frames: int,
    samplerate: float | None = None,
    channels: SupportsIndex | None = None,
    dtype: SampleType | None = None,
    out: None = None,
    mapping: Sequence[int] | None = None,
    blocking: bool = False,
    **options: Unpack[OptionsOfBothSides],
) -> Frames: ...


@overload
def rec(
    frames: int | None = None,
    samplerate: float | None = None,
    channels: SupportsIndex | None = None,
    dtype: SampleType | None = None,
    *,
    out: OutT,
    mapping: Sequence[int] | None = None,
    blocking: bool = False,
    **options: Unpack[OptionsOfBothSides],
) -> OutT: ...


def rec(
    frames: int | None = None,
    samplerate: float | None = None,
    channels: SupportsIndex | None = None,
    dtype: SampleType | None = None,
    out: Sink | None = None,
    mapping: Sequence[int] | None = None,
    blocking: bool = False,
    **options: Unpack[OptionsOfBothSides],
) -> Sink:
    """Record to an array, on a stream of the module's.

    What was played or recorded by the last of these functions is stopped first.

    Parameters
    ----------
    frames : int, optional
        How many to record; may be left out where `out` is given.
    samplerate : float, optional
        Frames per second; the device's if left out.
    channels : int, optional
        If left out, those of `out` or `mapping`, else as many as the device has, at most two.
    dtype : str, optional
        If left out, that of `out`, else float32.
    out : ndarray or path or SoundFile, optional
        Where to record to; also whatever else `InputStream.record` takes.
    mapping : sequence of int, optional
        The device's channels to record, one-based, in the order in which they are stored.
    blocking : bool, optional
        Return when all is recorded, instead of at once.
    **options
        For the `InputStream`.

    Returns
    -------
    ndarray or type(out)
        `out`, or a new array of frames by channels, which fills up meanwhile.

    See Also
    --------
    InputStream.record
    """
    wanted: dict[str, Any] = {"samplerate": samplerate, **_recorded(out, channels, dtype, mapping)}

    def act(stream: Any) -> Any:
        if mapping is not None:
            stream.rxmapping = mapping
        return stream.record(frames, out=out, atleast_2d=out is None and _has_arrays(stream.dtype))

    recorded: Sink = _current.replace(lambda: InputStream(**{**wanted, **of_one_side("input", {**options})}), act)
    if blocking:
        wait()
    return recorded


@overload
def playrec(
    data: Source,
    samplerate: float | None = None,
    channels: SupportsIndex | None = None,
    dtype: SampleType | None = None,
    out: None = None,
    input_mapping: Sequence[int] | None = None,
    output_mapping: Sequence[int] | None = None,
    blocking: bool = False,
    **options: Unpack[OptionsOfBothSides],
) -> Frames: ...


@overload
def playrec(
    data: Source,
    samplerate: float | None = None,
    channels: SupportsIndex | None = None,
    dtype: SampleType | None = None,
    *,
    out: OutT,
    input_mapping: Sequence[int] | None = None,
    output_mapping: Sequence[int] | None = None,
    blocking: bool = False,
    **options: Unpack[OptionsOfBothSides],
) -> OutT: ...


def playrec(
    data: Source,
    samplerate: float | None = None,
    channels: SupportsIndex | None = None,
    dtype: SampleType | None = None,
    out: Sink | None = None,
    input_mapping: Sequence[int] | None = None,
    output_mapping: Sequence[int] | None = None,
    blocking: bool = False,
    **options: Unpack[OptionsOfBothSides],
) -> Sink:
    """Play an array or buffer and record as many frames as it has, on a stream of the module's.

    What was played or recorded by the last of these functions is stopped first.

    Parameters
    ----------
    data, samplerate, output_mapping
        As in `play`.
    channels, dtype, out, input_mapping
        Of the recording, as in `rec`.
    blocking : bool, optional
        Return when all is played and recorded, instead of at once.
    **options
        For the `DuplexStream`.

    Returns
    -------
    ndarray or type(out)
        As `rec` returns it.

    See Also
    --------
    DuplexStream.playrec
    """
    data, source_channels, played = _played(data, samplerate)
    recorded = _recorded(out, channels, dtype, input_mapping)
    if output_mapping is not None:
        played["channels"] = _most(output_mapping)
    wanted: dict[str, Any] = {
        "samplerate": played.get("samplerate"),
        "channels": (recorded["channels"], played.get("channels")),
        "dtype": (recorded["dtype"] or played.get("dtype"), played.get("dtype")),
    }

    def act(stream: Any) -> Any:
        _map(stream, output_mapping, source_channels)
        if input_mapping is not None:
            stream.rxmapping = input_mapping
        return stream.playrec(data, out=out, atleast_2d=out is None and _has_arrays(stream.dtype[0]))

    taken: Sink = _current.replace(lambda: DuplexStream(**{**wanted, **options}), act)
    if blocking:
        wait()
    return taken


def wait(ignore_errors: bool = False) -> None:
    """Wait until what `play`, `rec` or `playrec` has started is over, and close its stream.

    There is no limit: a function that is played and never returns is waited for until an interrupt, as by Ctrl-C, which
    stops everything at once.

    Parameters
    ----------
    ignore_errors : bool, optional
        Raise nothing if it has failed.
    """
    stream = _current.stream
    if stream is None:
        return
    try:
        with stream:
            stream.wait()
    except Exception:
        if not ignore_errors:
            raise
    finally:
        if _current.stream is stream:
            _current.stream = None


def stop(ignore_errors: bool = True) -> None:
    """Stop what `play`, `rec` or `playrec` has started, and close its stream.

    Parameters
    ----------
    ignore_errors : bool, optional
        Raise nothing if it has failed.
    """
    try:
        _current.close()
    except Exception:
        if not ignore_errors:
            raise


def _played(data: Any, samplerate: float | None) -> tuple[Any, int, dict[str, Any]]:
    """Return what is played, its channels (0 where it does not say), and how to open a stream for it."""
    if is_path(data):
        data = PlayedFile(data)
    if is_sound_file(data) or isinstance(data, PlayedFile):
        rate, channels = samplerate or data.samplerate, data.channels
        return data, channels, {"samplerate": rate, "channels": channels if channels > 1 else None}
    if not is_array(data):
        return data, 0, {"samplerate": samplerate}
    channels = data.shape[1] if data.ndim > 1 else 1
    dtype = data.dtype.name if data.dtype.name in SAMPLE_FORMATS else "float32"
    # mono is for all channels that the device has
    return data, channels, {"samplerate": samplerate, "channels": channels if channels > 1 else None, "dtype": dtype}


def _recorded(out: Any, channels: Any, dtype: Any, mapping: Sequence[int] | None) -> dict[str, Any]:
    """Return the channels and the type of a stream that is to record that."""
    if channels is None:
        channels = _most(mapping) if mapping is not None else None
        if mapping is None and is_array(out):
            channels = out.shape[1] if out.ndim > 1 else 1
    if dtype is None and is_array(out) and out.dtype.name in SAMPLE_FORMATS:
        dtype = out.dtype.name
    return {"channels": channels, "dtype": dtype}


def _map(stream: OutputStream, mapping: Sequence[int] | None, channels: int) -> None:
    """Say which channel of the source each channel of the device plays. Mono is for all of `mapping`."""
    if mapping is None:
        return
    if channels > 1 and len(mapping) != channels:
        raise ValueError(f"mapping must have {channels} entries, one per channel that is played, not {len(mapping)}")
    if len(set(mapping)) < len(mapping):
        raise ValueError(f"mapping must name each channel once, not {list(mapping)}: two would play on the same")
    entries = [0] * _most(mapping)
    for place, channel in enumerate(mapping, 1):
        entries[channel - 1] = place if channels != 1 else 1
    stream.txmapping = entries


def _most(mapping: Sequence[int]) -> int:
    if not len(mapping) or min(mapping) < 1:
        raise ValueError(f"mapping must name channels from 1 on, not {list(mapping)}")
    return int(max(mapping))


def _has_arrays(dtype: str) -> bool:
    return numpy_or_none() is not None and dtype != "int24"
