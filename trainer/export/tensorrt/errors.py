"""Turns TensorRT's failures into errors that say in one line what to do.

TensorRT raises no exceptions. It returns None or False, and the reason is in its log and in its parser's errors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kiosk.common.errors import KioskError
from kiosk.inference.tensorrt.library import TensorRTLibrary
from kiosk.inference.tensorrt.logger import last_error, strip_source_locations

NOT_ONNX = "this is not a complete ONNX file: copy or export it again"

_MEMORY = re.compile(r"out ?of ?memory|insufficient memory|could not be allocated|bad_alloc|MEM_ALLOC", re.IGNORECASE)
_EXTERNAL_WEIGHTS = re.compile(r"Failed to open file|external weights|external file")
_UNKNOWN = re.compile(r"^false$|[Pp]lugin .*not found")  # TensorRT takes an unknown operator for a plugin


class BuildError(KioskError):
    """An engine cannot be built, on this machine or at all."""


def parse_error(library: TensorRTLibrary, parser: Any, logged: Sequence[str]) -> BuildError:
    """Returns why TensorRT's ONNX parser refuses a file. `logged` are the errors in TensorRT's log."""
    if any(map(_MEMORY.search, logged)):
        return _out_of_memory(library, logged)
    if any(map(_EXTERNAL_WEIGHTS.search, logged)):
        return BuildError("the ONNX file has its weights in another file: export it as a single file")
    if not parser.num_errors:
        return BuildError(f"{library} refuses the ONNX file: {last_error(logged)}")
    parser_error = parser.get_error(0)
    if parser_error.code() == library.module.ErrorCode.MODEL_DESERIALIZE_FAILED:
        return BuildError(NOT_ONNX)
    where = ""
    if parser_error.node() >= 0:
        name = parser_error.node_name() or f"number {parser_error.node()}"
        where = f" at its node {name}, operator {parser_error.node_operator()}"
    description: str = parser_error.desc()
    why = "it is not supported" if _UNKNOWN.search(description) else last_error(description.splitlines())
    return BuildError(f"{library} refuses the ONNX file{where}: {why}")


def build_error(library: TensorRTLibrary, logged: Sequence[str]) -> BuildError:
    """Returns why nothing was built. `logged` are the errors in TensorRT's log."""
    if any(map(_MEMORY.search, logged)):
        return _out_of_memory(library, logged)
    why = last_error(logged)
    if "workspace" in why:
        return BuildError(f"{library} needs more memory to build: use a larger --workspace ({why})")
    if "Turing" in why:
        return BuildError(f"{library} cannot build this engine for Turing, use --precision fp16: {why}")
    return BuildError(f"{library} cannot build the engine: {why}")


def _out_of_memory(library: TensorRTLibrary, logged: Sequence[str]) -> BuildError:
    why = next(text for text in logged if _MEMORY.search(text))
    return BuildError(
        f"{library} ran out of memory: close other programs that use the GPU, "
        "or build with a smaller --max-batch, or with a larger --workspace if you limited it "
        f"({strip_source_locations(why)})"
    )
