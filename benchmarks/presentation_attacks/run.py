"""Measures the presentation-attack check: how many synthetic attacks it accepts and how many living faces it refuses.

    python benchmarks/presentation_attacks/run.py --photos FOLDER [--clips FILE…] --out benchmarks/presentation_attacks

FOLDER holds photographs of faces (FairFace's colour faces were used); each is printed, held up, moved, bent,
tilted and zoomed before a camera that `scenes.py` simulates, and played on a screen as the video of a turning
head. Clips are of real people before a real camera. It writes `results.json` and `results.md`, with figures
only. The terms are those of ISO/IEC 30107-3: APCER, the share of attack presentations of one kind that were
taken for living faces; BPCER, the share of bona fide presentations that were not. Intervals are Wilson's, 95 %.

A presentation counts as accepted if the whole pipeline said `live` at any moment of it.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs in a bare checkout
from benchmarks.presentation_attacks.scenes import (
    FOCAL,
    GRID,
    RATE,
    Gray,
    Pose,
    Scene,
    Surface,
    head,
    render,
    room,
    screen,
    sheet,
    swinging,
)
from kiosk.inference import Engine, load
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import open_source
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.liveness.liveness import Liveness
from kiosk.vision.pipeline import Pipeline

Photo = tuple[Gray, tuple[complex, complex]]

_LEAST_EYES = 60.0  # pixels between the eyes of a photograph that is worth printing
_SECONDS = 4.0
_FILMED_AT = 45.0  # cm from the camera to the head in a video
_LARGE_SCREEN = 66.0  # cm across
_BEZEL = 1.5  # cm


@dataclass(frozen=True)
class Result:
    """One kind of presentation."""

    kind: str
    attack: bool
    synthetic: bool
    presentations: int
    """The number of presentations in which the pipeline knew a face."""
    accepted: int
    unseen: int
    """The number without a known face, which do not count in the rate."""

    @property
    def errors(self) -> int:
        return self.accepted if self.attack else self.presentations - self.accepted


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the presentation-attack check.")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs of faces, searched through")
    parser.add_argument("--count", type=int, default=30, help="how many of them to use")
    parser.add_argument("--seed", type=int, default=1, help="which of them, and the scenes")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="clips of real people, each one presentation")
    parser.add_argument("--out", type=Path, required=True, help="folder for results.json and results.md")
    options = parser.parse_args()
    finder, engine = FaceFinder(), load(None)
    photos = list(choose_photos(options.photos, options.count, options.seed, finder))
    if not photos:
        print(f"error: no photograph under {options.photos} shows a large, frontal face", file=sys.stderr)
        return 1
    results = [
        measure(kind, attack, [scene(*each, number) for number, each in enumerate(photos)], finder, engine)
        for kind, attack, scene in KINDS
    ]
    clips = [
        measure(f"real person: {path.stem}", False, [(f.image for f in open_source(str(path)).frames() if f)], finder,
                 engine, rate=rate_of(path), synthetic=False)
        for path in options.clips
    ]  # fmt: skip
    results += clips
    options.out.mkdir(parents=True, exist_ok=True)
    text = table(results)
    (options.out / "results.md").write_text(text, encoding="utf-8")
    (options.out / "results.json").write_text(
        json.dumps(
            {
                "photographs": len(photos),
                "seed": options.seed,
                "seconds": _SECONDS,
                "results": [to_dict(result) for result in results],
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
    print(text)
    return 0


def choose_photos(folder: Path, count: int, seed: int, finder: FaceFinder) -> Iterator[Photo]:
    """Yields gray photographs of one large, frontal face, with the positions of its eyes."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for index in np.random.default_rng(seed).permutation(len(paths)):
        picture = cv2.imread(str(paths[index]), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            continue
        gray = np.asarray(picture, np.uint8)
        faces = finder.detect(gray)
        if (
            len(faces) == 1
            and faces[0].eye_distance >= _LEAST_EYES
            and abs(faces[0].shape[4].real) < 0.12
            and faces[0].score > 0.4
        ):
            yield gray, faces[0].eyes
            count -= 1
            if count == 0:
                return


def measure(
    kind: str,
    attack: bool,
    presentations: Sequence[Iterable[NDArray[np.uint8]]],
    finder: FaceFinder,
    engine: Engine,
    rate: float = RATE,
    synthetic: bool = True,
) -> Result:
    """Shows each presentation to a new pipeline, and counts how many are accepted."""
    accepted = unseen = 0
    for frames in presentations:
        pipeline = Pipeline(engine, finder=finder, liveness=Liveness())
        seen = live = False
        for index, image in enumerate(frames):
            faces = pipeline.process(Frame(image, index, index / rate, 0.0)).faces
            seen = seen or any(face.status == "known" for face in faces)
            live = live or any(face.live for face in faces)
        accepted += live and seen
        unseen += not seen
    print(f"{kind}: {accepted} of {len(presentations) - unseen} accepted, {unseen} unseen", file=sys.stderr, flush=True)
    return Result(kind, attack, synthetic, len(presentations) - unseen, accepted, unseen)


def rate_of(path: Path) -> float:
    """Returns the frames per second of a clip."""
    rate = float(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS))
    return rate if rate > 0 else RATE


