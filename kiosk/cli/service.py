"""The commands `kiosk install-service`, and `kiosk relay`, which the installed systemd unit runs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kiosk.config import Config

_PATH = click.Path(path_type=Path)


class _User(click.ParamType):
    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,30}", value):
            self.fail(f"{value!r} is not a user name: use lowercase letters, digits, - and _", param, ctx)
        return value


@click.command("install-service")
@click.option("--config", "settings", type=_PATH, required=True, help="The machine's settings file.")
@click.option(
    "--display", type=click.Choice(["cage", "x11", "eglfs"]), default="cage", help="How the kiosk opens the screen."
)
@click.option("--user", type=_User(), default="kiosk", help="The user who runs the kiosk; created if missing.")
@click.option(
    "--mount-usb/--no-mount-usb",
    default=True,
    help="Whether USB sticks (FAT, exFAT) are mounted, so that service mode can export to them.",
)
@click.option("--dry-run", is_flag=True, help="Print the files, and write nothing.")
@click.option("--root", type=_PATH, default=Path("/"), help="Write below this folder, for a disk image.")
def install_service(settings: Path, display: str, user: str, mount_usb: bool, dry_run: bool, root: Path) -> None:
    """Installs a systemd service that starts the machine at boot, and again whenever it ends."""
    from kiosk.app.devices import missing_requirements
    from kiosk.cli.config import permission_lines
    from kiosk.config import load
    from kiosk.system import install
    from kiosk.system.service_user import switch_to_service_user
    from kiosk.system.systemd_unit import NAME, Display

    config = load(settings)
    service = install.service_for(
        settings,
        Display(display),
        user,
        network=bool(config.fleet.broker),
        folders=tuple(_writable_folders(config)),
        mount_usb=mount_usb,
    )
    if problems := install.verify_unit(service):
        raise install.InstallError(f"systemd does not accept the unit: {'; '.join(problems)}")
    if dry_run:
        for place, text in service.files().items():
            click.echo(f"# {root / place.relative_to('/')}\n{text}")
        return
    if root == Path("/"):
        if os.geteuid() != 0:
            raise install.InstallError("only root can install it: run the same command with sudo, or with --dry-run")
        if problems := install.permission_problems(service):
            raise install.InstallError("; ".join(problems))
    for path in install.write_files(service, root):
        click.echo(f"wrote {path}")
    if root == Path("/"):
        install.activate()
        switch_to_service_user(settings)
    for line in permission_lines(config, settings):
        click.echo(line)
    for requirement in missing_requirements(config):
        click.echo(f"to sell: {requirement}")
    click.echo(f"then: sudo systemctl enable --now {NAME}; sudo systemctl set-default graphical.target")


def _writable_folders(config: Config) -> Iterator[Path]:
    """Yields the folders that the settings make the kiosk write to, besides those that the unit creates."""
    from kiosk.system.systemd_unit import STATE

    named = (None if config.shop.state == "auto" else config.state_folder, config.log_path and config.log_path.parent)
    seen = {STATE}
    for folder in filter(None, named):
        if not any(folder.is_relative_to(each) for each in seen):
            seen.add(folder)
            yield folder


@click.command(hidden=True, context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def relay(command: tuple[str, ...]) -> None:
    """Runs a compositor that runs the kiosk, and forwards the kiosk's notifications to systemd."""
    from kiosk.system.notify_relay import run_relayed
    from kiosk.system.sd_notify import ServiceManager

    try:
        sys.exit(run_relayed(command, ServiceManager()))
    except OSError as error:
        raise click.ClickException(f"{command[0]} cannot be started: {error.strerror}") from error
