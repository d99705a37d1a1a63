"""A speed measurement as Markdown: latency, throughput, ceilings, the machine, and what is to be known of them."""

from __future__ import annotations

from collections.abc import Iterable

from trainer.report.markdown import escaped, table
from trainer.speed.result import KINDS, MULTIPLY_ADDS, Ceiling, Device, Result, Row

NOTHING = "–"
"""Where nothing was measured."""

DEVICES: dict[Device, str] = {"cpu": "CPU", "gpu": "GPU"}

FACTS = {
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
    """Everything, as tables and a list."""
    batches = [f"{batch}" for batch in result.batches]
    paragraphs = [
        "Latency, in milliseconds a call: median (95th percentile), by the faces in it.",
        table(
            ("engine", "runs on", "sums in", *batches, "cores busy"),
            (
                (row.name, row.runs_on, KINDS[row.precision], *_latencies(result, row), _number(row.cores, 1))
                for row in result.rows
            ),
            words=3,
        ),
        "Throughput, in faces a second (times the first row's), by the faces in a call; and how near it comes to the "
        "machine's ceilings.",
        table(
            ("engine", *batches, "% of float32 product", "% of its own product", "% of copy"),
            ((row.name, *_throughputs(result, row), *_shares(result, row)) for row in result.rows),
        ),
        "Ceilings: the most that the machine did, by the median.",
        table(
            ("of", "measured with", "rate", "cores busy"),
            ((_title(each), each.how, rate_text(each), _number(each.cores, 1)) for each in result.ceilings),
            words=2,
        ),
        "\n".join(f"- {escaped(note)}" for note in (machine_text(result), *_explained(result), *result.notes)),
    ]
    return "\n\n".join(paragraphs)


def machine_text(result: Result) -> str:
    """The machine in one line; what it lacks is left out."""
    known = ((FACTS[key], value) for key, value in result.machine.items() if value is not None)
    return "; ".join(f"{name} {value}" for name, value in known)


def rate_text(ceiling: Ceiling) -> str:
    """`244 GMAC/s`, `25.0 TMAC/s` or `40.0 GB/s`."""
    unit = "B" if ceiling.kind == "copy" else "MAC"
    scale, prefix = (1e12, "T") if ceiling.rate >= 1e12 else (1e9, "G")
    return f"{rounded(ceiling.rate / scale)} {prefix}{unit}/s"


def rounded(value: float) -> str:
    """Three digits: 0.123, 4.57, 89.1, 244, 12,300."""
    if value >= 999.5:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:#.3g}".rstrip(".")


def _title(ceiling: Ceiling) -> str:
    what = "copy of memory" if ceiling.kind == "copy" else f"{ceiling.kind} matrix product"
    return f"{DEVICES[ceiling.device]}: {what}"


def _latencies(result: Result, row: Row) -> Iterable[str]:
    for batch in result.batches:
        timing = row.at(batch)
        yield f"{rounded(timing.median_ms)} ({rounded(timing.p95_ms)})" if timing else NOTHING


def _throughputs(result: Result, row: Row) -> Iterable[str]:
    for batch in result.batches:
        timing, ratio = row.at(batch), result.ratio(row, batch)
        yield f"{rounded(timing.faces_per_second)} ({rounded(ratio)}×)" if timing and ratio else NOTHING


def _shares(result: Result, row: Row) -> Iterable[str]:
    shares = (
        result.share_of_product(row, "float32"),
        result.share_of_product(row, KINDS[row.precision]),
        result.share_of_copy(row),
    )
    return (NOTHING if share is None else rounded(100 * share) for share in shares)


def _explained(result: Result) -> Iterable[str]:
    yield f"measured in turns in one run, in short bursts of calls; rounds: {result.rounds}"
    if result.disturbed:
        yield (
            f"other processes kept {result.others:.1f} cores busy meanwhile, which slows most what takes long: "
            "these figures are of little use, measure again when the machine is quiet"
        )
    yield (
        f"% of a product: a face is {MULTIPLY_ADDS / 1e6:.0f} million multiply-adds (MAC), and where two products of "
        "a kind were measured the faster one counts; at the batch of most faces a second"
    )
    yield (
        "% of copy: the weights, read once a call with the fewest faces, over the bytes that a copy reads and writes; "
        "where this is small, memory is not what holds an engine back"
    )
    yield "cores busy: processor time over time, of this process alone"
    if "gpu" in result.devices:
        yield "a GPU's times begin and end with faces and answers in the machine's own memory"


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
