"""Completes the bill of materials that `cyclonedx-py` makes of an environment: what it is of, and every licence.

    python -m release.sbom FILE.cdx.json

A package whose metadata names its licence in free words comes without one. Those that are known are filled in here, and
any other is an error: nobody is to find out about a licence after a machine was sold.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OURS = "facialnet-kiosk"

LICENCES = {
    "PyQt6-Qt6": "LGPL-3.0-only",
    "dlib-bin": "BSL-1.0",
    "protobuf": "BSD-3-Clause",
}
"""SPDX identifiers, read from the licence files in the wheels themselves."""


def completed(bom: dict[str, Any]) -> dict[str, Any]:
    """The same bill with our project as its subject and a licence for each component. Raises `ValueError`."""
    ours = [each for each in bom["components"] if each["name"] == OURS]
    if len(ours) != 1:
        raise ValueError(f"{OURS} is not in the environment once: make it by `make released`")
    components = [_licensed(each) for each in bom["components"] if each["name"] != OURS]
    metadata = {**bom["metadata"], "component": {**ours[0], "type": "application"}}
    return {**bom, "metadata": metadata, "components": components}


def _licensed(component: dict[str, Any]) -> dict[str, Any]:
    if component.get("licenses"):
        return component
    name = component["name"]
    if name not in LICENCES:
        raise ValueError(f"{name} names no licence that is known: read the one in its wheel, and add it to {__name__}")
    return {**component, "licenses": [{"license": {"id": LICENCES[name], "acknowledgement": "concluded"}}]}


def main(path: Path) -> None:
    """Rewrites the file, if what comes of it is still valid."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    bom = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(completed(bom), indent=2, ensure_ascii=False) + "\n"
    version = SchemaVersion.from_version(bom["specVersion"])
    if wrong := JsonStrictValidator(version).validate_str(text):
        raise ValueError(f"{path} would not be CycloneDX: {wrong}")
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except ValueError as error:
        sys.exit(f"release.sbom: {error}")
