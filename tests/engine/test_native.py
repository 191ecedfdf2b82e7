"""The border between Python and C: the types are those of the header, and the names those of the module."""

from __future__ import annotations

import ast

from pastream_cli.engine.facts import Counts
from pastream_cli.engine.native import ffi, lib
from pastream_cli.pages import native_stub
from pastream_cli.units import MOST_CHANNELS


def names_of(stub_class: str) -> set[str]:
    """Return what a class of the stub has."""
    tree = ast.parse(native_stub.PATH.read_text(encoding="ascii"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == stub_class)
    attributes = {
        node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    return attributes | {node.name for node in body if isinstance(node, ast.FunctionDef)}


def test_the_types_are_those_of_the_header() -> None:
    assert native_stub.PATH.read_text(encoding="ascii") == native_stub.stub(), "run make generate"


def test_the_module_has_what_its_types_say() -> None:
    assert names_of("Lib") == {name for name in dir(lib) if not name.startswith("_")}
    assert names_of("FFI") <= set(dir(ffi))


def test_what_the_callback_counts_is_known_in_python_by_the_same_names() -> None:
    assert set(Counts._fields) <= set(dir(ffi.new("struct engine_counts *")))


def test_a_command_line_takes_as_many_channels_as_a_device_may_have() -> None:
    assert lib.MOST_DEVICE_CHANNELS == MOST_CHANNELS
