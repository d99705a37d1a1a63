"""What `trainer bench` measures: engines from their files, and the same network in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.inference import Crops, Manifest, check, default_path, load_exactly
from kiosk.inference.base import IncompatibleEngineError
from kiosk.inference.manifest import Precision, Temperatures
from trainer.speed.result import Device

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Contender:
    """One implementation of the network: it takes crops and returns probabilities."""

    name: str
    runs_on: str
    """Library and device, for the reader."""
    precision: Precision
    device: Device
    sha256: str | None
    """Checksum of an engine's file; None for torch."""
    infer: Callable[[Crops], object]
    """Takes crops in main memory and returns probabilities in main memory. Raises `EngineError`."""
    fault: Callable[[], str | None]
    """Returns why it does not run here, or why another engine took its place; None if it runs."""
    close: Callable[[], None]
    max_batch: int | None = None
    """Most faces that it runs at once; more take several calls. None: any number."""


def engine_paths(engines: Sequence[Path]) -> dict[str, Path]:
    """Returns the files to measure by their displayed names: the kiosk's own float32 network first, then `engines`.

    A file with the same content as one before it is left out. Raises `ManifestError`.
    """
    named: dict[str, Path] = {}
    checksums: set[str] = set()
    for path in (default_path(), *engines):
        sha256 = check(path).sha256
        if sha256 not in checksums:
            checksums.add(sha256)
            named[f"{path.name} ({sha256[:8]}…)" if path.name in named else path.name] = path
    return named


def open_engine(name: str, path: Path) -> Contender:
    """Loads an engine without a fallback. An engine that does not run on this machine has a fault.

    Raises `ManifestError` and `EngineError`.
    """
    manifest = check(path)
    contender = partial(
        Contender,
        name=name,
        precision=manifest.precision,
        device="gpu" if manifest.format == "tensorrt" else "cpu",
        sha256=manifest.sha256,
        max_batch=manifest.tensorrt.max_batch if manifest.tensorrt else None,
    )
    try:
        engine = load_exactly(path)
    except IncompatibleEngineError as error:
        reason = str(error)
        return contender(runs_on="nothing here", infer=_do_nothing, fault=lambda: reason, close=_do_nothing)
    return contender(runs_on=engine.name, infer=engine.infer, fault=lambda: engine.fault, close=engine.close)


def import_torch() -> Any | str:
    """Returns the module torch, or one line that says why it cannot be used."""
    try:
        import torch
    except (ImportError, OSError) as error:  # not installed, or a library that it links to is missing
        reason = "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be imported ({error})"
        return f"torch {reason} here: its rows are left out"
    return torch


def open_torch(torch: Any, manifest: Manifest, device: str) -> Contender:
    """Returns FacialNet in torch's eager mode, from gray levels to probabilities as in the engine's file.

    Its weights are random, because no layer's time depends on them. `device` is torch's name of the device. Crops
    and probabilities are in main memory, as an engine's are, so a GPU's time includes copying both.
    """
    network = _network(manifest.temperatures).to(device)

    def infer(crops: Crops) -> object:
        with torch.inference_mode():
            gender, age = network(torch.from_numpy(crops).to(device))
            return gender.cpu(), age.cpu()

    device_name = "the CPU" if device == "cpu" else torch.cuda.get_device_name(device)
    return Contender(
        name="torch eager",
        runs_on=f"torch on {device_name}",
        precision="fp32",
        device="cpu" if device == "cpu" else "gpu",
        sha256=None,
        infer=infer,
        fault=lambda: None,
        close=_do_nothing,
    )


def _do_nothing(*_: object) -> None:
    pass


def _network(temperatures: Temperatures) -> torch.nn.Module:
    from trainer.export.to_onnx import DeployedNetwork
    from trainer.facialnet import FacialNet

    return DeployedNetwork(FacialNet(normalise_input=True), temperatures).eval()
