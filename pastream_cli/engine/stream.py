"""The streams of the library."""

from __future__ import annotations

from typing import Any

from pastream_cli.engine.core import Core


class Stream(Core):
    """An open stream."""


class InputStream(Stream):
    """A stream that only captures; the parameters are those of `Stream` after the first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("input", *args, **kwargs)


class OutputStream(Stream):
    """A stream that only plays; the parameters are those of `Stream` after the first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("output", *args, **kwargs)


class DuplexStream(Stream):
    """A stream that captures and plays; the parameters are those of `Stream` after the first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("duplex", *args, **kwargs)
