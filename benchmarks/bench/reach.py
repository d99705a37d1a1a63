"""The kiosk's performance targets, and whether a run meets them: met, not met or not measured, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from trainer.speed.result import MAX_OTHER_CORES
from trainer.speed.text import rounded

LEAST_WINDOW_SECONDS = 595.0
"""Seconds that count as ten minutes without a stall, because counting begins with the first picture."""

AROUND = ("read", "hand over", "paint")
"""Stages outside the pipeline."""

Run = dict[str, Any]
"""The results of a run, as in `results.json`."""


@dataclass(frozen=True)
class Target:
    """One performance target and its result."""

    what: str
    wanted: str
    measured: str
    met: bool | None
    """None if it was not measured."""
    why: str = ""
    """The reason why it is not met or not measured."""
    timed: bool = True
    """Whether a busy machine can be the reason."""

    @property
    def verdict(self) -> str:
        """The result as text for a table."""
        if self.met is None:
            return f"not measured: {self.why}"
        return "met" if self.met else f"not met: {self.why}"


def targets(run: Run) -> list[Target]:
    """Returns all targets, in the order of the table."""
    found = list(_targets(run))
    if run["others_cores"] < MAX_OTHER_CORES:
        return found
    others = f"others kept {run['others_cores']:.1f} cores busy meanwhile"
    return [
        replace(target, why=f"{target.why}; {others}") if target.timed and target.met is False else target
        for target in found
    ]


def _targets(run: Run) -> Iterator[Target]:
    yield from _pipeline(run)
    yield from _engine(run)
    yield from _window(run)
    yield from _steady(run)
    yield _strangers(run)
    yield from _kiosk(run)


def _pipeline(run: Run) -> Iterator[Target]:
    one = _scenes(run, 640, 1)
    slowest = min(row["ours"]["frames_per_second"] for row in one)
    times = [row["times_alternative"] for row in one if row["times_alternative"] is not None]
    ratio = f", {rounded(min(times))} times the alternative" if times else ""
    why = "" if times else f"the alternative was not measured ({run['alternative']['why_not']})"
    if times and slowest >= 100 and min(times) < 5:
        why = "both spend most of a frame in dlib's detector"
    yield Target(
        "one face, 640×480, as fast as it can",
        "≥ 100 frames/s, ≥ 5 times the alternative",
        f"{rounded(slowest)} frames/s{ratio}",
        slowest >= 100 and bool(times) and min(times) >= 5,
        why or _longest_stage(run, 640, 1),
    )
    paced = max(row["paced"]["p95_ms"] for row in one)
    yield Target(
        "camera to answer, one face, 640×480, 30 frames/s",
        "p95 < 33 ms",
        f"p95 {rounded(paced)} ms",
        paced < 33,
        _longest_stage(run, 640, 1),
    )
    four = min(row["ours"]["frames_per_second"] for row in _scenes(run, 1280, 4))
    yield Target(
        "four faces, 1280×720, as fast as it can",
        "≥ 30 frames/s",
        f"{rounded(four)} frames/s",
        four >= 30,
        _longest_stage(run, 1280, 4),
    )


def _engine(run: Run) -> Iterator[Target]:
    engines = [row for row in run["per_face"]["engines"] if row["share_of_float32_product"] is not None]
    best = min(engines, key=lambda row: row["median_ms"]["1"])
    median = best["median_ms"]["1"]
    yield Target(
        "engine, one face a call",
        "≤ 1.0 ms",
        f"{rounded(median)} ms",
        median <= 1.0,
        f"{_product(run):.0f} GMAC/s of float32 product allow {_at_best(run):.2f} ms at best",
    )
    rate = 8 * run["per_face"]["multiply_adds_per_face"] / best["median_ms"]["8"] / 1e6
    yield Target(
        "engine, eight faces a call",
        "above the machine's float32 matrix product",
        f"{rounded(rate)} of {rounded(_product(run))} GMAC/s",
        rate > _product(run),
        "eight bits gain too little over float32 on this processor",
    )


def _window(run: Run) -> Iterator[Target]:
    wanted = "30 paints/s, no stall > 50 ms in ten minutes"
    what = "window, pictures at 30 a second"
    said = run["window"]
    if isinstance(said, str):
        yield Target(what, wanted, "–", None, said)
        return
    paints, stalls, seconds = said["pictures_per_second"] or 0.0, said["stalls"], said["seconds"]
    steady = round(paints) >= 30 and stalls == 0
    if not steady:
        why = f"the longest stall was {said['longest_stall_ms']:.0f} ms" if stalls else "pictures were passed over"
    else:
        why = f"watched for {seconds:.0f} s alone: --window-seconds 600 watches for ten minutes"
    yield Target(
        what,
        wanted,
        f"{paints:.1f} paints/s, {stalls} stalls in {seconds:.0f} s",
        None if steady and seconds < LEAST_WINDOW_SECONDS else steady,
        why,
    )


def _steady(run: Run) -> Iterator[Target]:
    judged = [(row["clip"], row["ours"]) for row in run["steadiness"] if row["constant"] and row["ours"]["people"]]
    if not judged:
        yield Target("label changes, once known", "≤ 1 in ten seconds", "–", None, "nobody was known in any clip")
        return
    clip, worst = max(judged, key=lambda each: each[1]["most_changes_in_ten_seconds"])
    most = worst["most_changes_in_ten_seconds"]
    yield Target(
        "label changes, once known, on every clip",
        "≤ 1 in ten seconds",
        f"at most {most}",
        most <= 1,
        f"in {clip}: an age on the border of two groups",
        timed=False,
    )
    clip, worst = max(judged, key=lambda each: each[1]["age_furthest"])
    furthest, deviation = worst["age_furthest"], max(each["age_deviation"] for _, each in judged)
    yield Target(
        "expected age along a track, once known, on every clip",
        "within 2 years of its mean",
        f"within {furthest:.1f} years; standard deviation at most {deviation:.1f}",
        furthest <= 2,
        f"in {clip}, known for {worst['seconds']:.1f} s",
        timed=False,
    )


def _strangers(run: Run) -> Target:
    said = run["strangers"]
    count, known = said["pictures"], said["known"]
    lacking = "" if said["photographs"] else " (drawings alone)"
    return Target(
        "noise, plain grounds, textures, a cat, objects, cartoons",
        "none is known",
        f"{count - len(known)} of {count} are nobody{lacking}",
        not known,
        ", ".join(known),
        timed=False,
    )


def _kiosk(run: Run) -> Iterator[Target]:
    idle = run["running"]["idle"]["share_of_a_core"]
    yield Target(
        "idle: both processes, nobody in front",
        "< 15 % of a core",
        f"{100 * idle['both']:.0f} % (vision {100 * idle['vision']:.0f}, window {100 * idle['window']:.0f})",
        idle["both"] < 0.15,
        f"{'vision' if idle['vision'] > idle['window'] else 'the window'} takes most of it",
    )
    said = run["window"]
    first = None if isinstance(said, str) else said["launch_to_first_picture_s"]
    yield Target(
        "launch to the first live picture",
        "< 3 s",
        "–" if first is None else f"{first:.1f} s",
        None if first is None else first < 3,
        said if isinstance(said, str) else "loading libraries takes most of it",
    )
    used = run["running"]["one person"]["proportional_mb"]
    yield Target(
        "memory of both processes, one person in front",
        "< 500 MB",
        f"{used['both']:.0f} MB (vision {used['vision']:.0f}, window {used['window']:.0f})",
        used["both"] < 500,
        f"{'vision' if used['vision'] > used['window'] else 'the window'} takes most of it",
    )


def _scenes(run: Run, width: int, faces: int) -> list[Run]:
    return [row for row in run["answers"] if (row["width"], row["faces"]) == (width, faces)]


def _longest_stage(run: Run, width: int, faces: int) -> str:
    """Returns a sentence that names the longest stage of the pipeline."""
    [row] = [row["ms"] for row in run["stages"] if (row["width"], row["faces"]) == (width, faces)]
    of_pipeline = {stage: long for stage, long in row.items() if stage not in AROUND}
    stage = max(of_pipeline, key=lambda name: of_pipeline[name])
    return f"{stage} alone takes {of_pipeline[stage]:.1f} of {sum(of_pipeline.values()):.1f} ms a frame, in the mean"


def _product(run: Run) -> float:
    """Returns the machine's float32 matrix product in billion multiply-adds per second."""
    return max(each["rate"] for each in run["per_face"]["ceilings"] if each["kind"] == "float32") / 1e9


def _at_best(run: Run) -> float:
    """Returns the milliseconds of one face at the machine's float32 matrix product."""
    return float(run["per_face"]["multiply_adds_per_face"] / _product(run) / 1e6)
