"""One line from what TensorRT left in its log, in its own words of versions 10 and 11 and of that for RTX."""

from __future__ import annotations

import gc

import pytest

from kiosk.inference.tensorrt.logger import garbage_collection_paused, last_error

NO_DRIVER = (
    "[checkMacros.cpp::catchCudaError::250] Error Code 1: Cuda Runtime (In catchCudaError at "
    "/_src/common/dispatch/checkMacros.cpp:250 (cudaError 35: CUDA driver version is insufficient for CUDA runtime "
    "version))"
)


@pytest.mark.parametrize(
    ("logged", "expected"),
    [
        (
            "IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any implementation for "
            "node {ForeignNode[conv1...age]}. In computeCosts at /_src/build/cask/tacticOptimizer.cpp:3869)",
            "Could not find any implementation for node {ForeignNode[conv1...age]}.",
        ),
        (
            "IBuilder::buildSerializedNetwork: Error Code 1: Myelin ([pass.cpp:337: check_turing_op_compatibility] "
            "Cannot compile operation 'node_linear_3' for Turing (SM75): FP32 GEMM is not supported. In compileGraph "
            "at /_src/optimizer/myelin/codeGenerator.cpp:2012)",
            "Cannot compile operation 'node_linear_3' for Turing (SM75): FP32 GEMM is not supported.",
        ),
        (NO_DRIVER, "(cudaError 35: CUDA driver version is insufficient for CUDA runtime version)"),
        ("something that it never said before", "something that it never said before"),
    ],
)
def test_the_reason_is_what_it_says_without_where_in_its_code(logged: str, expected: str) -> None:
    assert last_error([logged]) == expected


def test_a_missing_driver_is_not_why_something_else_failed() -> None:
    assert last_error(["first", "why", NO_DRIVER]) == "why"


def test_no_word_is_no_reason() -> None:
    assert last_error([]) == "it does not say why"


@pytest.mark.parametrize("before", [True, False])
def test_nothing_is_collected_meanwhile(before: bool) -> None:
    if not before:
        gc.disable()
    try:
        with garbage_collection_paused():
            assert not gc.isenabled()
        assert gc.isenabled() is before
    finally:
        gc.enable()
