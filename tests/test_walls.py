"""Which package may import which. Imports are read from the source, so that nothing needs to be importable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
QT = ("PyQt6", "PyQt5", "PySide6", "PySide2", "qtpy")
RUNS_CODE_FROM_DATA = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")


def modules(package: str) -> dict[str, Path]:
    """Every module of a package, by its full name."""
    found = {}
    for path in (ROOT / package.replace(".", "/")).rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


EVERY_MODULE = modules("kiosk") | modules("trainer") | modules("tools") | modules("benchmarks")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(EVERY_MODULE[module].read_text(encoding="utf-8"))


@cache
def imports_of(module: str) -> frozenset[str]:
    """Full names of what a module imports, anywhere in it; `from a import b` counts as `a` and `a.b`."""
    names = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import, which this test does not follow"
            assert node.module is not None
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def loaded_by(module: str) -> set[str]:
    """Full names of everything that is loaded with a module, through the project's own modules."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [".".join(name.split(".")[:end]) for end in range(1, name.count(".") + 1)]
            waiting += imports_of(name) if name in EVERY_MODULE else ()
    return seen


def is_within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def breaches(package: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{module} imports {name}"
        for module in modules(package)
        for name in sorted(imports_of(module))
        if is_within(name, forbidden)
    ]


def calls(module: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call))


def test_the_modules_are_found() -> None:
    assert {"kiosk", "kiosk.estimate", "kiosk.system.usb_export", "trainer.training.train"} <= EVERY_MODULE.keys()
    assert {"kiosk.inference.manifest", "kiosk.inference.manifest.Manifest"} <= imports_of("kiosk.inference.loader")
    assert {"kiosk.inference.loader", "onnxruntime", "pydantic"} <= loaded_by("kiosk.inference.manifest")


# Layers

LAYERS = {
    "kiosk": (
        ("common",),
        ("estimate",),
        ("security", "config", "inference"),
        ("vending", "vision"),
        ("fleet", "system"),
        ("ui",),
        ("app",),
        ("cli",),
    ),
    "kiosk.ui": (
        ("translations", "runtime"),
        ("widgets",),
        ("live", "products"),
        ("shop", "demo"),
        ("service",),
    ),
    "trainer": (
        ("report",),
        ("data",),
        ("facialnet",),
        ("training", "nonface"),
        ("evaluation",),
        ("export",),
        ("speed",),
        ("cli",),
        ("__main__",),
    ),
}
"""Lowest layer first. A part imports only from layers below its own, and never from its neighbours in one layer."""

DATA_PACKAGES = ("kiosk.assets", "kiosk.engines")


def layer_of(name: str, package: str) -> tuple[int, str] | None:
    """The layer and the part of `package` that a full name lies in, or None outside of it."""
    if not name.startswith(f"{package}."):
        return None
    part = name.removeprefix(f"{package}.").split(".")[0]
    return next(((level, part) for level, parts in enumerate(LAYERS[package]) if part in parts), None)


@pytest.mark.parametrize("package", LAYERS)
def test_every_module_has_a_layer(package: str) -> None:
    inside = [name for name in modules(package) if name.startswith(f"{package}.")]
    assert not [name for name in inside if layer_of(name, package) is None and not is_within(name, DATA_PACKAGES)]


@pytest.mark.parametrize("package", LAYERS)
def test_a_part_imports_only_from_layers_below(package: str) -> None:
    wrong = []
    for module in modules(package):
        for name in project_imports_of(module):
            own, other = layer_of(module, package), layer_of(name, package)
            if own and other and own[1] != other[1] and own[0] <= other[0]:
                wrong.append(f"{module} imports {name}")
    assert not wrong


@cache
def project_imports_of(module: str) -> frozenset[str]:
    """The project's modules that a module imports anywhere in it, for types and inside functions too."""
    names = set()
    for name in imports_of(module):
        if name in EVERY_MODULE:
            names.add(name)
        elif name.rpartition(".")[0] in EVERY_MODULE:  # something in a module
            names.add(name.rpartition(".")[0])
    # `from package import module` counts as the module, not as the package that holds it.
    return frozenset(n for n in names if n != module and not any(other.startswith(f"{n}.") for other in names))


