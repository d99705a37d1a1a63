"""Keeps the settings of the last successful start, for an unattended machine whose settings file becomes invalid.

An operator may make a mistake in the settings file while the machine runs. The machine keeps the settings that it
has read; but after a power cut it cannot read the file any more. A service manager starts it where no person can fix
the file. Such a machine starts with the settings of its last start, and reports the error in its log, its status and
service mode. Until the file is valid again, it asks for an ID wherever age matters: the edit may have been meant to
turn the automatic pass off.

If a person starts the kiosk, an invalid file is an error as usual.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import platformdirs
from pydantic import ValidationError

from kiosk.common.atomic_files import replace_file
from kiosk.config import Config, ConfigError, load

log = logging.getLogger(__name__)


def load_or_last_good(path: Path) -> tuple[Config, str]:
    """Returns the settings of the file, or those of the last start with a line that says what is wrong with the file.

    The line is empty where the file is valid. Raises `ConfigError` where it is invalid and there was no start before.
    """
    try:
        return load(path), ""
    except ConfigError as error:
        last = _read(path)
        if last is None:
            raise
        cautious = last.age_check.model_copy(update={"automatic_pass": False})
        return last.model_copy(update={"age_check": cautious}), f"{error}; running with the settings of the last start"


def save(config: Config, path: Path) -> None:
    """Keeps the settings of a start that succeeded with the file `path`. A failure is only logged."""
    kept = _path_of_copy(path)
    try:
        with replace_file(kept, mode=0o600) as temporary:
            temporary.write_text(config.model_dump_json(), encoding="utf-8")
    except OSError as error:  # a full disk does not stop the machine
        log.warning("the settings of this start cannot be kept in %s: %s", kept, error.strerror)


def _read(path: Path) -> Config | None:
    try:
        return Config.model_validate_json(_path_of_copy(path).read_bytes())
    except (OSError, ValidationError):  # missing, damaged, or of another version
        return None


def _path_of_copy(path: Path) -> Path:
    """In the user's state folder, because the folder `shop.state` is only known from valid settings."""
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    return platformdirs.user_state_path("facialnet-kiosk") / f"last-settings-{name}.json"
