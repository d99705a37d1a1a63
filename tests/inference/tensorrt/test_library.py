"""Which TensorRT is here: asked of made-up modules and, where there are any, of the real ones."""

from __future__ import annotations

import ctypes
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kiosk.inference.base import MissingPackageError
from kiosk.inference.tensorrt import library as tensorrt_library
from kiosk.inference.tensorrt.library import TensorRTLibrary, libraries, library_for

TENSORRT = TensorRTLibrary(ModuleType("tensorrt"), "tensorrt", "10.3.0.26")
RTX = TensorRTLibrary(ModuleType("tensorrt_rtx"), "tensorrt_rtx", "1.7.1.116")
RTX_UNDER_ANOTHER_NAME = TensorRTLibrary(ModuleType("tensorrt"), "tensorrt_rtx", "1.7.1.116")


@pytest.fixture
def fresh() -> Iterator[None]:
    """What was found before is forgotten, and what is made up afterwards."""
    libraries.cache_clear()
    yield
    libraries.cache_clear()


def found(monkeypatch: pytest.MonkeyPatch, *those: TensorRTLibrary) -> None:
    monkeypatch.setattr(tensorrt_library, "libraries", lambda: those)


def importing(monkeypatch: pytest.MonkeyPatch, **modules: ModuleType | Exception) -> None:
    """What importing a module gives or raises."""

    def import_module(name: str) -> ModuleType:
        result = modules.get(name, ModuleNotFoundError(name))
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(importlib, "import_module", import_module)


def bindings(monkeypatch: pytest.MonkeyPatch, name: str, home: str, **functions: int) -> ModuleType:
    """A module whose binary is linked to the library `home`, which has these functions."""
    binary = ModuleType(f"{name}_bindings")
    binary.__file__ = f"/lib/{name}.so"
    module = ModuleType(name)
    module.Logger = type("Logger", (), {"__module__": binary.__name__})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, binary.__name__, binary)
    library: Any = SimpleNamespace(**{name: lambda value=value: value for name, value in functions.items()})
    monkeypatch.setattr(ctypes, "CDLL", {binary.__file__: library}.__getitem__)
    monkeypatch.setattr(tensorrt_library, "_library_file", lambda _: Path(home))
    return module


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    "error", [ModuleNotFoundError("none"), OSError("libnvinfer.so.10 is missing"), RuntimeError("another Python")]
)
def test_a_module_that_cannot_be_imported_is_none(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    importing(monkeypatch, tensorrt=error)
    assert libraries() == ()


@pytest.mark.usefixtures("fresh")
def test_a_folder_that_is_called_so_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    importing(monkeypatch, tensorrt=ModuleType("tensorrt"))
    assert libraries() == ()


@pytest.mark.usefixtures("fresh")
def test_bindings_without_a_library_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    importing(monkeypatch, tensorrt=bindings(monkeypatch, "tensorrt", "/lib/tensorrt.so"))
    assert libraries() == ()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("home", "flavour"),
    [
        ("/usr/lib/aarch64-linux-gnu/libnvinfer.so.10", "tensorrt"),
        ("/venv/tensorrt_rtx_libs/libtensorrt_rtx.so.1", "tensorrt_rtx"),
        ("/venv/tensorrt_rtx_libs/libnvinfer.so.10", "tensorrt"),
    ],
)
def test_the_library_counts_and_not_the_modules_name(monkeypatch: pytest.MonkeyPatch, home: str, flavour: str) -> None:
    module = bindings(
        monkeypatch,
        "tensorrt",
        home,
        getInferLibVersion=100300,
        getInferLibMajorVersion=10,
        getInferLibMinorVersion=3,
        getInferLibPatchVersion=0,
        getInferLibBuildVersion=26,
    )
    importing(monkeypatch, tensorrt=module)
    (library,) = libraries()
    assert (library.module, library.flavour, library.version) == (module, flavour, "10.3.0.26")


@pytest.mark.usefixtures("fresh")
def test_a_library_that_tells_one_number_has_a_version_too(monkeypatch: pytest.MonkeyPatch) -> None:
    module = bindings(monkeypatch, "tensorrt", "/lib/libnvinfer.so.10", getInferLibVersion=101602)
    importing(monkeypatch, tensorrt=module)
    (library,) = libraries()
    assert str(library) == "TensorRT 10.16.2"


def test_a_function_has_a_home() -> None:
    assert tensorrt_library._library_file(ctypes.CDLL(None).getpid).name.startswith("libc")


def test_what_is_no_function_has_none() -> None:
    assert tensorrt_library._library_file(None) == Path()


def test_the_fitting_library_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, TENSORRT, RTX)
    assert library_for("tensorrt") is TENSORRT
    assert library_for("tensorrt_rtx") is RTX


def test_the_module_that_has_all_of_the_flavour_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, RTX_UNDER_ANOTHER_NAME, RTX)
    assert library_for("tensorrt_rtx") is RTX
    found(monkeypatch, RTX_UNDER_ANOTHER_NAME)
    assert library_for("tensorrt_rtx") is RTX_UNDER_ANOTHER_NAME


def test_a_missing_one_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch)
    with pytest.raises(MissingPackageError, match=r"^TensorRT is not installed here: run `pip install tensorrt`, or"):
        library_for("tensorrt")


def test_a_missing_one_says_what_there_is_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, RTX_UNDER_ANOTHER_NAME, RTX)
    with pytest.raises(MissingPackageError, match=r"^TensorRT is not installed here \(there is TensorRT for RTX 1\.7"):
        library_for("tensorrt")


@pytest.mark.tensorrt
def test_a_real_library_tells_its_own_version(library: TensorRTLibrary) -> None:
    assert re.fullmatch(r"\d+(\.\d+){2,3}", library.version)
    first = {"tensorrt": ("10", "11"), "tensorrt_rtx": ("1",)}[library.flavour]
    assert library.version.split(".")[0] in first


@pytest.mark.tensorrt
def test_the_module_of_tensorrt_for_rtx_is_what_it_says(library: TensorRTLibrary) -> None:
    if library.module.__name__ == "tensorrt_rtx":
        assert library.flavour == "tensorrt_rtx"
        assert library.version == library.module.__version__
    elif library.flavour == "tensorrt_rtx":  # its own version is that of the bindings
        assert library.version != library.module.__version__
