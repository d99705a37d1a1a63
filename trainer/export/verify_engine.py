"""`trainer verify-engine`: compares a compiled engine with its network, on the GPU that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from kiosk.estimate import MeasuredAccuracy
from kiosk.inference import Engine, Manifest, ManifestError, gpu, load_compiled, locations
from kiosk.inference.manifest import manifest_path, read_checked, text_of
from kiosk.inference.onnx_runtime import OnnxEngine
from kiosk.inference.selection import same_faces
from trainer.data.faces import Faces
from trainer.evaluation.manifest_accuracy import manifest_accuracy
from trainer.evaluation.predict import predict_with
from trainer.export.parity import verify
from trainer.export.sample_crops import sample_crops

ACCURACY_OF = "accuracy of"
"""Key in a manifest's `built_by`: the file that its accuracy was measured with, until the engine's own is."""


class VerifyError(KioskError):
    """An engine cannot be compared with its network."""


@dataclass(frozen=True)
class VerifiedEngine:
    """The result of a verification on this machine."""

    manifest: Manifest
    """The engine's manifest, with the result."""
    measured: MeasuredAccuracy | None
    """Accuracy on the given faces. It is in the manifest only if it can be compared with the network's."""


def verify_engine(path: Path, faces: Faces | None = None) -> VerifiedEngine:
    """Verifies an engine file on this machine's GPU, writes the result into its manifest, and returns it.

    With `faces`, its accuracy is measured, too. Raises `VerifyError`, `ParityError`, `ManifestError`, and
    `IncompatibleEngineError` if this machine cannot run it.
    """
    content, manifest = read_checked(path)
    if manifest.tensorrt is None:
        raise VerifyError(f"{path} is not a compiled engine: only compiled engines are verified")
    reference = _reference(path, manifest.tensorrt.onnx_sha256)
    verified = verify_here(load_compiled(content, manifest, path), reference, faces)
    if read_checked(path)[1].sha256 != manifest.sha256:
        raise VerifyError(f"{path} was built again during the verification: run the command again")
    with replace_file(manifest_path(path)) as temporary:
        temporary.write_text(text_of(verified.manifest), encoding="utf-8")
    return verified


def verify_here(engine: Engine, reference: Engine, faces: Faces | None) -> VerifiedEngine:
    """Compares an engine with its network on this machine's GPU, and closes both.

    With `faces`, accuracy is measured on their test split. Raises `ParityError` and `EngineError`.
    """
    try:
        device = gpu.find()
        manifest, accuracy = engine.manifest, None
        found = verify(engine, reference, sample_crops(), manifest.precision, device.name, device.capability)
        manifest = manifest.model_copy(update={"verified": found})
        if faces:
            accuracy = manifest_accuracy(
                predict_with(engine, engine.name, faces.crops(faces.rows("test"))), faces, "test"
            )
            if manifest.accuracy is None or same_faces(accuracy, manifest.accuracy):
                built_by = {key: value for key, value in manifest.built_by.items() if key != ACCURACY_OF}
                manifest = manifest.model_copy(update={"accuracy": accuracy, "built_by": built_by})
        return VerifiedEngine(manifest, accuracy)
    finally:
        engine.close()
        reference.close()


def _reference(path: Path, sha256: str) -> OnnxEngine:
    """Opens the ONNX file with a checksum, which is beside the engine or among those that the kiosk ships."""
    for folder in dict.fromkeys((path.parent, locations.own_folder())):
        for onnx in sorted(folder.glob("*.onnx")):
            try:
                content, manifest = read_checked(onnx)
            except ManifestError:
                continue
            if manifest.sha256 == sha256:
                return OnnxEngine(content, manifest)
    raise VerifyError(
        f"the ONNX file that {path.name} was built from is not here: copy it and its manifest beside the engine"
    )
