"""`trainer build-engine` in eight bits: the file that a CPU runs, or the one that TensorRT compiles.

They are different files (trainer/export/qdq.py). The second is made where the faces are, and compiled on the
machine that is to run it, which needs none.
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
from trainer.export.engine_files import check_place, name_of, write
from trainer.export.parity import verify
from trainer.export.qdq import Form
from trainer.export.quantise import Quantised, QuantiseError, quantised
from trainer.export.sample_crops import sample_crops

Say = Callable[[str], None]


def build_int8(onnx: Path | None, out: Path | None, calibration: Path | None, form: Form, say: Say) -> Path:
    """Brings `onnx`, by default the kiosk's own network, into eight bits; returns where it was written.

    Raises `QuantiseError`, and what reading the network or the faces raises.
    """
    if calibration is None:
        raise QuantiseError("eight bits are calibrated on faces: name a prepared folder with --calibration")
    source = onnx or default_path()
    content, manifest = read_checked(source)
    out = out or build_folder() / f"{name_of(manifest, source)}-{form}-int8.onnx"
    check_place(out, source)
    return write_int8(out, Faces.load([calibration]), form, say, content, manifest)


def write_int8(out: Path, faces: Faces, form: Form, say: Say, network: bytes, manifest: Manifest) -> Path:
    """Writes the content of a float32 ONNX file in eight bits, once it was found to say nearly the same."""
    result = quantised(network, manifest, faces, form)
    of_result = result.manifest(manifest)
    found = verify(
        OnnxEngine(result.content, of_result), OnnxEngine(network, manifest), sample_crops(), "int8", "CPU", None
    )
    of_result = of_result.model_copy(update={"verified": found})
    write(out, result.content, of_result)
    for line in _told(result, of_result, manifest):
        say(line)
    say(f"{out}: {len(result.content) / 1e6:.1f} MB, checked on {found}")
    return out


def _told(result: Quantised, manifest: Manifest, network: Manifest) -> list[str]:
    lines = [f"in float32: {result.before}", f"in eight bits: {result.accuracy}"]
    if result.kept_float:
        lines.append(
            f"left in float32 because they cost more than half a point: {', '.join(result.kept_float)} "
            f"(the worst loss went from {result.losses[0]:.1%} to {result.losses[-1]:.1%} on the calibration split)"
        )
    if not keeps_accuracy(manifest, network):
        lines.append(
            "this is more than half a point less than the network's own, or was measured on other faces: "
            "the kiosk will not choose it by itself"
        )
    return lines
