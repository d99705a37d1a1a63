"""Makes the demo clip: people who do not exist come to the kiosk, grow older, and go.

    python tools/make_demo_clip.py FAIRFACE_COLOR_ROOT assets/demo.mp4 [--sheet portraits.png]

Source: FairFace by Kimmo Kärkkäinen and Jungseock Joo (https://github.com/joojs/fairface), licensed
CC BY 4.0, here 200 colour faces for each age group and gender: FAIRFACE_COLOR_ROOT holds
`fairface_label_train.csv` and `train/*.jpg`.

Nobody in the clip is or was anybody. A person is the mean of 24 or more photographs. In the groups
with 24, half of a face's pixels take no more than 8 % from any one, and the worst pixel takes 20 %.

1. Of a group's photographs the frontal, evenly lit and sharp ones, most of them without glasses, are kept, placed by
   the eyes, and given the same mean colour and contrast.
2. Each is warped to the group's mean shape: dense optical flow towards the current mean, smoothed,
   with the mean of all flows taken off; repeated, ever finer (congealing). So features fall onto
   features and the mean gets sharp. The faces that fit worst are left out.
3. A mean is still smoother than any of its faces and looks younger. Its own detail, which is what
   many faces share (a fold beside the nose, lines under the eyes), is therefore amplified until it
   has the strength that detail has in the group, scale by scale and place by place. No detail of
   one photograph is ever added back.

Hair, neck, clothes and room are painted. The network chose no photograph and no pixel; it was asked
what it sees afterwards, and the baby girl's hair was then painted longer, because with short hair it
called her neither a girl nor a boy. The same source and libraries give the same pictures.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs in a bare checkout
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import to_gray

Image = NDArray[np.float32]  # (height, width) or (height, width, channels)

AGES = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60+")
GENDERS = ("Female", "Male")
OLDEST = ("60-69", "more than 70")  # FairFace's labels that make up 60+

# The canvas of a figure, in pixels: the eyes lie EYES apart around MIDDLE on row EYE_ROW.
WIDTH, HEIGHT, EYES, EYE_ROW = 640, 820, 112.0, 230.0
MIDDLE = (WIDTH - 1) / 2
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
U, V = (X - MIDDLE) / EYES, (Y - EYE_ROW) / EYES  # the same in eye distances, from between the eyes
INNER = (slice(90, 490), slice(120, 520))  # the part of the canvas that photographs reach

FEWEST = 24  # photographs in one person
GRAY = np.array((0.56, 0.57, 0.59), np.float32)  # hair, BGR
PARTING = -0.28  # of the hair, in eye distances from the middle
MOST_GAIN = 2.5  # of detail; more would draw the seams between faces
# Inside the face on the inner canvas, and the bridge of the nose.
FACE: Image = (np.hypot(U / 0.95, (V - 0.35) / 1.25) < 1).astype(np.float32)[INNER]
BRIDGE = (np.abs(U) < 0.2) & (np.abs(V - 0.05) < 0.2)
FRAME_WIDTH, FRAME_HEIGHT, FPS = 960, 540, 25

# Eye distances from the eyes to the chin, measured on the finished means, youngest group first.
CHINS = {
    "Female": (1.50, 1.58, 1.66, 1.70, 1.72, 1.73, 1.75, 1.76),
    "Male": (1.50, 1.62, 1.70, 1.76, 1.78, 1.80, 1.82, 1.84),
}
CLOTHES = {"Female": (96, 74, 150), "Male": (128, 92, 58)}  # BGR


@dataclass
class Sample:
    """A photograph on the inner canvas, in CIE Lab."""

    lab: Image
    known: Image
    """1 where the photograph has pixels, 0 beyond its edges."""
    sharpness: float
    bridge: float
    """Contrast across the bridge of the nose, where glasses show."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the demo clip from FairFace's colour faces.")
    parser.add_argument("root", type=Path, help="folder with fairface_label_train.csv and train/")
    parser.add_argument("out", type=Path, help="the clip, an .mp4")
    parser.add_argument("--sheet", type=Path, help="also write the sixteen portraits as one PNG")
    options = parser.parse_args()
    if not (options.root / "fairface_label_train.csv").is_file():
        print(f"error: {options.root} has no fairface_label_train.csv: unpack fairface-color224 there", file=sys.stderr)
        return 1
    if not options.out.parent.is_dir():  # better now than in ten minutes
        print(f"error: there is no folder {options.out.parent}", file=sys.stderr)
        return 1
    finder = FaceFinder()
    files = labelled_files(options.root)
    figures: dict[str, list[Image]] = {gender: [] for gender in GENDERS}
    with tqdm(total=len(GENDERS) * len(AGES), desc="people") as progress:
        for gender in GENDERS:
            for age in range(len(AGES)):
                samples = chosen(files[gender, AGES[age]], finder)
                figures[gender].append(figure(person(samples), gender, age))
                progress.update()
    if options.sheet:
        write_sheet(options.sheet, figures)
    write_clip(options.out, figures)
    return 0


