"""PINs: a hash that may lie in a file, and an ever longer wait after wrong tries.

Hashed by bcrypt. Four to eight digits are few whatever the hash, so what protects a PIN at the machine is the wait;
the hash protects it from whoever reads the settings.
"""

from __future__ import annotations

import re
from pathlib import Path

import bcrypt

from kiosk.common.atomic_files import replaced_safely
from kiosk.common.errors import KioskError

_PIN = re.compile(r"[0-9]{4,12}", re.ASCII)
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-9])\$[./A-Za-z0-9]{53}", re.ASCII)
_FREE_TRIES = 3
_FIRST_WAIT = 30.0
_LONGEST_WAIT = 900.0
_MOST_COUNTED = 999_999
_LONGEST_COUNT = 16  # bytes of the file that are looked at


class PinError(KioskError):
    """A PIN or its hash that cannot be used."""


def hashed(pin: str, rounds: int = 12) -> str:
    """The hash of a PIN of 4 to 12 digits, for the settings. Raises `PinError`."""
    if not _PIN.fullmatch(pin):
        raise PinError("a PIN has 4 to 12 digits")
    return bcrypt.hashpw(pin.encode(), bcrypt.gensalt(rounds)).decode()


def checked(hash_: str) -> str:
    """The hash, if it is one of a PIN. Raises `PinError`."""
    if not _HASH.fullmatch(hash_):
        raise PinError("the PIN's hash in the settings is not one of bcrypt: make it anew from the PIN")
    return hash_


def matches(pin: str, hash_: str) -> bool:
    """Whether a PIN is the one of this hash; takes a fraction of a second."""
    return bool(_PIN.fullmatch(pin)) and bcrypt.checkpw(pin.encode(), hash_.encode())


def wait_after(wrong: int) -> float:
    """Seconds to wait after so many wrong tries in a row: none for the first two, then 30, 60 … at most 900."""
    return 0.0 if wrong < _FREE_TRIES else min(_FIRST_WAIT * 2.0 ** min(wrong - _FREE_TRIES, 16), _LONGEST_WAIT)


class Tries:
    """How many wrong tries there were in a row, in a file, so that switching the machine off does not help.

    After a restart the whole wait begins anew: no clock can be trusted across a power cut. A file that cannot be read
    counts as one wait.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wrong = self._read()
        self._free_at: float | None = None

    def wait_s(self, now: float) -> float:
        """Seconds until the next try is looked at. `now`: seconds of a monotonic clock."""
        if self._free_at is None:
            self._free_at = now + wait_after(self._wrong)
        return max(self._free_at - now, 0.0)

    def begin(self, now: float) -> None:
        """Counts a try as wrong, before it is looked at."""
        self._write(min(self._wrong + 1, _MOST_COUNTED))
        self._free_at = now + wait_after(self._wrong)

    def succeeded(self) -> None:
        """The try was right after all."""
        self._write(0)
        self._free_at = None

    def _read(self) -> int:
        try:
            with self._path.open("rb") as file:
                return min(max(int(file.read(_LONGEST_COUNT)), 0), _MOST_COUNTED)
        except FileNotFoundError:
            return 0
        except (OSError, ValueError):
            return _FREE_TRIES

    def _write(self, wrong: int) -> None:
        self._wrong = wrong
        with replaced_safely(self._path) as temporary:
            temporary.write_text(str(wrong), encoding="ascii")
