"""The code uses nothing of TensorRT and PyCUDA but what every version has that it is to run with.

Most of it runs only on a GPU, and with one version at a time, so it is read instead: tensorrt_api.toml
lists what may be used. That a name there is right is what NVIDIA's own modules are asked for, where
there are any.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kiosk.inference.tensorrt.library import TensorRTLibrary

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PACKAGES = ("kiosk", "trainer")
API: dict[str, Any] = tomllib.loads(Path(__file__).with_name("tensorrt_api.toml").read_text(encoding="utf-8"))
LIBRARIES = ("tensorrt", "pycuda")

Class = tuple[str, str]
"""A library and a class of it; its module is a class called `module`."""


def members(library: str, name: str) -> dict[str, frozenset[str]]:
    """A class's members, and the versions that have each."""
    every = frozenset(API[library]["versions"])
    return {
        member: every if versions == "everywhere" else frozenset(versions.split())
        for versions, listed in API[library][name].items()
        if versions != "called"
        for member in listed
    }


CLASSES: dict[Class, dict[str, frozenset[str]]] = {
    (library, name): members(library, name) for library in LIBRARIES for name in API[library] if name != "versions"
}


@dataclass(frozen=True)
class Use:
    """Somewhere in the code, a member of one of these classes is used."""

    line: int
    classes: tuple[Class, ...]
    member: str

    def listed(self) -> dict[Class, frozenset[str]]:
        """Those of the classes that have it."""
        return {each: CLASSES[each][self.member] for each in self.classes if self.member in CLASSES[each]}