# --- Kinds of presentation ------------------------------------------------------------------------

Presentation = Callable[[Gray, tuple[complex, complex], int], Iterator[NDArray[np.uint8]]]


def present(
    surface: Callable[[Photo, int], Callable[[float], Surface]], *, background_moves: float = 0.0, **swings: Any
) -> Presentation:
    """Returns a swinging presentation; each photograph has its own distance, position and room."""

    def presentation(gray: Gray, eyes: tuple[complex, complex], number: int) -> Iterator[NDArray[np.uint8]]:
        still = Pose(x=-4 + number % 9, y=-2 + number % 5, z=38 + 3 * (number % 7), roll=-6 + number % 13)
        pose = swinging(still, seed=number, **swings)
        return Scene(surface((gray, eyes), number), pose, number, background_moves, _SECONDS).frames()

    return presentation


def still(surface: Surface) -> Callable[[float], Surface]:
    return lambda _time: surface


def printed(photo: Photo, number: int) -> Callable[[float], Surface]:
    """Returns a print with no, a narrow or a wide margin, in turn."""
    return still(sheet(*photo, margin_cm=(0.0, 1.0, 3.0)[number % 3]))


def cut_out(photo: Photo, _number: int) -> Callable[[float], Surface]:
    """Returns a print cut out along the head's outline, without visible edges of a sheet."""
    return still(replace(head(*photo), relief=None))


def bent(curvature: float, axis: float) -> Callable[[Photo, int], Callable[[float], Surface]]:
    return lambda photo, number: still(replace(printed(photo, number)(0), bend=curvature, bend_axis=axis))


def folded(photo: Photo, number: int) -> Callable[[float], Surface]:
    """Returns a print folded along the nose, with each half turned back by 17, 27 or 39 degrees."""
    across = _across()
    slope = np.float32((0.3, 0.5, 0.8)[number % 3])
    return still(replace(printed(photo, number)(0), relief=-slope * np.abs(across)))


def crumpled(photo: Photo, number: int) -> Callable[[float], Surface]:
    """Returns a print with dents about 5 cm wide and 6 mm deep."""
    across = _across()
    noise = np.random.default_rng(number).normal(size=across.shape).astype(np.float32)
    dents = cv2.GaussianBlur(noise, (0, 0), 2.5 * GRID)
    return still(replace(printed(photo, number)(0), relief=np.asarray(0.6 * dents / dents.std(), np.float32)))


def _across() -> NDArray[np.float32]:
    """Returns the distance in cm to the right of the middle for each sample of a relief."""
    half = round(20 * GRID)
    return np.asarray(np.mgrid[-half : half + 1, -half : half + 1][1] / GRID, np.float32)


def flexed(photo: Photo, number: int) -> Callable[[float], Surface]:
    flat = printed(photo, number)(0)
    return lambda time: replace(flat, bend=0.06 + 0.05 * math.sin(2 * math.pi * time / 1.5))


def rounded(photo: Photo, _number: int) -> Callable[[float], Surface]:
    """Returns a synthetic head."""
    return still(head(*photo))


