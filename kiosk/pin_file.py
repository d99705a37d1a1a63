"""The file of the PINs' hashes. Nobody but the kiosk's own user may read it: a PIN's few digits are soon tried out."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from kiosk.errors import KioskError
from kiosk.files import replaced_safely
from kiosk.vending.pin import checked, hashed

Role = Literal["service", "attendant"]


class PinFileError(KioskError):
    """A file of PINs that cannot be used."""


@dataclass(frozen=True)
class Pins:
    """The hashes; an empty one where no PIN was set. There is no default PIN."""

    service: str = ""
    attendant: str = ""


def load(path: Path) -> Pins:
    """Reads the hashes; none where there is no file. Raises `PinFileError`, `PinError`."""
    try:
        with path.open(encoding="utf-8") as file:
            # asked of the open file, so that it is the one that is read
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise PinFileError(f"{path} can be read by others: run `chmod 600 {path}`, and set the PINs anew")
            said: Any = json.load(file)
    except FileNotFoundError:
        return Pins()
    except OSError as error:
        raise PinFileError(f"{path} cannot be read: {error.strerror}") from error
    except (RecursionError, ValueError) as error:
        raise PinFileError(f"{path} is damaged: delete it, and set the PINs anew") from error
    if not isinstance(said, dict) or not set(said) <= set(asdict(Pins())):
        raise PinFileError(f"{path} is no file of PINs: it was to hold {', '.join(asdict(Pins()))}")
    for hash_ in said.values():
        if hash_ != "":
            checked(str(hash_))
    return Pins(**said)


def set_pin(path: Path, role: Role, pin: str) -> None:
    """Writes the hash of a PIN, in place of the old one. Raises `PinFileError`, `PinError`."""
    pins = replace(load(path), **{role: hashed(pin)})
    with replaced_safely(path, mode=0o600) as temporary:
        temporary.write_text(json.dumps(asdict(pins), indent=1) + "\n", encoding="utf-8")
