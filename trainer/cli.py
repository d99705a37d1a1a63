"""The command `trainer`: what an engineer does with the network, offline."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from kiosk.common.click_group import Group

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
EITHER = click.Path(path_type=Path)

MAX_BATCH = 8

Command = TypeVar("Command", bound=Callable[..., Any])


def _workers(command: Command) -> Command:
    return click.option("--workers", type=click.IntRange(min=1), help="Processes to run; by default one a core.")(
        command
    )


def _number(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Refuses what compares with every range: not-a-number."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("it is not a number", param=option)
    return value


@click.group(cls=Group)
@click.version_option(package_name="facialnet-kiosk")
def main() -> None:
    """Prepares faces, trains FacialNet, measures it, exports it."""


@main.command()
@click.argument("kind", type=click.Choice(["adience", "fairface", "utkface", "folder"]))
@click.argument("root", type=FOLDER)
@click.argument("out", type=FOLDER)
@_workers
def prepare(
    kind: Literal["adience", "fairface", "utkface", "folder"], root: Path, out: Path, workers: int | None
) -> None:
    """Cuts a data set's photographs into aligned crops.

    ROOT is the data set as its authors ship it: for FairFace the folder that holds
    fairface_label_train.csv, for Adience the one with fold_0_data.txt and faces/, for UTKFace the one with
    the pictures, for a folder of your own the one with labels.csv (file,age,gender[,subject]). OUT is made;
    the same command continues after an interruption.
    """
    from trainer.data import readers
    from trainer.data.prepare import prepare as run

    report = run(readers.read(kind, root), root, out, workers)
    click.echo(str(report))


@main.command()
@click.argument("prepared", type=FOLDER, nargs=-1, required=True)
@click.option("--recipe", "name", type=click.Choice(["paper", "default"]), default="default", show_default=True)
@click.option("--out", type=FOLDER, required=True, help="Folder for checkpoints and curves.")
@click.option("--resume", is_flag=True, help="Continue the run in --out where it stopped.")
@click.option("--epochs", type=click.IntRange(min=1), help="By default the recipe's.")
@click.option("--batch", type=click.IntRange(min=2), help="Chips a step; by default the recipe's.")
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), callback=_number, help="Highest learning rate.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--augmentation/--no-augmentation", default=True, show_default=True)
@click.option("--mixed-precision/--full-precision", default=None, help="By default as the recipe says.")
@click.option("--set", "others", multiple=True, metavar="KEY=VALUE", help="Any other part of the recipe: mixup=0.")
@click.option("--groups", type=click.Choice(["adience", "decades"]), help="By default the first set's own.")
@click.option("--start-from", type=FOLDER, help="Another run, with whose network this one begins.")
def train(
    prepared: tuple[Path, ...],
    name: str,
    out: Path,
    resume: bool,
    epochs: int | None,
    batch: int | None,
    rate: float | None,
    seed: int,
    augmentation: bool,
    mixed_precision: bool | None,
    others: tuple[str, ...],
    groups: Literal["adience", "decades"] | None,
    start_from: Path | None,
) -> None:
    """Trains FacialNet on prepared crops: several sets together, where their labels go together.

    Under `torchrun -m trainer` it trains in several processes, one a GPU.
    """
    from trainer.data.labels import GROUPS
    from trainer.training.distributed import one_speaks
    from trainer.training.recipe import RECIPES, Recipe
    from trainer.training.train import train as run

    asked: dict[str, object] = {"epochs": epochs, "batch": batch, "rate": rate, "mixed_precision": mixed_precision}
    given = {key: value for key, value in asked.items() if value is not None}
    if not augmentation:
        given["augmentation"] = None
    try:
        recipe = Recipe.from_dict({**RECIPES[name].to_dict(), "seed": seed, **given, **_settings(others)})
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--set") from error
    with one_speaks():
        accuracy = run(
            prepared, out, recipe, groups=GROUPS[groups] if groups else None, resume=resume, start_from=start_from
        )
        click.echo(f"{out}: {accuracy}")


def _settings(texts: tuple[str, ...]) -> dict[str, object]:
    """`mixup=0.2` → its key and value. Raises `ValueError`."""
    settings: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r} is not KEY=VALUE")
        try:
            settings[key] = json.loads(value)
        except ValueError:
            settings[key] = value  # a word needs no quotes
    return settings


@main.command()
@click.argument("prepared", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Folder for the runs, rates.json and rates.png.")
@click.option("--recipe", "name", type=click.Choice(["paper", "default"]), default="paper", show_default=True)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    callback=_number,
    default=0.25,
    show_default=True,
    help="Of the faces.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=5, show_default=True)
def search_rate(prepared: Path, out: Path, name: str, share: float, epochs: int) -> None:
    """Tries initial learning rates from 0.1 to 0.001 on a part of the data, as the paper did.

    The same command continues after an interruption.
    """
    from trainer.training.lr_search import best, search
    from trainer.training.recipe import RECIPES

    trials = []
    for trial in search(prepared, out, RECIPES[name], share, epochs):
        click.echo(str(trial))
        trials.append(trial)
    if found := best(trials):
        click.echo(f"least loss at rate {found.rate:g}")


@main.command()
@click.argument("run_or_engine", type=EITHER)
@click.argument("prepared", type=FOLDER)
@click.option("--split", type=click.Choice(["train", "calibration", "test", "all"]), default="test", show_default=True)
@click.option("--json", "json_file", type=FILE, help="Write every figure here.")
@click.option("--report", type=FOLDER, help="Write report.md and its pictures here.")
def evaluate(
    run_or_engine: Path,
    prepared: Path,
    split: Literal["train", "calibration", "test", "all"],
    json_file: Path | None,
    report: Path | None,
) -> None:
    """Measures a run's network, or any engine, on prepared faces."""
    from trainer.evaluation.evaluate import evaluate as measure
    from trainer.evaluation.evaluate import write_json, write_report
    from trainer.evaluation.text import summary

    evaluation = measure(run_or_engine, prepared, split)
    if json_file:
        write_json(evaluation, json_file)
    if report:
        write_report(evaluation, report)
    click.echo(summary(evaluation))


