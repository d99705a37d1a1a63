"""Settings that the operator makes in service mode, besides stock and prices. The journal keeps them."""

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


class OperatorSettings:
    """The settings by name. They are read from the journal once; each change is appended to it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._values = {
            entry.fact.name: int(entry.fact.value)
            for entry in journal.of_kind(SettingChanged)
            if isinstance(entry.fact, SettingChanged) and entry.fact.value.isdecimal()
        }

    def get(self, name: str, default: int) -> int:
        """Returns the last value that was set, or `default` if there is none in the setting's range."""
        value = self._values.get(name, default)
        return value if value in _RANGES[name] else default

    def set(self, name: str, value: int) -> None:
        """Sets a value and journals it. Raises `ValueError` for a value out of range, `JournalError`."""
        if value not in _RANGES[name]:
            raise ValueError(f"{name} = {value}: it must be {_RANGES[name].start} to {_RANGES[name].stop - 1}")
        if self._values.get(name) != value:
            self._journal.append(SettingChanged(name, str(value)))
            self._values[name] = value
