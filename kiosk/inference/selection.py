"""Selects the best engine for this machine.

All candidates are forms of the kiosk's own network. The order is: a TensorRT engine compiled for this machine, then
8 bits (int8) on the CPU if they keep the accuracy, then float32. An operator's own network runs only if the settings
name it.
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
"""The largest loss of each accuracy, as a share, with which an engine of fewer bits is still selected."""

_PREFERRED: tuple[Precision, ...] = ("fp16", "int8", "fp32")
"""For a GPU. Launching kernels dominates a network of this size, so int8 saves little over fp16 and errs more."""

_SLACK = 1e-9  # 0.895 - 0.890 is a little more than 0.005


@dataclass(frozen=True)
class Candidate:
    """An engine that could run the kiosk's own network."""

    path: Path
    compiled: bool
    """Whether it was compiled for a GPU."""
    reason_rejected: str | None
    """The reason why it cannot be used; None if it can."""


def default_path() -> Path:
    """Returns the path of the kiosk's own network, in float32."""
    return locations.own_folder() / locations.NETWORK


def candidates(*, cpu_only: bool = False) -> Iterator[Candidate]:
    """Yields every engine of the kiosk's own network, the best first.

    The last one is the float32 network, which is never rejected. Raises `ManifestError`.
    """
    network = read_checked(default_path())[1]
    if not cpu_only:
        yield from _compiled_candidates(network)
    yield from _int8_candidates(network)
    yield Candidate(default_path(), compiled=False, reason_rejected=None)


def keeps_accuracy(manifest: Manifest, network: Manifest) -> bool:
    """Returns whether an engine of fewer bits loses at most `LOSS_ALLOWED` of each accuracy of its network.

    Both must have been measured on the same faces. A network without a measured accuracy accepts every engine.
    """
    return not network.accuracy or bool(manifest.accuracy and _is_as_good(manifest.accuracy, network.accuracy))


def same_faces(one: MeasuredAccuracy, other: MeasuredAccuracy) -> bool:
    """Returns whether two accuracies were measured on the same faces."""
    return (one.measured_on, one.faces) == (other.measured_on, other.faces)


def _is_as_good(fewer_bits: MeasuredAccuracy, network: MeasuredAccuracy) -> bool:
    return same_faces(fewer_bits, network) and all(
        getattr(network, task) - getattr(fewer_bits, task) <= LOSS_ALLOWED + _SLACK
        for task in ("gender", "age", "age_within_one")
    )


def _compiled_candidates(network: Manifest) -> list[Candidate]:
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
        if _exists(path):
            yield Candidate(path, compiled=False, reason_rejected=_reason_int8_rejected(path, network))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the folder belongs to another user
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