# --- A person ------------------------------------------------------------------------------------


def labelled_files(root: Path) -> dict[tuple[str, str], list[Path]]:
    """Files of every gender and age group."""
    files: dict[tuple[str, str], list[Path]] = {(gender, age): [] for gender in GENDERS for age in AGES}
    with (root / "fairface_label_train.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            age = "60+" if row["age"] in OLDEST else row["age"]
            files[row["gender"], age].append(root / row["file"])
    return files


def chosen(files: list[Path], finder: FaceFinder) -> list[Sample]:
    """The frontal, evenly lit, sharp faces without glasses, in one colour."""
    samples = [sample for file in sorted(files) if (sample := sampled(file, finder)) is not None]
    clear = np.quantile([sample.bridge for sample in samples], 0.7)
    samples = [sample for sample in samples if sample.bridge <= clear]
    samples.sort(key=lambda sample: sample.sharpness, reverse=True)
    samples = samples[: max(FEWEST, round(0.75 * len(samples)))]
    if len(samples) < FEWEST:
        raise SystemExit(
            f"error: {files[0].parent} has too few good faces: {len(samples)} for one person, not {FEWEST}"
        )
    colours = [weighted(sample.lab) for sample in samples]
    mean, deviation = (np.mean([colour[i] for colour in colours], axis=0) for i in (0, 1))
    for sample, (own_mean, own_deviation) in zip(samples, colours, strict=True):
        gain = np.clip(deviation / own_deviation, 0.6, 1.7)  # a gray photograph is not pumped up
        sample.lab = ((sample.lab - own_mean) * gain + mean).astype(np.float32)
    return samples


def sampled(file: Path, finder: FaceFinder) -> Sample | None:
    """The photograph placed by its eyes, or None when it is no good for a portrait."""
    read = cv2.imread(str(file))
    if read is None:
        raise SystemExit(f"error: {file} is not a picture")
    picture = np.asarray(read, np.uint8)
    faces = finder.detect(to_gray(picture))
    if not faces:
        return None
    face = faces[0]
    # In FairFace's 224 pixels the wanted face has its eyes 80 apart; others are in the background.
    if abs(face.shape[4].real) > 0.13 or face.score < 0.4 or face.eye_distance < 70:
        return None
    lab, known = placed(picture, face)
    light = lab[..., 0]
    mean, deviation = (float(value[0]) for value in weighted(lab))
    sides = light * FACE
    from_one_side = 2 * abs(float((sides - sides[:, ::-1])[:, : sides.shape[1] // 2].sum() / FACE.sum()))
    if not 35 < mean < 85 or from_one_side > 12:  # of lightness 0…100
        return None
    edges = np.abs(cv2.Laplacian(blurred(light, 1.5), cv2.CV_32F)) / deviation
    bands = np.abs(blurred(light, 1.5) - blurred(light, 8)) / deviation
    return Sample(lab, known, float((edges * FACE).sum() / FACE.sum()), float(bands[BRIDGE[INNER]].mean()))


def placed(picture: NDArray[np.uint8], face: Face) -> tuple[Image, Image]:
    """Lab pixels of the inner canvas, and where the photograph has pixels."""
    left, right = face.eyes
    step = (right - left) / EYES
    rows, columns = INNER
    origin = (left + right) / 2 - step * complex(MIDDLE - columns.start, EYE_ROW - rows.start)
    to_picture = np.array([[step.real, -step.imag, origin.real], [step.imag, step.real, origin.imag]])
    size = columns.stop - columns.start, rows.stop - rows.start
    inside = np.zeros(picture.shape[:2], np.float32)
    inside[2:-2, 2:-2] = 1
    known = cv2.warpAffine(inside, to_picture, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpAffine(
        picture.astype(np.float32) / 255, to_picture, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    lab = cv2.cvtColor(np.clip(pixels, 0, 1), cv2.COLOR_BGR2Lab)
    return np.asarray(lab, np.float32), np.asarray(known, np.float32)


def person(samples: list[Sample]) -> Image:
    """The (400, 400, 3) Lab mean of the samples, each warped to their mean shape, with the group's detail."""
    flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flows: list[Image] = [np.zeros((*sample.known.shape, 2), np.float32) for sample in samples]
    warped, known = [sample.lab for sample in samples], [sample.known for sample in samples]
    for smoothing in (14, 10, 7, 5):  # pixels: first the face as a whole, then its features
        mean = averaged(warped, known)
        misfit = [float((blurred(np.abs(lab - mean), 6) ** 2 * FACE[..., None]).sum()) for lab in warped]
        keep = min(max(FEWEST, round(0.85 * len(samples))), len(samples))
        best = sorted(np.argsort(misfit)[:keep])
        samples, flows = [samples[i] for i in best], [flows[i] for i in best]
        target = flattened(averaged([warped[i] for i in best], [known[i] for i in best]))
        flows = [
            blurred(np.asarray(flow_of.calc(target, flattened(sample.lab), flow), np.float32), smoothing)
            for sample, flow in zip(samples, flows, strict=True)
        ]
        # What all flows share would carry the mean away from its shape; its mirror image keeps it symmetric.
        drift = np.mean(flows, axis=0)
        drift = (drift + drift[:, ::-1] * (-1, 1)) / 2
        flows = [(flow - drift).astype(np.float32) for flow in flows]
        warped = [moved(sample.lab, flow) for sample, flow in zip(samples, flows, strict=True)]
        known = [np.clip(moved(sample.known, flow), 0, 1) for sample, flow in zip(samples, flows, strict=True)]
    return detailed(averaged(warped, known), warped)


def averaged(faces: list[Image], known: list[Image]) -> Image:
    """The mean of the faces and their mirror images, with little weight for what differs from most (glasses, hair)."""
    weights = [inside + 1e-4 for inside in known]
    for _ in range(2):
        total, mean = np.zeros_like(known[0]), np.zeros_like(faces[0])
        for face, weight in zip(faces, weights, strict=True):
            total += weight
            mean += face * weight[..., None]
        mean = (mean + mean[:, ::-1]) / (total + total[:, ::-1])[..., None]
        odd = [blurred(np.sqrt(((face - mean) ** 2).sum(axis=2)), 4) for face in faces]
        usual = np.median(odd, axis=0)
        weights = [(inside + 1e-4) / (1 + (o / usual) ** 4) for inside, o in zip(known, odd, strict=True)]
    return np.asarray(mean, np.float32)


def detailed(mean: Image, faces: list[Image]) -> Image:
    """The mean with its detail amplified to the strength that detail typically has in one of its faces."""
    rows, columns = INNER
    # Not where hair and clothes begin: what is amplified there are seams.
    where = ellipse(U[rows, columns], V[rows, columns], 0, 0.45, 1.1, 1.25, 0.35)[..., None]
    result = mean.copy()
    for scale, gain in enumerate((1.0, 1.0, 1.0, 0.8, 0.5)):  # five bands, each of twice the size
        band = layer(mean, scale)
        around = 6.0 * 2**scale
        own = np.sqrt(blurred(band[..., 0] ** 2, around)) + 0.02
        typical = np.sqrt(np.median([blurred(layer(face[..., 0], scale) ** 2, around) for face in faces], axis=0))
        factor = np.clip(typical / own, 1, MOST_GAIN)[..., None]
        result += where * band * (factor - 1) * gain
    return result


def layer(lab: Image, scale: int) -> Image:
    """Detail of about 2^scale pixels."""
    finer = blurred(lab, 2.0 ** (scale - 1)) if scale else lab
    return np.asarray(finer - blurred(lab, 2.0**scale), np.float32)


def flattened(lab: Image) -> NDArray[np.uint8]:
    """Lightness without its shading, for the optical flow."""
    detail = lab[..., 0] - blurred(lab[..., 0], 25)
    strength = np.sqrt(blurred(detail**2, 40) + 4)
    return np.clip(128 + 45 * detail / strength, 0, 255).astype(np.uint8)


# --- A figure ------------------------------------------------------------------------------------


def figure(face: Image, gender: str, age: int) -> Image:
    """(HEIGHT, WIDTH, 4) BGR and opacity, 0…1, premultiplied: the face with painted head, hair and shoulders."""
    photo = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    photo[INNER] = np.clip(cv2.cvtColor(face, cv2.COLOR_Lab2BGR), 0, 1)
    chin, grown, long_hair = CHINS[gender][age], min(age / 3, 1.0), gender == "Female"
    skin = median_colour(photo, (np.abs(U) < 0.75) & (V > 0.35) & (V < 0.7))
    hair = dark_colour(photo, (np.abs(U) > 1.0) & (np.abs(U) < 1.3) & (V > -0.8) & (V < -0.3))
    hair *= 1.0 if long_hair else 0.75  # skin shows through a man's short hair where its colour was read
    hair += (GRAY - hair) * max(age - 5, 0) * 0.3  # from the fifties on
    length = (0.0, 0.4, 0.75, 0.75, 0.75, 0.1, 0.1, 0.0)[age]  # of a woman's hair below her chin
    receded = 0.08 * max(age - 4, 0) if gender == "Male" else 0.0  # of a man's hair line
    strands = hair_texture(seed=age)
    ragged = strands - 1
    # Half the width of the skull, of the hair around it, and of the jaw.
    skull = 1.12 * arch(V, -0.1, 1.28)
    bushy = (1.28 if long_hair else 1.17) * arch(V, -0.05, 1.46 if long_hair else 1.38)
    jaw = np.sqrt(np.clip(1 - np.clip((V - 0.1) / (chin - 0.1), 0, 1) ** 2.6, 0, 1))

    canvas = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    crown = edge(V + 1.50, 0.05) if long_hair else edge(V + 1.42, 0.05)
    curtain = bushy + 0.10 * np.sin(1.3 * np.clip(V, 0, 2.4))
    if long_hair:  # what falls behind the neck
        end = edge(chin + length + 0.1 - 0.1 * np.abs(U) ** 3 + 0.3 * ragged - V, 0.3)
        canvas = over(canvas, hair * (0.6 * strands)[..., None], edge(curtain - 0.03 - np.abs(U), 0.06) * end * crown)
    neck = 0.50 + (0.12 if gender == "Female" else 0.25) * grown
    shade = 0.50 + 0.35 * np.clip((V - chin + 0.1) / 0.6, 0, 1) - 0.15 * (U / neck) ** 2
    flare = 0.5 * np.clip(V - chin - 0.1, 0, 1) ** 2
    shadow = np.clip(shade, 0.3, 1)[..., None] ** (1.25, 1.1, 1.0)  # shaded skin is redder
    canvas = over(canvas, skin * shadow, edge(neck + flare - np.abs(U), 0.06) * edge(V - 0.8, 0.1))
    canvas = over(canvas, *shirt(gender, chin, grown))
    ear = np.hypot((np.abs(U) - 1.07 + 0.1 * (V - 0.2)) / 0.13, (V - 0.22) / 0.34)
    canvas = over(canvas, skin * (0.62 + 0.25 * np.clip(ear, 0, 1) ** 2)[..., None], edge(1 - ear, 0.25))

    # The head: the photographs inside the skull and the jaw, plain skin above where they end.
    head = blurred(edge(skull * jaw - 0.03 - np.abs(U), 0.05), 2.0)
    canvas = over(canvas, skin * np.ones((HEIGHT, WIDTH, 1), np.float32), head * edge(-0.6 - V, 0.1))
    canvas = over(canvas, photo, head * edge(V + 0.82, 0.14))

    # Hair, from a parting to the temples; a baby boy's is thin.
    aside = (U - PARTING) / np.where(U > PARTING, 1.1 - PARTING, 1.1 + PARTING)
    line = -0.97 - receded + 0.85 * np.clip(np.abs(aside), 0, 1.2) ** (2.2 + 4 * receded) + 0.2 * ragged
    cap = edge(bushy - 0.03 - np.abs(U), 0.06) * edge(line - V, 0.24) * crown
    sheen = 1 + (0.6 - 0.1 * max(age - 4, 0)) * np.exp(-(((V + 1.15 - 0.3 * U**2) / 0.22) ** 2)) - 0.2 * (U / 1.3) ** 2
    canvas = over(canvas, blurred(hair * (strands * sheen)[..., None], 0.7), cap * (1.0 if long_hair or age else 0.7))
    if long_hair:  # and falls beside the cheeks
        inner = 0.99 + 0.08 * np.clip(V - 1.1, 0, 2) + 0.25 * ragged
        end = edge(chin + length + 0.8 * ragged - 1.5 * (np.abs(U) - 1.2) ** 2 - V, 0.5)
        side = edge(np.abs(U) - inner, 0.14) * edge(curtain - np.abs(U), 0.06) * edge(V + 0.5, 0.5)
        canvas = over(canvas, blurred(hair * (strands * 0.95)[..., None], 0.7), side * end)
    # Light comes from the left, a little.
    canvas[..., :3] *= (1.03 - 0.06 * U / 1.2)[..., None].clip(0.85, 1.1)
    return np.clip(canvas, 0, 1)


def shirt(gender: str, chin: float, grown: float) -> tuple[Image, Image]:
    """Colour and opacity of the shoulders."""
    reach = 1.65 + 0.85 * grown  # from the middle to the end of a shoulder
    across = np.abs(U) / reach
    top = chin - 0.06 + 0.75 * across**1.3 + 0.5 * (np.clip(across - 0.75, 0, 1) / 0.25) ** 2
    collar = 0.36 * np.clip(1 - (U / (0.68 + 0.2 * grown)) ** 2, 0, 1) ** 1.5
    line = blurred(top + collar, 6)
    opacity = edge(V - line, 0.03) * edge(1.02 - across, 0.04)
    hem = 1 - 0.25 * edge(line + 0.11 - V, 0.03)
    folds = 1 + 0.07 * np.sin(4 * U + 2.2 * V) * np.clip(V - chin - 0.6, 0, 1) - 0.25 * across**2
    light = np.clip(1.15 - 0.18 * (V - top), 0.5, 1.15) * folds * hem
    return np.asarray(np.array(CLOTHES[gender]) / 255 * light[..., None], np.float32), opacity


def arch(v: Image, foot: float, height: float) -> Image:
    """1 below `foot`, then narrowing upward to 0 at `foot - height`."""
    return np.asarray(np.clip(1 - (np.clip(foot - v, 0, None) / height) ** 2.3, 0, 1) ** 0.45, np.float32)


def hair_texture(seed: int) -> Image:
    """About 1: strands that run from a parting at the crown down both sides."""
    noise = np.random.default_rng(seed).normal(size=(8, 360)).astype(np.float32)
    noise = 0.45 * noise + 2.2 * cv2.GaussianBlur(noise, (0, 0), sigmaX=4, sigmaY=0.6)
    width = 1.35 * np.maximum(arch(V, 0.0, 1.75), 0.12)
    column = (180 + 120 * (U - PARTING * np.clip((0.4 - V) / 1.2, 0, 1)) / width).astype(np.float32)
    row = (V + 1.7) / 4.5 * 7 + 0.4 * np.sin(3 * U)
    texture = cv2.remap(noise, column, row.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(1 + 0.13 * texture, np.float32)


# --- The scene -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """One person in front of the camera, between two times in seconds."""

    gender: str
    start: float
    end: float
    ages: tuple[int, ...]
    place: float
    """Where they stand, as a share of the frame's width."""
    enters: float
    """Where from: -1 left, 1 right, 0 below."""
    leaves: float
    phase: float
    """So that no two people sway alike."""


VISITS = (
    Visit("Female", 0.6, 11.4, tuple(range(8)), 0.47, 0, 1, 0.0),
    Visit("Male", 12.0, 22.8, tuple(range(8)), 0.53, 0, -1, 1.7),
    Visit("Female", 23.3, 28.2, (3,), 0.31, -1, -1, 3.1),
    Visit("Male", 23.6, 28.4, (4,), 0.69, 1, 1, 4.4),
)
SECONDS = 29.0
WALK = 0.9  # seconds to come or go
CHANGE = 0.4  # share of an age's time in which the next one is morphed in


def write_clip(out: Path, figures: dict[str, list[Image]]) -> None:
    # MPEG-4 Part 2: every FFmpeg writes and reads it. cv2 cannot ask VP9 for less than ten times the size.
    writer = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (FRAME_WIDTH, FRAME_HEIGHT))
    if not writer.isOpened():
        raise SystemExit(f"error: cannot write {out}: no such folder, or this OpenCV has no MPEG-4 encoder")
    morphs = {gender: [Morph(a, b) for a, b in pairwise(row)] for gender, row in figures.items()}
    noise = np.random.default_rng(0)
    room = background()
    for number in tqdm(range(round(SECONDS * FPS)), desc="frames"):
        writer.write(frame(number / FPS, figures, morphs, room, noise))
    writer.release()


def frame(
    time: float,
    figures: dict[str, list[Image]],
    morphs: dict[str, list[Morph]],
    room: Image,
    noise: np.random.Generator,
) -> NDArray[np.uint8]:
    """What the camera sees."""
    picture = room.copy()
    for visit in VISITS:
        if visit.start < time < visit.end:
            person_now = appearance(visit, time, figures[visit.gender], morphs[visit.gender])
            layer_now = cv2.warpAffine(person_now, pose(visit, time), (FRAME_WIDTH, FRAME_HEIGHT), flags=cv2.INTER_AREA)
            picture = layer_now[..., :3] + picture * (1 - layer_now[..., 3:])
    # The room's light changes a little, and a camera's pixels are never still.
    picture *= 1 + 0.03 * np.sin(2 * np.pi * time / SECONDS * 3)
    grain = noise.normal(scale=1.2, size=(FRAME_HEIGHT, FRAME_WIDTH, 1)).astype(np.float32)
    return np.clip(picture * 255 + grain, 0, 255).astype(np.uint8)


def appearance(visit: Visit, time: float, row: list[Image], morphs: list[Morph]) -> Image:
    """The figure at this age, or on its way to the next."""
    here = (time - visit.start - WALK) / (visit.end - visit.start - 2 * WALK)
    position = float(np.clip(here * len(visit.ages), 0, len(visit.ages) - 1e-6))
    index, within = int(position), position % 1
    change = (within - (1 - CHANGE)) / CHANGE
    if change <= 0 or index + 1 == len(visit.ages):
        return row[visit.ages[index]]
    return morphs[visit.ages[index]].at(eased(change))


class Morph:
    """From one figure to another in shape and colour."""

    def __init__(self, before: Image, after: Image) -> None:
        flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        gray = [to_gray((figure_[..., :3] * 255).astype(np.uint8)) for figure_ in (before, after)]
        self.before, self.after = before, after
        still = np.zeros((HEIGHT, WIDTH, 2), np.float32)
        self.there = blurred(np.asarray(flow_of.calc(gray[0], gray[1], still.copy()), np.float32), 6)
        self.back = blurred(np.asarray(flow_of.calc(gray[1], gray[0], still.copy()), np.float32), 6)

    def at(self, share: float) -> Image:
        return (
            moved(self.before, -share * self.there) * (1 - share) + moved(self.after, (share - 1) * self.back) * share
        )


def pose(visit: Visit, time: float) -> NDArray[np.float64]:
    """(2, 3): from the figure's canvas to the frame."""
    outside = 1 - eased(min((time - visit.start) / WALK, 1)), 1 - eased(min((visit.end - time) / WALK, 1))
    t = time + visit.phase
    x = visit.place + 0.025 * np.sin(1.1 * t) + 0.012 * np.sin(2.3 * t + 1)
    y = 0.46 + 0.012 * np.sin(1.7 * t + 2)
    size = FRAME_HEIGHT / 720 * (1.0 + 0.10 * np.sin(0.75 * t + 1) - 0.1 * max(outside))
    lean = 5.0 * np.sin(0.9 * t) + 3.0 * np.sin(1.9 * t + 0.5)
    for share, side in zip(outside, (visit.enters, visit.leaves), strict=True):
        x += 0.95 * share * side
        y += 1.1 * share * (side == 0)
        y += 0.01 * abs(np.sin(9 * share)) * (side != 0)  # steps
    turn = cv2.getRotationMatrix2D((MIDDLE, EYE_ROW + 2 * EYES), -lean, size)  # about the neck
    turn[:, 2] += (x * FRAME_WIDTH - MIDDLE, y * FRAME_HEIGHT - EYE_ROW - 0.3 * EYES)
    return np.asarray(turn)


def background() -> Image:
    """A studio's backdrop: lit from the upper left, darker in the corners."""
    y, x = np.mgrid[0:FRAME_HEIGHT, 0:FRAME_WIDTH].astype(np.float32)
    distance = np.hypot((x - 0.42 * FRAME_WIDTH) / FRAME_WIDTH, (y - 0.35 * FRAME_HEIGHT) / FRAME_HEIGHT)
    return np.asarray(np.array((0.66, 0.63, 0.58)) * (1 - 0.55 * distance[..., None] ** 1.6), np.float32)


def write_sheet(path: Path, figures: dict[str, list[Image]]) -> None:
    """The sixteen portraits, the youngest at the left."""
    ground = np.array((0.6, 0.58, 0.54), np.float32)
    rows = [np.hstack([one[..., :3] + ground * (1 - one[..., 3:]) for one in figures[gender]]) for gender in GENDERS]
    cv2.imwrite(str(path), np.clip(np.vstack(rows) * 255, 0, 255).astype(np.uint8))


# --- Pixels --------------------------------------------------------------------------------------


def blurred(image: Image, deviation: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), deviation), np.float32)


def moved(image: Image, flow: Image) -> Image:
    """The image read at every pixel's place plus its flow."""
    height, width = image.shape[:2]
    moved_image = cv2.remap(
        image,
        X[:height, :width] + flow[..., 0],
        Y[:height, :width] + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved_image, np.float32)


def over(below: Image, colour: Image, opacity: Image) -> Image:
    """`colour` laid over a premultiplied image."""
    alpha = opacity[..., None]
    return np.asarray(np.dstack([np.clip(colour, 0, 1) * alpha, alpha]) + below * (1 - alpha), np.float32)


def edge(inside: Image, softness: float) -> Image:
    """1 where `inside` is positive, 0 where negative, with a soft step between."""
    share = np.clip(inside / softness + 0.5, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def ellipse(u: Image, v: Image, middle_u: float, middle_v: float, half_u: float, half_v: float, soft: float) -> Image:
    return edge(1 - np.hypot((u - middle_u) / half_u, (v - middle_v) / half_v), soft)


def eased(share: float) -> float:
    """0…1 with a slow start and end."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def weighted(lab: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(3,) mean and (3,) deviation of the colours of the face."""
    weight = FACE[..., None] / FACE.sum()
    mean = (lab * weight).sum(axis=(0, 1))
    return mean, np.sqrt(((lab - mean) ** 2 * weight).sum(axis=(0, 1)))


def median_colour(photo: Image, where: NDArray[np.bool_]) -> Image:
    return np.asarray(np.median(photo[where], axis=0), np.float32)


def dark_colour(photo: Image, where: NDArray[np.bool_]) -> Image:
    """The mean of the darkest sixth of the pixels."""
    pixels = photo[where]
    light = pixels.sum(axis=1)
    return np.asarray(pixels[light <= np.quantile(light, 1 / 6)].mean(axis=0), np.float32)


if __name__ == "__main__":
    raise SystemExit(main())
