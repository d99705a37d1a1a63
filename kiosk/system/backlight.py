"""The screen's own light, where the system lets this user change it."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM = Path("/sys/class/backlight")
# Documentation/ABI/stable/sysfs-class-backlight of the Linux kernel: brightness, max_brightness, one folder a device.


class Backlight:
    """The first device that there is."""

    def __init__(self, folder: Path = SYSTEM) -> None:
        devices = sorted(folder.iterdir()) if folder.is_dir() else []
        self._device = devices[0] if devices else None

    @property
    def is_there(self) -> bool:
        """Whether the screen's light is the system's at all."""
        return self._device is not None

    @property
    def why_not(self) -> str | None:
        """Why it cannot be changed, in one line; None where it can."""
        if self._device is None:
            return "this screen's brightness is not the system's to change"
        if not os.access(self._device / "brightness", os.W_OK):
            return f"{self._device / 'brightness'} may not be written by this user"
        return None

    def percent(self) -> int:
        """1 to 100; 100 where nobody knows."""
        if self._device is None:
            return 100
        try:
            return min(max(round(100 * self._read("brightness") / self._read("max_brightness")), 1), 100)
        except (ArithmeticError, OSError, ValueError):
            return 100

    def set_percent(self, percent: int) -> str | None:
        """Sets it. Why it did not work, in one line; None where it did. Never dark: nobody would find the way back."""
        if (why := self.why_not) is not None:
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
