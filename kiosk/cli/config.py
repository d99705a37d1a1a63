"""The command `kiosk config`: the settings file and the PINs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosk.config import Config
    from kiosk.security.pin import Role

_PATH = click.Path(path_type=Path)


@click.group()
def config() -> None:
    """Writes and checks the settings file, and sets PINs."""


@config.command()
@click.argument("file", required=False, type=_PATH)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(file: Path | None, force: bool) -> None:
    """Writes a settings file with every key, its default and its description.

    Without FILE, it goes to standard output.
    """
    from kiosk.common.atomic_files import replace_file
    from kiosk.config import Config, ConfigError
    from kiosk.config.describe import example

    text = example(Config)
    if file is None:
        click.echo(text, nl=False)
        return
    if file.exists() and not force:
        raise ConfigError(f"{file} already exists: give another name, or --force to overwrite it")
    with replace_file(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    click.echo(f"wrote {file}: edit it, then run `kiosk config check {file}`", err=True)


@config.command()
@click.argument("file", type=_PATH)
def check(file: Path) -> None:
    """Checks a settings file, its catalogue and its PINs, and lists what the machine still needs before it can sell.

    If FILE belongs to the installed service, root runs the checks as the service's user.
    """
    from kiosk.app.devices import missing_requirements
    from kiosk.app.factories import load_catalog
    from kiosk.config import ATTACKS, load
    from kiosk.system.service_user import switch_to_service_user

    service = switch_to_service_user(file)
    settings = load(file)
    catalog, _ = load_catalog(settings)
    user = f", checked as {service.user}, the service's user" if service else ""
    click.echo(f"{file} is valid; {len(catalog.product)} products{user}")
    if settings.age_check.automatic_pass:
        click.echo(f"warning: age_check.automatic_pass is on: {ATTACKS}")
    for line in permission_lines(settings, file):
        click.echo(line)
    for requirement in missing_requirements(settings):
        click.echo(f"to sell: {requirement}")


def permission_lines(settings: Config, file: Path) -> Iterator[str]:
    """Yields a line for each user or group that can change the settings file or the catalogue.

    A line starts with `warning: `, or with `to sell: ` where the machine refuses to start.
    """
    from kiosk.security.file_permissions import UntrustedFileError, check_trusted, permission_warnings

    for path in filter(None, (file, settings.catalog_path)):
        try:
            yield from (f"warning: {warning}" for warning in permission_warnings(path))
            check_trusted(path)
        except UntrustedFileError as error:
            yield f"to sell: {error}"
        except OSError as error:
            yield f"to sell: {path} cannot be read: {error.strerror}"


@config.command("set-pin")
@click.argument("role", type=click.Choice(["service", "attendant"]))
@click.option("--config", "file", type=_PATH, help="The settings file that names the PIN file.")
def set_pin(role: str, file: Path | None) -> None:
    """Asks for a new PIN of service mode or of the attendant, and stores its hash in the PIN file.

    Where a service is installed, root sets the service's PIN and needs no --config.
    """
    from kiosk.config import Config, load
    from kiosk.security.pin import hash_pin
    from kiosk.security.pin import set_pin as write_pin
    from kiosk.system.service_user import switch_to_service_user

    service = switch_to_service_user(file)
    file = service.settings if service else file
    path = (load(file) if file else Config()).pins_path
    pin = click.prompt("PIN, 4 to 12 digits", hide_input=True, err=True)
    hash_pin(pin, rounds=4)  # refuses an invalid PIN before the second prompt
    if click.prompt("The same again", hide_input=True, err=True) != pin:
        raise click.ClickException("the two PINs differ: nothing was changed")
    write_pin(path, cast("Role", role), pin)
    click.echo(f"{path} holds the hash of the {role} PIN", err=True)
