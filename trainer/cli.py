"""The command `trainer`: prepares data, trains, measures and exports the network, offline."""

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
    return click.option(
        "--workers", type=click.IntRange(min=1), help="Number of processes; by default one for each core."
    )(command)


def _number(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Returns the option's value. Raises `BadParameter` for NaN, which passes every range check."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("NaN is not a number", param=option)
    return value


@click.group(cls=Group)
@click.version_option(package_name="facialnet-kiosk")
def main() -> None:
    """Prepares faces, trains FacialNet, measures it and exports it."""


@main.command()
@click.argument("kind", type=click.Choice(["adience", "fairface", "utkface", "folder"]))
@click.argument("root", type=FOLDER)
@click.argument("out", type=FOLDER)
@_workers
def prepare(
    kind: Literal["adience", "fairface", "utkface", "folder"], root: Path, out: Path, workers: int | None
) -> None:
    """Crops and aligns the faces of a data set's photographs.

    ROOT is the data set as its authors distribute it. FairFace: the folder with fairface_label_train.csv.
    Adience: the folder with fold_0_data.txt and faces/. UTKFace: the folder with the images. A folder of your
    own: the folder with labels.csv (file,age,gender[,subject]). OUT is created. After an interruption, the
    same command continues.
    """
    from trainer.data import readers
    from trainer.data.prepare import prepare as run

    report = run(readers.read(kind, root), root, out, workers)
    click.echo(str(report))


@main.command()
@click.argument("prepared", type=FOLDER, nargs=-1, required=True)
@click.option("--recipe", "name", type=click.Choice(["paper", "default"]), default="default", show_default=True)
@click.option("--out", type=FOLDER, required=True, help="Folder for checkpoints and curves.")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option("--epochs", type=click.IntRange(min=1), help="Number of epochs; by default the recipe's.")
@click.option("--batch-size", type=click.IntRange(min=2), help="Faces per step; by default the recipe's.")
@click.option(
    "--lr",
    type=click.FloatRange(0, 1, min_open=True),
    callback=_number,
    help="Highest learning rate; by default the recipe's.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--augmentation/--no-augmentation", default=True, show_default=True)
@click.option("--mixed-precision/--full-precision", default=None, help="By default the recipe's choice.")
@click.option(
    "--set", "others", multiple=True, metavar="KEY=VALUE", help="Any other field of the recipe, such as mixup=0."
)
@click.option(
    "--groups", type=click.Choice(["adience", "decades"]), help="Age groups; by default those of the first data set."
)
@click.option("--start-from", type=FOLDER, help="Start from the network of this run.")
def train(
    prepared: tuple[Path, ...],
    name: str,
    out: Path,
    resume: bool,
    epochs: int | None,
    batch_size: int | None,
    lr: float | None,
    seed: int,
    augmentation: bool,
    mixed_precision: bool | None,
    others: tuple[str, ...],
    groups: Literal["adience", "decades"] | None,
    start_from: Path | None,
) -> None:
    """Trains FacialNet on prepared faces, of one or several data sets.

    Under `torchrun -m trainer` it trains in several processes, one for each GPU.
    """
    from trainer.data.labels import GROUPS
    from trainer.training.distributed import silence_other_processes
    from trainer.training.recipe import RECIPES, Recipe
    from trainer.training.train import train as run

    options: dict[str, object] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "mixed_precision": mixed_precision,
    }
    given = {key: value for key, value in options.items() if value is not None}
    if not augmentation:
        given["augmentation"] = None
    try:
        recipe = Recipe.from_dict({**RECIPES[name].to_dict(), "seed": seed, **given, **_parse_settings(others)})
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--set") from error
    with silence_other_processes():
        accuracy = run(
            prepared, out, recipe, groups=GROUPS[groups] if groups else None, resume=resume, start_from=start_from
        )
        click.echo(f"{out}: {accuracy}")


