"""ONNX Runtime on the CPU: the default engine, and the reference for all others."""

from __future__ import annotations

import os

import numpy as np

# The Linux wheels (at least of 1.32) start telemetry for Microsoft when they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

from kiosk.inference.base import Crops, EngineError, Probabilities
from kiosk.inference.manifest import CROP_SHAPE, Manifest

_FATAL_ONLY = 4  # other errors are raised too, and need no second line in the log
_FLOAT32 = "tensor(float)"
_MOST_THREADS = 4  # one small network gains nothing from more


class OnnxEngine:
    """A network in ONNX Runtime on the CPU."""

    name = "ONNX Runtime on the CPU"
    fault = None

    def __init__(self, content: bytes, manifest: Manifest) -> None:
        """`content` is the ONNX file, already checked against its manifest. Raises `EngineError`."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _FATAL_ONLY
        # No manifest covers weights in a second file, so ONNX Runtime must not find one.
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
        options.intra_op_num_threads = min(os.cpu_count() or 1, _MOST_THREADS)
        # Threads that wait by spinning would take the cores that the detector needs between two inferences.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common base but this
            raise EngineError(f"ONNX Runtime refuses the engine: {error}") from error
        _check_interface(session, manifest)
        self.manifest = manifest
        self._session: onnxruntime.InferenceSession | None = session

    def infer(self, crops: Crops) -> Probabilities:
        """Returns the probabilities of the crops. Raises `EngineError`."""
        if self._session is None:
            raise EngineError("the engine was closed")
        if not len(crops):
            return Probabilities(np.empty((0, 2), np.float32), np.empty((0, len(self.manifest.age_groups)), np.float32))
        try:
            gender, age = self._session.run(["gender", "age"], {"chips": crops})
        except Exception as error:  # ONNX Runtime's errors have no other common base
            raise EngineError(f"ONNX Runtime failed: {error}") from error
        return Probabilities(gender, age).require_finite()

    def close(self) -> None:
        """Frees the session. Later calls of `infer` raise `EngineError`."""
        self._session = None


def _check_interface(session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    """Raises `EngineError` if the file's inputs or outputs are not those that every engine must have."""
    inputs = {node.name: (node.type, node.shape) for node in session.get_inputs()}
    outputs = {node.name: node.shape for node in session.get_outputs()}
    if list(inputs) != ["chips"] or inputs["chips"][0] != _FLOAT32 or inputs["chips"][1][1:] != list(CROP_SHAPE[1:]):
        raise EngineError(f"the engine's inputs are {inputs}, they must be chips, float32 (n, 1, 75, 75)")
    if isinstance(inputs["chips"][1][0], int):
        raise EngineError("the engine takes a fixed number of chips; export it with a dynamic batch")
    expected = {"gender": [len(manifest.gender_labels)], "age": [len(manifest.age_groups)]}
    if {name: shape[1:] for name, shape in outputs.items()} != expected:
        raise EngineError(f"the engine's outputs are {outputs}, its manifest says {expected}")
