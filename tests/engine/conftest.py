"""What the tests of the library's streams share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pastream_cli import engine as ps
from tests.library_ends import FAST, FRAMES


@pytest.fixture
def stream() -> Iterator[ps.DuplexStream]:
    with ps.DuplexStream(device=FAST, dtype="int32") as stream:
        yield stream


@pytest.fixture
def noise() -> Any:
    return np.random.default_rng(1).integers(-(2**31), 2**31, (FRAMES, 2), "int32")


@pytest.fixture
def player() -> Iterator[ps.OutputStream]:
    """A stream in real time, so that a run lasts as long as it says."""
    with ps.OutputStream(device="virtual", blocksize=64) as stream:
        yield stream
