"""Judges a soak by its sales, recovery from faults, drift, standard error and written files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.soak import audit
from benchmarks.soak.drift import Drift, drifts
from benchmarks.soak.driver import Recording
from benchmarks.soak.faults import WITHIN_S, Fault
from kiosk.vending.journal import JournalError, read_verified
from kiosk.vending.journal.facts import Fact

MAY_BE_WRITTEN = (
    r"state/journal\.db(-wal|-shm|-journal|\.lock|\.begun)?",
    r"state/(terminal|dispenser)\.jsonl",
    r"sandbox/tmp/kiosk-demo-[^/]+/(\.)?(attendant|service)-tries[^/]*",
    r"state/(\.)?(attendant|service)-tries[^/]*",
    r"sandbox/cache/facialnet-kiosk/\.?frontal-face-detector-[^/]+\.svm[^/]*",
    r"sandbox/cache/(fontconfig|matplotlib)/.*",
    r"sandbox/config/.*\.(conf|ini)[^/]*",
    r"(clip\.mp4|kiosk\.toml)",  # the soak's own
)
"""Patterns of files that may be written below the soak's folder. The detector's file holds no face."""
IN_MEMORY = ("/dev/shm/", "/memfd:")
PICTURES = (rb"\x89PNG\r\n", rb"\xff\xd8\xff", rb"GIF8", rb"WEBPVP8", rb"ftyp", rb"\x93NUMPY")
_MOST_READ = 1 << 25
STRETCH_S = 120.0
"""Seconds of each stretch in which at least one payment must be settled."""
TROUBLE = re.compile(
    r"Traceback \(most recent|Fatal Python error|Segmentation fault|the window failed|QObject::|QPainter::"
)


def problems(recording: Recording, folder: Path) -> list[str]:
    """Returns one line for each problem; none if the machine survived the soak."""
    facts, damage = journal(folder)
    return [
        *recording.problems,
        *damage,
        *audit.problems(facts, recording.truth),
        *pace_problems(recording),
        *fault_problems(recording.faults),
        *drift_problems(all_drifts(recording.rows)),
        *error_problems(recording.errors),
        *file_problems(recording.written, folder),
    ]


def journal(folder: Path) -> tuple[list[Fact], list[str]]:
    """Returns the facts of the verified journal, or the reason why it cannot be read."""
    try:
        entries, _ = read_verified(folder / "state" / "journal.db")
    except JournalError as error:
        return [], [str(error)]
    return [entry.fact for entry in entries], []


def pace_problems(recording: Recording) -> Iterator[str]:
    """Yields each stretch of time without a sale: a machine that does nothing makes no mistakes either."""
    stretches = max(int(recording.seconds // STRETCH_S), 1)
    counts, edges = np.histogram(recording.sold, stretches, (0.0, recording.seconds))
    for sold, start, end in zip(counts, edges, edges[1:], strict=False):
        if not sold:
            yield f"nothing was sold between {start:.0f} and {end:.0f} s"


def fault_problems(faults: Sequence[Fault]) -> Iterator[str]:
    """Yields each fault from which the machine did not recover in time."""
    for fault in faults:
        if not fault.in_time:
            took = "never" if fault.mended is None or fault.over is None else f"after {fault.mended - fault.over:.0f} s"
            yield f"{fault.kind} at {fault.began:.0f} s: recovered from {took}, not within {WITHIN_S[fault.kind]:g} s"


def all_drifts(rows: Sequence[Mapping[str, Any]]) -> list[Drift]:
    """Returns the drifts of both processes. The latency of observations counts as vision's."""
    found: list[Drift] = []
    for of, also in (("kiosk", ()), ("vision", ("latency_ms",))):
        samples = [
            {"time": row["time"], **row[of], **{name: row.get(name) for name in also}} for row in rows if row.get(of)
        ]
        found += drifts(of, samples)
    return found


def drift_problems(found: Sequence[Drift]) -> Iterator[str]:
    """Yields each drift beyond its limit."""
    for drift in found:
        if drift.exceeds_limit:
            yield (
                f"{drift.measure} of {drift.of} grew by {drift.grown:.1f} in {drift.seconds:.0f} s "
                f"({drift.hourly:+.1f} an hour), more than {drift.limit:.1f}"
            )


def error_problems(lines: Sequence[str]) -> Iterator[str]:
    """Yields each line of standard error that shows an unhandled error."""
    for line in lines:
        if TROUBLE.search(line):
            yield f"on standard error: {line}"


def file_problems(written: set[str], folder: Path) -> Iterator[str]:
    """Yields each file that must not have been written, and each file that holds a picture."""
    for path in sorted(written):
        inside = path.removeprefix(f"{folder}/")
        if not path.startswith(IN_MEMORY) and not _may_be_written(inside.removesuffix(" (deleted)")):
            yield f"{path} was open for writing"
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if not file.is_file() or name == "clip.mp4":
            continue
        if not _may_be_written(name):
            yield f"{name} was written"
        with file.open("rb") as content:
            start = content.read(_MOST_READ)
        if not name.endswith(".svm") and any(re.search(mark, start) for mark in PICTURES):
            yield f"{name} holds a picture"


def _may_be_written(name: str) -> bool:
    return any(re.fullmatch(each, name) for each in MAY_BE_WRITTEN)


def report(recording: Recording, folder: Path, found: Sequence[str]) -> dict[str, Any]:
    """Returns the results of the soak, ready for JSON."""
    facts, _ = journal(folder)
    latencies = [row["latency_ms"] for row in recording.rows if row.get("latency_ms") is not None]
    late = [row["late_ms"] for row in recording.rows if row.get("late_ms") is not None]
    return {
        "seed": recording.seed,
        "seconds": recording.seconds,
        "problems": list(found),
        "customers": recording.served,
        **audit.summary(facts, recording.truth),
        "rows_in_journal": len(facts),
        "faults": _by_kind(recording.faults),
        "latency_ms": _spread(latencies),
        "turn_late_ms": _spread(late),
        "drift": [
            {
                "of": drift.of,
                "measure": drift.measure,
                "seconds": round(drift.seconds),
                "hourly": round(drift.hourly, 2),
                "grown": round(drift.grown, 2),
                "limit": round(drift.limit, 2),
            }
            for drift in all_drifts(recording.rows)
        ],
        "said": dict(Counter(_common(line) for line in recording.errors).most_common(40)),
    }


def _by_kind(faults: Sequence[Fault]) -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    for kind in sorted({fault.kind for fault in faults}):
        these = [fault for fault in faults if fault.kind == kind]
        took = [fault.mended - fault.over for fault in these if fault.mended is not None and fault.over is not None]
        kinds[kind] = {
            "times": len(these),
            "recovered": len(took),
            "named_meanwhile": sum(fault.reported for fault in these),
            "longest_s": round(max(took), 1) if took else None,
            "within_s": WITHIN_S[kind],
        }
    return kinds


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {
        name: round(float(np.percentile(values, share)), 1)
        for name, share in (("median", 50), ("p95", 95), ("max", 100))
    }


def _common(line: str) -> str:
    """Returns a log line without paths and numbers, so that equal messages can be counted."""
    return re.sub(r"/\S+|[0-9a-f]{8}-\S+|\d[\d.:TZ-]*", "…", line)[:160]
