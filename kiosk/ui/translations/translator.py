"""The languages, read from Qt Linguist's files as they are.

Qt reads compiled `.qm` files. PyQt6 has no `lrelease` to make them, and a machine that is translated on the spot should
not need one: the `.ts` files under `assets/translations` are small, and read in a few milliseconds.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from PyQt6.QtCore import QObject, QTranslator
from PyQt6.QtGui import QFontDatabase

SOURCE: Final = "en"
"""The language that the code speaks."""

NAMES: Final = {"en": "English", "zh": "中文", "de": "Deutsch"}
"""What each calls itself."""

Messages = Mapping[tuple[str, str], str]
"""By context and source."""


class Language(QTranslator):
    """One of them. `SOURCE` translates nothing."""

    def __init__(self, code: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.code = code
        self._messages: Messages = {} if code == SOURCE else read(path_of(code))

    def translate(self, context: str | None, source: str | None, *_: object) -> str | None:  # type: ignore[override]
        """The translation, or None where there is none: then Qt shows the source. An empty text would be shown."""
        return self._messages.get((context or "", source or ""))

    def isEmpty(self) -> bool:  # noqa: N802
        return not self._messages


def path_of(code: str) -> Path:
    return Path(str(resources.files("kiosk.assets") / "translations" / f"kiosk_{code}.ts"))


def read(path: Path) -> Messages:
    """Finished translations of a `.ts` file."""
    messages = {}
    for context in ET.parse(path).getroot().iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            translation = message.find("translation")
            if translation is not None and translation.get("type") is None and translation.text:
                messages[name, message.findtext("source", "")] = translation.text
    return messages


def can_show(code: str) -> bool:
    """Whether there is a font for it: boxes instead of letters help nobody."""
    return code != "zh" or bool(QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese))
