"""What a release installs, used from its own environment and not from the checkout.

`make release RELEASED=FOLDER` makes the environment and what is in dist/, and INSTALLED=FOLDER has both tested, as
.ci/run does.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.release.test_lock import locked

ROOT = Path(__file__).parent.parent.parent
INSTALLED = os.environ.get("INSTALLED", "")

pytestmark = pytest.mark.skipif(not INSTALLED, reason="INSTALLED names no environment: `make release` makes one")

EVERY_MODULE = """
import json, pkgutil, sys
import kiosk
for module in pkgutil.walk_packages(kiosk.__path__, "kiosk."):
    if module.name.startswith("kiosk.assets.make_"):
        continue
    try:
        __import__(module.name)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] != "pycuda":
            raise
print(json.dumps({name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}))
"""
"""Modules of assets that draw pictures only in a checkout. PyCUDA is only for machines with a GPU."""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A machine's settings, as somebody begins with."""
    path = tmp_path / "etc" / "kiosk.toml"
    path.parent.mkdir()
    run("kiosk", "config", "init", path, home=tmp_path)
    return path


def run(program: str, *arguments: str | Path, home: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """A program of the environment, which knows nothing of the checkout, nor of this one's variables."""
    result = subprocess.run(
        [Path(INSTALLED, "bin", program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=home,
        env={
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "PATH": os.defpath,
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(home),
        },
        check=False,
    )
    assert result.returncode == status, result.stderr
    return result


def version() -> str:
    found = re.search(r"^version = (\S+)", (ROOT / "setup.cfg").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


def distributions(home: Path) -> dict[str, str]:
    listed = json.loads(run("python", "-m", "pip", "list", "--format=json", home=home).stdout)
    return {canonicalize_name(each["name"]): each["version"] for each in listed}


def test_it_says_the_version_of_setup_cfg(tmp_path: Path) -> None:
    assert run("kiosk", "--version", home=tmp_path).stdout.split()[-1] == version()


def test_nothing_is_there_but_what_is_locked(tmp_path: Path) -> None:
    known = {canonicalize_name(each.name) for each, _ in locked("requirements-kiosk.lock")}
    assert set(distributions(tmp_path)) <= known | {"facialnet-kiosk", "pip", "setuptools"}


def test_every_module_is_the_installed_one(tmp_path: Path) -> None:
    files = json.loads(run("python", "-c", EVERY_MODULE, home=tmp_path).stdout.splitlines()[-1])
    ours = {name: file for name, file in files.items() if name.partition(".")[0] == "kiosk"}
    assert len(ours) > 100
    assert {name: file for name, file in ours.items() if not Path(file).is_relative_to(INSTALLED)} == {}
    elsewhere = [Path(file) for file in files.values() if not Path(file).is_relative_to(INSTALLED)]
    assert not [file for file in elsewhere if file.is_relative_to(ROOT)]


def test_the_doctor_finds_the_network_and_the_landmarks_and_no_problem(tmp_path: Path) -> None:
    """It ends with 0: a camera, a display and a GPU that are not there are notes, because the kiosk runs without."""
    said = run("kiosk", "doctor", home=tmp_path).stdout
    assert "problem" not in said
    assert re.search(r"^ok +landmarks: ", said, re.MULTILINE)
    assert re.search(r"^ok +engine: ", said, re.MULTILINE)


def test_it_sees_the_people_of_the_demo_clip(tmp_path: Path) -> None:
    lines = run("kiosk", "demo", "--headless", "--seconds", "2", "--source", "demo", home=tmp_path).stdout.splitlines()
    assert any(face["status"] == "known" for line in lines for face in json.loads(line)["faces"])


def test_it_sells_in_a_demonstration(tmp_path: Path) -> None:
    assert "no real money" in run("kiosk", "run", "--demo", "--source", "demo", "--seconds", "3", home=tmp_path).stderr


def test_its_own_settings_are_valid_and_say_what_is_missing(tmp_path: Path, settings: Path) -> None:
    said = run("kiosk", "config", "check", settings, home=tmp_path).stdout
    assert f"{settings} is valid" in said
    assert "to sell: " in said


def test_it_will_not_sell_without_devices(tmp_path: Path, settings: Path) -> None:
    assert "payment" in run("kiosk", "run", "--config", settings, home=tmp_path, status=1).stderr


def test_its_service_starts_the_installed_program(tmp_path: Path, settings: Path) -> None:
    install = ("kiosk", "install-service", "--config", settings, "--display", "eglfs")
    shown = run(*install, "--dry-run", home=tmp_path).stdout
    assert f"ExecStart={INSTALLED}/bin/kiosk run --config {settings}\n" in shown
    root = tmp_path / "root"
    run(*install, "--root", root, home=tmp_path)
    assert (root / "etc/systemd/system/facialnet-kiosk.service").read_text(encoding="utf-8") in shown


def test_the_bill_of_materials_has_everything_with_a_licence(tmp_path: Path) -> None:
    bom = json.loads((ROOT / "dist" / f"facialnet_kiosk-{version()}.cdx.json").read_text(encoding="utf-8"))
    subject = bom["metadata"]["component"]
    named = {canonicalize_name(each["name"]): each["version"] for each in [*bom["components"], subject]}
    assert named == distributions(tmp_path)
    assert not [each["name"] for each in [*bom["components"], subject] if not each["licenses"]]
    needs = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    assert any("PyQt6" in each for each in needs[subject["bom-ref"]])
