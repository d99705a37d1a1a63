"""The kiosk's settings: one TOML file → one validated, immutable object.

An unknown key is an error, because a misspelt one would otherwise silently do nothing. What `kiosk config init` writes
is made from the descriptions here (`kiosk.config.describe`), so it cannot say anything else.

A path may be relative: it is then taken from the folder of the settings file, wherever the kiosk is started.
"""

from kiosk.config.sections import ATTACKS, AgeCheckConfig, CameraConfig, FleetConfig, ShopConfig
from kiosk.config.settings import Config, ConfigError, load

__all__ = ["ATTACKS", "AgeCheckConfig", "CameraConfig", "Config", "ConfigError", "FleetConfig", "ShopConfig", "load"]
