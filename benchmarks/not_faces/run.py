r"""Measures how many pictures without a face, and how many real faces, end as known, unknown or not found.

    python benchmarks/not_faces/run.py --pictures FOLDER… --unseen FOLDER… --faces ROOT PREPARED \
        --out benchmarks/not_faces

No picture may show real people. Of `--pictures`, those are used that `trainer train-nonface-filter` keeps aside; of
`--unseen`, which were never used in training, all. Each is shown as a still picture, as a clip (moved,
turned, enlarged, blurred and noised before a gray wall, for two seconds) and as crops cut where the detector nearly
finds a face, or anywhere. Faces are FairFace's: ROOT holds its pictures, PREPARED what `trainer prepare` made of them;
those kept aside are used. It writes `results.json` and `results.md`, with figures only.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # so that it runs in a bare checkout
from kiosk.inference import Engine, load
from kiosk.vision.capture.frame import Frame
from kiosk.vision.faces import nonface_filter
from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.crop import appearance_of
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from kiosk.vision.faces.quality import GOOD, quality
from kiosk.vision.pipeline import Pipeline, estimate_still, stack_crops
from trainer.data import prepared
from trainer.data.prepared import MARGIN
from trainer.nonface.samples import (
    find_non_faces,
    is_held_out,
    list_pictures,
    read_on_backgrounds,
    synthetic_pictures,
)

Measures = dict[str, NDArray[np.float64]]

_SYNTHETIC_PICTURES, _SEED = 120, 1  # training uses another seed
_SECONDS, _RATE = 2.0, 10.0
_WIDTH, _HEIGHT = 640, 480
_LOST = 0.01  # share of faces at which false accepts are compared
_COMPONENTS = 32  # of the simple density


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures how the kiosk classifies pictures without a face.")
    parser.add_argument("--pictures", type=Path, nargs="+", default=[])
    parser.add_argument("--unseen", type=Path, nargs="+", default=[])
    parser.add_argument("--faces", type=Path, nargs=2, metavar=("ROOT", "PREPARED"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    engine, finder = load(cpu_only=True), FaceFinder()
    sources = {"made up": synthetic_pictures(_SYNTHETIC_PICTURES, _SEED)}
    for folder in asked.pictures:
        sources[folder.name] = [
            each for file in list_pictures([folder]) if is_held_out(file) for each in read_on_backgrounds(file)
        ]
    for folder in asked.unseen:
        sources[f"{folder.name} (unseen)"] = [
            each for file in list_pictures([folder]) for each in read_on_backgrounds(file)
        ]
    shown = [shown_as(name, pictures, finder, engine) for name, pictures in sources.items()]
    real, faces = still_faces(asked.faces[0], asked.faces[1], finder, engine)
    pictures = [each for pictures in sources.values() for each in pictures]
    others = [crop for crops in find_non_faces(pictures, _SEED) for crop in crops]
    basis = _basis(asked.faces[1])
    found = np.array([other.score > 0 for other in others])
    scores = np.array([other.score for other in others])
    told = told_apart(
        measure_crops([crop for crop, _ in faces], np.array([score for _, score in faces]), engine, basis),
        measure_crops([other.crop for other in others], scores, engine, basis),
        found,
    )
    results = {"pictures": shown, "faces": real, "chips": {"found": int(found.sum()), "all": len(found)}, "told": told}
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (asked.out / "results.md").write_text(table(results), encoding="utf-8")
    print(table(results))
    return 0


def shown_as(name: str, pictures: Sequence[Gray], finder: FaceFinder, engine: Engine) -> dict[str, Any]:
    """Returns how many pictures, as stills and as clips, end as a face and as a known face."""
    stills = [[face.status for face in estimate_still(picture, finder, engine)] for picture in pictures]
    clips = []
    for number, picture in enumerate(pictures):
        pipeline = Pipeline(engine, finder=finder)
        clips.append([face.status for frame in clip(picture, number) for face in pipeline.process(frame).faces])
    return {
        "source": name,
        "pictures": len(pictures),
        "stills": {"face": sum(map(bool, stills)), "known": sum("known" in still for still in stills)},
        "clips": {"face": sum(map(bool, clips)), "known": sum("known" in each for each in clips)},
    }


def clip(picture: Gray, seed: int) -> Iterator[Frame]:
    """Yields the picture in front of a gray wall, moved as if held by hand."""
    random = np.random.default_rng(seed)
    pace, phase = random.uniform(0.1, 0.5, 6), random.uniform(0, 6.3, 6)
    height, width = picture.shape
    fitting = 0.65 * min(_HEIGHT / height, _WIDTH / width)
    for index in range(int(_SECONDS * _RATE)):
        sway = np.sin(2 * np.pi * pace * index / _RATE + phase)
        turned = fitting * (1 + 0.35 * sway[0]) * np.exp(1j * 0.15 * sway[1])
        middle = complex(_WIDTH / 2 + 60 * sway[2], _HEIGHT / 2 + 40 * sway[3])
        origin = middle - turned * complex(width / 2, height / 2)
        to_frame = np.array([[turned.real, -turned.imag, origin.real], [turned.imag, turned.real, origin.imag]])
        frame = cv2.warpAffine(picture, to_frame, (_WIDTH, _HEIGHT), flags=cv2.INTER_AREA, borderValue=(150,))
        blurred = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 0.8 + 0.5 * sway[4])
        noised = blurred * (0.9 + 0.15 * sway[5]) + random.normal(0, 3, frame.shape)
        gray = np.clip(noised, 0, 255).astype(np.uint8)
        yield Frame(np.repeat(gray[..., None], 3, axis=2), index, index / _RATE, 0.0)


def still_faces(
    root: Path, folder: Path, finder: FaceFinder, engine: Engine
) -> tuple[dict[str, Any], list[tuple[Gray, float]]]:
    """Returns how many kept-aside faces are known as stills, and why others are not; also crops and scores."""
    judge, data = nonface_filter.load(), prepared.load(folder)
    known = poor = taken = unfound = 0
    crops = []
    rows = data.rows("test")
    for row in rows:
        gray = cv2.imread(str(root / data.labels[row].file), cv2.IMREAD_GRAYSCALE)
        assert gray is not None, data.labels[row].file
        picture = np.asarray(gray, np.uint8)
        faces = finder.detect_in_still(picture)
        if not faces:
            unfound += 1
            continue
        crop = align(picture, faces[0])
        crops.append((crop, faces[0].score))
        poor += int(quality(crop, faces[0]) < GOOD)
        taken += int(judge(crop) <= 0)
        known += int(estimate_still(picture, _Found(faces), engine)[0].status == "known")
    return {"faces": len(rows), "known": known, "poor": poor, "taken for no face": taken, "not found": unfound}, crops


class _Found(FaceFinder):
    """A detector that returns given faces without a search."""

    def __init__(self, faces: list[Face]) -> None:
        self._faces = faces

    def detect_in_still(self, gray: Gray) -> list[Face]:  # noqa: ARG002
        return self._faces


def measure_crops(crops: Sequence[Gray], scores: NDArray[np.float64], engine: Engine, basis: Measures) -> Measures:
    """Returns measures that may distinguish faces from other pictures; higher means more likely a face."""
    judge = nonface_filter.load()
    answers, mirrored = (_answers([turn(crop) for crop in crops], engine) for turn in (_same, _mirrored))
    looks = np.stack([appearance_of(crop) for crop in crops]) - basis["mean"]
    within = looks @ basis["components"].T
    return {
        "surest gender": answers[0].max(axis=1),
        "surest age group": answers[1].max(axis=1),
        "agreement with the mirror image": -np.abs(answers[1] - mirrored[1]).sum(axis=1),
        "detector's score": scores,
        "density (PCA residual)": (within**2).sum(axis=1) - (looks**2).sum(axis=1),
        "`facelike`": np.array([judge(crop) for crop in crops]),
    }


def told_apart(faces: Measures, others: Measures, found: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Returns the area under the ROC curve and the false accepts at 1 % lost faces, for found and for all crops."""
    told = []
    for name, real in faces.items():
        least = np.quantile(real, _LOST)
        told.append(
            {
                "measure": name,
                "auc_found": round(area(real, others[name][found]), 4),
                "auc_all": round(area(real, others[name]), 4),
                "accepted_found": round(float((others[name][found] >= least).mean()), 4),
                "accepted_all": round(float((others[name] >= least).mean()), 4),
            }
        )
    return told


