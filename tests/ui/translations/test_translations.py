"""The .ts files say everything that the code says, and nothing that it does not say any more."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PyQt6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

import kiosk.ui
from kiosk.ui.translations.live import Strings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.translations.translator import NAMES, SOURCE, Language

FOLDER = Path(kiosk.ui.__file__).parents[2] / "assets" / "translations"
SPOKEN = sorted(path for path in Path(kiosk.ui.__file__).parent.rglob("*.py") if "self.tr(" in path.read_text("utf-8"))
"""Whatever says something: to customers, in service mode, and in the control window of a demonstration."""
OTHERS = sorted(NAMES.keys() - {SOURCE})


def messages(path: Path) -> dict[tuple[str, str], ET.Element]:
    return {
        (context.findtext("name", ""), message.findtext("source", "")): message
        for context in ET.parse(path).getroot().iter("context")
        for message in context.iter("message")
    }


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """What is in the code, found by PyQt's own tool."""
    path = tmp_path_factory.mktemp("ts") / "code.ts"
    command = [sys.executable, "-m", "PyQt6.lupdate.pylupdate", "--no-summary", "--ts", str(path), *map(str, SPOKEN)]
    subprocess.run(command, check=True, capture_output=True)
    return set(messages(path))


@pytest.mark.parametrize("code", OTHERS)
def test_everything_is_translated_and_nothing_is_stale(said: set[tuple[str, str]], code: str) -> None:
    there = messages(FOLDER / f"kiosk_{code}.ts")
    assert len(said) > 100
    assert there.keys() == said
    for (_, source), message in there.items():
        translation = message.find("translation")
        assert translation is not None
        assert translation.get("type") is None, f"{source!r} is unfinished"
        assert (translation.text or "").strip(), f"{source!r} is empty"


@pytest.mark.parametrize("code", OTHERS)
def test_placeholders_are_kept(code: str) -> None:
    for (_, source), message in messages(FOLDER / f"kiosk_{code}.ts").items():
        translation = message.findtext("translation", "")
        assert sorted(re.findall(r"{\w*}", source)) == sorted(re.findall(r"{\w*}", translation)), source


def test_the_same_word_is_translated_the_same(said: set[tuple[str, str]]) -> None:
    assert said  # contexts that share a source must not tell a customer two things
    for code in OTHERS:
        texts: dict[str, set[str]] = {}
        for (_, source), message in messages(FOLDER / f"kiosk_{code}.ts").items():
            texts.setdefault(source, set()).add(message.findtext("translation", ""))
        assert {source: each for source, each in texts.items() if len(each) > 1} == {}


def test_qt_asks_the_language(qtbot: QtBot) -> None:  # noqa: ARG001
    german = Language("de")
    QCoreApplication.installTranslator(german)
    try:
        assert ShopStrings().back() == "Zurück"
        assert Strings().about() == "etwa"
        assert QCoreApplication.translate("ShopStrings", "never said") == "never said"
    finally:
        QCoreApplication.removeTranslator(german)
    assert ShopStrings().back() == "Back"


def test_the_source_language_translates_nothing(qtbot: QtBot) -> None:  # noqa: ARG001
    english = Language(SOURCE)
    assert english.isEmpty()
    QCoreApplication.installTranslator(english)
    assert ShopStrings().back() == "Back"
    QCoreApplication.removeTranslator(english)


@pytest.mark.parametrize(
    ("code", "amount", "currency", "expected"),
    [
        ("en", 180, "EUR", "€1.80"),
        ("de", 180, "EUR", "1,80\u00a0€"),
        ("zh", 180, "CNY", "¥1.80"),
        ("en", 5, "USD", "$0.05"),
        ("de", 1234567, "EUR", "12.345,67\u00a0€"),
        ("en", 1234567, "USD", "$12,345.67"),
        ("zh", 180, "EUR", "€1.80"),
        ("zh", 180, "USD", "US$1.80"),
        ("en", 180, "CNY", "¥1.80"),
        ("de", 180, "CNY", "1,80\u00a0¥"),
        ("de", 180, "USD", "1,80\u00a0$"),
        ("en", 180, "JPY", "¥180"),
        ("en", 180, "CHF", "CHF\u00a01.80"),
        ("de", 1500, "KWD", "1,500\u00a0KWD"),
    ],
)
def test_money(qtbot: QtBot, code: str, amount: int, currency: str, expected: str) -> None:  # noqa: ARG001
    spoken = Language(code)
    QCoreApplication.installTranslator(spoken)
    words = ShopStrings()
    words.language = code
    try:
        assert words.money(amount, currency) == expected  # a price never breaks between number and sign
    finally:
        QCoreApplication.removeTranslator(spoken)