@main.group(cls=Group)
def benchmark() -> None:
    """Runs a published protocol, from prepared data to the finished table."""


@benchmark.command()
@click.argument("root", type=FOLDER)
@click.option("--protocol", type=click.Choice(["paper", "folds"]), required=True)
@click.option("--out", type=FOLDER, required=True, help="Folder for the results; its runs/ may be deleted.")
@click.option("--row", "rows", multiple=True, help="Only this row of the table; may be repeated.")
@click.option("--start-from", type=FOLDER, help="Adds a row that begins with this run's network.")
@_workers
def adience(
    root: Path,
    protocol: Literal["paper", "folds"],
    out: Path,
    rows: tuple[str, ...],
    start_from: Path | None,
    workers: int | None,
) -> None:
    """The Adience benchmark, under the paper's protocol (a random split) or its own (five folds).

    ROOT is Adience as its authors ship it, or already prepared. The same command continues after an
    interruption, run by run; what is in OUT already is not done again.
    """
    from trainer.training.adience_benchmark import run

    click.echo(run(root, out, protocol, rows, start_from, workers))


@main.command()
@click.argument("run", type=FOLDER)
@click.option("--out", type=FILE, required=True, help="The ONNX file; its manifest is written beside it.")
def export(run: Path, out: Path) -> None:
    """Exports a run's network to ONNX, calibrated and checked against torch."""
    from trainer.export.to_onnx import export as write

    manifest = write(run, out)
    click.echo(f"{out}: {manifest.accuracy}")


@main.command()
@click.argument("prepared", type=FOLDER)
@click.argument("pictures", type=FOLDER, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="The .npz file; the kiosk's own is engines/facelike.npz.")
@click.option("--seed", type=int, default=0, show_default=True)
def facelike(prepared: Path, pictures: tuple[Path, ...], out: Path, seed: int) -> None:
    """Trains what tells a real face from a cartoon, a cat or a texture.

    PREPARED are faces, PICTURES folders of anything else; one picture in three is left for measuring.
    """
    from trainer.nonface.train import fit

    click.echo(fit(prepared, pictures, out, seed))


