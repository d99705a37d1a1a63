"""The command `kiosk`: what an operator or a visitor does.

Everything heavy is imported inside the command that needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiosk.cli_config import config as config_commands
from kiosk.cli_fleet import fleet as fleet_commands
from kiosk.console import Group

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.vision.process import VisionSettings

_UNATTENDED_SECONDS = 10.0
_PATH = click.Path(path_type=Path)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="facialnet-kiosk")
def main() -> None:
    """A vending machine that looks back: live gender and age estimates, on this machine alone."""


@main.command()
@click.option("--source", help='Camera ("0", "/dev/video0"), file, folder of pictures, or "demo".')
@click.option("--engine", type=_PATH, help="An engine with its manifest beside it, instead of the kiosk's own.")
@click.option("--config", "config_path", type=_PATH, help="A settings file (TOML).")
@click.option("--fullscreen", is_flag=True, help="Fill the screen; Esc ends it.")
@click.option("--headless", is_flag=True, help="No window: one JSON line a frame on standard output.")
@click.option("--unpaced", is_flag=True, help="With --headless: every frame once, in order, as fast as it can.")
@click.option("--loop", is_flag=True, help="With --headless: begin a file or folder again at its end.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after this many seconds.")
@click.option("--record", type=_PATH, help="With --headless: an MP4 of what was seen, with the overlay drawn.")
def demo(
    source: str | None,
    engine: Path | None,
    config_path: Path | None,
    fullscreen: bool,
    headless: bool,
    unpaced: bool,
    loop: bool,
    seconds: float | None,
    record: Path | None,
) -> None:
    """Shows live estimates: of a webcam if there is one, else of the bundled clip."""
    for option, given in (("--unpaced", unpaced), ("--loop", loop), ("--record", record)):
        if given and not headless:
            raise click.UsageError(f"{option} goes with --headless")
    from kiosk.config import Config, load
    from kiosk.parts import source_of, vision_settings

    config = load(config_path) if config_path else Config()
    source = source_of(config, source)
    if not headless:
        from kiosk.display import why_no_window

        reason = why_no_window()
        if reason is None:
            _show(vision_settings(config, source, engine), config, fullscreen, seconds)
            return
        seconds = seconds or _UNATTENDED_SECONDS
        record, loop = _recording_place(), True
        click.echo(f"{reason}: watching without a window for {seconds:g} seconds", err=True)
    _watch(vision_settings(config, source, engine, loop=loop), unpaced, seconds, record)


def _show(settings: VisionSettings, config: Config, fullscreen: bool, seconds: float | None) -> None:
    from kiosk.ui.window import run
    from kiosk.vision.camera import is_camera
    from kiosk.vision.process import VisionProcess

    vision = VisionProcess(settings)
    try:
        vision.start()
        code = run(
            vision,
            fullscreen=fullscreen or config.window.fullscreen,
            mirrored=config.window.mirror and is_camera(settings.source),
            groups=vision.groups,
            seconds=seconds,
        )
    finally:
        vision.stop()
    if vision.fault and code:
        raise click.ClickException(vision.fault)
    sys.exit(code)


def _watch(settings: VisionSettings, unpaced: bool, seconds: float | None, record: Path | None) -> None:
    from kiosk.headless import announce, run

    try:
        summary = run(settings, unpaced=unpaced, seconds=seconds, record=record)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # Whoever read the lines has had enough. Python would complain once more while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    announce(str(summary))
    if record:
        announce(f"recorded to {record.resolve()}; it shows whoever was in the picture")


def _recording_place() -> Path:
    """Here, or where anybody may write."""
    folder = Path() if os.access(".", os.W_OK) else Path(tempfile.gettempdir())
    return folder / "kiosk-demo.mp4"


@main.command()
@click.option("--config", "config_path", type=_PATH, help="Its settings file (`kiosk config init` makes one).")
@click.option("--demo", "is_demo", is_flag=True, help="Simulate payment and goods, and show the whole sale.")
@click.option("--source", help='Camera ("0", "/dev/video0"); with --demo also a file, a folder of pictures, or "demo".')
@click.option("--engine", type=_PATH, help="An engine with its manifest beside it, instead of the kiosk's own.")
@click.option("--fullscreen", is_flag=True, help="Fill the screen.")
@click.option("--portrait", is_flag=True, help="A window higher than wide.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after this many seconds.")
def run(
    config_path: Path | None,
    is_demo: bool,
    source: str | None,
    engine: Path | None,
    fullscreen: bool,
    portrait: bool,
    seconds: float | None,
) -> None:
    """Runs the vending machine: from a settings file, or simulated."""
    if portrait and fullscreen:
        raise click.UsageError("--portrait is for a window: the screen itself has to be turned for --fullscreen")
    from kiosk.config import Config, ConfigError, load

    if config_path is None and not is_demo:
        raise ConfigError(
            "a machine that sells needs a settings file: make one with `kiosk config init kiosk.toml`, then "
            "`kiosk run --config kiosk.toml`; or see the sale simulated with `kiosk run --demo`"
        )
    config = load(config_path) if config_path else Config()
    from kiosk.run import Wish
    from kiosk.run import run as run_machine

    run_machine(config, Wish(is_demo, source, engine, fullscreen, portrait, seconds))


main.add_command(config_commands)
main.add_command(fleet_commands)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--engine", type=_PATH, help="An engine with its manifest beside it, instead of the kiosk's own.")
def estimate(paths: tuple[Path, ...], as_json: bool, engine: Path | None) -> None:
    """Estimates gender and age of every face in picture files and folders of them."""
    from kiosk.stills import estimate_all

    if not estimate_all(paths, engine, as_json=as_json):
        sys.exit(1)


@main.command()
@click.option("--engine", type=_PATH, help="The engine to look at, instead of the kiosk's own.")
def doctor(engine: Path | None) -> None:
    """Looks at camera, display, engine and GPU, and says what to do about each."""
    from kiosk.doctor import examine

    if not examine(engine):
        sys.exit(1)


@main.group()
def journal() -> None:
    """Reads the journal of sales; the kiosk may be running."""


_JOURNAL = click.option(
    "--journal", "path", type=_PATH, help="The journal's file, if it is not where the kiosk keeps it."
)


def _journal_path(path: Path | None) -> Path:
    from kiosk.vending.journal import default_path

    return path or default_path()


@journal.command("list")
@_JOURNAL
@click.option("--last", type=click.IntRange(min=1), help="Only so many rows, the newest.")
def list_journal(path: Path | None, last: int | None) -> None:
    """Prints every row, one a line."""
    from kiosk.vending.accounts import lines
    from kiosk.vending.journal import read

    for line in lines(read(_journal_path(path))[-(last or 0) :]):
        click.echo(line)


@journal.command()
@_JOURNAL
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv", help="csv: a row a sale.")
@click.option("--output", type=_PATH, help="A file to write, instead of standard output.")
def export(path: Path | None, kind: str, output: Path | None) -> None:
    """Writes the sales for an accountant: CSV, or JSON with every row of the journal; verified first."""
    from kiosk.files import replaced_safely
    from kiosk.vending.accounts import as_csv, as_json
    from kiosk.vending.journal import read_verified

    entries, head = read_verified(_journal_path(path))
    text = as_csv(entries) if kind == "csv" else as_json(entries, head)
    if output is None:
        click.echo(text, nl=False)
        return
    with replaced_safely(output) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


@journal.command()
@_JOURNAL
@click.option("--noted", help="What an earlier verification printed: the journal has to go through it.")
def verify(path: Path | None, noted: str | None) -> None:
    """Checks that no row was changed or lost, and prints the journal's head: keep it elsewhere to compare."""
    from kiosk.vending.journal import Head
    from kiosk.vending.journal import verify as verify_journal

    click.echo(verify_journal(_journal_path(path), Head.parse(noted) if noted else None))


if __name__ == "__main__":
    main()