class Reader:
    """Finds what a module uses of the libraries."""

    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self._holders: dict[str, list[Class]] = defaultdict(list)
        for library, name in CLASSES:
            for holder in API[library][name].get("called", ()):
                self._holders[holder].append((library, name))
        annotated = {
            node.arg: ast.unparse(node.annotation)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.arg) and node.annotation
        }
        self._anything = {name for name, kind in annotated.items() if kind == "Any"}
        self._ours = {
            name for name, kind in annotated.items() if kind not in {"Any", "ModuleType"} and "cuda." not in kind
        }

    def classes(self, node: ast.expr) -> tuple[Class, ...]:
        """Which of the libraries' classes, or modules, an expression is one of."""
        if isinstance(node, ast.Name):
            return () if node.id in self._ours else tuple(self._holders.get(node.id, ()))
        if isinstance(node, ast.Attribute):
            in_module = [(library, node.attr) for library, name in self.classes(node.value) if name == "module"]
            return tuple(in_module or self._holders.get(node.attr.lstrip("_"), ()))
        return ()

    def uses(self) -> Iterator[Use]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and not node.attr.startswith("__"):
                known = tuple(each for each in self.classes(node.value) if each in CLASSES)
                if known:
                    yield Use(node.lineno, known, node.attr)
            elif isinstance(node, ast.ClassDef):
                bases = tuple(each for base in node.bases for each in self.classes(base) if each in CLASSES)
                for method in node.body:
                    if bases and isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                        yield Use(method.lineno, bases, method.name)

    def nameless(self) -> Iterator[str]:
        """What a library gave back and was used without a name from the table."""
        unknown = {name for target, value in self._bindings() if self._gives(value) for name in names(target)}
        unknown |= self._anything
        for node in ast.walk(self.tree):
            if (
                isinstance(node, ast.Attribute)
                and not self.classes(node.value)
                and (self._gives(node.value) or unknown.intersection(names(node.value)))
            ):
                yield f"line {node.lineno}: {ast.unparse(node)}"

    def _gives(self, node: ast.expr) -> bool:
        """Whether it is a call of a library's, or one of each."""
        if not isinstance(node, ast.Call):
            return False
        if ast.unparse(node.func) in {"map", "next"}:
            return any(map(self._is_use, node.args)) or any(map(self._gives, node.args))
        return self._is_use(node.func)

    def _is_use(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Attribute) and any(each in CLASSES for each in self.classes(node.value))

    def _bindings(self) -> Iterator[tuple[ast.expr, ast.expr]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    yield target, node.value
            elif isinstance(node, ast.NamedExpr):  # not ast.AnnAssign: that says what it is, an array for instance
                yield node.target, node.value
            elif isinstance(node, (ast.For, ast.comprehension)):
                yield node.target, node.iter


def names(node: ast.expr) -> Iterator[str]:
    """What an expression is called, or each of a tuple, without leading underscores."""
    if isinstance(node, ast.Name):
        yield node.id.lstrip("_")
    elif isinstance(node, ast.Attribute):
        yield node.attr.lstrip("_")
    elif isinstance(node, (ast.Tuple, ast.List, ast.Starred)):
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                yield from names(part)


def reader(module: str) -> Reader:
    return Reader((ROOT / module).read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", API["modules"])
def test_only_what_is_listed_is_used(module: str) -> None:
    for use in reader(module).uses():
        assert use.listed(), f"{module}, line {use.line}: {use.member} is in none of {use.classes}"


@pytest.mark.parametrize("module", sorted(set(API["modules"]) - set(API["guarded"])))
def test_what_is_used_is_in_every_version(module: str) -> None:
    for use in reader(module).uses():
        assert any(versions >= set(API[library]["versions"]) for (library, _), versions in use.listed().items()), (
            f"{module}, line {use.line}: {use.member} is only in {use.listed()}"
        )


@pytest.mark.parametrize("module", API["modules"])
def test_whatever_comes_back_has_a_name(module: str) -> None:
    assert list(reader(module).nameless()) == []


def test_all_that_is_listed_is_used() -> None:
    used = {(each, use.member) for module in API["modules"] for use in reader(module).uses() for each in use.listed()}
    listed = {(each, member) for each, of_class in CLASSES.items() for member in of_class}
    assert listed == used


def test_no_other_module_uses_them() -> None:
    every = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert set(API["guarded"]) <= set(API["modules"]) <= every
    for module in every - set(API["modules"]):
        for node in ast.walk(reader(module).tree):
            assert not (isinstance(node, (ast.Name, ast.arg)) and ast.unparse(node).startswith("trt")), module
            if isinstance(node, ast.Import):
                assert not [alias for alias in node.names if alias.name.startswith("pycuda")], module


@pytest.mark.parametrize(
    ("source", "member"),
    [
        ("builder.platform_has_fast_fp16", "platform_has_fast_fp16"),
        ("self._trt.BuilderFlag.FP16", "FP16"),
        ("import pycuda.driver as cuda\ncuda.memcpy_htod(a, b)", "memcpy_htod"),
        ("class M(trt.IProgressMonitor):\n    def phase_begin(self): ...", "phase_begin"),
    ],
)
def test_the_reader_sees_what_is_not_listed(source: str, member: str) -> None:
    assert member in [use.member for use in Reader(source).uses() if not use.listed()]


@pytest.mark.parametrize(
    "source",
    [
        "layer = network.get_layer(0)\nlayer.precision",
        "for layer in map(network.get_layer, range(3)):\n    layer.precision",
        "network.get_layer(0).precision",
        "self._layer = self._network.get_layer(0)\nself._layer.precision",
        "def f(layer: Any):\n    layer.precision",
    ],
)
def test_the_reader_sees_what_has_no_name(source: str) -> None:
    assert list(Reader(source).nameless())


def test_the_reader_believes_an_annotation() -> None:
    reader = Reader("def f(context: CudaContext):\n    context.release()")
    assert not list(reader.uses())
    assert not list(reader.nameless())


@pytest.mark.tensorrt
def test_the_real_module_has_what_is_listed(library: TensorRTLibrary) -> None:
    name = library.module.__name__
    version = ("rtx-" if name == "tensorrt_rtx" else "") + ".".join(library.module.__version__.split(".")[:2])
    if version not in API["tensorrt"]["versions"]:
        pytest.skip(f"{name} {library.module.__version__} is none of those in the table")
    for (of, cls), of_class in CLASSES.items():
        if of == "tensorrt":
            holder = library.module if cls == "module" else getattr(library.module, cls, None)
            found = {member for member in of_class if hasattr(holder, member)}
            assert found == {member for member, versions in of_class.items() if version in versions}, cls


@pytest.mark.gpu
def test_the_real_pycuda_has_what_is_listed() -> None:
    import pycuda.driver as cuda

    for (of, cls), of_class in CLASSES.items():
        if of == "pycuda":
            holder = cuda if cls == "module" else getattr(cuda, cls)
            assert [member for member in of_class if not hasattr(holder, member)] == [], cls
