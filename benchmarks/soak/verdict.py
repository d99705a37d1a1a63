"""Whether a soak was survived: the sales, the faults, drift, what was said on standard error, what was written."""

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
"""Below the soak's folder. The detector is saved from its library; it is nobody's face."""
IN_MEMORY = ("/dev/shm/", "/memfd:")
PICTURES = (rb"\x89PNG\r\n", rb"\xff\xd8\xff", rb"GIF8", rb"WEBPVP8", rb"ftyp", rb"\x93NUMPY")
_MOST_READ = 1 << 25
STRETCH_S = 120.0
"""In each at least one payment has to become final."""
TROUBLE = re.compile(
    r"Traceback \(most recent|Fatal Python error|Segmentation fault|the window failed|QObject::|QPainter::"
)


def problems(recording: Recording, folder: Path) -> list[str]:
    """Everything that is wrong, a line each; none where the soak was survived."""
    facts, damage = journal(folder)
    return [
        *recording.problems,
        *damage,
        *audit.problems(facts, recording.truth),
        *of_pace(recording),
        *of_faults(recording.faults),
        *of_drift(all_drifts(recording.rows)),
        *of_errors(recording.errors),
        *of_files(recording.written, folder),
    ]


def journal(folder: Path) -> tuple[list[Fact], list[str]]:
    """Every row of a journal that was verified, and what is wrong with it."""
    try:
        entries, _ = read_verified(folder / "state" / "journal.db")
    except JournalError as error:
        return [], [str(error)]
    return [entry.fact for entry in entries], []


def of_pace(recording: Recording) -> Iterator[str]:
    """It has to go on selling, all the time: a machine that does nothing does nothing wrong either."""
    stretches = max(int(recording.seconds // STRETCH_S), 1)
    counts, edges = np.histogram(recording.sold, stretches, (0.0, recording.seconds))
    for sold, start, end in zip(counts, edges, edges[1:], strict=False):
        if not sold:
            yield f"nothing was sold between {start:.0f} and {end:.0f} s"


def of_faults(faults: Sequence[Fault]) -> Iterator[str]:
    """Each has to be recovered from in time."""
    for fault in faults:
        if not fault.in_time:
            took = "never" if fault.mended is None or fault.over is None else f"after {fault.mended - fault.over:.0f} s"
            yield f"{fault.kind} at {fault.began:.0f} s: recovered from {took}, not within {WITHIN_S[fault.kind]:g} s"


def all_drifts(rows: Sequence[Mapping[str, Any]]) -> list[Drift]:
    """Of both processes; how old a picture is when the kiosk hears of it counts as vision's."""
    found: list[Drift] = []
    for of, also in (("kiosk", ()), ("vision", ("latency_ms",))):
        samples = [
            {"time": row["time"], **row[of], **{name: row.get(name) for name in also}} for row in rows if row.get(of)
        ]
        found += drifts(of, samples)
    return found


def of_drift(found: Sequence[Drift]) -> Iterator[str]:
    """None may be one."""
    for drift in found:
        if drift.is_one:
            yield (
                f"{drift.measure} of {drift.of} grew by {drift.grown:.1f} in {drift.seconds:.0f} s "
                f"({drift.hourly:+.1f} an hour), more than {drift.limit:.1f}"
            )


def of_errors(lines: Sequence[str]) -> Iterator[str]:
    """Nothing may have failed that nobody had thought of."""
    for line in lines:
        if TROUBLE.search(line):
            yield f"on standard error: {line}"


def of_files(written: set[str], folder: Path) -> Iterator[str]:
    """Nothing may be written but the journal and its like, and no file may hold a picture."""
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
    """Everything that is worth keeping, ready for JSON."""
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
    """A line without what differs from one time to the next."""
    return re.sub(r"/\S+|[0-9a-f]{8}-\S+|\d[\d.:TZ-]*", "…", line)[:160]
