"""`python -m benchmarks.soak` runs the whole kiosk for hours with random customers and faults; `make soak` starts it.

It ends with an error if a sale was lost, a fault was not recovered from, or a resource grew.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from benchmarks.soak import verdict
from benchmarks.soak.driver import Soak
from benchmarks.soak.figure import draw
from benchmarks.soak.page import insert_figures
from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError

_ROOT = Path(__file__).resolve().parents[2]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--hours", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="How long to run.")
@click.option("--seed", default="1", show_default=True, help="Seed of customers and faults; any text.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("soak"),
    show_default=True,
    help="The folder of soak.json, samples.json and soak.png.",
)
@click.option("--docs", is_flag=True, help="Also put picture and figures into docs/, and the figures into benchmarks/.")
def main(hours: float, seed: str, out: Path, docs: bool) -> None:
    """Runs the whole kiosk with random customers and faults, and reports the result."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name).resolve()
        try:
            recording = Soak(folder, hours * 3600, seed).run()
        except KioskError as error:
            raise click.ClickException(str(error)) from error
        found = verdict.problems(recording, folder)
        report = verdict.report(recording, folder, found)
    _write(out / "soak.json", json.dumps(report, indent=1, ensure_ascii=False))
    _write(out / "samples.json", json.dumps(recording.rows))
    _write(out / "stderr.log", "".join(f"{line}\n" for line in recording.errors))
    draw(recording, out / "soak.png")
    click.echo(
        json.dumps({key: report[key] for key in ("customers", "sales", "outcomes", "faults", "drift")}, indent=1)
    )
    click.echo(f"written: {out}")
    if docs:
        page = _ROOT / "docs" / "soak.md"
        draw(recording, page.with_suffix(".png"))
        _write(page, insert_figures(page.read_text(encoding="utf-8"), report))
        _write(_ROOT / "benchmarks" / "soak" / "results.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    if found:
        raise click.ClickException("the machine did not survive the soak:\n" + "\n".join(found))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.soak")
