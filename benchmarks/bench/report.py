"""The report of a run as Markdown: the targets and all figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.bench.reach import Run, targets
from trainer.report.markdown import escape, table
from trainer.speed.result import MAX_OTHER_CORES
from trainer.speed.text import NOTHING, rounded


def markdown(run: Run) -> str:
    """Returns the whole page."""
    paragraphs = [
        "# One run of `make bench`",
        _machine(run),
        "## What is to be reached",
        reach_table(run),
        "## Per face",
        "Milliseconds a call, median (95th percentile), by the faces in it.",
        _per_face(run),
        "What the machine does at most, by large matrix products, in billion multiply-adds a second.",
        _ceilings(run),
        "## From picture to answer",
        _answers(run, run["clips"]),
        "Paced: pictures come at 30 a second through the kiosk's mailbox; one that is passed over has no answer.",
        _paced(run),
        "## Steadiness",
        _steadiness(run),
        "## Stages",
        "Milliseconds a frame, in the mean, everything in one process: ![stages](stages.png)",
        _stages(run),
        "## Running",
        "`kiosk demo` on a screen in memory, with a Motion JPEG clip at 30 pictures a second in place of a camera.",
        _running(run),
        "## No faces",
        _strangers(run),
        "## To be known",
        "\n".join(f"- {escape(note)}" for note in _notes(run)),
    ]
    return "\n\n".join(paragraphs) + "\n"


def reach_table(run: Run) -> str:
    """Returns the table of targets, measured values and results."""
    rows = ((each.what, each.wanted, each.measured, each.verdict) for each in targets(run))
    return table(("what", "wanted", "measured", "met"), rows, words=4)


def _answers(run: Run, clips: Sequence[str]) -> str:
    """The table of unpaced speeds, compared with the alternative."""
    rows = []
    for row in run["answers"]:
        if row["clip"] not in clips:
            continue
        ours, its = row["ours"], row["alternative"]
        rows.append(
            (
                f"{row['clip']}, {row['width']}×{row['height']}, {row['faces']}",
                *_speed(ours),
                *(_speed(its) if its else (NOTHING, NOTHING)),
                f"{rounded(row['times_alternative'])}×" if its else NOTHING,
            )
        )
    name = run["alternative"]["package"]
    head = ("clip, size, faces", "ours: frames/s", "p50 / p95, ms", f"{name}: frames/s", "p50 / p95, ms", "ratio")
    return table(head, rows)


def _machine(run: Run) -> str:
    """A sentence on the machine and on other load during the run."""
    machine = run["per_face"]["machine"]
    words = [f"{machine['cpu']}, {machine['cores']} cores, {machine['os']}, Python {machine['python']}, ONNX Runtime "]
    words[0] += str(machine["onnxruntime"])
    others = run["others_cores"]
    if others >= MAX_OTHER_CORES:
        words.append(f"others kept {others:.1f} cores busy meanwhile, so speeds are too low and only ratios hold")
    else:
        words.append("nothing else ran meanwhile")
    return f"{'; '.join(words)}. Whatever is compared was measured in turns in this one run."


def _speed(figures: Run) -> tuple[str, str]:
    return rounded(figures["frames_per_second"]), f"{rounded(figures['p50_ms'])} / {rounded(figures['p95_ms'])}"


def _per_face(run: Run) -> str:
    engines = run["per_face"]["engines"]
    batches = list(engines[0]["median_ms"])
    rows = (
        (
            row["name"],
            row["runs_on"],
            *(
                f"{rounded(row['median_ms'][batch])} ({rounded(row['p95_ms'][batch])})"
                if batch in row["median_ms"]
                else NOTHING
                for batch in batches
            ),
            _percent(row["share_of_float32_product"]),
            _percent(row["share_of_int8_product"]),
        )
        for row in engines
    )
    return table(("engine", "runs on", *batches, "% of float32 product", "% of int8 product"), rows, words=2)


def _ceilings(run: Run) -> str:
    rows = (
        (each["kind"], each["how"], rounded(each["rate"] / 1e9))
        for each in run["per_face"]["ceilings"]
        if each["kind"] != "copy"
    )
    return table(("product of", "measured with", "GMAC/s"), rows, words=2)


def _paced(run: Run) -> str:
    rows = (
        (
            f"{row['clip']}, {row['width']}×{row['height']}, {row['faces']}",
            rounded(row["paced"]["p50_ms"]),
            rounded(row["paced"]["p95_ms"]),
            _percent(row["paced"]["share_answered"]),
            f"{row['paced']['cores']:.2f}",
        )
        for row in run["answers"]
    )
    return table(("clip, size, faces", "p50, ms", "p95, ms", "% answered", "cores busy"), rows)


def _steadiness(run: Run) -> str:
    rows = []
    for row in run["steadiness"]:
        for name in ("ours", "alternative"):
            said = row[name]
            if said is None:
                continue
            rows.append(
                (
                    row["clip"] if row["constant"] else f"{row['clip']} (ages change on purpose)",
                    "ours" if name == "ours" else run["alternative"]["package"],
                    f"{said['people']}",
                    f"{said['changes']} in {said['seconds']:.1f} s" if said["people"] else NOTHING,
                    f"{said['most_changes_in_ten_seconds']}" if said["people"] else NOTHING,
                    _number(said["age_deviation"]),
                    _number(said["age_furthest"]),
                    _percent(said["share_answered"]),
                )
            )
    head = (
        "clip", "by", "tracks", "label changes", "at most in 10 s", "age: deviation, years", "furthest",
        "% of frames answered",
    )  # fmt: skip
    return table(head, rows, words=2)


def _stages(run: Run) -> str:
    names = list(dict.fromkeys(stage for row in run["stages"] for stage in row["ms"]))
    rows = (
        (
            f"{row['width']}×{row['height']}, {row['faces']}",
            *(_number(row["ms"].get(name)) for name in names),
            rounded(sum(row["ms"].values())),
            rounded(row["processor_ms"]),
        )
        for row in run["stages"]
    )
    return table(("size, faces", *names, "sum", "processor time"), rows)


def _running(run: Run) -> str:
    rows = (
        (
            name,
            *(f"{100 * said['share_of_a_core'][which]:.0f}" for which in ("vision", "window", "both")),
            *(f"{said['proportional_mb'][which]:.0f}" for which in ("vision", "window", "both")),
        )
        for name, said in run["running"].items()
    )
    head = ("in front", "vision, % of a core", "window", "both", "vision, MB", "window", "both")
    return table(head, rows)


def _strangers(run: Run) -> str:
    said = run["strangers"]
    ours = f"ours: {_listed(said['known'])} known, of {said['pictures']}"
    if said["alternative_answers"] is None:
        return f"{ours}."
    its = f"{run['alternative']['package']} gives an age and a gender for {_listed(said['alternative_answers'])}"
    return f"{ours}; {its}."


def _listed(names: list[str]) -> str:
    return f"{len(names)} ({', '.join(names)})" if names else "none"


def _notes(run: Run) -> Iterable[str]:
    yield from run["notes"]
    yield from run["per_face"]["notes"]
    yield from dict.fromkeys(note for row in run["stages"] for note in row["notes"])


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.0f}"


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"
