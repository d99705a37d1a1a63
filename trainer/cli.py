"""The command `trainer`: what an engineer does with the network, offline."""

from __future__ import annotations

from pathlib import Path

import click

from kiosk.console import Group

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
@click.version_option(package_name="facialnet-kiosk")
def main() -> None:
    """Prepares faces, trains FacialNet, exports it."""


@main.group(cls=Group)
def prepare() -> None:
    """Cuts a data set's photographs into aligned chips."""


@prepare.command()
@click.argument("root", type=FOLDER)
@click.argument("out", type=FOLDER)
@click.option("--workers", type=click.IntRange(min=1), help="Processes to run; by default one a core.")
def fairface(root: Path, out: Path, workers: int | None) -> None:
    """ROOT is the folder that holds fairface_label_train.csv; OUT is made."""
    from trainer.prepare import prepare_fairface

    report = prepare_fairface(root, out, workers)
    click.echo(f"{report.kept} faces in {out}; {report.no_face} pictures without a face that the detector finds")
    if report.unreadable:
        click.echo(f"{len(report.unreadable)} unreadable: {', '.join(report.unreadable[:10])}", err=True)


@main.command()
@click.argument("prepared", type=FOLDER)
@click.option("--epochs", type=click.IntRange(min=1), default=18, show_default=True)
@click.option("--out", type=FOLDER, required=True, help="Folder for checkpoints and curves.")
@click.option("--resume", is_flag=True, help="Continue the run in --out where it stopped.")
@click.option("--start-from", type=FOLDER, help="Another run, with whose network this one begins.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--batch", type=click.IntRange(min=2), default=64, show_default=True, help="Chips a step.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=0.03, show_default=True, help="Peak rate.")
def train(
    prepared: Path,
    epochs: int,
    out: Path,
    resume: bool,
    start_from: Path | None,
    seed: int,
    batch: int,
    rate: float,
) -> None:
    """Trains FacialNet on prepared chips."""
    from trainer.train import Recipe
    from trainer.train import train as run

    recipe = Recipe(epochs=epochs, batch=batch, peak_rate=rate, seed=seed)
    run(prepared, out, recipe, resume=resume, start_from=start_from)


@main.command()
@click.argument("run", type=FOLDER)
@click.option("--out", type=FILE, required=True, help="The ONNX file; its manifest is written beside it.")
def export(run: Path, out: Path) -> None:
    """Exports a run's network to ONNX, calibrated and checked against torch."""
    from trainer.export import export as write

    manifest = write(run, out)
    click.echo(f"{out}: {manifest.accuracy}")
