"""Where engines lie: those that come with the kiosk, and those that were built on this machine."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import platformdirs

NETWORK = "facialnet.onnx"
"""The network, in float32: what every other engine is made of."""

CPU_INT8 = "facialnet-cpu-int8.onnx"
"""The same network in eight bits, for ONNX Runtime on a CPU."""

TENSORRT_INT8 = "facialnet-tensorrt-int8.onnx"
"""The same network in eight bits, as TensorRT wants them: to be compiled, and slow on a CPU."""

BUILT_SUFFIX = ".engine"


def own_folder() -> Path:
    """The engines that come with the kiosk. An installed kiosk may not write there."""
    return Path(str(resources.files("kiosk.engines")))


def build_folder() -> Path:
    """Where an engine is kept that is built here: in a checkout beside the network, else in the state folder."""
    own = own_folder()
    return own if (own.parent / "setup.cfg").is_file() else state_folder()


def state_folder() -> Path:
    """The engines of an installed kiosk."""
    return platformdirs.user_state_path("facialnet-kiosk") / "engines"


def built_engines() -> list[Path]:
    """Every engine file that was built on this machine, in order of their names."""
    folders = dict.fromkeys((state_folder(), own_folder()))
    return [path for folder in folders for path in sorted(folder.glob(f"*{BUILT_SUFFIX}"))]