@main.command()
@click.argument("onnx", type=FILE, required=False)
@click.option("--target", type=click.Choice(["tensorrt", "cpu", "onnx"]), default="tensorrt", show_default=True)
@click.option("--precision", type=click.Choice(["fp32", "fp16", "int8"]), help="By default the file's own.")
@click.option("--out", type=FILE, help="By default where the kiosk looks for it.")
@click.option("--calibration", type=FOLDER, help="Prepared faces: for eight bits, and to measure accuracy.")
@click.option("--max-batch", type=click.IntRange(1, 256), default=MAX_BATCH, show_default=True, help="Faces at once.")
@click.option("--workspace", type=click.IntRange(1, 2**20), help="Memory for building, MiB; by default all there is.")
@click.option(
    "--flavour",
    type=click.Choice(["tensorrt", "tensorrt_rtx"]),
    help="By default TensorRT where it is installed, else TensorRT for RTX.",
)
@click.option(
    "--gpus",
    "generations",
    multiple=True,
    metavar="GENERATION",
    help="For TensorRT for RTX: turing, ampere, ada, blackwell; may be repeated. By default all but turing.",
)
@click.option("-v", "--verbose", "verbosity", count=True, help="What TensorRT says; twice for all of it.")
def build_engine(
    onnx: Path | None,
    target: Literal["tensorrt", "cpu", "onnx"],
    precision: Literal["fp32", "fp16", "int8"] | None,
    out: Path | None,
    calibration: Path | None,
    max_batch: int,
    workspace: int | None,
    flavour: Literal["tensorrt", "tensorrt_rtx"] | None,
    generations: tuple[str, ...],
    verbosity: int,
) -> None:
    """Compiles a network for this machine's GPU, or makes its fastest form for a CPU.

    ONNX is what `trainer export` wrote; by default the kiosk's own network. Run it on the machine that is
    to run the engine: a compiled engine fits one GPU generation and one version of TensorRT. `--target onnx`
    makes the file in eight bits that TensorRT compiles, where that machine has no faces to calibrate with.
    """
    if target != "tensorrt":
        from trainer.export.build_int8 import build_int8

        if precision not in (None, "int8"):
            raise click.UsageError(f"--target {target} is in int8: float32 and float16 need no file of their own")
        if workspace or flavour or generations or verbosity or max_batch != MAX_BATCH:
            raise click.UsageError(
                f"--target {target} is not compiled: of the options it takes --out and --calibration"
            )
        build_int8(onnx, out, calibration, "cpu" if target == "cpu" else "tensorrt", click.echo)
        return
    from trainer.export.build_engine import BuildOptions
    from trainer.export.build_engine import build_engine as build

    options = BuildOptions(max_batch, workspace, flavour, generations, verbosity)
    build(onnx, precision, out, calibration, options, click.echo)


@main.command()
@click.argument("engine", type=FILE)
@click.option("--faces", type=FOLDER, help="Prepared faces, to measure its accuracy on.")
def verify_engine(engine: Path, faces: Path | None) -> None:
    """Compares a compiled engine with its network, on the GPU that is to run it.

    `build-engine` does so by itself where it can run what it built.
    """
    from trainer.data.faces import Faces
    from trainer.export.verify_engine import verify_engine as verify

    proof = verify(engine, Faces.load([faces]) if faces else None)
    click.echo(f"{engine}: checked on {proof.manifest.verified}")
    if proof.measured:
        click.echo(f"{engine}: {proof.measured}")


@main.command()
@click.argument("engines", type=FILE, nargs=-1)
@click.option(
    "--batch",
    "batches",
    type=click.IntRange(1, 4096),
    multiple=True,
    default=(1, 2, 4, 8),
    show_default=True,
    help="Faces a call; may be repeated.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3600, min_open=True),
    callback=_number,
    default=20,
    show_default=True,
    help="To measure for, all together.",
)
@click.option("--json", "json_file", type=FILE, help="Write every figure here.")
@click.option("--figure", type=FILE, help="Draw a picture (PNG) here.")
@click.option("--torch/--no-torch", "with_torch", default=True, show_default=True, help="Beside torch, if installed.")
def bench(
    engines: tuple[Path, ...],
    batches: tuple[int, ...],
    seconds: float,
    json_file: Path | None,
    figure: Path | None,
    with_torch: bool,
) -> None:
    """Measures how fast engines are on this machine, beside torch and the machine's own ceilings.

    The kiosk's own network in ONNX Runtime is always the first row. Let nothing else run meanwhile.
    """
    from trainer.speed.bench import artist, write_json
    from trainer.speed.bench import bench as measure
    from trainer.speed.text import markdown

    if figure and figure.suffix.lower() != ".png":
        raise click.BadParameter("it is a PNG: name it so", param_hint="--figure")
    draw = artist() if figure else None
    result = measure(engines, batches, seconds, with_torch)
    click.echo(markdown(result))
    if json_file:
        write_json(result, json_file)
    if figure and draw:
        draw(result, figure)
    if any(row.fault for row in result.rows):
        raise click.exceptions.Exit(1)  # an engine that was named was not measured; the notes say why
