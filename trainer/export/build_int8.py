"""`trainer build-engine` in eight bits: writes the ONNX file that a CPU runs, or the one that TensorRT compiles.

The two are different files (trainer/export/qdq.py). The second is written on the machine that has the faces. The
machine that compiles and runs it needs no faces.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kiosk.inference import Manifest, default_path
from kiosk.inference.locations import build_folder
from kiosk.inference.manifest import read_checked
from kiosk.inference.onnx_runtime import OnnxEngine
from kiosk.inference.selection import keeps_accuracy
from trainer.data.faces import Faces
from trainer.export.engine_files import check_output_path, network_name, write_engine
from trainer.export.parity import verify
from trainer.export.qdq import Form
from trainer.export.quantise import QuantisedNetwork, QuantiseError, quantise
from trainer.export.sample_crops import sample_crops

PrintLine = Callable[[str], None]
"""Shows one line of a report to the user."""


def build_int8(
    onnx: Path | None, out: Path | None, calibration: Path | None, form: Form, print_line: PrintLine
) -> Path:
    """Quantises an ONNX file, by default the kiosk's own network, to eight bits; returns the path of the result.

    `calibration` is a prepared folder. Raises `QuantiseError`, `ManifestError`, `PreparedDataError`, and what
    `write_int8` raises.
    """
    if calibration is None:
        raise QuantiseError("eight bits are calibrated on faces: name a prepared folder with --calibration")
    source = onnx or default_path()
    content, manifest = read_checked(source)
    out = out or build_folder() / f"{network_name(manifest, source)}-{form}-int8.onnx"
    check_output_path(out, source)
    return write_int8(out, Faces.load([calibration]), form, print_line, content, manifest)


def write_int8(out: Path, faces: Faces, form: Form, print_line: PrintLine, network: bytes, manifest: Manifest) -> Path:
    """Quantises a float32 ONNX file's content, verifies that the probabilities stay near, and writes it; returns `out`.

    Raises `QuantiseError`, `NetworkError`, `AccuracyError`, `ParityError` and `EngineError`.
    """
    result = quantise(network, manifest, faces, form)
    of_result = result.manifest(manifest)
    found = verify(
        OnnxEngine(result.content, of_result), OnnxEngine(network, manifest), sample_crops(), "int8", "CPU", None
    )
    of_result = of_result.model_copy(update={"verified": found})
    write_engine(out, result.content, of_result)
    for line in _report_lines(result, of_result, manifest):
        print_line(line)
    print_line(f"{out}: {len(result.content) / 1e6:.1f} MB, checked on {found}")
    return out


def _report_lines(result: QuantisedNetwork, manifest: Manifest, network: Manifest) -> list[str]:
    lines = [f"in float32: {result.before}", f"in eight bits: {result.accuracy}"]
    if result.kept_float32:
        lines.append(
            f"left in float32, because they lost more than half a point: {', '.join(result.kept_float32)} "
            f"(the largest loss went from {result.losses[0]:.1%} to {result.losses[-1]:.1%} on the calibration split)"
        )
    if not keeps_accuracy(manifest, network):
        lines.append(
            "this is more than half a point less than the network's own, or was measured on other faces: "
            "the kiosk does not choose it by itself, so name it in the settings"
        )
    return lines