def _parse_settings(texts: tuple[str, ...]) -> dict[str, object]:
    """Returns the keys and JSON values of texts such as `mixup=0.2`. Raises `ValueError` for a text without `=`."""
    settings: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r} is not KEY=VALUE")
        try:
            settings[key] = json.loads(value)
        except ValueError:
            settings[key] = value  # words need no quotes
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
    help="Share of the training faces to use.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=5, show_default=True)
def lr_search(prepared: Path, out: Path, name: str, share: float, epochs: int) -> None:
    """Tries initial learning rates from 0.1 to 0.001 on a part of the data, as the paper did.

    After an interruption, the same command continues.
    """
    from trainer.training.lr_search import best, search
    from trainer.training.recipe import RECIPES

    trials = []
    for trial in search(prepared, out, RECIPES[name], share, epochs):
        click.echo(str(trial))
        trials.append(trial)
    if found := best(trials):
        click.echo(f"lowest loss at learning rate {found.rate:g}")


@main.command()
@click.argument("run_or_engine", type=EITHER)
@click.argument("prepared", type=FOLDER)
@click.option("--split", type=click.Choice(["train", "calibration", "test", "all"]), default="test", show_default=True)
@click.option("--json", "json_file", type=FILE, help="Write all figures to this JSON file.")
@click.option("--report", type=FOLDER, help="Write report.md and its plots to this folder.")
def evaluate(
    run_or_engine: Path,
    prepared: Path,
    split: Literal["train", "calibration", "test", "all"],
    json_file: Path | None,
    report: Path | None,
) -> None:
    """Measures the accuracy of a run's network, or of any engine, on prepared faces."""
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
    """Runs a published benchmark, from prepared data to the finished table."""


@benchmark.command()
@click.argument("root", type=FOLDER)
@click.option("--protocol", type=click.Choice(["paper", "folds"]), required=True)
@click.option("--out", type=FOLDER, required=True, help="Folder for the results; you may delete its runs/.")
@click.option("--row", "rows", multiple=True, help="Run only this row of the table; may be repeated.")
@click.option("--start-from", type=FOLDER, help="Add a row that starts from this run's network.")
@_workers
def adience(
    root: Path,
    protocol: Literal["paper", "folds"],
    out: Path,
    rows: tuple[str, ...],
    start_from: Path | None,
    workers: int | None,
) -> None:
    """Runs the Adience benchmark, by the paper's protocol (a random split) or its own (five folds).

    ROOT is Adience as its authors distribute it, or a prepared folder. After an interruption, the same command
    continues; finished runs in OUT are not repeated.
    """
    from trainer.training.adience_benchmark import run

    click.echo(run(root, out, protocol, rows, start_from, workers))


@main.command()
@click.argument("run", type=FOLDER)
@click.option("--out", type=FILE, required=True, help="The ONNX file; its manifest is written beside it.")
def export(run: Path, out: Path) -> None:
    """Exports a run's network to ONNX, calibrates its probabilities and compares it with torch."""
    from trainer.export.to_onnx import export as write

    manifest = write(run, out)
    click.echo(f"{out}: {manifest.accuracy}")


@main.command("train-nonface-filter")
@click.argument("prepared", type=FOLDER)
@click.argument("pictures", type=FOLDER, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="The .npz file to write; the kiosk's is engines/facelike.npz.")
@click.option("--seed", type=int, default=0, show_default=True)
def train_nonface_filter(prepared: Path, pictures: tuple[Path, ...], out: Path, seed: int) -> None:
    """Trains the filter that rejects detections which are no real face: cartoons, cats, textures.

    PREPARED is a folder of prepared faces; PICTURES are folders of images without faces. One image in three is
    kept for measuring.
    """
    from trainer.nonface.train import train_nonface_filter as fit

    click.echo(fit(prepared, pictures, out, seed))


