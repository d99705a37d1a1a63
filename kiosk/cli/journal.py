"""The command `kiosk journal`: lists, exports and verifies the journal of sales."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)


@click.group()
def journal() -> None:
    """Lists, exports and verifies the journal of sales; the kiosk may be running.

    The journal is the file of --journal, else the one that the settings of --config name, else the default one.
    Where a service is installed, root reads the service's journal as the service's user, unless --journal or another
    settings file is given.
    """


def _with_journal_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that select the journal."""
    config = click.option("--config", type=_PATH, help="A settings file; the journal is in its folder shop.state.")
    return click.option("--journal", "path", type=_PATH, help="The journal's file.")(config(command))


def _journal_path(path: Path | None, config: Path | None) -> Path:
    from kiosk.config import Config, load
    from kiosk.system.service_user import switch_to_service_user

    if path and config:
        raise click.UsageError("--journal and --config both name a journal: give one of them")
    if path:
        return path
    service = switch_to_service_user(config)
    config = service.settings if service else config
    return (load(config) if config else Config()).journal_path


@journal.command("list")
@_with_journal_options
@click.option("--last", type=click.IntRange(min=1), help="Print only the newest rows, so many.")
def list_rows(path: Path | None, config: Path | None, last: int | None) -> None:
    """Prints every row, one a line.

    Of a damaged journal it prints the rows that can be read, then reports the damage and fails.
    """
    from kiosk.vending.journal import survey
    from kiosk.vending.journal.export import text_lines

    entries, damage = survey(_journal_path(path, config))
    for line in text_lines(entries[-(last or 0) :]):
        click.echo(line)
    if damage:
        raise damage


@journal.command()
@_with_journal_options
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "json"]),
    default="csv",
    help="csv has a line for each sale, json every row of the journal.",
)
@click.option("--output", type=_PATH, help="Write to this file instead of standard output.")
def export(path: Path | None, config: Path | None, kind: str, output: Path | None) -> None:
    """Verifies the journal and writes the sales for accounting, as CSV or JSON."""
    from kiosk.common.atomic_files import replace_file
    from kiosk.vending.journal import read_verified
    from kiosk.vending.journal.export import to_csv, to_json

    entries, head = read_verified(_journal_path(path, config))
    text = to_csv(entries) if kind == "csv" else to_json(entries, head)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with replace_file(output) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    except PermissionError as error:
        raise click.ClickException(
            f"{output} cannot be written: root reads the service's journal as the service's user, "
            f"so write `> {output}` instead of --output"
        ) from error


@journal.command()
@_with_journal_options
@click.option("--noted", help="The head that an earlier `verify` printed; the journal has to contain it.")
def verify(path: Path | None, config: Path | None, noted: str | None) -> None:
    """Checks that no row was changed or lost, and prints the journal's head.

    Keep the head outside the machine, and give it to a later run as --noted.
    """
    from kiosk.vending.journal import Head
    from kiosk.vending.journal import verify as verify_journal

    click.echo(verify_journal(_journal_path(path, config), Head.parse(noted) if noted else None))
