"""Lets a command that root runs act as the user of the installed service.

Root's state folder differs from the service's, and the service's user could not read what root writes. So the command
gives up root's rights for that user's and uses the unit's state folder. A link that somebody put into the user's
folders then leads only where that user may go.
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
    """The service's user does not exist."""


@dataclass(frozen=True)
class InstalledService:
    """User and settings file of the unit that `kiosk install-service` wrote."""

    user: str
    settings: Path


def installed_service(unit: Path = UNIT) -> InstalledService | None:
    """Returns the installed service, or None."""
    try:
        lines = unit.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    keys = dict(line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#"))
    try:
        words = shlex.split(keys["ExecStart"])
        settings = words[words.index("--config") + 1]
        return InstalledService(keys["User"], Path(settings.replace("%%", "%").replace("$$", "$")))
    except (IndexError, KeyError, ValueError):  # written by another version
        return None


def switch_to_service_user(settings: Path | None) -> InstalledService | None:
    """Switches this process from root to the service's user, for good, if `settings` are the installed service's.

    None stands for the service's settings. Returns the service, or None if nothing was changed. Raises
    `ServiceUserError`, `OSError`.
    """
    service = installed_service() if os.geteuid() == 0 else None
    if service is None or (settings is not None and settings.resolve() != service.settings.resolve()):
        return None
    try:
        user = pwd.getpwnam(service.user)
    except KeyError as error:
        raise ServiceUserError(
            f"the service's user {service.user} does not exist: run `kiosk install-service` again"
        ) from error
    _make_state(user)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ["XDG_STATE_HOME"] = str(STATE.parent)
    return service


def _make_state(user: pwd.struct_passwd) -> None:
    """Creates the state folder as systemd does at the first start. Only root can put links into its parent."""
    with suppress(FileExistsError):
        STATE.mkdir(mode=0o700)
        os.chown(STATE, user.pw_uid, user.pw_gid, follow_symlinks=False)
