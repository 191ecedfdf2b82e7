"""Knows the names of devices, as other programs and `-D` take them, where a file was expected. Loaded for mistakes."""

from __future__ import annotations

import os
import re

_DEVICE = (
    r"(?i)(?:plug)?hw:.+|default|pulse|pipewire|jack|alsa|mic|microphone|(?:sysdefault|front|dsnoop|dmix)(?::.*)?"
    r"|virtual(?::.*)?|system:.+|/dev/snd/.+|/dev/dsp[0-9]*"
)


def is_device(word: str) -> bool:
    """Tell whether a word is the name of a device, as other programs and `-D` call it, and no file."""
    return bool(re.fullmatch(_DEVICE, word)) and (word.startswith("/dev/") or not os.path.exists(word))
