"""Which TensorRT is really here, asked of the library itself.

TensorRT and TensorRT for RTX have the same Python API and do not read each other's engines. The name of the
module does not tell them apart: a module `tensorrt` can be linked to the library of TensorRT for RTX.
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
"""The Python modules are called as the flavours are, which says little of what is in them."""


@dataclass(frozen=True)
class TensorRTLibrary:
    """A TensorRT that can be used."""

    module: ModuleType
    """Its Python module."""
    flavour: Flavour
    version: str
    """Of the library, as far as it tells: 10.3.0.26. The module's own may differ."""

    def __str__(self) -> str:
        return f"{NAMES[self.flavour]} {self.version}"


REBUILD = "build it again here with `trainer build-engine`"

NAMES: dict[Flavour, str] = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT for RTX"}
"""What people call them."""


@cache
def libraries() -> tuple[TensorRTLibrary, ...]:
    """Every TensorRT whose Python module can be imported here; the import takes a moment."""
    return tuple(library for name in MODULES if (library := _library(name)))


def library_for(flavour: Flavour | None = None) -> TensorRTLibrary:
    """The one of that flavour; without one, TensorRT before TensorRT for RTX. Raises `MissingPackageError`."""
    there = libraries()
    fitting = [library for library in there if flavour in (library.flavour, None)]
    if not fitting:
        broken = "; ".join(filter(None, map(_import_error, MODULES)))
        others = " and ".join(dict.fromkeys(f"there is {library}" for library in there)) or broken
        raise MissingPackageError(
            f"{NAMES[flavour or 'tensorrt']} is not installed here{f' ({others})' if others else ''}: "
            f"run `pip install {flavour or 'tensorrt'}`, "
            "or on a Jetson make the environment with --system-site-packages"
        )
    return min(fitting, key=_rank)


def check_compatibility(build: TensorRTBuild) -> TensorRTLibrary:
    """The library that runs what was built so. Raises the `IncompatibleEngineError` that says why none does.

    A compiled engine is read by the very version that wrote it, and runs on the GPU generations that
    it was compiled for, and on no other.
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
    # Only the module of its own name has what is peculiar to a flavour.
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
        warnings.simplefilter("ignore")  # what its bindings have deprecated is nobody's business here
        return importlib.import_module(name)


def _import_error(name: str) -> str:
    """What keeps a module that is there from being imported; empty for one that is not there, or whole."""
    try:
        _import(name)
    except ModuleNotFoundError as error:
        return "" if error.name == name else f"the module {name} cannot be imported: {error}"
    except (ImportError, OSError, RuntimeError) as error:
        return f"the module {name} cannot be imported: {error}"
    return ""


def _linked_library(module: ModuleType) -> tuple[Flavour, str] | None:
    """Flavour and version of the library that a module's binary is linked to."""
    if not hasattr(module, "Logger"):  # a folder that happens to be called so
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
    """The library that a function lies in."""
    info = _SymbolInfo()
    found = ctypes.CDLL(None).dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(info))  # type: ignore[arg-type]
    return Path(info.file.decode()) if found and info.file else Path()
