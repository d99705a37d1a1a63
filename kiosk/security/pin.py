"""PINs: their hashes, the file that keeps them, and the wait after wrong tries.

A PIN is hashed with bcrypt, and only the kiosk's own user may read the file of hashes: with few digits, every PIN can
be tried against a stolen hash. At the machine the wait after wrong tries protects the PIN.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import bcrypt

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from kiosk.security.file_permissions import NoSecretFileError, SecretFileError, make_private, read_secret

Role = Literal["service", "attendant"]

_PIN = re.compile(r"[0-9]{4,12}", re.ASCII)
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-9])\$[./A-Za-z0-9]{53}", re.ASCII)
_FREE_TRIES = 3
_FIRST_WAIT_S = 30.0
_LONGEST_WAIT_S = 900.0
_MAX_COUNT = 999_999
_MAX_COUNT_BYTES = 16


class PinError(KioskError):
    """A PIN or a hash that cannot be used."""


class PinFileError(KioskError):
    """A file of PIN hashes that cannot be used."""


def hash_pin(pin: str, rounds: int = 12) -> str:
    """Returns the bcrypt hash of a PIN. Raises `PinError` unless the PIN has 4 to 12 digits.

    `rounds` is bcrypt's cost: each round more doubles the time that a hash takes.
    """
    if not _PIN.fullmatch(pin):
        raise PinError("a PIN has 4 to 12 digits")
    return bcrypt.hashpw(pin.encode(), bcrypt.gensalt(rounds)).decode()


def check_hash(pin_hash: str) -> str:
    """Returns the hash unchanged. Raises `PinError` if it is not a bcrypt hash."""
    if not _HASH.fullmatch(pin_hash):
        raise PinError("the stored PIN hash is not a bcrypt hash: set the PIN again with `kiosk config set-pin`")
    return pin_hash


def matches(pin: str, pin_hash: str) -> bool:
    """Whether the PIN has this hash. Takes a fraction of a second."""
    return bool(_PIN.fullmatch(pin)) and bcrypt.checkpw(pin.encode(), pin_hash.encode())


def wait_after(wrong_tries: int) -> float:
    """Seconds to wait after so many wrong tries in a row: 0 for the first two, then 30, 60 … up to 900."""
    if wrong_tries < _FREE_TRIES:
        return 0.0
    return min(_FIRST_WAIT_S * 2.0 ** min(wrong_tries - _FREE_TRIES, 16), _LONGEST_WAIT_S)


class Tries:
    """Counts the wrong tries in a row, in a file, so that they still count after a power cut.

    After a restart the whole wait starts again, because no clock can be trusted across a power cut. A file that cannot
    be read counts as three wrong tries.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wrong = self._read()
        self._free_at: float | None = None

    def wait_s(self, now: float) -> float:
        """Seconds until the next try is accepted. `now` is in seconds of a monotonic clock."""
        if self._free_at is None:
            self._free_at = now + wait_after(self._wrong)
        return max(self._free_at - now, 0.0)

    def begin(self, now: float) -> None:
        """Counts a try as wrong, before the PIN is compared: cutting the power then saves no try. Raises `OSError`."""
        self._write(min(self._wrong + 1, _MAX_COUNT))
        self._free_at = now + wait_after(self._wrong)

    def succeeded(self) -> None:
        """Sets the count back to 0 after a right PIN. Raises `OSError`."""
        self._write(0)
        self._free_at = None

    def _read(self) -> int:
        try:
            with self._path.open("rb") as file:
                return min(max(int(file.read(_MAX_COUNT_BYTES)), 0), _MAX_COUNT)
        except FileNotFoundError:
            return 0
        except (OSError, ValueError):
            return _FREE_TRIES

    def _write(self, wrong: int) -> None:
        self._wrong = wrong
        with replace_file(self._path) as temporary:
            temporary.write_text(str(wrong), encoding="ascii")


@dataclass(frozen=True)
class Pins:
    """The bcrypt hash of each role's PIN; empty where no PIN was set. There is no default PIN."""

    service: str = ""
    attendant: str = ""


def load_pins(path: Path) -> Pins:
    """Reads the file of hashes; a missing file holds none. Raises `PinFileError`, `PinError`."""
    try:
        content: Any = json.loads(read_secret(path))
    except NoSecretFileError:
        return Pins()
    except SecretFileError as error:
        raise PinFileError(str(error)) from error
    except (RecursionError, ValueError) as error:
        raise PinFileError(f"{path} is damaged: delete it, and set the PINs again") from error
    if not isinstance(content, dict) or not set(content) <= set(asdict(Pins())):
        raise PinFileError(f"{path} is not a file of PINs: it may hold only {' and '.join(asdict(Pins()))}")
    for pin_hash in content.values():
        if pin_hash != "":
            check_hash(str(pin_hash))
    return Pins(**content)


def set_pin(path: Path, role: Role, pin: str) -> None:
    """Writes the hash of a role's new PIN into the file. Raises `PinFileError`, `PinError`, `OSError`."""
    pins = replace(load_pins(path), **{role: hash_pin(pin)})
    make_private(path.parent)
    with replace_file(path, mode=0o600) as temporary:
        temporary.write_text(json.dumps(asdict(pins), indent=1) + "\n", encoding="utf-8")
