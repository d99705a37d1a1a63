"""The locks hold what the kiosk needs, in the versions of constraints.txt, with hashes for every machine it runs on.

Whether there is a wheel for each of these machines only a package index knows: `make lock` asks it.
"""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
MACHINES = [(python, machine) for python in ("3.10", "3.11", "3.12", "3.13") for machine in ("x86_64", "aarch64")]
TRAINER_ALONE = {"torch", "onnx", "matplotlib", "tensorboard", "tqdm"}


def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """Every line of a lock with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [(Requirement(line.split("--hash=")[0]), re.findall(r"--hash=(\S+)", line)) for line in lines]


def constraints() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def wanted() -> list[Requirement]:
    """What setup.cfg says that the kiosk needs."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return [Requirement(line) for line in config["options"]["install_requires"].splitlines() if line]


def environment(python: str, machine: str) -> dict[str, str]:
    return {
        "implementation_name": "cpython",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.4",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }


def versions(requirements: list[Requirement], python: str, machine: str) -> dict[str, str]:
    """The one version of each package there; more than one is an error."""
    found: dict[str, str] = {}
    for each in requirements:
        if applies(each, python, machine):
            (pin,) = each.specifier
            assert pin.operator == "==", each
            assert found.setdefault(canonicalize_name(each.name), pin.version) == pin.version, f"{each} twice"
    return found


def applies(requirement: Requirement, python: str, machine: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment(python, machine))


@pytest.mark.parametrize(("python", "machine"), MACHINES)
def test_each_machine_gets_what_setup_cfg_asks_for_as_constraints_txt_pins_it(python: str, machine: str) -> None:
    lock = versions([each for each, _ in locked("requirements-kiosk.lock")], python, machine)
    pins = versions(constraints(), python, machine)
    assert lock == {name: pins[name] for name in lock}
    for each in wanted():
        if applies(each, python, machine):
            assert each.specifier.contains(lock[canonicalize_name(each.name)]), f"{each}: run `make lock`"
    assert not TRAINER_ALONE & set(lock)


def test_what_the_needed_need_is_locked_too() -> None:
    """By the packages that are installed here, for the Python that runs this."""
    python = ".".join(map(str, sys.version_info[:2]))
    lock = versions([each for each, _ in locked("requirements-kiosk.lock")], python, "x86_64")
    assert set(needed(wanted(), python)) == set(lock)


def needed(requirements: list[Requirement], python: str) -> Iterator[str]:
    for each in requirements:
        if applies(each, python, "x86_64"):
            yield canonicalize_name(each.name)
            yield from needed([Requirement(line) for line in distribution(each.name).requires or ()], python)


def test_everything_has_a_hash_and_what_is_compiled_one_for_each_machine() -> None:
    for requirement, hashes in locked("requirements-kiosk.lock"):
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), requirement
        assert len(hashes) >= (2 if is_compiled(requirement.name) else 1), requirement


def is_compiled(name: str) -> bool:
    try:
        about = distribution(name).read_text("WHEEL") or ""
    except ModuleNotFoundError:  # for another Python or system
        return False
    return "Root-Is-Purelib: false" in about


def test_the_lock_names_no_index() -> None:
    text = (ROOT / "requirements-kiosk.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-(i|f)|--(extra-)?index|--find-links", text, re.MULTILINE)
