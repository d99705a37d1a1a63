"""The file of the PINs' hashes. Nobody but the kiosk's own user may read it: a PIN's few digits are soon tried out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from kiosk.common.atomic_files import replaced_safely
from kiosk.common.errors import KioskError
from kiosk.security.file_permissions import NoSecretFileError, SecretFileError, make_private, read_secret
from kiosk.security.pin import checked, hashed

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
        said: Any = json.loads(read_secret(path))
    except NoSecretFileError:
        return Pins()
    except SecretFileError as error:
        raise PinFileError(str(error)) from error
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
    make_private(path.parent)
    with replaced_safely(path, mode=0o600) as temporary:
        temporary.write_text(json.dumps(asdict(pins), indent=1) + "\n", encoding="utf-8")
