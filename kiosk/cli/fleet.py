"""The command `kiosk fleet`: the operator's key, and orders signed by it: for their desk, not for a machine."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)


@click.group()
def fleet() -> None:
    """Makes the operator's key and signs orders by it (docs/fleet.md); what it prints goes to the broker."""


@fleet.command("new-key")
@click.argument("file", type=_PATH)
def new_key(file: Path) -> None:
    """Keeps a new private key in FILE, and prints the public one for `fleet.orders_key`."""
    from kiosk.fleet.orders import OrderError, write_new_key

    if file.exists():
        raise OrderError(f"{file} is there already: every machine knows its key, give another name")
    click.echo(write_new_key(file))


@fleet.group()
@click.option("--key", type=_PATH, required=True, help="The private key that `new-key` made.")
@click.option("--machine", required=True, help='The machine\'s name, or "all".')
@click.option(
    "--counter", type=click.IntRange(min=1), help="Higher than the last; by default the time in milliseconds."
)
@click.option("--days", type=click.FloatRange(0, 90, min_open=True), default=7.0, help="Until it expires.")
@click.pass_context
def sign(context: click.Context, **_options: object) -> None:
    """Prints a signed order, for the topic `kiosk/MACHINE/order`."""
    context.ensure_object(dict)


@sign.command()
@click.argument("slot")
@click.argument("minor_units", type=int)
@click.pass_context
def price(context: click.Context, slot: str, minor_units: int) -> None:
    """Another price of what SLOT sells: 180 is 1.80 EUR."""
    _print(context, {"kind": "price", "slot": slot, "price": minor_units})


@sign.command("out-of-order")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_context
def out_of_order(context: click.Context, state: str) -> None:
    """Takes the machine out of service, or puts it back."""
    _print(context, {"kind": "out_of_order", "on": state == "on"})


@sign.command()
@click.argument("sha256")
@click.pass_context
def engine(context: click.Context, sha256: str) -> None:
    """The engine of this SHA-256 in the machine's folder, or `own` for the one of its settings."""
    _print(context, {"kind": "engine", "sha256": None if sha256 == "own" else sha256})


def _print(context: click.Context, change: dict[str, Any]) -> None:
    from kiosk.fleet.orders import new_order, private_key, signed

    assert context.parent is not None
    options = context.parent.params
    key = private_key(options["key"])
    order = new_order(options["machine"], change, options["counter"], timedelta(days=options["days"]))
    click.echo(signed(order, key))
