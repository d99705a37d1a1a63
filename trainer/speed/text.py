"""Writes a speed measurement as Markdown: latency, throughput, ceilings, the machine and notes."""

from __future__ import annotations

from collections.abc import Iterable

from trainer.report.markdown import escape, table
from trainer.speed.result import KINDS, MULTIPLY_ADDS, Result, Row

NOTHING = "–"
"""Shown where nothing was measured."""

_FACTS = {
    "cpu": "processor",
    "cores": "cores",
    "gpu": "NVIDIA GPU",
    "os": "system",
    "python": "Python",
    "numpy": "NumPy",
    "onnxruntime": "ONNX Runtime",
    "tensorrt": "TensorRT",
    "torch": "torch",
}


def markdown(result: Result) -> str:
    """Returns a whole result as three tables and a list of notes."""
    batches = [f"{batch}" for batch in result.batches]
    paragraphs = [
        "Latency, in ms per call: median (95th percentile), by the number of faces in the call.",
        table(
            ("engine", "runs on", "sums in", *batches),
            ((row.name, row.runs_on, KINDS[row.precision], *_latencies(result, row)) for row in result.rows),
            words=3,
        ),
        "Throughput, in faces per second (times the first row's), by the number of faces in the call.",
        table(
            ("engine", *batches, "% of float32 product", "% of its own product"),
            ((row.name, *_throughputs(result, row), *_shares(result, row)) for row in result.rows),
        ),
        "Ceilings: large matrix products on the CPU, by the median.",
        table(
            ("product of", "measured with", "GMAC/s"),
            ((each.kind, each.how, rounded(each.rate / 1e9)) for each in result.ceilings),
            words=2,
        ),
        "\n".join(f"- {escape(note)}" for note in (_machine_text(result), *_explanations(result), *result.notes)),
    ]
    return "\n\n".join(paragraphs)


def rounded(value: float) -> str:
    """Returns a number with three significant digits: 0.123, 4.57, 89.1, 244, 12,300."""
    if value >= 999.5:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:#.3g}".rstrip(".")


def _machine_text(result: Result) -> str:
    """Returns the machine's facts in one line, without those that are missing."""
    known = ((_FACTS[key], value) for key, value in result.machine.items() if value is not None)
    return "; ".join(f"{name} {value}" for name, value in known)


def _latencies(result: Result, row: Row) -> Iterable[str]:
    for batch in result.batches:
        timing = row.at(batch)
        yield f"{rounded(timing.median_ms)} ({rounded(timing.p95_ms)})" if timing else NOTHING


def _throughputs(result: Result, row: Row) -> Iterable[str]:
    for batch in result.batches:
        timing, ratio = row.at(batch), result.ratio(row, batch)
        yield f"{rounded(timing.faces_per_second)} ({rounded(ratio)}×)" if timing and ratio else NOTHING


def _shares(result: Result, row: Row) -> Iterable[str]:
    shares = (result.share_of_product(row, "float32"), result.share_of_product(row, KINDS[row.precision]))
    return (NOTHING if share is None else rounded(100 * share) for share in shares)


def _explanations(result: Result) -> Iterable[str]:
    yield f"everything was measured in turns in one run, in short bursts of calls; rounds: {result.rounds}"
    if result.is_disturbed:
        yield (
            f"other processes kept {result.other_cores:.1f} cores busy during the measurement: "
            "do not use these figures, measure again when the machine is idle"
        )
    yield (
        f"% of a product: multiply-adds (MAC) per second at the best throughput, of {MULTIPLY_ADDS / 1e6:.0f} million "
        "for a face, over those of the fastest matrix product of that kind"
    )
    if any(row.device == "gpu" and row.timings for row in result.rows):
        yield "a GPU's times include copying faces to it and answers from it"
