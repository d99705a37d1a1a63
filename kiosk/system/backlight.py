"""The screen's backlight, as far as this user may change it."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM = Path("/sys/class/backlight")
# Documentation/ABI/stable/sysfs-class-backlight of the Linux kernel: brightness, max_brightness, one folder a device.


class Backlight:
    """The first backlight device of the system."""

    def __init__(self, folder: Path = SYSTEM) -> None:
        devices = sorted(folder.iterdir()) if folder.is_dir() else []
        self._device = devices[0] if devices else None

    @property
    def is_available(self) -> bool:
        """Whether the system controls a backlight."""
        return self._device is not None

    @property
    def problem(self) -> str | None:
        """One line that says why the brightness cannot be changed, or None."""
        if self._device is None:
            return "the system cannot change this screen's brightness"
        if not os.access(self._device / "brightness", os.W_OK):
            return f"{self._device / 'brightness'} cannot be written by this user"
        return None

    def percent(self) -> int:
        """Returns the brightness in percent, 1 to 100; 100 if unknown."""
        if self._device is None:
            return 100
        try:
            return min(max(round(100 * self._read("brightness") / self._read("max_brightness")), 1), 100)
        except (ArithmeticError, OSError, ValueError):
            return 100

    def set_percent(self, percent: int) -> str | None:
        """Sets the brightness; returns one line that says why that failed, or None. The screen is never made dark."""
        if (why := self.problem) is not None:
            return why
        assert self._device is not None
        try:
            value = max(round(self._read("max_brightness") * percent / 100), 1)
            (self._device / "brightness").write_text(str(value), encoding="ascii")
        except (ArithmeticError, OSError, ValueError) as error:
            return f"{self._device}: {error}"
        return None

    def _read(self, name: str) -> int:
        assert self._device is not None
        return int((self._device / name).read_text(encoding="ascii"))
