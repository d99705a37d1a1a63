"""`trainer build-engine`: the network → the fastest engine for a GPU, checked before it takes its place.

Its precision is in the ONNX file that is compiled: float32 as exported, float16 converted on the way,
eight bits calibrated before (trainer/export/quantise.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kiosk.inference import Manifest, load_compiled
from kiosk.inference.base import IncompatibleEngineError
from kiosk.inference.locations import BUILT_SUFFIX, build_folder
from kiosk.inference.manifest import Flavour, Precision, sha256_of
from kiosk.inference.onnx_runtime import OnnxEngine
from kiosk.inference.tensorrt.library import check_compatibility, library_for
from trainer.data.faces import Faces
from trainer.export.build_int8 import Say, write_int8
from trainer.export.engine_files import EngineSource, check_place, name_of, read, write
from trainer.export.sample_crops import sample_crops
from trainer.export.tensorrt.builder import Compiled, capabilities_of, compile_engine
from trainer.export.verify_engine import ACCURACY_OF, proven


@dataclass(frozen=True)
class BuildOptions:
    """How to compile."""

    max_batch: int = 8
    workspace: int | None = None
    """MiB."""
    runtime: Flavour | None = None
    """By default TensorRT where it is installed, else TensorRT for RTX."""
    generations: Sequence[str] = ()
    verbosity: int = 0


def build_engine(
    onnx: Path | None,
    precision: Precision | None,
    out: Path | None,
    calibration: Path | None,
    options: BuildOptions,
    say: Say,
) -> Path:
    """Compiles `onnx` and writes the engine and its manifest to `out`, which is returned.

    By default the kiosk's own network is compiled, and kept where the kiosk looks for it. Where this
    machine can run the engine it is compared with ONNX Runtime first, and nothing is written of one that
    strays. `say` is told, line by line, what came out. Raises what any of it raises.
    """
    library = library_for(options.runtime)
    if library.flavour == "tensorrt_rtx":
        capabilities_of(options.generations)  # refuses one that it does not build for
    if out:
        check_place(out, *filter(None, [onnx]))
    faces = Faces.load([calibration]) if calibration else None
    source = read(onnx, precision, partial(_in_eight_bits, out, faces, say) if faces else None)
    out = out or build_folder() / f"{name_of(source.manifest, source.path)}-{source.precision}{BUILT_SUFFIX}"
    check_place(out, source.path)
    reference = OnnxEngine(source.file_content, source.manifest)
    reference.infer(sample_crops())  # a network that says nothing is not worth minutes of compiling
    say(f"{library} compiles {source.path.name} in {source.precision}")
    compiled = compile_engine(
        source.content,
        library,
        max_batch=options.max_batch,
        workspace=options.workspace,
        generations=options.generations,
        verbosity=options.verbosity,
    )
    manifest = _checked_here(compiled, _manifest(source, compiled), reference, faces, out, say)
    write(out, compiled.content, manifest)
    say(f"{out}: {len(compiled.content) / 1e6:.1f} MB, for 1 to {options.max_batch} faces at once")
    return out


def _in_eight_bits(out: Path | None, faces: Faces, say: Say, onnx: Path, content: bytes, manifest: Manifest) -> Path:
    """The ONNX file that comes between, beside the engine."""
    folder, name = (out.parent, out.stem.removesuffix("-int8")) if out else (build_folder(), name_of(manifest, onnx))
    between = folder / f"{name}-int8.onnx"
    check_place(between, onnx)
    return write_int8(between, faces, "tensorrt", say, content, manifest)


def _manifest(source: EngineSource, compiled: Compiled) -> Manifest:
    """The engine's own; its accuracy is that of the file it was made of until it is measured itself."""
    return source.manifest.model_copy(
        update={
            "format": "tensorrt",
            "precision": source.precision,
            "sha256": sha256_of(compiled.content),
            "network_sha256": source.manifest.network,
            "built_by": {"tool": "trainer build-engine", "onnx": source.path.name, ACCURACY_OF: source.path.name},
            "tensorrt": compiled.build.model_copy(update={"onnx_sha256": source.manifest.sha256}),
            "verified": None,
        }
    )


def _checked_here(
    compiled: Compiled, manifest: Manifest, reference: OnnxEngine, faces: Faces | None, out: Path, say: Say
) -> Manifest:
    try:
        check_compatibility(compiled.build)
    except IncompatibleEngineError as error:
        say(f"not checked here ({error}): on the machine that is to run it, run `trainer verify-engine {out}`")
        return manifest
    proof = proven(load_compiled(compiled.content, manifest), reference, faces)
    say(f"checked on {proof.manifest.verified}")
    if proof.measured:
        say(f"it has {proof.measured}")
    return proof.manifest
