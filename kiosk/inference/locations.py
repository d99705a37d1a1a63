"""The folders and names of engine files: those of the kiosk and those built on this machine."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import platformdirs

NETWORK = "facialnet.onnx"
"""The network in float32, the source of every other engine."""

CPU_INT8 = "facialnet-cpu-int8.onnx"
"""The same network in 8 bits (int8), for ONNX Runtime on a CPU."""

TENSORRT_INT8 = "facialnet-tensorrt-int8.onnx"
"""The same network in 8 bits (int8) for TensorRT to compile. It is slow on a CPU."""

BUILT_SUFFIX = ".engine"


def own_folder() -> Path:
    """Returns the folder of the engines that come with the kiosk. An installed kiosk cannot write there."""
    return Path(str(resources.files("kiosk.engines")))


def build_folder() -> Path:
    """Returns the folder for newly built engines: in a checkout that of the network, else the state folder."""
    own = own_folder()
    return own if (own.parent / "setup.cfg").is_file() else state_folder()


def state_folder() -> Path:
    """Returns the folder of the engines that an installed kiosk built."""
    return platformdirs.user_state_path("facialnet-kiosk") / "engines"


def built_engines() -> list[Path]:
    """Returns every engine file built on this machine, sorted by name within each folder."""
    folders = dict.fromkeys((state_folder(), own_folder()))
    return [path for folder in folders for path in sorted(folder.glob(f"*{BUILT_SUFFIX}"))]
