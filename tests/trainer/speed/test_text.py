"""Tests of a speed measurement in Markdown."""

from __future__ import annotations

import pytest

from tests.fakes.timed import CPU_CEILINGS, MACHINE, result, row
from trainer.speed.result import Result
from trainer.speed.text import markdown, rounded

TABLE = result(
    row("facialnet.onnx", (1.0, 2.0, 4.0, 7.0)),
    row("small.onnx", (0.4, 0.7), "int8"),
    row("facialnet.engine", (), "fp16", "gpu", fault="there is no driver"),
    ceilings=CPU_CEILINGS,
    notes=("facialnet.engine was not measured: there is no driver",),
)


def lines(of: Result) -> list[str]:
    return markdown(of).splitlines()


def test_latency_is_median_and_95th_percentile() -> None:
    assert (
        "| facialnet.onnx | made-up CPU | float32 | 1.00 (1.50) | 2.00 (3.00) | 4.00 (6.00) | 7.00 (10.5) |"
    ) in lines(TABLE)


def test_a_batch_that_was_not_measured_is_a_dash() -> None:
    assert "| small.onnx | made-up CPU | int8 | 0.400 (0.600) | 0.700 (1.05) | – | – |" in lines(TABLE)


def test_throughput_is_compared_with_the_first_row_and_the_fastest_product() -> None:
    # 174.9 million multiply-adds: 8 faces in 7 ms are 200 billion a second, 2 in 0.7 ms are 500.
    assert (
        "| facialnet.onnx | 1,000 (1.00×) | 1,000 (1.00×) | 1,000 (1.00×) | 1,140 (1.00×) | 99.9 | 99.9 |"
    ) in lines(TABLE)
    assert "| small.onnx | 2,500 (2.50×) | 2,860 (2.86×) | – | – | 250 | 62.5 |" in lines(TABLE)


def test_an_engine_that_was_not_measured_says_why() -> None:
    page = lines(TABLE)
    assert "| facialnet.engine | made-up GPU | float16 | – | – | – | – |" in page
    assert "| facialnet.engine | – | – | – | – | – | – |" in page
    assert "- facialnet.engine was not measured: there is no driver" in page


def test_ceilings_have_their_units() -> None:
    page = lines(result(row("a", (1.0,)), batches=(1,), ceilings=CPU_CEILINGS))
    assert "| float32 | a fast library | 200 |" in page
    assert "| int8 | a fast library | 800 |" in page


def test_without_ceilings_there_are_dashes() -> None:
    assert "| a | 1,000 (1.00×) | – | – |" in lines(result(row("a", (1.0,)), batches=(1,)))


def test_the_machine_is_one_line_without_what_it_lacks() -> None:
    [line] = [line for line in lines(TABLE) if line.startswith("- processor")]
    assert line == r"- processor Some \| processor; cores 2; system Linux; Python 3.10.0; NumPy 2.0; ONNX Runtime 1.20"
    with_gpu = result(row("a", (1.0,)), batches=(1,), machine={**MACHINE, "gpu": "NVIDIA Orin"})
    assert any("NVIDIA GPU NVIDIA Orin" in line for line in lines(with_gpu))


def test_a_gpu_is_explained_only_where_one_was_measured() -> None:
    assert "a GPU's times" not in markdown(TABLE)
    assert "a GPU's times" in markdown(result(row("a", (1.0,)), row("b", (0.1,), device="gpu"), batches=(1,)))


@pytest.mark.parametrize(("other_cores", "warned"), [(None, False), (0.05, False), (1.6, True)])
def test_a_disturbed_measurement_has_a_warning(other_cores: float | None, warned: bool) -> None:
    page = markdown(result(row("a", (1.0,)), batches=(1,), other_cores=other_cores))
    assert ("- other processes kept 1.6 cores busy during the measurement" in page) == warned


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1234, "0.123"),
        (4.567, "4.57"),
        (89.12, "89.1"),
        (244.4, "244"),
        (999.7, "1,000"),
        (12345, "12,300"),
        (1, "1.00"),
    ],
)
def test_three_digits(value: float, text: str) -> None:
    assert rounded(value) == text
