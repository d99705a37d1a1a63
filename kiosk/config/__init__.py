"""The kiosk's settings: one TOML file becomes one validated, immutable object.

An unknown key is an error, because a misspelt key would otherwise silently do nothing. `kiosk config init` writes a
file made from the descriptions in `kiosk.config.sections`. A relative path counts from the folder of the settings file.
"""

from kiosk.config.sections import (
    ATTACKS,
    AgeCheckConfig,
    CameraConfig,
    FleetConfig,
    ShopConfig,
    TimeoutsConfig,
    VisionConfig,
)
from kiosk.config.settings import Config, ConfigError, load

__all__ = [
    "ATTACKS",
    "AgeCheckConfig",
    "CameraConfig",
    "Config",
    "ConfigError",
    "FleetConfig",
    "ShopConfig",
    "TimeoutsConfig",
    "VisionConfig",
    "load",
]