def area(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """Returns the probability that a positive is higher than a negative value; ties count half (AUC)."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).mean() / (2 * len(negative)))


def table(results: dict[str, Any]) -> str:
    """Returns the results as Markdown."""
    faces = results["faces"]
    lines = [
        "Pictures of no real face, and how many of them ended as a *known* person:",
        "",
        "| | pictures | stills: a face found | known | clips: a face found | known |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["pictures"]:
        counts = [row["pictures"], *row["stills"].values(), *row["clips"].values()]
        lines.append(" | ".join([f"| {row['source']}", *map(str, counts)]) + " |")
    lines += [
        "",
        f"Of {faces['faces']} faces kept aside, as still pictures: {faces['known']} known; too poor a chip "
        f"{faces['poor']}, taken for no face {faces['taken for no face']}, not found {faces['not found']}.",
        "",
        f"What tells them apart, over {results['chips']['found']} chips of no face that the detector found and "
        f"{results['chips']['all']} in all; accepted where 1 % of the faces is lost:",
        "",
        "| | AUC, found | AUC, all | accepted, found | accepted, all |",
        "|---|---|---|---|---|",
    ]
    for row in results["told"]:
        lines.append(
            f"| {row['measure']} | {row['auc_found']:.3f} | {row['auc_all']:.3f} | {row['accepted_found']:.1%} "
            f"| {row['accepted_all']:.1%} |"
        )
    return "\n".join(lines) + "\n"


def _basis(folder: Path) -> Measures:
    """Returns the mean descriptor of the training faces and its first principal components."""
    data = prepared.load(folder)
    inner = slice(MARGIN, -MARGIN)
    looks = np.stack(
        [appearance_of(np.ascontiguousarray(data.crops[row, inner, inner])) for row in data.rows("train")[::4]]
    )
    mean = looks.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov((looks - mean).T))
    return {"mean": mean, "components": vectors[:, ::-1].T[:_COMPONENTS]}


def _answers(crops: list[Gray], engine: Engine) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    answers = [engine.infer(stack_crops(crops[first : first + 64])) for first in range(0, len(crops), 64)]
    return np.concatenate([each.gender for each in answers]), np.concatenate([each.age for each in answers])


def _same(crop: Gray) -> Gray:
    return crop


def _mirrored(crop: Gray) -> Gray:
    return np.ascontiguousarray(crop[:, ::-1])


if __name__ == "__main__":
    sys.exit(main())