def test_no_modules_import_each_other_in_a_circle() -> None:
    sorter = TopologicalSorter({module: project_imports_of(module) for module in EVERY_MODULE})
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(f"imports go in a circle: {' imports '.join(reversed(error.args[1]))}")


def test_no_package_is_crowded() -> None:
    for package in ("kiosk", "trainer", "benchmarks"):
        for folder in [ROOT / package, *(ROOT / package).rglob("*/")]:
            found = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
            assert len(found) <= 16, f"{folder.relative_to(ROOT)} has {len(found)} modules: split it by subject"


def test_only_packages_stand_at_the_top_of_the_kiosk() -> None:
    assert {path.name for path in (ROOT / "kiosk").glob("*.py")} == {"__init__.py", "estimate.py"}


# Libraries and processes


def test_the_kiosk_does_not_import_the_trainer_or_its_libraries() -> None:
    assert not breaches("kiosk", ("torch", "trainer", "tensorboard", "onnx", "onnxscript", "matplotlib"))


QT_FREE = ("common", "security", "config", "inference", "vending", "vision", "fleet", "system")


@pytest.mark.parametrize("package", [*(f"kiosk.{part}" for part in QT_FREE), "trainer"])
def test_qt_stays_in_the_user_interface(package: str) -> None:
    assert not breaches(package, (*QT, "kiosk.ui"))


def test_vending_imports_no_vision_and_no_imaging_library() -> None:
    assert not breaches("kiosk.vending", ("kiosk.vision", "kiosk.inference", "cv2", "dlib", "onnxruntime", "numpy"))


@pytest.mark.parametrize("package", ["kiosk.fleet", "kiosk.system"])
def test_fleet_and_system_load_no_vision(package: str) -> None:
    forbidden = (*QT, "kiosk.ui", "kiosk.vision", "kiosk.inference", "cv2", "dlib", "onnxruntime", "numpy")
    for module in modules(package):
        assert not [name for name in loaded_by(module) if is_within(name, forbidden)], module


def test_estimate_imports_common_only() -> None:
    of_kiosk = {name for name in loaded_by("kiosk.estimate") if is_within(name, ("kiosk",))} - {"kiosk", "kiosk.common"}
    assert not [name for name in of_kiosk if not is_within(name, ("kiosk.estimate", "kiosk.common"))]


def test_inference_imports_no_frames() -> None:
    assert not breaches("kiosk.inference", ("kiosk.vision", "cv2", "dlib"))


def test_the_user_interface_loads_no_camera_detector_or_engine() -> None:
    vision = ("capture", "faces", "tracking", "liveness", "pipeline", "process.supervisor", "process.worker")
    forbidden = ("cv2", "dlib", "onnxruntime", "kiosk.inference", *(f"kiosk.vision.{part}" for part in vision))
    for module in modules("kiosk.ui"):
        assert not [name for name in loaded_by(module) if is_within(name, forbidden)], module


def test_the_trainer_imports_only_what_it_shares_with_the_kiosk() -> None:
    shared = ("kiosk.common", "kiosk.estimate", "kiosk.inference", "kiosk.vision.faces")
    for module in modules("trainer"):
        of_kiosk = {name for name in imports_of(module) if is_within(name, ("kiosk",))}
        assert not [name for name in of_kiosk if not is_within(name, shared)], module


@pytest.mark.proves("engine-pickle")
@pytest.mark.parametrize("module", EVERY_MODULE)
def test_nothing_that_is_read_can_run_code(module: str) -> None:
    assert not [name for name in imports_of(module) if is_within(name, (*RUNS_CODE_FROM_DATA, "torch.load"))]
    for call in calls(module):
        words = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if ast.unparse(call.func) == "torch.load":
            assert words.get("weights_only") == "True", f"{module}, line {call.lineno}"
        assert words.get("allow_pickle", "False") == "False", f"{module}, line {call.lineno}"
        assert ast.unparse(call.func) not in {"eval", "exec", "yaml.load"}, f"{module}, line {call.lineno}"
