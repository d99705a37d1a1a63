"""setup.cfg, constraints.txt and the folders agree, so that a wheel holds what the checkout holds."""

import configparser
import importlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path, PurePath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
FOLDERS = {"kiosk": "kiosk", "kiosk.assets": "assets", "kiosk.engines": "engines", "trainer": "trainer"}


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def packages_on_disk() -> Iterator[str]:
    """Every folder that holds Python, whether or not it has an `__init__.py`."""
    for package, folder in FOLDERS.items():
        for holder in {module.parent for module in (ROOT / folder).rglob("*.py")}:
            yield ".".join([package, *holder.relative_to(ROOT / folder).parts])


def files(folder: Path, patterns: str) -> set[PurePath]:
    return {
        path.relative_to(folder)
        for pattern in patterns.replace(",", " ").split()
        for path in folder.glob(pattern)
        if path.is_file()
    }


def test_every_package_is_listed(setup_cfg):
    listed = lines(setup_cfg["options"]["packages"])
    assert listed == sorted(packages_on_disk())
    for package in listed:
        importlib.import_module(package)


@pytest.mark.parametrize("package", ["kiosk.assets", "kiosk.engines"])
def test_every_data_file_is_listed(setup_cfg, package):
    folder = ROOT / FOLDERS[package]
    every = {path for path in files(folder, "**/*") if path.suffix not in {".py", ".pyc"}}
    built_here = files(folder, setup_cfg["options.exclude_package_data"].get(package, "")) | files(folder, "*.engine")
    assert files(folder, setup_cfg["options.package_data"][package]) - built_here == every - built_here


@pytest.mark.parametrize("package", ["kiosk.assets", "kiosk.engines"])
def test_data_is_found_as_a_resource(setup_cfg, package):
    found = resources.files(package)
    for path in files(ROOT / FOLDERS[package], setup_cfg["options.package_data"][package]):
        assert found.joinpath(*path.parts).is_file()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_every_requirement_is_pinned_once(setup_cfg, python, machine):
    """The `gpu` extra excepted: its versions follow the machine's CUDA."""
    environment = {
        "platform_machine": machine,
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }

    def applicable(text: str) -> list[Requirement]:
        requirements = [Requirement(line) for line in lines(text) if not line.startswith("#")]
        return [each for each in requirements if each.marker is None or each.marker.evaluate(environment)]

    pins: dict[str, str] = {}
    for pin in applicable((ROOT / "constraints.txt").read_text(encoding="utf-8")):
        (specifier,) = pin.specifier
        assert specifier.operator == "==", pin
        assert pins.setdefault(canonicalize_name(pin.name), specifier.version) == specifier.version, f"{pin} twice"

    extras = setup_cfg["options.extras_require"]
    for requirement in applicable(
        "\n".join([setup_cfg["options"]["install_requires"], extras["trainer"], extras["dev"], extras["release"]])
    ):
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, f"constraints.txt does not pin {requirement.name}"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}, but pinned to {version}"
