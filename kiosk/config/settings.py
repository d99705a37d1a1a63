"""The kiosk's settings: one TOML file → one validated, immutable object."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import platformdirs
from pydantic import model_validator

from kiosk.common import toml
from kiosk.common.errors import KioskError
from kiosk.config.describe import explained
from kiosk.config.sections import (
    AgeCheckConfig,
    CameraConfig,
    DispenserConfig,
    FleetConfig,
    IdConfig,
    LogConfig,
    PaymentConfig,
    Section,
    ServiceConfig,
    ShopConfig,
    SoundConfig,
    TimeOutsConfig,
    VisionConfig,
    WindowConfig,
)


class ConfigError(KioskError):
    """A settings file that cannot be read, or says what makes no sense."""


class Config(Section):
    """Everything that can be set."""

    camera: CameraConfig = CameraConfig()
    vision: VisionConfig = VisionConfig()
    window: WindowConfig = WindowConfig()
    sound: SoundConfig = SoundConfig()
    shop: ShopConfig = ShopConfig()
    age_check: AgeCheckConfig = AgeCheckConfig()
    id: IdConfig = IdConfig()
    payment: PaymentConfig = PaymentConfig()
    dispenser: DispenserConfig = DispenserConfig()
    service: ServiceConfig = ServiceConfig()
    log: LogConfig = LogConfig()
    fleet: FleetConfig = FleetConfig()
    time_outs: TimeOutsConfig = TimeOutsConfig()

    @model_validator(mode="after")
    def _has_time_for_its_check(self) -> Config:
        check = self.age_check
        if check.time_out > self.time_outs.age_check:
            raise ValueError(
                f"age_check.time_out is {check.time_out:g}, it must be no more than time_outs.age_check, "
                f"{self.time_outs.age_check:g}"
            )
        if check.good_pictures > check.time_out * self.camera.rate:
            raise ValueError(
                f"age_check.good_pictures is {check.good_pictures}, which do not come within its time_out, "
                f"{check.time_out:g} seconds, at camera.rate, {self.camera.rate:g}"
            )
        return self

    @property
    def state_folder(self) -> Path:
        """Where the machine keeps what it must not forget."""
        if self.shop.state == "auto":
            return platformdirs.user_state_path("facialnet-kiosk")
        return Path(self.shop.state)

    @property
    def journal_path(self) -> Path:
        """The journal of sales."""
        return self.state_folder / "journal.db"

    @property
    def pins_path(self) -> Path:
        """The PINs' hashes."""
        return self.state_folder / "pins.json" if self.service.pins == "auto" else Path(self.service.pins)

    @property
    def log_path(self) -> Path | None:
        """The log, where it is a file."""
        return None if self.log.file == "none" else Path(self.log.file)

    @property
    def catalog_path(self) -> Path | None:
        """The catalogue, where it is not the kiosk's own."""
        return None if self.shop.catalog == "demo" else Path(self.shop.catalog)

    @property
    def engine_path(self) -> Path | None:
        """The engine, where one is named."""
        return None if self.vision.engine == "auto" else Path(self.vision.engine)


def load(path: Path) -> Config:
    """Reads a settings file. Raises `ConfigError`, whose one line names the key and what it may be."""
    config = toml.load(path, Config, "settings", ConfigError, partial(explained, Config))
    try:
        return _located(config, path.absolute().parent)
    except RuntimeError as error:  # of expanduser: `~` of nobody
        raise ConfigError(f"settings {path}: a path begins with `~` and names no user's folder") from error


def _located(config: Config, folder: Path) -> Config:
    """With the paths that it names made absolute, as seen from `folder`."""

    def path(value: str, *words: str) -> str:
        return value if value in words else str(folder / Path(value).expanduser())

    source = config.camera.source
    return config.model_copy(
        update={
            "camera": config.camera.model_copy(
                # a camera's number is no file either, whatever lies beside the settings
                update={"source": source if source.isdecimal() else path(source, "auto", "demo")}
            ),
            "vision": config.vision.model_copy(update={"engine": path(config.vision.engine, "auto")}),
            "shop": config.shop.model_copy(
                update={"catalog": path(config.shop.catalog, "demo"), "state": path(config.shop.state, "auto")}
            ),
            "log": config.log.model_copy(update={"file": path(config.log.file, "none")}),
            "service": config.service.model_copy(update={"pins": path(config.service.pins, "auto")}),
            "fleet": config.fleet.model_copy(
                update={
                    name: path(getattr(config.fleet, name), "auto", "none")
                    for name in ("ca", "certificate", "key", "password", "engines")
                }
            ),
        }
    )
