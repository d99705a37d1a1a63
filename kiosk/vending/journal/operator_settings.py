"""What the operator set in service mode beside stock and prices. The journal keeps it, and the last change counts."""

from __future__ import annotations

from kiosk.vending.journal import Journal
from kiosk.vending.journal.facts import SettingChanged

VOLUME = "volume"
"""0 to 100."""
BRIGHTNESS = "brightness"
"""1 to 100."""
OUT_OF_ORDER = "out_of_order"
"""0 or 1."""

_RANGES = {VOLUME: range(101), BRIGHTNESS: range(1, 101), OUT_OF_ORDER: range(2)}


class Settings:
    """Read from the journal once, and written to it at every change."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._values = {
            entry.fact.name: int(entry.fact.value)
            for entry in journal.of_kind(SettingChanged)
            if isinstance(entry.fact, SettingChanged) and entry.fact.value.isdecimal()
        }

    def get(self, name: str, otherwise: int) -> int:
        """The last value set; `otherwise` where nobody set one that can be."""
        value = self._values.get(name, otherwise)
        return value if value in _RANGES[name] else otherwise

    def set(self, name: str, value: int) -> None:
        """Journals a change. Raises `ValueError` for what cannot be, `JournalError`."""
        if value not in _RANGES[name]:
            raise ValueError(f"{name} = {value}: it is {_RANGES[name].start} to {_RANGES[name].stop - 1}")
        if self._values.get(name) != value:
            self._journal.append(SettingChanged(name, str(value)))
            self._values[name] = value
