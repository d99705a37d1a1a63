"""Settings keys that have a new name: their old names are still read, with a warning in the log."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

log = logging.getLogger(__name__)

_SECTIONS = {"time_outs": "timeouts"}
_KEYS = {
    ("age_check", "good_pictures"): "min_good_frames",
    ("fleet", "audience"): "count_visitors",
    ("sound", "on"): "enabled",
}


def rename_old_keys(settings: Any) -> Any:
    """Returns a copy of the raw settings in which each old name is replaced by the new one.

    It logs one line for each old name. Raises `ValueError` where the old and the new name are both given.
    """
    if not isinstance(settings, dict):
        return settings
    settings = dict(settings)
    for old, new in _SECTIONS.items():
        _rename(settings, old, new)
    for (section, old), new in _KEYS.items():
        if isinstance(settings.get(section), dict):
            settings[section] = dict(settings[section])
            _rename(settings[section], old, new, f"{section}.")
    return settings


def _rename(table: dict[str, Any], old: str, new: str, prefix: str = "") -> None:
    if old not in table:
        return
    if new in table:
        raise ValueError(f"{prefix}{old} is the old name of {prefix}{new}: delete it, and keep {prefix}{new}")
    table[new] = table.pop(old)
    _warn(f"{prefix}{old}", f"{prefix}{new}")


@cache  # a machine that cannot start reads its settings again and again
def _warn(old: str, new: str) -> None:
    log.warning("the setting %s has a new name: write %s instead", old, new)
