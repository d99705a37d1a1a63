"""The command `kiosk`: what an operator or a visitor does.

Everything heavy is imported inside the command that needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kiosk.cli.config import config as config_commands
from kiosk.cli.fleet import fleet as fleet_commands
from kiosk.cli.journal import journal as journal_commands
from kiosk.cli.service import install_service, relay
from kiosk.common.click_group import Group

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.vision.process.settings import VisionSettings

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
@click.option(
    "--stats",
    type=click.Choice(["text", "json"]),
    is_flag=False,
    flag_value="text",
    help="At the end, how smoothly the window ran; --stats=json for machines.",
)
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
    stats: str | None,
) -> None:
    """Shows live estimates: of a webcam if there is one, else of the bundled clip."""
    for option, given in (("--unpaced", unpaced), ("--loop", loop), ("--record", record)):
        if given and not headless:
            raise click.UsageError(f"{option} goes with --headless")
    if stats and headless:
        raise click.UsageError("--stats is about the window, and --headless has none")
    from kiosk.app.factories import source_of, vision_settings
    from kiosk.config import Config, load

    config = load(config_path) if config_path else Config()
    source = source_of(config, source)
    if not headless:
        reason = _show(vision_settings(config, source, engine), config, fullscreen, seconds, stats)
        if stats:
            from kiosk.system.display_probe import NoDisplayError

            raise NoDisplayError(f"{reason}: --stats is about the window")
        seconds = seconds or _UNATTENDED_SECONDS
        record, loop = _recording_place(), True
        click.echo(f"{reason}: watching without a window for {seconds:g} seconds", err=True)
    _watch(vision_settings(config, source, engine, loop=loop), unpaced, seconds, record)


def _show(settings: VisionSettings, config: Config, fullscreen: bool, seconds: float | None, stats: str | None) -> str:
    """Shows the window and ends the program after it, or returns why none can be shown."""
    from kiosk.system.display_probe import why_no_display, why_no_window
    from kiosk.vision.capture.camera import is_camera
    from kiosk.vision.process.supervisor import VisionProcess

    if reason := why_no_display():
        return reason
    vision = VisionProcess(settings)
    try:
        # first, because it takes longest: the display is asked and Qt loaded while it loads its libraries
        vision.start()
        if reason := why_no_window():
            return reason
        from kiosk.ui.demo.window import run

        code = run(
            vision,
            fullscreen=fullscreen or config.window.fullscreen,
            mirrored=config.window.mirror and is_camera(settings.source),
            groups=vision.groups,
            seconds=seconds,
            wake_on=vision.fileno(),
            tell=partial(_tell_stats, kind=stats) if stats else None,
        )
    finally:
        vision.stop()
    if vision.fault and code:
        raise click.ClickException(vision.fault)
    sys.exit(code)


def _tell_stats(report: dict[str, Any], kind: str) -> None:
    from kiosk.ui.demo.frame_meter import as_text

    click.echo(json.dumps(report) if kind == "json" else as_text(report))


def _watch(settings: VisionSettings, unpaced: bool, seconds: float | None, record: Path | None) -> None:
    from kiosk.cli.headless import announce, run

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
    from kiosk.system.sd_notify import ServiceManager

    if config_path is None and not is_demo:
        raise ConfigError(
            "a machine that sells needs a settings file: make one with `kiosk config init kiosk.toml`, then "
            "`kiosk run --config kiosk.toml`; or see the sale simulated with `kiosk run --demo`"
        )
    from kiosk.app.machine import RunOptions

    wish = RunOptions(is_demo, source, engine, fullscreen, portrait, seconds, config_path)
    if config_path and not is_demo and ServiceManager().listens:
        from kiosk.app.unattended import run_alone

        run_alone(config_path, replace(wish, alone=True))
        return
    from kiosk.app.machine import run as run_machine

    run_machine(load(config_path) if config_path else Config(), wish)


main.add_command(config_commands)
main.add_command(install_service)
main.add_command(relay)
main.add_command(fleet_commands)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--engine", type=_PATH, help="An engine with its manifest beside it, instead of the kiosk's own.")
def estimate(paths: tuple[Path, ...], as_json: bool, engine: Path | None) -> None:
    """Estimates gender and age of every face in picture files and folders of them."""
    from kiosk.cli.estimate import estimate_all

    if not estimate_all(paths, engine, as_json=as_json):
        sys.exit(1)


@main.command()
@click.option("--engine", type=_PATH, help="The engine to look at, instead of the kiosk's own.")
def doctor(engine: Path | None) -> None:
    """Looks at camera, serial ports, display, engine and GPU, and says what to do about each."""
    from kiosk.cli.doctor import examine

    if not examine(engine):
        sys.exit(1)


main.add_command(journal_commands)


if __name__ == "__main__":
    main()
