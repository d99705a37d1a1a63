"""The command `kiosk fleet`: the operator's key, and orders signed with it. It runs at the operator's desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)


@click.group()
def fleet() -> None:
    """Generates the operator's key and signs orders with it (docs/fleet.md).

    Publish what `sign` prints to the broker.
    """


@fleet.command()
@click.argument("file", type=_PATH)
def keygen(file: Path) -> None:
    """Writes a new private key to FILE, and prints the public key for the setting `fleet.orders_key`."""
    from kiosk.fleet.orders import OrderError, generate_key

    if file.exists():
        raise OrderError(f"{file} already exists, and machines may trust its key: give another name")
    click.echo(generate_key(file))


@fleet.group()
@click.option("--key", type=_PATH, required=True, help="The private key that `keygen` wrote.")
@click.option("--machine", required=True, help='The machine\'s name, or "all".')
@click.option(
    "--counter",
    type=click.IntRange(min=1),
    help="A number higher than in the last order; by default the time in milliseconds.",
)
@click.option("--days", type=click.FloatRange(0, 90, min_open=True), default=7.0, help="Days until the order expires.")
@click.pass_context
def sign(context: click.Context, **_options: object) -> None:
    """Prints a signed order for the topic `kiosk/MACHINE/order`."""
    context.ensure_object(dict)


@sign.command()
@click.argument("slot")
@click.argument("minor_units", type=int)
@click.pass_context
def price(context: click.Context, slot: str, minor_units: int) -> None:
    """Sets the price of the product in SLOT, in MINOR_UNITS of the currency: 180 is 1.80 EUR."""
    _print_order(context, {"kind": "price", "slot": slot, "price": minor_units})


@sign.command("out-of-order")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.pass_context
def out_of_order(context: click.Context, state: str) -> None:
    """Takes the machine out of service (on), or puts it back into service (off)."""
    _print_order(context, {"kind": "out_of_order", "on": state == "on"})


@sign.command()
@click.argument("sha256")
@click.pass_context
def engine(context: click.Context, sha256: str) -> None:
    """Selects the engine with this SHA-256 in the folder `fleet.engines`; `own` selects the one of the settings."""
    _print_order(context, {"kind": "engine", "sha256": None if sha256 == "own" else sha256})


def _print_order(context: click.Context, change: dict[str, Any]) -> None:
    from kiosk.fleet.orders import load_private_key, new_order, sign

    assert context.parent is not None
    options = context.parent.params
    key = load_private_key(options["key"])
    order = new_order(options["machine"], change, options["counter"], timedelta(days=options["days"]))
    click.echo(sign(order, key))
