"""Installs the files of the machine's service, after systemd has checked them."""

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
"""Debian has this folder only in root's PATH."""


class InstallError(KioskError):
    """The service cannot be installed with these options."""


def service_for(settings: Path, display: Display, user: str, **more: Any) -> Service:
    """Returns the service of the running kiosk's installation. `more` are further fields of `Service`.

    Raises `InstallError` if a program that it needs is missing.
    """
    return Service(_this_kiosk(), settings.absolute(), display, user, _wrapper(display), **more)


def verify_unit(service: Service) -> tuple[str, ...]:
    """Returns what `systemd-analyze` finds wrong with the unit, one line each; nothing without systemd."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return ()
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / UNIT.name
        unit.write_text(service.files()[UNIT], encoding="utf-8")
        # Units that it only names, such as getty@tty1, exist only on the machine itself.
        command = [analyze, "verify", "--man=no", "--recursive-errors=no", str(unit)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    # An older systemd reports keys that it does not know, and ignores them, which is intended.
    lines = [line for line in result.stderr.splitlines() if UNIT.name in line and "Unknown key" not in line]
    return tuple(line.replace(f"{folder}/", "") for line in lines)


def permission_problems(service: Service) -> tuple[str, ...]:
    """Returns why the service's user could not start the kiosk or read its settings, one line each."""
    problems = []
    for path, what in ((service.kiosk, "the kiosk"), (service.settings, "the settings file")):
        closed = [folder for folder in path.resolve().parents if not _is_open(folder)]
        if closed:
            problems.append(f"only its owner may enter {closed[-1]}, where {what} is: move it to where all may read")
    if not os.access(service.settings, os.R_OK) or not service.settings.stat().st_mode & 0o004:
        problems.append(f"only its owner may read {service.settings}: `chmod a+r {service.settings}`")
    return (*problems, *_unwritable(service))


def _unwritable(service: Service) -> Iterator[str]:
    """Yields a line for each folder in the settings that the unit cannot open to the service."""
    for folder in service.folders:
        closed = [each for each in service.closed if folder.resolve().is_relative_to(each)]
        if closed:
            yield f"shop.state or log.file is in {folder}, closed to the service: use a folder outside {closed[0]}"
        elif not folder.is_dir():
            yield f"shop.state or log.file is in {folder}, which does not exist: create it or name another folder"


def write_files(service: Service, root: Path) -> tuple[Path, ...]:
    """Writes the service's files below `root`, all or none, readable for everybody. Raises `OSError`."""
    files = {root / place.relative_to("/"): text for place, text in service.files().items()}
    with replace_files(*files) as temporaries:
        for temporary, text in zip(temporaries, files.values(), strict=True):
            temporary.write_text(text, encoding="utf-8")
    return tuple(files)


def activate() -> None:
    """Creates the user and reloads systemd and udev. Raises `InstallError` with the failed command's message."""
    for command in _ACTIVATION:
        if shutil.which(command[0]) is None:
            raise InstallError(f"{command[0]} is missing: this machine does not run systemd")
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if result.returncode:
            said = " ".join(result.stderr.split())
            raise InstallError(f"`{' '.join(command)}` failed: {said or f'exit status {result.returncode}'}")


def _is_open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o001)


def _this_kiosk() -> Path:
    """Returns the program `kiosk` of this environment, whatever is in PATH."""
    beside = Path(sys.executable).parent / _PROGRAM
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(_PROGRAM)
    if found is None:
        raise InstallError("the program `kiosk` is not installed here: install it with pip and run it from there")
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
