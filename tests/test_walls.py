"""The walls of the house: who may import whom, read from the source, so that nothing need be importable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
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


EVERY_MODULE = modules("kiosk") | modules("trainer") | modules("assets") | modules("benchmarks")


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
    assert {"kiosk", "kiosk.estimate", "kiosk.ops.usb", "kiosk.vision.faces", "trainer.train"} <= EVERY_MODULE.keys()
    assert {"kiosk.engine.manifest", "kiosk.engine.manifest.Manifest"} <= imports_of("kiosk.engine.load")
    assert {"kiosk.engine", "kiosk.engine.load", "onnxruntime", "pydantic"} <= loaded_by("kiosk.engine.manifest")


def test_the_kiosk_knows_nothing_of_training() -> None:
    assert not breaches("kiosk", ("torch", "trainer", "tensorboard", "onnx", "onnxscript", "matplotlib"))


@pytest.mark.parametrize("package", ["kiosk.vision", "kiosk.engine", "kiosk.ops", "kiosk.vending", "trainer"])
def test_only_screens_know_qt(package: str) -> None:
    assert not breaches(package, (*QT, "kiosk.ui"))


def test_a_sale_is_told_an_estimate_never_a_frame() -> None:
    assert not breaches("kiosk.vending", ("kiosk.vision", "kiosk.engine", "cv2", "dlib", "onnxruntime", "numpy"))


def test_whoever_looks_after_the_machine_sees_no_frame_and_no_sale_depends_on_it() -> None:
    for module in modules("kiosk.ops"):
        forbidden = (*QT, "kiosk.ui", "kiosk.vision", "kiosk.engine", "cv2", "dlib", "onnxruntime", "numpy")
        assert not [name for name in loaded_by(module) if is_within(name, forbidden)], module
    assert not breaches("kiosk.vending", ("kiosk.ops",))


def test_estimates_need_nothing_but_errors() -> None:
    of_kiosk = {name for name in loaded_by("kiosk.estimate") if is_within(name, ("kiosk",))} - {"kiosk"}
    assert not [name for name in of_kiosk if not is_within(name, ("kiosk.estimate", "kiosk.errors"))]


def test_engines_know_neither_frames_nor_sales() -> None:
    assert not breaches("kiosk.engine", ("kiosk.vision", "kiosk.vending", "kiosk.ops", "cv2", "dlib"))


def test_vision_knows_no_sale() -> None:
    assert not breaches("kiosk.vision", ("kiosk.vending", "kiosk.ops"))


def test_what_keeps_a_machine_going_sees_nobody() -> None:
    assert not breaches("kiosk.ops", (*QT, "kiosk.ui", "kiosk.vision", "kiosk.engine", "cv2", "dlib", "numpy"))


def test_screens_load_no_camera_detector_or_engine() -> None:
    parts = ("camera", "faces", "pipeline", "process", "tracks", "worker")
    forbidden = ("cv2", "dlib", "onnxruntime", "kiosk.engine", *(f"kiosk.vision.{part}" for part in parts))
    for module in modules("kiosk.ui"):
        assert not [name for name in loaded_by(module) if is_within(name, forbidden)], module


def test_settings_are_read_only_at_the_top() -> None:
    for package in ("kiosk.ui", "kiosk.vision", "kiosk.engine", "kiosk.ops", "kiosk.vending", "trainer"):
        assert not breaches(package, ("kiosk.config", "kiosk.cli"))


def test_the_trainer_shares_only_what_it_must() -> None:
    shared = (
        "kiosk.estimate",
        "kiosk.engine",
        "kiosk.vision.chip",
        "kiosk.vision.face",
        "kiosk.vision.faces",
        "kiosk.vision.gray",
        "kiosk.vision.facelike",  # and what it takes to ask it only about what the kiosk would
        "kiosk.vision.models",
        "kiosk.vision.quality",
        "kiosk.errors",
        "kiosk.files",
        "kiosk.console",
    )
    for module in modules("trainer"):
        of_kiosk = {name for name in imports_of(module) if is_within(name, ("kiosk",))}
        assert not [name for name in of_kiosk if not is_within(name, shared)], module


@pytest.mark.parametrize("module", EVERY_MODULE)
def test_nothing_that_is_read_can_run_code(module: str) -> None:
    assert not [name for name in imports_of(module) if is_within(name, (*RUNS_CODE_FROM_DATA, "torch.load"))]
    for call in calls(module):
        words = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if ast.unparse(call.func) == "torch.load":
            assert words.get("weights_only") == "True", f"{module}, line {call.lineno}"
        assert words.get("allow_pickle", "False") == "False", f"{module}, line {call.lineno}"
        assert ast.unparse(call.func) not in {"eval", "exec", "yaml.load"}, f"{module}, line {call.lineno}"
