"""Whether a compiled engine fits this machine, found out without loading it."""

from __future__ import annotations

import importlib.util

from kiosk.inference import gpu
from kiosk.inference.base import MissingPackageError, OtherGpuError, OtherVersionError
from kiosk.inference.manifest import TensorRTBuild
from kiosk.inference.tensorrt.library import NAMES, TensorRTLibrary, library_for

REBUILD = "build it again here with `trainer build-engine`"


def check_fit(build: TensorRTBuild) -> TensorRTLibrary:
    """The library that runs what was built so. Raises the `UnfitEngineError` that says why none does.

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
