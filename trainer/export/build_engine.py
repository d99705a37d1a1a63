"""`trainer build-engine`: compiles a network into an engine for a GPU, and verifies it before it is written.

The compiled ONNX file determines the precision: float32 as exported, float16 converted here, eight bits calibrated
before (trainer/export/quantise.py).
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
from trainer.export.build_int8 import PrintLine, write_int8
from trainer.export.engine_files import EngineSource, check_output_path, network_name, read_source, write_engine
from trainer.export.sample_crops import sample_crops
from trainer.export.tensorrt.builder import CompiledEngine, compile_engine, compute_capabilities
from trainer.export.verify_engine import ACCURACY_OF, verify_here


@dataclass(frozen=True)
class BuildOptions:
    """Options of the compilation."""

    max_batch: int = 8
    """Most faces in a call."""
    workspace: int | None = None
    """Most memory of a layer, in MiB; None: no limit."""
    runtime: Flavour | None = None
    """None: TensorRT if it is installed, otherwise TensorRT for RTX."""
    generations: Sequence[str] = ()
    """GPU generations for TensorRT for RTX, see `builder.GENERATIONS`; none: its default ones."""
    verbosity: int = 0
    """0: a progress bar; 1: TensorRT's messages; 2: all of them."""


def build_engine(
    onnx: Path | None,
    precision: Precision | None,
    out: Path | None,
    calibration: Path | None,
    options: BuildOptions,
    print_line: PrintLine,
) -> Path:
    """Compiles an ONNX file, writes the engine and its manifest to `out`, and returns `out`.

    By default it compiles the kiosk's own network and writes it to the folder where the kiosk looks for engines. If
    this machine can run the engine, its probabilities are compared with ONNX Runtime's first. An engine that differs
    too much is not written. `calibration` is a prepared folder: eight bits are calibrated, and accuracy is measured, on
    its faces. `print_line` gets each line of the report. Raises `BuildError`, `SourceError`, `EngineFileError`,
    `ParityError`, and what reading the files raises.
    """
    library = library_for(options.runtime)
    if library.flavour == "tensorrt_rtx":
        compute_capabilities(options.generations)  # raises for an unknown one, before any work
    if out:
        check_output_path(out, *filter(None, [onnx]))
    faces = Faces.load([calibration]) if calibration else None
    source = read_source(onnx, precision, partial(_write_int8_beside, out, faces, print_line) if faces else None)
    out = out or build_folder() / f"{network_name(source.manifest, source.path)}-{source.precision}{BUILT_SUFFIX}"
    check_output_path(out, source.path)
    reference = OnnxEngine(source.file_content, source.manifest)
    reference.infer(sample_crops())  # raises for a damaged network, before minutes of compiling
    print_line(f"{library} compiles {source.path.name} in {source.precision}")
    compiled = compile_engine(
        source.content,
        library,
        max_batch=options.max_batch,
        workspace=options.workspace,
        generations=options.generations,
        verbosity=options.verbosity,
    )
    manifest = _verify_if_possible(compiled, _manifest(source, compiled), reference, faces, out, print_line)
    write_engine(out, compiled.content, manifest)
    print_line(f"{out}: {len(compiled.content) / 1e6:.1f} MB, for 1 to {options.max_batch} faces at once")
    return out


def _write_int8_beside(
    out: Path | None, faces: Faces, print_line: PrintLine, onnx: Path, content: bytes, manifest: Manifest
) -> Path:
    """Writes the ONNX file in eight bits beside the engine that is compiled from it, and returns its path."""
    folder, name = (
        (out.parent, out.stem.removesuffix("-int8")) if out else (build_folder(), network_name(manifest, onnx))
    )
    between = folder / f"{name}-int8.onnx"
    check_output_path(between, onnx)
    return write_int8(between, faces, "tensorrt", print_line, content, manifest)


def _manifest(source: EngineSource, compiled: CompiledEngine) -> Manifest:
    """Returns the engine's manifest. Its accuracy is that of the ONNX file until the engine's own is measured."""
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


def _verify_if_possible(
    compiled: CompiledEngine,
    manifest: Manifest,
    reference: OnnxEngine,
    faces: Faces | None,
    out: Path,
    print_line: PrintLine,
) -> Manifest:
    try:
        check_compatibility(compiled.build)
    except IncompatibleEngineError as error:
        print_line(f"not checked here ({error}): run `trainer verify-engine {out}` on the machine that uses it")
        return manifest
    verified = verify_here(load_compiled(compiled.content, manifest), reference, faces)
    print_line(f"checked on {verified.manifest.verified}")
    if verified.measured:
        print_line(f"accuracy: {verified.measured}")
    return verified.manifest
