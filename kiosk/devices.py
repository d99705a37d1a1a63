"""Which terminals, dispensers and ID readers there are, by the kind that the settings name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kiosk import fleet_parts, pin_file
from kiosk.config import Config
from kiosk.errors import KioskError
from kiosk.vending.attendant import Attendant
from kiosk.vending.dispenser import Dispenser
from kiosk.vending.id_check import IdVerifier
from kiosk.vending.payment import PaymentTerminal
from kiosk.vision.camera import DEMO

TERMINALS: Mapping[str, Callable[[Config], PaymentTerminal]] = {}
"""Real ones alone: a simulated terminal would give goods away."""

DISPENSERS: Mapping[str, Callable[[Config], Dispenser]] = {}

READERS: Mapping[str, Callable[[Config], IdVerifier]] = {}

_DEMO = "`kiosk run --demo` has simulated ones"


class NotReadyError(KioskError):
    """A machine that cannot sell as it is set up."""


@dataclass(frozen=True)
class Devices:
    """What a sale needs beside the shop."""

    terminal: PaymentTerminal
    dispenser: Dispenser
    verifiers: tuple[IdVerifier, ...]


def lacks(config: Config) -> Iterator[str]:
    """What the machine still needs before it can sell, each in one line that says what to do."""
    yield from _needs(config)
    # a camera that is away may come back: without it the machine starts, and asks for IDs
    source = config.camera.source
    if source not in ("auto", DEMO) and not source.isdecimal() and not Path(source).exists():
        yield f"camera.source = {source!r} is not there: name a camera, such as /dev/video0"


def _needs(config: Config) -> Iterator[str]:
    """Without which it does not start."""
    yield from _lack("payment.kind", "terminal", config.payment.kind, TERMINALS)
    yield from _lack("dispenser.kind", "dispenser", config.dispenser.kind, DISPENSERS)
    if config.id.reader != "none":
        yield from _lack("id.reader", "ID reader", config.id.reader, READERS)
    if config.age_check.automatic_pass and not config.age_check.liveness:
        yield "age_check.automatic_pass without age_check.liveness would sell to a picture: change one of the two"
    yield from fleet_parts.lacks(config)
    lacking = list(_lacking_files(config))
    yield from lacking
    if any(line.startswith("shop.state") for line in lacking):
        return  # nor can the PINs be there
    pins = pin_file.load(config.pins_path)
    if not pins.service:
        yield "there is no service PIN: run `kiosk config set-pin service --config FILE`"
    if config.id.attendant and not pins.attendant:
        yield "id.attendant is on and has no PIN: run `kiosk config set-pin attendant --config FILE`"


def _lacking_files(config: Config) -> Iterator[str]:
    engine = config.engine_path
    if engine is not None and not engine.is_file():
        yield f"vision.engine = {str(engine)!r} is not there"
    folder = config.state_folder
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield f"shop.state = {str(folder)!r} cannot be made or written: name a folder of the kiosk's own user"


def real_devices(config: Config) -> Devices:
    """The machine's own devices. Raises `NotReadyError` with the first thing that it lacks."""
    for lack in _needs(config):
        raise NotReadyError(lack)
    verifiers: list[IdVerifier] = []
    if config.id.attendant:
        hash_ = pin_file.load(config.pins_path).attendant
        verifiers.append(Attendant(hash_, config.state_folder / "attendant-tries"))
    if config.id.reader != "none":
        verifiers.append(READERS[config.id.reader](config))
    return Devices(TERMINALS[config.payment.kind](config), DISPENSERS[config.dispenser.kind](config), tuple(verifiers))


def _lack(key: str, what: str, kind: str, known: Mapping[str, object]) -> Iterator[str]:
    if kind in known:
        return
    there_is = f"there is {', '.join(known)}" if known else "it has no driver for a real one yet"
    if kind == "none":
        yield f"{key} is none: name the machine's {what}; in this version {there_is}; {_DEMO}"
    elif kind == "simulated":
        yield f"{key} = 'simulated' would give goods away: only `kiosk run --demo` simulates"
    else:
        yield f"{key} = {kind!r}: this version knows no such {what}; {there_is}; {_DEMO}"
