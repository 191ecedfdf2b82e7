"""Makes `_native.pyi`: the types of the compiled module for mypy, from the declarations in its headers.

`make generate` writes it anew after a change of one of them.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator

from pycparser import c_ast, c_parser

from pastream_cli.engine._build import HERE, declarations

PATH = HERE / "_native.pyi"

_LINE_LENGTH = 120
_NUMBERS = {
    "unsigned char": "int",
    "short": "int",
    "int": "int",
    "int32_t": "int",
    "int64_t": "int",
    "uint32_t": "int",
    "uint64_t": "int",
    "unsigned long": "int",
    "float": "float",
    "double": "float",
}
"""The number types of the header, and what each is in Python."""

_HEAD = """\
# Made of the headers by "make generate"; do not edit.
from collections.abc import Callable, Iterator
from typing import Any, Generic, Literal, TypeVar, overload

_T = TypeVar("_T")
_C = TypeVar("_C", bound=Pointer)

class Pointer:
    def __int__(self) -> int: ...

class Array(Pointer, Generic[_T]):
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_T]: ...
    def __getitem__(self, index: int, /) -> _T: ...
    def __setitem__(self, index: int, value: _T, /) -> None: ...
    def __add__(self, elements: int, /) -> Pointer: ...
"""

_FFI = """\
    def new(self, text: str, value: object = ..., /) -> Pointer: ...
    def cast(self, cdecl: object, source: object, /) -> Pointer: ...
    def gc(self, cdata: _C, destructor: Callable[[_C], None], /) -> _C: ...
    def from_buffer(self, *cdecl_and_buffer: object, require_writable: bool = False) -> UnsignedCharArray: ...
    def buffer(self, cdata: Pointer, size: int = -1, /) -> Any: ...
    def typeof(self, cdata: object, /) -> Any: ...
    def sizeof(self, cdata: Pointer, /) -> int: ...
    def addressof(self, library: Lib, function: str, /) -> Pointer: ...
    def dlopen(self, name: str, flags: int, /) -> object: ...
    def release(self, cdata: Pointer, /) -> None: ...

ffi: FFI
lib: Lib
"""


def stub() -> str:
    """Return the text of `_native.pyi`."""
    text = re.sub(r"/\*.*?\*/", "", declarations(), flags=re.DOTALL)
    numbers = "".join(f"typedef int {name};\n" for name in _NUMBERS if name.endswith("_t"))
    tree = c_parser.CParser().parse(numbers + text)
    declared = [node for node in tree.ext if not (isinstance(node, c_ast.Typedef) and node.name in _NUMBERS)]
    of_c = "\n".join([*_handles(declared), *_structs(declared), *_lib(declared)])
    used = [number for number in _NUMBERS if re.search(rf"\b{_array(number)}\b", of_c)]
    arrays = [f"class {_array(number)}(Array[{_NUMBERS[number]}]): ..." for number in used]
    return "\n".join([_HEAD, *arrays, of_c, *_ffi(used, declared)])


def _handles(declared: list[c_ast.Node]) -> Iterator[str]:
    """Yield a class for each struct whose members only C can read."""
    for node in declared:
        if isinstance(node, c_ast.Typedef):
            yield f"class {_handle(node.name)}(Pointer): ..."
    yield ""


def _structs(declared: list[c_ast.Node]) -> Iterator[str]:
    """Yield a class for each struct whose members Python can read too."""
    for node in declared:
        if isinstance(node.type, c_ast.Struct):
            yield f"class {_camel(node.type.name)}(Pointer):"
            yield from (f"    {member.name}: {_type_of(member.type)}" for member in node.type.decls)
            yield ""


def _lib(declared: list[c_ast.Node]) -> Iterator[str]:
    yield "class Lib:"
    for node in declared:
        if isinstance(node.type, c_ast.Enum):
            yield from (f"    {constant.name}: int" for constant in node.type.values.enumerators)
    for node in declared:
        if isinstance(node.type, c_ast.FuncDecl):
            parameters = [f"{name}: {kind}" for name, kind in _parameters(node.type) if kind != "None"]
            yield from _function(node.name, parameters, _type_of(node.type.type))
    yield ""


def _function(name: str, parameters: list[str], result: str) -> Iterator[str]:
    """Yield a function as ruff lays it out."""
    listed = ["self", *parameters, *(["/"] if parameters else [])]
    line = f"    def {name}({', '.join(listed)}) -> {result}: ..."
    inner = f"        {', '.join(listed)}"
    if len(line) <= _LINE_LENGTH:
        yield line
        return
    yield f"    def {name}("
    if len(inner) <= _LINE_LENGTH:
        yield inner
    else:
        yield from (f"        {parameter}," for parameter in listed)
    yield f"    ) -> {result}: ..."


def _ffi(numbers: list[str], declared: list[c_ast.Node]) -> Iterator[str]:
    """Yield the functions of cffi itself that are used."""
    yield "class FFI:"
    yield from (f"    {name}: int" for name in ("RTLD_GLOBAL", "RTLD_NOW", "errno"))
    yield "    CData: type[Any]"
    yield "    NULL: Any"
    made = [(f'"{number} *", "{number}[]"', _array(number)) for number in numbers]
    structs = (node.type.name for node in declared if isinstance(node.type, c_ast.Struct))
    made += [(f'"struct {name} *"', _camel(name)) for name in structs]
    for text, result in made:
        yield "    @overload"
        yield from _function("new", [f"text: Literal[{text}]", "value: object = ..."], result)
    yield "    @overload"
    yield _FFI


def _parameters(function: c_ast.FuncDecl) -> list[tuple[str, str]]:
    """Return the name and type of each parameter. No name hides one of Python's own."""
    parameters = function.args.params
    return [(f"{p.name}_" if hasattr(builtins, p.name or "") else p.name, _type_of(p.type)) for p in parameters]


def _type_of(node: c_ast.Node) -> str:
    """Return the Python type for a type of C."""
    if isinstance(node, c_ast.TypeDecl):
        return _type_of_a_value(node)
    assert isinstance(node, c_ast.PtrDecl)
    pointee = node.type
    if isinstance(pointee, c_ast.FuncDecl):
        parameters = ", ".join(kind for _, kind in _parameters(pointee))
        return f"Callable[[{parameters}], {_type_of(pointee.type)}]"
    if isinstance(pointee, c_ast.PtrDecl):
        return "Pointer"
    if isinstance(pointee.type, c_ast.Struct):
        return _camel(pointee.type.name)
    name = " ".join(pointee.type.names)
    if name in {"void", "char"}:
        return "Pointer" if name == "void" else "bytes"
    return _array(name) if name in _NUMBERS else _handle(name)


def _type_of_a_value(node: c_ast.TypeDecl) -> str:
    if isinstance(node.type, c_ast.Struct):
        return _camel(node.type.name)
    name = " ".join(node.type.names)
    return "None" if name == "void" else _NUMBERS[name]


def _array(number: str) -> str:
    return f"{_camel(number.removesuffix('_t'))}Array"


def _handle(name: str) -> str:
    return f"{_camel(name)}Handle"


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in re.split("[ _]", name))
