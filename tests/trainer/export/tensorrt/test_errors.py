"""Tests of errors made from TensorRT's log, with real messages of versions 10 and 11 and of TensorRT for RTX."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kiosk.inference.tensorrt.library import TensorRTLibrary
from trainer.export.tensorrt.errors import NOT_ONNX, build_error, parse_error

DESERIALIZE_FAILED, UNSUPPORTED_NODE = 3, 8
LIBRARY: Any = TensorRTLibrary(
    SimpleNamespace(ErrorCode=SimpleNamespace(MODEL_DESERIALIZE_FAILED=DESERIALIZE_FAILED)), "tensorrt", "10.3.0.26"
)


class Parser:
    """A parser with one error at a node, or with none."""

    def __init__(self, code: int = UNSUPPORTED_NODE, node: int = -1, **error: str) -> None:
        self.num_errors = 1 if error else 0
        self._error = {"node_name": "", "node_operator": "", **error}
        self._error_numbers = {"code": code, "node": node}

    def get_error(self, index: int) -> SimpleNamespace:
        assert index == 0
        answers = {**self._error, **self._error_numbers}
        return SimpleNamespace(**{name: lambda answer=answer: answer for name, answer in answers.items()})


@pytest.mark.parametrize(
    "logged",
    [
        "[virtualMemoryBuffer.cpp::resizePhysical::154] Error Code 2: OutOfMemory (Requested size was 8 bytes.)",
        "[defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)",
        "Unexpected exception std::bad_alloc",
    ],
)
def test_a_lack_of_memory_is_reported_whatever_was_logged_after_it(logged: str) -> None:
    last = "IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (No implementation. In a at b)"
    for refusal in (build_error(LIBRARY, [logged, last]), parse_error(LIBRARY, Parser(), [logged, last])):
        assert str(refusal).startswith(
            "TensorRT 10.3.0.26 ran out of memory: close other programs that use the GPU, or build with"
        )
        assert "--max-batch" in str(refusal)


def test_a_small_workspace_is_an_error_that_names_the_option() -> None:
    refusal = build_error(
        LIBRARY,
        [
            "IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any implementation for "
            "node conv1 due to insufficient workspace. See verbose log for requested sizes. In a at b.cpp:1)"
        ],
    )
    assert "--workspace (Could not find any implementation for node conv1 due to insufficient workspace." in str(
        refusal
    )


def test_an_unnamed_node_is_identified_by_its_number() -> None:
    parser = Parser(node=7, node_operator="Det", desc="false")
    assert str(parse_error(LIBRARY, parser, [])) == (
        "TensorRT 10.3.0.26 refuses the ONNX file at its node number 7, operator Det: it is not supported"
    )


def test_the_error_names_the_node_and_the_reason() -> None:
    parser = Parser(
        node=7,
        node_name="age/pool",
        node_operator="MaxPool",
        desc="Assertion failed: nbDims == 4: Only 2D.",
    )
    assert str(parse_error(LIBRARY, parser, [])) == (
        "TensorRT 10.3.0.26 refuses the ONNX file at its node age/pool, operator MaxPool: nbDims == 4: Only 2D."
    )


def test_without_a_parser_error_the_log_gives_the_reason() -> None:
    assert str(parse_error(LIBRARY, Parser(), ["no such thing"])).endswith("refuses the ONNX file: no such thing")


def test_a_file_that_cannot_be_parsed_is_not_onnx() -> None:
    assert str(parse_error(LIBRARY, Parser(code=DESERIALIZE_FAILED, desc="no"), ["no"])) == NOT_ONNX
