"""Connects the machine to its fleet: reports the status, selects engines and carries out orders."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from kiosk.common.errors import KioskError
from kiosk.common.utc import utc_now
from kiosk.config import Config
from kiosk.estimate import Observation
from kiosk.fleet import engine_trial
from kiosk.fleet.audience import FinishedTracks
from kiosk.fleet.engine_trial import EngineHealth, EngineTrial
from kiosk.fleet.messages import MachineStatus, SlotStatus
from kiosk.fleet.mqtt import check_files
from kiosk.fleet.order_executor import OrderExecutor
from kiosk.fleet.orders import OrderError, load_public_key
from kiosk.fleet.service import Fleet
from kiosk.inference import check
from kiosk.inference.manifest import ManifestError
from kiosk.vending.journal.operator_settings import OperatorSettings
from kiosk.vending.shop import Shop
from kiosk.vision.process.messages import EngineInfo, VisionState

REPORT_EVERY_S = 1.0
"""Seconds between two status reports."""

_LONGEST = 300  # characters of a fault, because the outbox limits only the number of messages


class SwitchableVision(Protocol):
    """What a trial of an engine uses of the vision process."""

    @property
    def state(self) -> VisionState: ...

    @property
    def fault(self) -> str | None: ...

    @property
    def engine(self) -> EngineInfo | None: ...

    @property
    def engine_fault(self) -> str | None: ...

    def use_engine(self, engine: Path | None) -> None:
        """Restarts vision with another engine; None is the best one."""


def missing_requirements(config: Config) -> Iterator[str]:
    """Yields what the fleet still needs, one line each."""
    if not config.fleet.broker:
        return
    try:
        check_files(config.fleet)
    except KioskError as error:
        yield f"fleet: {error}"
    if config.fleet.orders_key:
        try:
            load_public_key(config.fleet.orders_key)
        except OrderError as error:
            yield f"fleet.orders_key: {error}"
    engines = config.fleet.engines_path
    if engines and not engines.is_dir():
        yield f"fleet.engines = {str(engines)!r} is not a folder: create it or name another"


def select_engine(config: Config) -> Path | None:
    """Returns the engine that an order chose for this start, or None. Raises `OSError`."""
    folder = config.fleet.engines_path
    if not config.fleet.broker or folder is None:
        return None
    return engine_trial.engine_at_start(_choice_path(config), lambda sha256: find_engine(folder, sha256))


def find_engine(folder: Path, sha256: str) -> Path:
    """Returns the engine with this SHA-256 in a folder, checked against its manifest. Raises `ManifestError`."""
    try:
        for manifest in sorted(folder.glob("*.json")):
            path = manifest.with_suffix("")
            if path.is_file() and _hash_of(path) == sha256:
                check(path)
                return path
    except OSError as error:
        raise ManifestError(f"{folder} cannot be read: {error.strerror}") from error
    raise ManifestError(f"{folder} has no engine with the SHA-256 {sha256}: put it there, with its manifest")


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class FleetController:
    """Connects sale and fleet, in the window's thread. Raises `KioskError` for invalid settings."""

    def __init__(self, config: Config, shop: Shop, settings: OperatorSettings, vision: SwitchableVision) -> None:
        self._shop = shop
        self._vision = vision
        self._version = importlib.metadata.version("facialnet-kiosk")
        self._tracks = FinishedTracks() if config.fleet.count_visitors else None
        self._fleet = Fleet(config.fleet, config.journal_path, config.state_folder / "fleet.db")
        self._executor = OrderExecutor(self._fleet, shop, settings, self._trial(config), utc_now)
        self._report_at = 0.0

    def start(self) -> None:
        """Starts reporting."""
        self._fleet.start()

    def advance(self, now: float) -> None:
        """Reports and continues orders at `now`, in seconds of a monotonic clock."""
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY_S
            self._fleet.report(machine_status(self._shop, self._vision, self._version))
        self._executor.advance(now)

    def count_visitors(self, observations: list[Observation]) -> None:
        """Counts the visitors in these observations, if the settings ask for it."""
        if self._tracks:
            for label in self._tracks.finished(observations):
                self._fleet.count_visitor(label)

    def stop(self) -> None:
        """Disconnects from the broker."""
        self._fleet.stop()

    def _trial(self, config: Config) -> EngineTrial | None:
        folder = config.fleet.engines_path
        if folder is None:
            return None
        return EngineTrial(
            _choice_path(config),
            lambda sha256: find_engine(folder, sha256),
            lambda path: self._vision.use_engine(path or config.engine_path),
            lambda: engine_health(self._vision),
        )


def engine_health(vision: SwitchableVision) -> EngineHealth:
    """Returns `well` if the engine is loaded and used, `unwell` if another one had to be, else `unknown`."""
    if vision.state is VisionState.FAILED or vision.engine_fault:
        return "unwell"
    lives = vision.state in (VisionState.RUNNING, VisionState.NO_CAMERA)
    return "well" if lives and vision.engine is not None else "unknown"


def machine_status(shop: Shop, vision: SwitchableVision, version: str) -> MachineStatus:
    """Returns the machine's current status."""
    snapshot = shop.snapshot
    return MachineStatus(
        faults=tuple(sorted(snapshot.faults)),
        attention=len(snapshot.attention),
        vision=vision.state.value,
        vision_fault=(vision.fault or "")[:_LONGEST],
        engine=f"{vision.engine.name}, {vision.engine.precision}" if vision.engine else "",
        engine_fault=(vision.engine_fault or "")[:_LONGEST],
        version=version,
        currency=snapshot.currency,
        slots=tuple(
            SlotStatus(offer.slot, offer.count, offer.capacity, offer.uncertain, offer.blocked, offer.price)
            for offer in snapshot.offers
        ),
    )


def _choice_path(config: Config) -> Path:
    return config.state_folder / "fleet-engine.json"
