"""The object that holds all settings, and how it is read from the settings file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import model_validator

from kiosk.common import toml
from kiosk.common.errors import KioskError
from kiosk.config.describe import explain
from kiosk.config.renamed_keys import rename_old_keys
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
    TimeoutsConfig,
    VisionConfig,
    WindowConfig,
)


class ConfigError(KioskError):
    """A settings file that cannot be read, or that holds a key or a value that is not allowed."""


class Config(Section):
    """All settings of one kiosk, validated and immutable. `Config()` holds the defaults."""

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
    timeouts: TimeoutsConfig = TimeoutsConfig()

    @model_validator(mode="before")
    @classmethod
    def _rename_old_keys(cls, settings: Any) -> Any:
        return rename_old_keys(settings)

    @model_validator(mode="after")
    def _check_age_check(self) -> Config:
        check = self.age_check
        if check.time_out > self.timeouts.age_check:
            raise ValueError(
                f"age_check.time_out is {check.time_out:g}, it must be no more than timeouts.age_check, "
                f"{self.timeouts.age_check:g}"
            )
        if check.min_good_frames > check.time_out * self.camera.rate:
            raise ValueError(
                f"age_check.min_good_frames is {check.min_good_frames}, more frames than the camera gives within "
                f"age_check.time_out, {check.time_out:g} seconds, at camera.rate, {self.camera.rate:g}"
            )
        return self

    @property
    def state_folder(self) -> Path:
        """The folder of the journal, the PINs and other state."""
        if self.shop.state == "auto":
            return platformdirs.user_state_path("facialnet-kiosk")
        return Path(self.shop.state)

    @property
    def journal_path(self) -> Path:
        """The file of the journal of sales."""
        return self.state_folder / "journal.db"

    @property
    def pins_path(self) -> Path:
        """The file of the PINs' hashes."""
        return self.state_folder / "pins.json" if self.service.pins == "auto" else Path(self.service.pins)

    @property
    def log_path(self) -> Path | None:
        """The log file, or None where the log goes to standard error."""
        return None if self.log.file == "none" else Path(self.log.file)

    @property
    def catalog_path(self) -> Path | None:
        """The catalogue, or None for the built-in one."""
        return None if self.shop.catalog == "demo" else Path(self.shop.catalog)

    @property
    def engine_path(self) -> Path | None:
        """The engine that the settings name, or None for the best one that works."""
        return None if self.vision.engine == "auto" else Path(self.vision.engine)


def load(path: Path) -> Config:
    """Reads a settings file; relative paths in it become absolute, as seen from its folder.

    Raises `ConfigError`, whose one line names the key and what is allowed.
    """
    config = toml.load(path, Config, "settings", ConfigError, partial(explain, Config))
    try:
        return _with_absolute_paths(config, path.absolute().parent)
    except RuntimeError as error:  # from expanduser
        raise ConfigError(f"settings {path}: `~` in a path names no user of this system") from error


def _with_absolute_paths(config: Config, folder: Path) -> Config:
    """Returns the settings with relative paths made absolute, as seen from `folder`."""

    def path(value: str, *keywords: str) -> str:
        return value if value in keywords else str(folder / Path(value).expanduser())

    source = config.camera.source
    return config.model_copy(
        update={
            "camera": config.camera.model_copy(
                # a number is a camera, even if a file of that name exists
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