@main.command()
@click.argument("onnx", type=FILE, required=False)
@click.option("--target", type=click.Choice(["tensorrt", "cpu", "onnx"]), default="tensorrt", show_default=True)
@click.option("--precision", type=click.Choice(["fp32", "fp16", "int8"]), help="By default the precision of the file.")
@click.option("--out", type=FILE, help="The engine file; by default where the kiosk looks for it.")
@click.option("--calibration", type=FOLDER, help="Prepared faces, to quantise to int8 and to measure accuracy.")
@click.option(
    "--max-batch", type=click.IntRange(1, 256), default=MAX_BATCH, show_default=True, help="Most faces per call."
)
@click.option("--workspace", type=click.IntRange(1, 2**20), help="Memory for building, in MiB; by default all.")
@click.option(
    "--runtime",
    type=click.Choice(["tensorrt", "tensorrt_rtx"]),
    help="The library; by default TensorRT if it is installed, else TensorRT for RTX.",
)
@click.option(
    "--gpus",
    "generations",
    multiple=True,
    metavar="GENERATION",
    help="With TensorRT for RTX: turing, ampere, ada or blackwell; may be repeated. By default all but turing.",
)
@click.option("-v", "--verbose", "verbosity", count=True, help="Show TensorRT's messages; twice for all of them.")
def build_engine(
    onnx: Path | None,
    target: Literal["tensorrt", "cpu", "onnx"],
    precision: Literal["fp32", "fp16", "int8"] | None,
    out: Path | None,
    calibration: Path | None,
    max_batch: int,
    workspace: int | None,
    runtime: Literal["tensorrt", "tensorrt_rtx"] | None,
    generations: tuple[str, ...],
    verbosity: int,
) -> None:
    """Compiles a network for this machine's GPU, or quantises it for a CPU.

    ONNX is a file of `trainer export`; by default the kiosk's own network. Run this on the machine that will use
    the engine, because a compiled engine works on one GPU generation and with one version of TensorRT. `--target
    onnx` writes the int8 file from which TensorRT compiles on a machine that has no faces to calibrate with.
    """
    if target != "tensorrt":
        from trainer.export.build_int8 import build_int8

        if precision not in (None, "int8"):
            raise click.UsageError(f"--target {target} always writes int8: leave out --precision")
        if workspace or runtime or generations or verbosity or max_batch != MAX_BATCH:
            raise click.UsageError(
                f"--target {target} compiles nothing: besides ONNX it takes only --out and --calibration"
            )
        build_int8(onnx, out, calibration, "cpu" if target == "cpu" else "tensorrt", click.echo)
        return
    from trainer.export.build_engine import BuildOptions
    from trainer.export.build_engine import build_engine as build

    options = BuildOptions(max_batch, workspace, runtime, generations, verbosity)
    build(onnx, precision, out, calibration, options, click.echo)


@main.command()
@click.argument("engine", type=FILE)
@click.option("--faces", type=FOLDER, help="Prepared faces, to measure the accuracy on.")
def verify_engine(engine: Path, faces: Path | None) -> None:
    """Compares a compiled engine with its network, on the GPU that will run it.

    `build-engine` does this itself where it can run the engine.
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
    "--batch-size",
    "batch_sizes",
    type=click.IntRange(1, 4096),
    multiple=True,
    default=(1, 2, 4, 8),
    show_default=True,
    help="Faces per call; may be repeated.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3600, min_open=True),
    callback=_number,
    default=20,
    show_default=True,
    help="Total measuring time.",
)
@click.option("--json", "json_file", type=FILE, help="Write all figures to this JSON file.")
@click.option(
    "--torch/--no-torch", "with_torch", default=True, show_default=True, help="Measure torch as well, if installed."
)
def bench(
    engines: tuple[Path, ...],
    batch_sizes: tuple[int, ...],
    seconds: float,
    json_file: Path | None,
    with_torch: bool,
) -> None:
    """Measures latency and throughput of engines on this machine, and compares them with torch.

    The first row is always the kiosk's own network in ONNX Runtime. Run nothing else at the same time.
    """
    from trainer.speed.bench import bench as measure
    from trainer.speed.bench import write_json
    from trainer.speed.text import markdown

    result = measure(engines, batch_sizes, seconds, with_torch)
    click.echo(markdown(result))
    if json_file:
        write_json(result, json_file)
    if any(row.fault for row in result.rows):
        raise click.exceptions.Exit(1)  # an engine could not be measured; the notes say why
