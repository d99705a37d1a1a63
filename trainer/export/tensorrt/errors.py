"""Why TensorRT compiled nothing, in one line that says what to do.

TensorRT raises nothing: it returns None or False, and what it knows is in its log and in its parser's
list of errors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kiosk.common.errors import KioskError
from kiosk.inference.tensorrt.library import TensorRTLibrary
from kiosk.inference.tensorrt.logger import last_error, strip_source_locations

NO_NETWORK = "this is no whole ONNX file: copy or export it again"

_MEMORY = re.compile(r"out ?of ?memory|insufficient memory|could not be allocated|bad_alloc|MEM_ALLOC", re.IGNORECASE)
_ELSEWHERE = re.compile(r"Failed to open file|external weights|external file")
_UNKNOWN = re.compile(r"^false$|[Pp]lugin .*not found")  # an operator that is none of TensorRT's may be a plugin's


class BuildError(KioskError):
    """An engine that cannot be built, here or at all."""


def parse_refusal(library: TensorRTLibrary, parser: Any, logged: Sequence[str]) -> BuildError:
    """What TensorRT's ONNX parser has against a file; `logged` are the errors in the log."""
    if any(map(_MEMORY.search, logged)):
        return _no_memory(library, logged)
    if any(map(_ELSEWHERE.search, logged)):
        return BuildError("the ONNX file keeps its weights in another file: export it with everything in one")
    if not parser.num_errors:
        return BuildError(f"{library} refuses the ONNX file: {last_error(logged)}")
    complaint = parser.get_error(0)
    if complaint.code() == library.module.ErrorCode.MODEL_DESERIALIZE_FAILED:
        return BuildError(NO_NETWORK)
    where = ""
    if complaint.node() >= 0:
        name = complaint.node_name() or f"number {complaint.node()}"
        where = f" at its node {name}, operator {complaint.node_operator()}"
    said: str = complaint.desc()
    why = "it is not supported" if _UNKNOWN.search(said) else last_error(said.splitlines())
    return BuildError(f"{library} refuses the ONNX file{where}: {why}")


def build_refusal(library: TensorRTLibrary, logged: Sequence[str]) -> BuildError:
    """Why nothing was built; `logged` are the errors in the log."""
    if any(map(_MEMORY.search, logged)):
        return _no_memory(library, logged)
    why = last_error(logged)
    if "workspace" in why:
        return BuildError(f"{library} needs more room to build: ask for more with --workspace ({why})")
    if "Turing" in why:
        return BuildError(f"{library} builds no such engine for Turing, try --precision fp16: {why}")
    return BuildError(f"{library} cannot build the engine: {why}")


def _no_memory(library: TensorRTLibrary, logged: Sequence[str]) -> BuildError:
    why = next(text for text in logged if _MEMORY.search(text))
    return BuildError(
        f"{library} ran out of memory: close what else uses the GPU, "
        "or build with a smaller --max-batch, or a larger --workspace if you limited it "
        f"({strip_source_locations(why)})"
    )
