"""docs/install.md installs what the Makefile does: the same system libraries, in the same way, of this version."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
COMMANDS = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")


def test_it_installs_every_system_library() -> None:
    wanted = re.search(r"^SYSTEM_LIBRARIES := (.*)", MAKEFILE, re.MULTILINE)
    installed = re.search(r"^apt-get install (.*)", COMMANDS, re.MULTILINE)
    assert wanted
    assert installed
    assert set(wanted[1].split()) <= set(installed[1].split())


def test_it_installs_from_the_lock_as_the_release_was_tried() -> None:
    made = re.search(r"^FROM_LOCK := --disable-pip-version-check install --quiet (.*)$", MAKEFILE, re.MULTILINE)
    typed = re.search(r"^\$NEW/bin/pip install (.*) -r requirements-kiosk\.lock$", COMMANDS, re.MULTILINE)
    assert made
    assert typed
    assert made[1].split() == typed[1].split()


def test_it_is_of_this_version() -> None:
    version = re.search(r"^version = (\S+)", (ROOT / "setup.cfg").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert f"NEW=/opt/facialnet-kiosk/{version[1]}\n" in COMMANDS
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Version {version[1]}, " in readme
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[?(\d\S*?)\]?(?: |$)", changes, re.MULTILINE)[:1] == [version[1]]
