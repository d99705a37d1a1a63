"""`trainer verify-engine`: a compiled engine against its network, on the GPU that is to run it."""

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
from trainer.evaluation.manifest_accuracy import measured
from trainer.evaluation.predict import predict_with
from trainer.export.parity import verify
from trainer.export.sample_crops import sample_crops

ACCURACY_OF = "accuracy of"
"""In a manifest's `built_by`: the file whose accuracy it has, until the engine's own is measured."""


class VerifyError(KioskError):
    """An engine that cannot be compared with its network."""


@dataclass(frozen=True)
class Proof:
    """What an engine was found to do on this machine."""

    manifest: Manifest
    """Its own, with what was found."""
    measured: MeasuredAccuracy | None
    """On the faces that were given. It is in the manifest only where it can be compared with the network's."""


def verify_engine(path: Path, faces: Faces | None = None) -> Proof:
    """Checks the engine in `path` here, and writes what was found into its manifest.

    With `faces` its accuracy is measured, too. Raises `VerifyError`, `ParityError`, `ManifestError`, and
    the `IncompatibleEngineError` that says why this machine cannot run it.
    """
    content, manifest = read_checked(path)
    if manifest.tensorrt is None:
        raise VerifyError(f"{path} is no compiled engine: there is nothing to check on another machine")
    reference = _reference(path, manifest.tensorrt.onnx_sha256)
    proof = proven(load_compiled(content, manifest, path), reference, faces)
    if read_checked(path)[1].sha256 != manifest.sha256:
        raise VerifyError(f"{path} was built again meanwhile: run this again")
    with replace_file(manifest_path(path)) as temporary:
        temporary.write_text(text_of(proof.manifest), encoding="utf-8")
    return proof


def proven(engine: Engine, reference: Engine, faces: Faces | None) -> Proof:
    """Compares an engine with its network, and closes both. Raises `ParityError` for one that strays."""
    try:
        device = gpu.find()
        manifest, accuracy = engine.manifest, None
        found = verify(engine, reference, sample_crops(), manifest.precision, device.name, device.capability)
        manifest = manifest.model_copy(update={"verified": found})
        if faces:
            accuracy = measured(predict_with(engine, engine.name, faces.crops(faces.rows("test"))), faces, "test")
            if manifest.accuracy is None or same_faces(accuracy, manifest.accuracy):
                built_by = {key: value for key, value in manifest.built_by.items() if key != ACCURACY_OF}
                manifest = manifest.model_copy(update={"accuracy": accuracy, "built_by": built_by})
        return Proof(manifest, accuracy)
    finally:
        engine.close()
        reference.close()


def _reference(path: Path, sha256: str) -> OnnxEngine:
    """The ONNX file with that checksum: beside the engine, or among those that come with the kiosk."""
    for folder in dict.fromkeys((path.parent, locations.own_folder())):
        for onnx in sorted(folder.glob("*.onnx")):
            try:
                content, manifest = read_checked(onnx)
            except ManifestError:
                continue
            if manifest.sha256 == sha256:
                return OnnxEngine(content, manifest)
    raise VerifyError(
        f"the ONNX file that {path.name} was built from is not here: put it, with its manifest, beside it"
    )
