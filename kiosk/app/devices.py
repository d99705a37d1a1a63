"""Opens the terminal, dispenser and ID readers that the settings name, and checks what is missing."""

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
"""Only real ones: a simulated terminal would give goods away."""

DISPENSERS: Mapping[str, Callable[[Config], Dispenser]] = {"serial": _serial}

READERS: Mapping[str, Callable[[Config], IdVerifier]] = {}

_DEMO = "`kiosk run --demo` has simulated ones"


class NotReadyError(KioskError):
    """The machine cannot sell with these settings."""


@dataclass(frozen=True)
class Devices:
    """The devices of a machine."""

    terminal: PaymentTerminal
    dispenser: Dispenser
    verifiers: tuple[IdVerifier, ...]

    def close(self) -> None:
        """Closes all devices, the last one first, even if closing one fails."""
        with ExitStack() as closing:
            closing.callback(self.terminal.close)
            closing.callback(self.dispenser.close)
            for verifier in self.verifiers:
                closing.callback(verifier.close)


def missing_requirements(config: Config) -> Iterator[str]:
    """Yields what the machine still needs before it can sell, one line each that says what to do."""
    yield from _startup_requirements(config)
    log = config.log_path
    if log is not None and not _is_writable(log.parent):  # the folder, because full log files are renamed
        yield f"log.file = {str(log)!r} cannot be written: name a file in a folder of the kiosk's user"
    # A missing port or camera does not prevent the start: it may come back.
    for key, port in _ports(config).items():
        if port != "none" and not Path(port).exists():
            yield f"{key} = {port!r} does not exist: plug it in; `kiosk doctor` lists the ports"
    # Without a camera or an engine, the machine asks for IDs.
    engine = config.engine_path
    if engine is not None and not engine.is_file():
        yield f"vision.engine = {str(engine)!r} does not exist: name another file, or use auto"
    source = config.camera.source
    if source not in ("auto", DEMO) and not source.isdecimal() and not Path(source).exists():
        yield f"camera.source = {source!r} does not exist: name a camera, such as /dev/video0"


def _startup_requirements(config: Config) -> Iterator[str]:
    """Yields what the machine needs to start."""
    yield from _unknown_kind("payment.kind", "terminal", config.payment.kind, TERMINALS)
    yield from _unknown_kind("dispenser.kind", "dispenser", config.dispenser.kind, DISPENSERS)
    ports = _ports(config)
    for key in (key for key, port in ports.items() if port == "none"):
        yield f"{key} is none: name the serial port; `kiosk doctor` shows which device is on each"
    if len(ports) == 2 and len({Path(port).resolve() for port in ports.values()}) == 1 and "none" not in ports.values():
        yield "payment.port and dispenser.port are the same: each device needs its own port"
    if config.id.reader != "none":
        yield from _unknown_kind("id.reader", "ID reader", config.id.reader, READERS)
    if config.age_check.automatic_pass and not config.age_check.liveness:
        yield "age_check.automatic_pass without age_check.liveness would sell to a picture: change one of the two"
    yield from fleet.missing_requirements(config)
    if problem := _state_folder_problem(config):
        yield problem
        return  # so the PINs cannot exist either
    pins = load_pins(config.pins_path)
    if not pins.service:
        yield "the service PIN is not set: run `kiosk config set-pin service --config FILE`"
    if config.id.attendant and not pins.attendant:
        yield "id.attendant is on, but its PIN is not set: run `kiosk config set-pin attendant --config FILE`"


def _ports(config: Config) -> dict[str, str]:
    """Returns the serial ports of the devices by their settings key."""
    ports = {}
    if config.payment.kind == "mdb":
        ports["payment.port"] = config.payment.port
    if config.dispenser.kind == "serial":
        ports["dispenser.port"] = config.dispenser.port
    return ports


def _state_folder_problem(config: Config) -> str | None:
    """Returns what is wrong with the machine's state folder, or None."""
    folder = config.state_folder
    if not _is_writable(folder):
        return f"shop.state = {str(folder)!r} cannot be created or written: name a folder of the kiosk's user"
    try:
        check_private(folder)
    except SecretFileError as error:
        return f"shop.state: {error}"
    return None


def _is_writable(folder: Path) -> bool:
    """Returns whether this user can write to a folder or create it."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def check(config: Config) -> None:
    """Raises `NotReadyError` with the first thing that the machine needs to start. Opens nothing."""
    for requirement in _startup_requirements(config):
        raise NotReadyError(requirement)


def open_devices(config: Config) -> Devices:
    """Opens the machine's devices, after `check`. If one cannot be opened, closes those before it."""
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


def _unknown_kind(key: str, what: str, kind: str, known: Mapping[str, object]) -> Iterator[str]:
    if kind in known:
        return
    there_is = f"there is {', '.join(known)}" if known else "there is no driver for a real one yet"
    if kind == "none":
        yield f"{key} is none: name the machine's {what}; in this version {there_is}; {_DEMO}"
    elif kind == "simulated":
        yield f"{key} = 'simulated' would give goods away: only `kiosk run --demo` simulates"
    else:
        yield f"{key} = {kind!r}: this version has no such {what}; {there_is}; {_DEMO}"
