"""What `trainer bench` measures: engines, each by its file, and torch beside them."""

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
    """Something that takes crops and gives probabilities."""

    name: str
    runs_on: str
    precision: Precision
    device: Device
    sha256: str | None
    """Of an engine's file; None for torch."""
    weights_bytes: int
    infer: Callable[[Crops], object]
    """Crops in this machine's memory → probabilities in it. Raises `EngineError`."""
    fault: Callable[[], str | None]
    """Why it does not run here, or runs something else than it is named after."""
    close: Callable[[], None]
    most: int | None = None
    """Faces that it runs at once; it takes more in parts. None: any number."""


def engine_paths(asked: Sequence[Path]) -> dict[str, Path]:
    """The engines to measure, by the names that they get: the kiosk's own float32 network, then those asked for.

    Each file once, wherever it lies. Raises `ManifestError`.
    """
    named: dict[str, Path] = {}
    seen: set[str] = set()
    for path in (default_path(), *asked):
        sha256 = check(path).sha256
        if sha256 not in seen:
            seen.add(sha256)
            named[f"{path.name} ({sha256[:8]}…)" if path.name in named else path.name] = path
    return named


def open_engine(name: str, path: Path) -> Contender:
    """Loads an engine, and no other in its place. One that does not fit this machine has a fault.

    Raises `ManifestError` and `EngineError`.
    """
    manifest = check(path)
    known = partial(
        Contender,
        name=name,
        precision=manifest.precision,
        device="gpu" if manifest.format == "tensorrt" else "cpu",
        sha256=manifest.sha256,
        weights_bytes=path.stat().st_size,
        most=manifest.tensorrt.max_batch if manifest.tensorrt else None,
    )
    try:
        engine = load_exactly(path)
    except IncompatibleEngineError as error:
        why = str(error)
        return known(runs_on="nothing here", infer=_nothing, fault=lambda: why, close=_nothing)
    return known(runs_on=engine.name, infer=engine.infer, fault=lambda: engine.fault, close=engine.close)


def torch_or_why() -> Any | str:
    """The module torch, or why there is none."""
    try:
        import torch
    except (ImportError, OSError) as error:  # not installed, or without a library that it links to
        reason = "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be imported ({error})"
        return f"torch {reason} here: its rows are left out"
    return torch


def torch_eager(torch: Any, manifest: Manifest, device: str) -> Contender:
    """FacialNet in torch, operation by operation, from gray levels to probabilities as in the engine's file.

    The weights are random: no layer's time depends on them. `device` is torch's name of it. Crops and probabilities
    are in this machine's memory, as an engine's are, so a GPU's time has both ways in it.
    """
    network = _network(manifest.temperatures).to(device)

    def infer(crops: Crops) -> object:
        with torch.inference_mode():
            gender, age = network(torch.from_numpy(crops).to(device))
            return gender.cpu(), age.cpu()

    where = "the CPU" if device == "cpu" else torch.cuda.get_device_name(device)
    return Contender(
        name="torch eager",
        runs_on=f"torch on {where}",
        precision="fp32",
        device="cpu" if device == "cpu" else "gpu",
        sha256=None,
        weights_bytes=sum(part.numel() * part.element_size() for part in network.parameters()),
        infer=infer,
        fault=lambda: None,
        close=_nothing,
    )


def _nothing(*_: object) -> None:
    pass


def _network(temperatures: Temperatures) -> torch.nn.Module:
    from trainer.export.to_onnx import Deployed
    from trainer.facialnet import FacialNet

    return Deployed(FacialNet(normalise_input=True), temperatures).eval()
