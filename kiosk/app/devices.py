"""Which terminals, dispensers and ID readers there are, by the kind that the settings name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from kiosk.app import fleet
from kiosk.common.errors import KioskError
from kiosk.config import Config
from kiosk.security.file_permissions import SecretFileError, check_private
from kiosk.security.pin import load_pins
from kiosk.vending.devices.attendant import Attendant
from kiosk.vending.devices.board.dispenser import SerialDispenser
from kiosk.vending.devices.mdb.payment_store import PaymentStore
from kiosk.vending.devices.mdb.terminal import MdbTerminal
from kiosk.vending.devices.protocols import Dispenser, IdVerifier, PaymentTerminal
from kiosk.vending.devices.serial_line import SerialLine
from kiosk.vision.capture.source import DEMO


def _mdb(config: Config) -> PaymentTerminal:
    return MdbTerminal(SerialLine(config.payment.port), PaymentStore(config.state_folder / "mdb-payments.json"))


def _serial(config: Config) -> Dispenser:
    return SerialDispenser(SerialLine(config.dispenser.port), config.dispenser.motor_of)


TERMINALS: Mapping[str, Callable[[Config], PaymentTerminal]] = {"mdb": _mdb}
"""Real ones alone: a simulated terminal would give goods away."""

DISPENSERS: Mapping[str, Callable[[Config], Dispenser]] = {"serial": _serial}

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

    def close(self) -> None:
        """Lets go of all, the last one first, also where one fails."""
        with ExitStack() as closing:
            closing.callback(self.terminal.close)
            closing.callback(self.dispenser.close)
            for verifier in self.verifiers:
                closing.callback(verifier.close)


def missing_requirements(config: Config) -> Iterator[str]:
    """What the machine still needs before it can sell, each in one line that says what to do."""
    yield from _needs(config)
    log = config.log_path
    if log is not None and not _may_be_made(log.parent):  # where one that is full is put aside, too
        yield f"log.file = {str(log)!r} cannot be written: name a file in a folder of the kiosk's own user"
    # neither a port nor a camera that is away keeps the machine from starting: it may come back
    for key, port in _ports(config).items():
        if port != "none" and not Path(port).exists():
            yield f"{key} = {port!r} is not there: plug it in, or let `kiosk doctor` name the ports"
    # without a camera or an engine it asks for IDs
    engine = config.engine_path
    if engine is not None and not engine.is_file():
        yield f"vision.engine = {str(engine)!r} is not there: name an engine that is, or leave it at auto"
    source = config.camera.source
    if source not in ("auto", DEMO) and not source.isdecimal() and not Path(source).exists():
        yield f"camera.source = {source!r} is not there: name a camera, such as /dev/video0"


def _needs(config: Config) -> Iterator[str]:
    """Without which it does not start."""
    yield from _lack("payment.kind", "terminal", config.payment.kind, TERMINALS)
    yield from _lack("dispenser.kind", "dispenser", config.dispenser.kind, DISPENSERS)
    ports = _ports(config)
    for key in (key for key, port in ports.items() if port == "none"):
        yield f"{key} is none: name the serial port; `kiosk doctor` says what answers on each"
    if len(ports) == 2 and len({Path(port).resolve() for port in ports.values()}) == 1 and "none" not in ports.values():
        yield "payment.port and dispenser.port are the same: one port cannot have both devices"
    if config.id.reader != "none":
        yield from _lack("id.reader", "ID reader", config.id.reader, READERS)
    if config.age_check.automatic_pass and not config.age_check.liveness:
        yield "age_check.automatic_pass without age_check.liveness would sell to a picture: change one of the two"
    yield from fleet.missing_requirements(config)
    if lacking := _lacking_folder(config):
        yield lacking
        return  # nor can the PINs be there
    pins = load_pins(config.pins_path)
    if not pins.service:
        yield "there is no service PIN: run `kiosk config set-pin service --config FILE`"
    if config.id.attendant and not pins.attendant:
        yield "id.attendant is on and has no PIN: run `kiosk config set-pin attendant --config FILE`"


def _ports(config: Config) -> dict[str, str]:
    """The serial ports that the devices need, by the key that names them."""
    ports = {}
    if config.payment.kind == "mdb":
        ports["payment.port"] = config.payment.port
    if config.dispenser.kind == "serial":
        ports["dispenser.port"] = config.dispenser.port
    return ports


def _lacking_folder(config: Config) -> str | None:
    """What is wrong with the folder of the machine's state."""
    folder = config.state_folder
    if not _may_be_made(folder):
        return f"shop.state = {str(folder)!r} cannot be made or written: name a folder of the kiosk's own user"
    try:
        check_private(folder)
    except SecretFileError as error:
        return f"shop.state: {error}"
    return None


def _may_be_made(folder: Path) -> bool:
    """Whether this user can write in a folder, or make it first."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def check(config: Config) -> None:
    """Raises `NotReadyError` with the first thing that the machine lacks to start; opens nothing."""
    for lack in _needs(config):
        raise NotReadyError(lack)


def opened(config: Config) -> Devices:
    """The machine's own devices, all of which `check` knows. If one cannot be opened, those before it are closed."""
    with ExitStack() as failed:
        terminal = TERMINALS[config.payment.kind](config)
        failed.callback(terminal.close)
        dispenser = DISPENSERS[config.dispenser.kind](config)
        failed.callback(dispenser.close)
        verifiers: list[IdVerifier] = []
        if config.id.attendant:
            hash_ = load_pins(config.pins_path).attendant
            verifiers.append(Attendant(hash_, config.state_folder / "attendant-tries"))
        if config.id.reader != "none":
            verifiers.append(READERS[config.id.reader](config))
        failed.pop_all()
    return Devices(terminal, dispenser, tuple(verifiers))


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
