"""The command `kiosk`, with its subcommands.

A command imports heavy modules inside its function, so that `--help` is fast.
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
    """Runs a vending machine that estimates gender and age by camera. All processing stays on this computer."""


@main.command()
@click.option(
    "--source", help='A camera ("0", "/dev/video0"), a video, a folder of images, or "demo", the built-in clip.'
)
@click.option(
    "--engine", type=_PATH, help="An engine with its manifest beside it; by default the best that works here."
)
@click.option("--config", "config_path", type=_PATH, help="A settings file (TOML).")
@click.option("--fullscreen", is_flag=True, help="Fill the screen; Esc quits.")
@click.option("--headless", is_flag=True, help="Show no window, and print one JSON line for each frame.")
@click.option("--unpaced", is_flag=True, help="With --headless: process every frame once, as fast as possible.")
@click.option("--loop", is_flag=True, help="With --headless: repeat a file or folder.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Quit after this many seconds.")
@click.option("--record", type=_PATH, help="With --headless: record an MP4 with the faces marked.")
@click.option(
    "--stats",
    type=click.Choice(["text", "json"]),
    is_flag=False,
    flag_value="text",
    help="Print statistics of the window's frame rate at the end, as text or (--stats=json) as JSON.",
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
    """Shows live estimates of a webcam, or of the built-in clip if there is no webcam."""
    for option, given in (("--unpaced", unpaced), ("--loop", loop), ("--record", record)):
        if given and not headless:
            raise click.UsageError(f"{option} goes with --headless")
    if stats and headless:
        raise click.UsageError("--stats measures the window, and --headless has none")
    from kiosk.app.factories import resolve_source, vision_settings
    from kiosk.config import Config, load

    config = load(config_path) if config_path else Config()
    source = resolve_source(config, source)
    if not headless:
        reason = _show(vision_settings(config, source, engine), config, fullscreen, seconds, stats)
        if stats:
            from kiosk.system.display_probe import NoDisplayError

            raise NoDisplayError(f"{reason}: --stats measures the window")
        seconds = seconds or _UNATTENDED_SECONDS
        record, loop = _recording_path(), True
        click.echo(f"{reason}: running without a window for {seconds:g} seconds", err=True)
    _run_headless(vision_settings(config, source, engine, loop=loop), unpaced, seconds, record)


def _show(settings: VisionSettings, config: Config, fullscreen: bool, seconds: float | None, stats: str | None) -> str:
    """Shows the window and ends the program with it, or returns why no window can be shown."""
    from kiosk.system.display_probe import display_problem, window_problem
    from kiosk.vision.capture.camera import is_camera
    from kiosk.vision.process.supervisor import VisionProcess

    if reason := display_problem():
        return reason
    vision = VisionProcess(settings)
    try:
        # This starts first because it takes longest: its libraries load while the display is probed and Qt is loaded.
        vision.start()
        if reason := window_problem():
            return reason
        from kiosk.ui.demo.window import run

        code = run(
            vision,
            fullscreen=fullscreen or config.window.fullscreen,
            mirrored=config.window.mirror and is_camera(settings.source),
            groups=vision.groups,
            seconds=seconds,
            wake_on=vision.fileno(),
            tell=partial(_print_stats, kind=stats) if stats else None,
        )
    finally:
        vision.stop()
    if vision.fault and code:
        raise click.ClickException(vision.fault)
    sys.exit(code)


def _print_stats(report: dict[str, Any], kind: str) -> None:
    from kiosk.ui.demo.frame_meter import as_text

    click.echo(json.dumps(report) if kind == "json" else as_text(report))


def _run_headless(settings: VisionSettings, unpaced: bool, seconds: float | None, record: Path | None) -> None:
    from kiosk.cli.headless import announce, run

    try:
        summary = run(settings, unpaced=unpaced, seconds=seconds, record=record)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # The reader of the pipe has closed it. Without this, Python reports a second error when it flushes the output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    announce(str(summary))
    if record:
        announce(f"recorded to {record.resolve()}; the video shows the people in front of the camera")


def _recording_path() -> Path:
    """Returns a path in the working folder, or in the folder for temporary files if that is not writable."""
    folder = Path() if os.access(".", os.W_OK) else Path(tempfile.gettempdir())
    return folder / "kiosk-demo.mp4"


@main.command()
@click.option("--config", "config_path", type=_PATH, help="The settings file (`kiosk config init` writes one).")
@click.option("--demo", "is_demo", is_flag=True, help="Simulate payment and dispenser, to show a whole sale.")
@click.option(
    "--source", help='A camera ("0", "/dev/video0"); with --demo also a video, a folder of images, or "demo".'
)
@click.option(
    "--engine", type=_PATH, help="An engine with its manifest beside it; by default the best that works here."
)
@click.option("--fullscreen", is_flag=True, help="Fill the screen.")
@click.option("--portrait", is_flag=True, help="Use a portrait window.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Quit after this many seconds.")
def run(
    config_path: Path | None,
    is_demo: bool,
    source: str | None,
    engine: Path | None,
    fullscreen: bool,
    portrait: bool,
    seconds: float | None,
) -> None:
    """Runs the vending machine with a settings file, or a simulated one with --demo."""
    if portrait and fullscreen:
        raise click.UsageError(
            "--portrait is for a window: with --fullscreen, rotate the screen in the system's settings"
        )
    from kiosk.config import Config, ConfigError, load
    from kiosk.system.sd_notify import ServiceManager

    if config_path is None and not is_demo:
        raise ConfigError(
            "a machine that sells needs a settings file: write one with `kiosk config init kiosk.toml`, then start "
            "`kiosk run --config kiosk.toml`; `kiosk run --demo` shows a simulated sale"
        )
    from kiosk.app.machine import RunOptions

    options = RunOptions(is_demo, source, engine, fullscreen, portrait, seconds, config_path)
    if config_path and not is_demo and ServiceManager().listens:
        from kiosk.app.unattended import run_unattended

        run_unattended(config_path, replace(options, unattended=True))
        return
    from kiosk.app.machine import run as run_machine

    run_machine(load(config_path) if config_path else Config(), options)


main.add_command(config_commands)
main.add_command(install_service)
main.add_command(relay)
main.add_command(fleet_commands)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each image.")
@click.option(
    "--engine", type=_PATH, help="An engine with its manifest beside it; by default the best that works here."
)
def estimate(paths: tuple[Path, ...], as_json: bool, engine: Path | None) -> None:
    """Estimates gender and age of every face in image files, or in the images of a folder."""
    from kiosk.cli.estimate import estimate_all

    if not estimate_all(paths, engine, as_json=as_json):
        sys.exit(1)


@main.command()
@click.option("--engine", type=_PATH, help="The engine to check; by default the best that works here.")
def doctor(engine: Path | None) -> None:
    """Checks the camera, serial ports, display, engine and GPU, and advises how to fix each problem."""
    from kiosk.cli.doctor import examine

    if not examine(engine):
        sys.exit(1)


main.add_command(journal_commands)


if __name__ == "__main__":
    main()
