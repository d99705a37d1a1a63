"""The command `kiosk journal`: the sales, to read, to hand on and to check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)


@click.group()
def journal() -> None:
    """Reads the journal of sales; the kiosk may be running.

    It is the file of --journal, else the journal of the settings of --config, else the one of a kiosk without settings.
    Where a service is installed, root reads the service's journal as its user, unless --journal or other settings are
    named.
    """


def _on_journal(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say which journal, in the order in which they count."""
    config = click.option("--config", type=_PATH, help="A settings file: the journal is in its shop.state.")
    return click.option("--journal", "path", type=_PATH, help="The journal's file.")(config(command))


def _place(path: Path | None, config: Path | None) -> Path:
    from kiosk.config import Config, load
    from kiosk.system.service_user import as_service

    if path and config:
        raise click.UsageError("--journal and --config both name a journal: give one of them")
    if path:
        return path
    service = as_service(config)
    config = service.settings if service else config
    return (load(config) if config else Config()).journal_path


@journal.command("list")
@_on_journal
@click.option("--last", type=click.IntRange(min=1), help="Only so many rows, the newest.")
def list_rows(path: Path | None, config: Path | None, last: int | None) -> None:
    """Prints every row, one a line; those of a damaged journal too, after which it says so and fails."""
    from kiosk.vending.journal import survey
    from kiosk.vending.journal.export import lines

    entries, damage = survey(_place(path, config))
    for line in lines(entries[-(last or 0) :]):
        click.echo(line)
    if damage:
        raise damage


@journal.command()
@_on_journal
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv", help="csv: a row a sale.")
@click.option("--output", type=_PATH, help="A file to write, instead of standard output.")
def export(path: Path | None, config: Path | None, kind: str, output: Path | None) -> None:
    """Writes the sales for an accountant: CSV, or JSON with every row of the journal; verified first."""
    from kiosk.common.atomic_files import replaced_safely
    from kiosk.vending.journal import read_verified
    from kiosk.vending.journal.export import as_csv, as_json

    entries, head = read_verified(_place(path, config))
    text = as_csv(entries) if kind == "csv" else as_json(entries, head)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with replaced_safely(output) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    except PermissionError as error:
        raise click.ClickException(
            f"{output} cannot be written; root reads the service's journal as its user: write `> {output}` for --output"
        ) from error


@journal.command()
@_on_journal
@click.option("--noted", help="What an earlier verification printed: the journal has to go through it.")
def verify(path: Path | None, config: Path | None, noted: str | None) -> None:
    """Checks that no row was changed or lost, and prints the journal's head: keep it elsewhere to compare."""
    from kiosk.vending.journal import Head
    from kiosk.vending.journal import verify as verify_journal

    click.echo(verify_journal(_place(path, config), Head.parse(noted) if noted else None))
