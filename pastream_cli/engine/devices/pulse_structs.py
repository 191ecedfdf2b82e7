"""The structs of libpulse's public headers. Only what is used of each is declared, which is how it begins."""

from __future__ import annotations

import ctypes

NO_INDEX = 0xFFFFFFFF
"""PA_INVALID_INDEX."""

_MOST_CHANNELS = 32  # PA_CHANNELS_MAX


class SampleSpec(ctypes.Structure):
    """pa_sample_spec."""

    _fields_ = (("format", ctypes.c_int), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class ChannelMap(ctypes.Structure):
    """pa_channel_map."""

    _fields_ = (("channels", ctypes.c_uint8), ("map", ctypes.c_int * _MOST_CHANNELS))


class Volumes(ctypes.Structure):
    """pa_cvolume."""

    _fields_ = (("channels", ctypes.c_uint8), ("values", ctypes.c_uint32 * _MOST_CHANNELS))


class DeviceStruct(ctypes.Structure):
    """What pa_source_info and pa_sink_info begin with."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("index", ctypes.c_uint32),
        ("description", ctypes.c_char_p),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("owner_module", ctypes.c_uint32),
        ("volume", Volumes),
        ("mute", ctypes.c_int),
        ("monitor", ctypes.c_uint32),
        ("monitor_name", ctypes.c_char_p),
    )
    """`monitor` is the sink that a source is the monitor of, or the source that is the monitor of a sink."""


class SourceOutput(ctypes.Structure):
    """What pa_source_output_info begins with: a stream that records."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("owner_module", ctypes.c_uint32),
        ("client", ctypes.c_uint32),
        ("device", ctypes.c_uint32),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("buffer_microseconds", ctypes.c_uint64),
        ("device_microseconds", ctypes.c_uint64),
        ("resample_method", ctypes.c_char_p),
        ("driver", ctypes.c_char_p),
        ("properties", ctypes.c_void_p),
    )
    """`device` is the index of its source."""


class SinkInput(ctypes.Structure):
    """What pa_sink_input_info begins with: a stream that plays."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("owner_module", ctypes.c_uint32),
        ("client", ctypes.c_uint32),
        ("device", ctypes.c_uint32),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("volume", Volumes),
        ("buffer_microseconds", ctypes.c_uint64),
        ("device_microseconds", ctypes.c_uint64),
        ("resample_method", ctypes.c_char_p),
        ("driver", ctypes.c_char_p),
        ("mute", ctypes.c_int),
        ("properties", ctypes.c_void_p),
    )
    """`device` is the index of its sink."""