def played(*, fills_the_view: bool) -> Callable[[Photo, int], Callable[[float], Surface]]:
    """Returns a screen with the video of a turning head, life-sized or so large that its edges are out of view."""

    def surface(photo: Photo, number: int) -> Callable[[float], Surface]:
        turning = swinging(Pose(z=_FILMED_AT), seed=number, yaw=(15.0, 2.5))
        behind = room(number + 1000)[100:580, 100:740]
        shot = head(*photo)
        frames = [render(shot, turning(index / RATE), behind) for index in range(round(2.5 * RATE))]
        if fills_the_view:
            return screen(frames, frames[0].shape[1] / _LARGE_SCREEN, _BEZEL)
        life_size = FOCAL / _FILMED_AT  # pixels of the video per cm of what it shows
        return screen([frame[40:440, 120:520] for frame in frames], life_size, _BEZEL)

    return surface


KINDS: tuple[tuple[str, bool, Presentation], ...] = (
    ("print held still", True, present(printed)),
    ("print moved and shaken", True, present(printed, tremor=2.0, x=(5.0, 2.0), y=(3.0, 1.3))),
    ("print moved nearer and away", True, present(printed, z=(10.0, 1.7))),
    ("print tilted", True, present(printed, yaw=(30.0, 2.0), pitch=(15.0, 3.1))),
    ("print tilted and rolled before a moving room", True,
     present(printed, background_moves=30.0, yaw=(20.0, 1.7), pitch=(20.0, 2.3), roll=(15.0, 2.9))),
    ("print cut out, tilted", True, present(cut_out, yaw=(30.0, 2.0), pitch=(15.0, 3.1))),
    ("print bent about an upright axis, turned", True, present(bent(0.1, 90.0), yaw=(20.0, 2.0))),
    ("print bent about a level axis, nodded", True, present(bent(0.08, 0.0), pitch=(18.0, 2.0))),
    ("print bent aslant, turned", True, present(bent(0.08, 45.0), yaw=(20.0, 2.0))),
    ("print flexed while turned", True, present(flexed, yaw=(20.0, 2.3))),
    ("print folded along the nose, turned", True, present(folded, yaw=(20.0, 2.0))),
    ("print crumpled, turned", True, present(crumpled, yaw=(20.0, 2.0), pitch=(10.0, 3.1))),
    ("video on a screen, edges in view", True, present(played(fills_the_view=False))),
    ("video on a screen, edges out of view", True, present(played(fills_the_view=True))),
    ("head turned 10° to each side", False, present(rounded, yaw=(10.0, 2.5))),
    ("head turned 15° to each side", False, present(rounded, yaw=(15.0, 2.5))),
    ("head turned 15° while swaying", False, present(rounded, yaw=(15.0, 2.5), x=(3.0, 3.1), roll=(5.0, 2.2))),
    ("head nodded 10°", False, present(rounded, pitch=(10.0, 2.5))),
    ("head held still, not as asked", False, present(rounded)),
)  # fmt: skip


# --- Figures --------------------------------------------------------------------------------------


def interval(errors: int, of: int) -> tuple[float, float]:
    """Returns Wilson's 95 % interval of the share `errors` / `of` ("Probable Inference", 1927)."""
    if of == 0:
        return 0.0, 1.0
    z, share = 1.96, errors / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def to_dict(result: Result) -> dict[str, Any]:
    low, high = interval(result.errors, result.presentations)
    return asdict(result) | {
        "measure": "APCER" if result.attack else "BPCER",
        "rate": round(result.errors / result.presentations, 4) if result.presentations else None,
        "low": round(low, 4),
        "high": round(high, 4),
    }


def table(results: Sequence[Result]) -> str:
    """Returns the results as Markdown, with one line per kind of presentation."""
    lines = []
    for attack, title in ((True, "attack, all synthetic | accepted (APCER)"), (False, "living face | refused (BPCER)")):
        lines += [f"| {title} | 95 % interval | of |", "|---|---|---|---|"]
        for result in (each for each in results if each.attack == attack):
            low, high = interval(result.errors, result.presentations)
            share = f"{result.errors / result.presentations:.1%}" if result.presentations else "–"
            kind = result.kind + (", synthetic" if result.synthetic and not attack else "")
            lines.append(f"| {kind} | {share} | {low:.1%} – {high:.1%} | {result.presentations} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
