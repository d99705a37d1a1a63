"""What a machine is, as far as its figures depend on it: neither its name nor any of its paths."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kiosk.inference import gpu as cuda_device
from kiosk.inference.tensorrt.library import libraries

_PROC = Path("/proc")


def facts(torch: Any | None) -> dict[str, Any]:
    """In the order that they are shown in; None is what this machine has not. `torch` is its module, if it is used."""
    gpu = cuda_device.find_or_none()
    return {
        "cpu": cpu_model(_PROC),
        "cores": len(os.sched_getaffinity(0)),
        "gpu": f"{gpu.name} (compute capability {gpu.capability}, driver for CUDA {gpu.cuda})" if gpu else None,
        "os": f"{_system()}, {platform.machine()}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "onnxruntime": version("onnxruntime"),
        "tensorrt": " and ".join(dict.fromkeys(str(library) for library in libraries())) or None,
        "torch": str(torch.__version__) if torch else None,
    }


def busy_seconds(proc: Path = _PROC) -> float:
    """Processor time that everybody has used since the machine was started, and what its host took away."""
    # proc(5): user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in them already.
    ticks = (proc / "stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    return sum(int(count) for place, count in enumerate(ticks) if place not in {3, 4}) / os.sysconf("SC_CLK_TCK")


def cpu_model(proc: Path) -> str:
    """The processor's name; of an ARM, which has none here, the board's. `proc` is Linux's folder of that name."""
    for line in (proc / "cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    try:
        board = (proc / "device-tree" / "model").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine()
    return board.strip("\0\n ")


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
