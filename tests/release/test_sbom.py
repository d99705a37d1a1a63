"""The bill of materials is of our project, and names every licence."""

from __future__ import annotations

from typing import Any

import pytest

from release.sbom import LICENCES, completed


def bom(**licences: str) -> dict[str, Any]:
    """As `cyclonedx-py` makes it, of our project and these packages; an empty licence is one that it did not find."""
    components = [
        {"type": "library", "name": name.replace("_", "-"), "bom-ref": name, "version": "1"}
        | ({"licenses": [{"license": {"id": licence}}]} if licence else {})
        for name, licence in {"facialnet_kiosk": "GPL-3.0-or-later", **licences}.items()
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"tools": {}}, "components": components}


def test_it_is_of_our_project() -> None:
    made = completed(bom(click="BSD-3-Clause"))
    assert made["metadata"]["component"]["name"] == "facialnet-kiosk"
    assert made["metadata"]["component"]["type"] == "application"
    assert made["metadata"]["tools"] == {}
    assert [each["name"] for each in made["components"]] == ["click"]


def test_a_licence_in_free_words_is_filled_in() -> None:
    (component,) = completed(bom(PyQt6_Qt6=""))["components"]
    assert component["licenses"][0]["license"]["id"] == LICENCES["PyQt6-Qt6"]


def test_a_package_without_a_licence_is_an_error() -> None:
    with pytest.raises(ValueError, match="stranger names no licence"):
        completed(bom(stranger=""))


def test_another_environment_is_an_error() -> None:
    with pytest.raises(ValueError, match="make released"):
        completed({**bom(), "components": []})
