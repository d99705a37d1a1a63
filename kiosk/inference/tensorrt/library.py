"""Finds the installed TensorRT libraries, and checks whether one of them can run an engine.

TensorRT and TensorRT for RTX have the same Python API and cannot read each other's engines. The module's name does not
tell them apart, because a module `tensorrt` can be linked to TensorRT for RTX. So the library itself is queried.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_args

from kiosk.inference import gpu
from kiosk.inference.base import MissingPackageError, OtherGpuError, OtherVersionError
from kiosk.inference.manifest import Flavour, TensorRTBuild

MODULES: tuple[str, ...] = get_args(Flavour)
"""The names of the Python modules. They equal the flavours, but a module may contain the other library."""


@dataclass(frozen=True)
class TensorRTLibrary:
    """An installed TensorRT library that can be used."""

    module: ModuleType
    """Its Python bindings."""
    flavour: Flavour
    version: str
    """The library's version, such as 10.3.0.26; older ones give three numbers. The module's version may differ."""

    def __str__(self) -> str:
        return f"{NAMES[self.flavour]} {self.version}"


REBUILD = "build it again here with `trainer build-engine`"

NAMES: dict[Flavour, str] = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT for RTX"}
"""The names of the libraries for people."""


@cache
def libraries() -> tuple[TensorRTLibrary, ...]:
    """Returns every TensorRT library whose module can be imported. The first call takes a second or so."""
    return tuple(library for name in MODULES if (library := _library(name)))


def library_for(flavour: Flavour | None = None) -> TensorRTLibrary:
    """Returns the library of that flavour; without a flavour, TensorRT is preferred to TensorRT for RTX.

    Raises `MissingPackageError`, which says what to install.
    """
    installed = libraries()
    fitting = [library for library in installed if flavour in (library.flavour, None)]
    if not fitting:
        broken = "; ".join(filter(None, map(_import_error, MODULES)))
        others = " and ".join(dict.fromkeys(f"there is {library}" for library in installed)) or broken
        raise MissingPackageError(
            f"{NAMES[flavour or 'tensorrt']} is not installed here{f' ({others})' if others else ''}: "
            f"run `pip install {flavour or 'tensorrt'}`, "
            "or on a Jetson make the environment with --system-site-packages"
        )
    return min(fitting, key=_rank)


def check_compatibility(build: TensorRTBuild) -> TensorRTLibrary:
    """Returns the library that can run an engine of this build, without loading the engine.

    Only the version that compiled an engine can read it, and it runs only on the GPU generations for which it was
    compiled. Raises the `IncompatibleEngineError` with the reason.
    """
    device = gpu.find()
    library = library_for(build.flavour)
    if library.version != build.version:
        raise OtherVersionError(
            f"the engine was built by {NAMES[build.flavour]} {build.version} and here is {library}: {REBUILD}"
        )
    if device.capability not in build.capabilities:
        built_for = ", ".join(build.capabilities)
        raise OtherGpuError(
            f"the engine was built for compute capability {built_for} and {device.name} has {device.capability}: "
            + REBUILD
        )
    if importlib.util.find_spec("pycuda") is None:
        raise MissingPackageError("PyCUDA is not installed: run `pip install pycuda`")
    return library


def _rank(library: TensorRTLibrary) -> tuple[int, bool]:
    # Only the module of a flavour's own name has that flavour's additions to the API.
    return MODULES.index(library.flavour), library.module.__name__ != library.flavour


def _library(name: str) -> TensorRTLibrary | None:
    try:
        module = _import(name)
    except (ImportError, OSError, RuntimeError):  # not installed, or without the libraries that it links to
        return None
    found = _linked_library(module)
    return TensorRTLibrary(module, *found) if found else None


def _import(name: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the bindings concern NVIDIA only
        return importlib.import_module(name)


def _import_error(name: str) -> str:
    """Returns why an installed module cannot be imported; empty if it can be, or is not installed."""
    try:
        _import(name)
    except ModuleNotFoundError as error:
        return "" if error.name == name else f"the module {name} cannot be imported: {error}"
    except (ImportError, OSError, RuntimeError) as error:
        return f"the module {name} cannot be imported: {error}"
    return ""


def _linked_library(module: ModuleType) -> tuple[Flavour, str] | None:
    """Returns flavour and version of the library to which a module's binary is linked; None if there is none."""
    if not hasattr(module, "Logger"):  # a folder with the same name
        return None
    binary = sys.modules[module.Logger.__module__].__file__
    if binary is None or not hasattr(bindings := ctypes.CDLL(binary), "getInferLibVersion"):
        return None
    home = _library_file(bindings.getInferLibVersion)
    flavour: Flavour = "tensorrt_rtx" if "tensorrt_rtx" in home.name else "tensorrt"
    return flavour, _version(bindings)


def _version(bindings: ctypes.CDLL) -> str:
    parts = [f"getInferLib{part}Version" for part in ("Major", "Minor", "Patch", "Build")]
    if all(hasattr(bindings, part) for part in parts):
        return ".".join(str(getattr(bindings, part)()) for part in parts)
    number = bindings.getInferLibVersion()  # NvInferVersion.h: two digits each for minor and patch
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


class _SymbolInfo(ctypes.Structure):
    """glibc's Dl_info."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def _library_file(function: object) -> Path:
    """Returns the file of the library that contains a function; an empty path if there is none."""
    info = _SymbolInfo()
    found = ctypes.CDLL(None).dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(info))  # type: ignore[arg-type]
    return Path(info.file.decode()) if found and info.file else Path()
