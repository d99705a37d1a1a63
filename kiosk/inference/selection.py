"""Which engine fits this machine best.

The choice never changes the network, only what runs it: a TensorRT engine that was compiled of the
kiosk's own network for this machine, else eight bits on the CPU where they keep its accuracy, else
float32. A network of the operator's own runs where the settings name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.estimate import MeasuredAccuracy
from kiosk.inference import gpu, locations
from kiosk.inference.base import IncompatibleEngineError
from kiosk.inference.manifest import Manifest, ManifestError, Precision, TensorRTBuild, read_checked
from kiosk.inference.tensorrt.library import check_compatibility

LOSS_ALLOWED = 0.005
"""Of each accuracy: an engine of fewer bits that loses more than half a point is not chosen."""

_PREFERRED: tuple[Precision, ...] = ("fp16", "int8", "fp32")
"""Launching dominates a network of this size on a GPU, so eight bits save little over half precision and err more."""

_SLACK = 1e-9  # 0.895 - 0.890 is a little more than 0.005


@dataclass(frozen=True)
class Candidate:
    """An engine that could run the kiosk's own network."""

    path: Path
    compiled: bool
    """For a GPU, on this machine."""
    reason_rejected: str | None
    """None for one that fits."""


def default_path() -> Path:
    """The network that comes with the kiosk, in float32."""
    return locations.own_folder() / locations.NETWORK


def candidates(*, cpu_only: bool = False) -> Iterator[Candidate]:
    """Every engine of the kiosk's own network, the best first; the last one always fits. Raises `ManifestError`."""
    network = read_checked(default_path())[1]
    if not cpu_only:
        yield from _compiled(network)
    yield from _int8_candidates(network)
    yield Candidate(default_path(), compiled=False, reason_rejected=None)


def keeps_accuracy(manifest: Manifest, network: Manifest) -> bool:
    """Whether an engine of fewer bits is as good as its network, to `LOSS_ALLOWED`, by what both were measured on."""
    return not network.accuracy or bool(manifest.accuracy and _as_good(manifest.accuracy, network.accuracy))


def same_faces(one: MeasuredAccuracy, other: MeasuredAccuracy) -> bool:
    """Whether two accuracies can be compared."""
    return (one.measured_on, one.faces) == (other.measured_on, other.faces)


def _as_good(fewer_bits: MeasuredAccuracy, network: MeasuredAccuracy) -> bool:
    return same_faces(fewer_bits, network) and all(
        getattr(network, task) - getattr(fewer_bits, task) <= LOSS_ALLOWED + _SLACK
        for task in ("gender", "age", "age_within_one")
    )


def _compiled(network: Manifest) -> list[Candidate]:
    ranked: list[tuple[int, Candidate]] = []
    for path in locations.built_engines():
        try:
            manifest = read_checked(path)[1]
        except ManifestError as error:
            ranked.append((len(_PREFERRED), Candidate(path, compiled=True, reason_rejected=str(error))))
            continue
        if manifest.network == network.network and manifest.tensorrt:
            reason_rejected = _reason_rejected(path, manifest, manifest.tensorrt, network)
            ranked.append(
                (_PREFERRED.index(manifest.precision), Candidate(path, compiled=True, reason_rejected=reason_rejected))
            )
    return [candidate for _, candidate in sorted(ranked, key=lambda pair: pair[0])]


def _reason_rejected(path: Path, manifest: Manifest, build: TensorRTBuild, network: Manifest) -> str | None:
    try:
        check_compatibility(build)
    except IncompatibleEngineError as error:
        return str(error)
    if not manifest.verified or manifest.verified.capability != gpu.find().capability:
        return f"it was not checked on this GPU yet: run `trainer verify-engine {path}`"
    if not keeps_accuracy(manifest, network):
        return f"{manifest.precision} loses more than half a point of accuracy: name it in the settings to use it"
    return None


def _int8_candidates(network: Manifest) -> Iterator[Candidate]:
    for folder in (locations.state_folder(), locations.own_folder()):
        path = folder / locations.CPU_INT8
        if _is_there(path):
            yield Candidate(path, compiled=False, reason_rejected=_reason_int8_rejected(path, network))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the folder of somebody else
        return False


def _reason_int8_rejected(path: Path, network: Manifest) -> str | None:
    try:
        manifest = read_checked(path)[1]
    except ManifestError as error:
        return str(error)
    if manifest.network != network.network:
        return f"it was made of another network than {locations.NETWORK}"
    if not keeps_accuracy(manifest, network):
        return "it loses more than half a point of accuracy"
    return None
