"""The whole benchmark, one part after the other. Within a part, the programs compared take turns."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.bench.alternative import PACKAGE, Alternative, AlternativeError, install, sample_photographs
from benchmarks.bench.answers import answers
from benchmarks.bench.per_face import per_face
from benchmarks.bench.processes import cpu_seconds
from benchmarks.bench.running import watch, window_statistics, write_person, write_room
from benchmarks.bench.scenes import Passage, Picture, SceneError, passage
from benchmarks.bench.stages import stages
from benchmarks.bench.steadiness import HELD_SECONDS, clip_frames, swaying_frames
from benchmarks.bench.steadiness import measure as steadiness
from benchmarks.bench.strangers import SECONDS, drawings, photographs, strangers
from kiosk.inference import Engine, load
from kiosk.vision.capture.source import DEMO
from kiosk.vision.faces.detector import FaceFinder
from trainer.speed.bench import BATCHES
from trainer.speed.result import busy_seconds

STAGED = ((640, 480, 1), (640, 480, 4), (1280, 720, 1), (1280, 720, 4))
"""Width, height and number of faces of the frames whose stages are measured."""

HELD_AT = (0.17, 0.5, 0.9)
"""The positions in the bundled clip, as shares of its length, of the pictures that are held still."""


@dataclass(frozen=True)
class Plan:
    """How long and how often each part is measured."""

    batches: tuple[int, ...] = BATCHES
    engine_seconds: float = 40.0
    rounds: int = 9
    paced_seconds: float = 10.0
    passage_frames: int = 120
    clip_frames: int | None = None
    """Frames of each clip whose steadiness is measured; None for all."""
    held_seconds: float = HELD_SECONDS
    staged_frames: int = 300
    stranger_seconds: float = SECONDS
    most_strangers: int | None = None
    watched_seconds: float = 20.0
    window_seconds: float = 30.0


QUICK = Plan((1, 8), 1.0, 1, 1.0, 10, 10, 1.0, 6, 0.3, 2, 1.0, 5.0)


def measure(plan: Plan, clips: Sequence[Path] = (), *, with_alternative: bool = True) -> dict[str, Any]:
    """Runs the whole benchmark and returns its results, ready for JSON. Raises `KioskError`."""
    with ExitStack() as opened:
        alternative, why_not = _alternative(with_alternative)
        if alternative is not None:
            opened.callback(alternative.close)
        engine = load()
        opened.callback(engine.close)
        busy, started = _others(alternative), time.monotonic()
        with _log_once("engines beside torch and the alternative"):
            result: dict[str, Any] = {
                "alternative": {"package": PACKAGE, "why_not": why_not, **(alternative.facts if alternative else {})},
                "clips": [DEMO, *(clip.name for clip in clips)],
                "notes": [],
                "per_face": per_face(plan.engine_seconds, alternative, plan.batches),
            }
        shown = _passages([DEMO, *map(str, clips)], plan, result["notes"])
        result["answers"] = []
        for source, passage_ in shown.items():
            with _log_once(f"from picture to answer: {_name(source)}"):
                result["answers"] += answers(
                    _name(source), passage_, engine, alternative, plan.rounds, plan.paced_seconds
                )
        result["steadiness"] = list(_steadiness(clips, plan, engine, alternative))
        with _log_once("what is no face"):
            result["strangers"] = _strangers(plan, engine, alternative)
        with _log_once("stages"):
            result["stages"] = [stages(shown[DEMO], *each, engine, plan.staged_frames) for each in STAGED]
        with _log_once("the kiosk itself"):
            result.update(_running(plan, shown[DEMO]))
        result["others_cores"] = max(0.0, (_others(alternative) - busy) / (time.monotonic() - started))
    if why_not:
        result["notes"].append(f"the alternative was not measured: {why_not}")
    if not sample_photographs():
        result["notes"].append("no photograph was shown: scikit-image's samples are not installed")
    return result


def _alternative(wanted: bool) -> tuple[Alternative | None, str | None]:
    """Returns the alternative, or the reason why there is none."""
    if not wanted:
        return None, "it was left out, as asked"
    try:
        install()
        return Alternative(), None
    except AlternativeError as error:
        return None, str(error)


def _passages(sources: Sequence[str], plan: Plan, notes: list[str]) -> dict[str, Passage]:
    """Returns the passage of each clip that shows one person alone; the bundled clip always does."""
    finder, found = FaceFinder(), {}
    for source in sources:
        try:
            found[source] = passage(source, finder, plan.passage_frames)
        except SceneError as error:
            if source == DEMO:
                raise
            notes.append(f"no speed was measured on it: {error}")
    return found


def _steadiness(
    clips: Sequence[Path], plan: Plan, engine: Engine, alternative: Alternative | None
) -> Iterator[dict[str, Any]]:
    """Yields the results for the given clips, for still pictures, and for the bundled clip, where ages change."""
    for source in map(str, clips):
        with _log_once(f"steadiness: {_name(source)}"):
            frames = islice(clip_frames(source), plan.clip_frames)
            yield {"clip": _name(source), "constant": True, **steadiness(frames, engine, alternative)}
    for number, picture in enumerate(_extract_pictures(), 1):
        with _log_once(f"steadiness: held still, {number}"):
            still = swaying_frames(picture, plan.held_seconds)
            yield {"clip": f"held still, {number}", "constant": True, **steadiness(still, engine, alternative)}
    with _log_once(f"steadiness: {DEMO}"):
        frames = islice(clip_frames(DEMO), plan.clip_frames)
        yield {"clip": DEMO, "constant": False, **steadiness(frames, engine, alternative)}


def _extract_pictures() -> list[Picture]:
    frames = sum(1 for _ in clip_frames(DEMO))
    wanted = {round(share * frames) for share in HELD_AT}
    return [frame.image for frame in clip_frames(DEMO) if frame.index in wanted]


def _strangers(plan: Plan, engine: Engine, alternative: Alternative | None) -> dict[str, Any]:
    taken = photographs(sample_photographs())
    pictures = dict(islice({**drawings(), **taken}.items(), plan.most_strangers))
    said = strangers(pictures, engine, alternative, plan.stranger_seconds)
    return {"photographs": len(taken.keys() & pictures.keys()), **said}


def _running(plan: Plan, shown: Passage) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        room, person = Path(folder, "room.avi"), Path(folder, "person.avi")
        write_room(room)
        write_person(person, shown)
        return {
            "running": {
                "idle": watch(room, plan.watched_seconds),
                "one person": watch(person, plan.watched_seconds),
            },
            "window": window_statistics(person, plan.window_seconds),
        }


def _name(source: str) -> str:
    return Path(source).name


def _others(alternative: Alternative | None) -> float:
    """Returns the processor seconds of all processes but this one, its ended children and the alternative."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = time.process_time() + ended.ru_utime + ended.ru_stime
    return busy_seconds() - own - (cpu_seconds(alternative.pid) if alternative else 0.0)


@contextmanager
def _log_once(what: str) -> Iterator[None]:
    started = time.monotonic()
    print(f"{what} …", end=" ", file=sys.stderr, flush=True)
    yield
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
