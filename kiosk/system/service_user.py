"""Root, asked about the machine of an installed service, looks at it as the service itself does.

Root's own state folder is another than the service's, and what root writes, the service's user could not read. So a
command gives up root's rights for those of that user, and takes over where the unit keeps its state. A link that
somebody put into the user's folders then leads no further than the user itself could go.
"""

from __future__ import annotations

import os
import pwd
import shlex
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kiosk.common.errors import KioskError
from kiosk.system.systemd_unit import STATE, UNIT


class ServiceUserError(KioskError):
    """A service whose user is not there."""


@dataclass(frozen=True)
class Installed:
    """What the unit says that `kiosk install-service` wrote."""

    user: str
    settings: Path


def installed(unit: Path = UNIT) -> Installed | None:
    """The service of this machine, if there is one."""
    try:
        lines = unit.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    keys = dict(line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#"))
    try:
        words = shlex.split(keys["ExecStart"])
        settings = words[words.index("--config") + 1]
        return Installed(keys["User"], Path(settings.replace("%%", "%").replace("$$", "$")))
    except (IndexError, KeyError, ValueError):  # not as this version writes it
        return None


def as_service(settings: Path | None) -> Installed | None:
    """Goes on as the service's user, for good, if this is root and the settings are those of the installed service.

    Without `settings`, those of the service are meant. Returns the service, or None where nothing has changed. Raises
    `ServiceUserError`, `OSError`.
    """
    service = installed() if os.geteuid() == 0 else None
    if service is None or (settings is not None and settings.resolve() != service.settings.resolve()):
        return None
    try:
        user = pwd.getpwnam(service.user)
    except KeyError as error:
        raise ServiceUserError(
            f"the service's user {service.user} is not there: run `kiosk install-service` again"
        ) from error
    _make_state(user)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ["XDG_STATE_HOME"] = str(STATE.parent)
    return service


def _make_state(user: pwd.struct_passwd) -> None:
    """As systemd makes it at the first start. It lies in a folder of root's, where nobody else puts a link."""
    with suppress(FileExistsError):
        STATE.mkdir(mode=0o700)
        os.chown(STATE, user.pw_uid, user.pw_gid, follow_symlinks=False)
