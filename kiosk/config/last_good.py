"""The settings of the last start that went through, for a machine alone with a file that has become nonsense.

Somebody edits the settings of a running machine and makes a mistake. It goes on with what it read at its start; then
the power fails, and the next start can read nothing. Where a service manager starts it, nobody is near to put it
right, and refusing would leave it out of order: so it starts with the settings that it had, says so in its log, its
status and service mode until the file is right again, and asks for an ID wherever age matters. For what the mistake was
meant to change is not known, and it may have been to turn the automatic pass off.

Where a person starts it, the file is refused in one line, as always: they are there to read it.
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


def load_or_recall(path: Path) -> tuple[Config, str]:
    """The settings, and what is wrong with their file if they are those of the last start. Raises `ConfigError`.

    For a machine alone: nobody is there to put the file right.
    """
    try:
        return load(path), ""
    except ConfigError as error:
        last = _recalled(path)
        if last is None:
            raise
        cautious = last.age_check.model_copy(update={"automatic_pass": False})
        return last.model_copy(update={"age_check": cautious}), f"{error}; running with the settings of the last start"


def remember(config: Config, path: Path) -> None:
    """That a machine started with these."""
    place = _place(path)
    try:
        with replace_file(place, mode=0o600) as temporary:
            temporary.write_text(config.model_dump_json(), encoding="utf-8")
    except OSError as error:  # a full disk keeps no machine from selling
        log.warning("the settings of this start cannot be kept in %s: %s", place, error.strerror)


def _recalled(path: Path) -> Config | None:
    try:
        return Config.model_validate_json(_place(path).read_bytes())
    except (OSError, ValidationError):  # none yet, damaged, or of another version
        return None


def _place(path: Path) -> Path:
    """In the user's own state folder: which one the settings name cannot be known before they are read."""
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    return platformdirs.user_state_path("facialnet-kiosk") / f"last-settings-{name}.json"
