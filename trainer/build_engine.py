"""`trainer build-engine`: the network → the fastest engine for a GPU, checked before it takes its place.

Its precision is in the ONNX file that is compiled: float32 as exported, float16 converted on the way,
eight bits calibrated before (trainer/quantise.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kiosk.engine import check, load_compiled
from kiosk.engine.manifest import Flavour, Manifest, Precision, manifest_path, sha256_of, text_of
from kiosk.engine.onnx import OnnxEngine
from kiosk.engine.places import BUILT_SUFFIX, build_folder
from kiosk.engine.tensorrt_library import library_for
from kiosk.engine.types import UnfitEngineError
from kiosk.files import replaced_safely
from trainer.build_int8 import Say, write_int8
from trainer.engine_source import EngineSource, read
from trainer.faces import Faces
from trainer.tensorrt_builder import Compiled, compile_engine
from trainer.verify_engine import proven


@dataclass(frozen=True)
class BuildOptions:
    """How to compile."""

    max_batch: int = 8
    workspace: int | None = None
    """MiB."""
    flavour: Flavour | None = None
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
    library = library_for(options.flavour)
    faces = Faces.load([calibration]) if calibration else None
    in_int8 = out.with_suffix(".onnx") if out else build_folder() / "facialnet-int8.onnx"
    source = read(onnx, precision, partial(write_int8, in_int8, faces, "tensorrt", say) if faces else None)
    out = out or build_folder() / f"{_name(source)}-{source.precision}{BUILT_SUFFIX}"
    say(f"{library} compiles {source.path.name} in {source.precision}")
    compiled = compile_engine(
        source.content,
        library,
        max_batch=options.max_batch,
        workspace=options.workspace,
        generations=options.generations,
        verbosity=options.verbosity,
    )
    manifest = _checked_here(compiled, _manifest(source, compiled), source, faces, out, say)
    with replaced_safely(manifest_path(out)) as beside_it, replaced_safely(out) as path:
        path.write_bytes(compiled.content)
        beside_it.write_text(text_of(manifest), encoding="utf-8")
    say(f"{out}: {len(compiled.content) / 1e6:.1f} MB, for 1 to {options.max_batch} faces at once")
    return out


def _name(source: EngineSource) -> str:
    """The kiosk's own network keeps its name, whatever form of it was compiled."""
    return "facialnet" if source.manifest.network == check().network else source.path.stem


def _manifest(source: EngineSource, compiled: Compiled) -> Manifest:
    """The engine's own; its accuracy is that of the file it was made of until it is measured itself."""
    return source.manifest.model_copy(
        update={
            "format": "tensorrt",
            "precision": source.precision,
            "sha256": sha256_of(compiled.content),
            "network_sha256": source.manifest.network,
            "built_by": {"tool": "trainer build-engine", "onnx": source.path.name},
            "tensorrt": compiled.build.model_copy(update={"onnx_sha256": source.manifest.sha256}),
            "verified": None,
        }
    )


def _checked_here(
    compiled: Compiled, manifest: Manifest, source: EngineSource, faces: Faces | None, out: Path, say: Say
) -> Manifest:
    try:
        engine = load_compiled(compiled.content, manifest)
    except UnfitEngineError as error:
        say(f"not checked here ({error}): on the machine that is to run it, run `trainer verify-engine {out}`")
        return manifest
    proof = proven(engine, OnnxEngine(source.file_content, source.manifest), faces)
    say(f"checked on {proof.manifest.verified}")
    if proof.measured:
        say(f"it has {proof.measured}")
    return proof.manifest
