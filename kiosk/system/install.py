"""Writes the files of the machine's service, and has systemd check them first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiosk.common.atomic_files import replace_files
from kiosk.common.errors import KioskError
from kiosk.system.systemd_unit import PROGRAMS, UNIT, Display, Service

_PROGRAM = "kiosk"
_ACTIVATION = (
    ["systemd-sysusers"],
    ["systemctl", "daemon-reload"],
    ["udevadm", "control", "--reload"],
    ["udevadm", "trigger", "--action=add", "--subsystem-match=backlight"],
)
_SYSTEM_PROGRAMS = "/usr/sbin"
"""Debian has it in root's PATH alone."""


class InstallError(KioskError):
    """A service that cannot be installed as it was asked for."""


def service_for(settings: Path, display: Display, user: str, **more: Any) -> Service:
    """The service of the kiosk that is running this, and what `Service` is to know more.

    Raises `InstallError` where something it needs is not there.
    """
    return Service(_this_kiosk(), settings.absolute(), display, user, _wrapper(display), **more)


def checked(service: Service) -> tuple[str, ...]:
    """What systemd finds wrong with the unit, a line each; nothing where there is no systemd to ask."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return ()
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / UNIT.name
        unit.write_text(service.files()[UNIT], encoding="utf-8")
        # Of units that it merely names, such as getty@tty1, only the machine itself knows.
        command = [analyze, "verify", "--man=no", "--recursive-errors=no", str(unit)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    # An older systemd does not know the newest keys and says so: it ignores them, as is meant.
    lines = [line for line in result.stderr.splitlines() if UNIT.name in line and "Unknown key" not in line]
    return tuple(line.replace(f"{folder}/", "") for line in lines)


def unreachable(service: Service) -> tuple[str, ...]:
    """Why the service's user could not start the kiosk or read its settings, a line each."""
    problems = []
    for path, what in ((service.kiosk, "the kiosk"), (service.settings, "the settings file")):
        closed = [folder for folder in path.resolve().parents if not _is_open(folder)]
        if closed:
            problems.append(f"nobody but its owner may enter {closed[-1]}, where {what} is: put it where all may read")
    if not os.access(service.settings, os.R_OK) or not service.settings.stat().st_mode & 0o004:
        problems.append(f"nobody but its owner may read {service.settings}: `chmod a+r {service.settings}`")
    return (*problems, *_unwritable(service))


def _unwritable(service: Service) -> Iterator[str]:
    """Of the folders that the settings name, those that the unit cannot open to the service."""
    for folder in service.folders:
        closed = [each for each in service.closed if folder.resolve().is_relative_to(each)]
        if closed:
            yield f"shop.state or log.file is in {folder}, and the service keeps nothing in {closed[0]}: name another"
        elif not folder.is_dir():
            yield f"shop.state or log.file is in {folder}, which is not there: make it, or name another folder"


def written(service: Service, root: Path) -> tuple[Path, ...]:
    """Writes the files below `root`, all or none; anybody may read them. Raises `OSError`."""
    files = {root / place.relative_to("/"): text for place, text in service.files().items()}
    with replace_files(*files) as temporaries:
        for temporary, text in zip(temporaries, files.values(), strict=True):
            temporary.write_text(text, encoding="utf-8")
    return tuple(files)


def activated() -> None:
    """Makes the user, and has systemd read the unit and udev its rules. Raises `InstallError` with what it said."""
    for command in _ACTIVATION:
        if shutil.which(command[0]) is None:
            raise InstallError(f"{command[0]} is not there: this machine is not run by systemd")
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if result.returncode:
            said = " ".join(result.stderr.split())
            raise InstallError(f"`{' '.join(command)}` failed: {said or f'exit status {result.returncode}'}")


def _is_open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o001)


def _this_kiosk() -> Path:
    """The program `kiosk` of this very environment, whatever else is in PATH."""
    beside = Path(sys.executable).parent / _PROGRAM
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(_PROGRAM)
    if found is None:
        raise InstallError("the program `kiosk` is not installed here: install it with pip, and run it from there")
    return Path(found).absolute()


def _wrapper(display: Display) -> Path | None:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), _SYSTEM_PROGRAMS))
    found = [shutil.which(program, path=path) for program in PROGRAMS.get(display, ())]
    for program, place in zip(PROGRAMS.get(display, ()), found, strict=True):
        if place is None:
            raise InstallError(
                f"{program} is not installed: `sudo apt install {program.lower()}`, or choose another --display"
            )
    return Path(found[0]) if found and found[0] else None
