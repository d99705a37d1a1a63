"""What a customer chose on the first screen, language and aids, for as long as they are there."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication, QObject, pyqtSignal

from kiosk.ui.live.panel import LivePanel
from kiosk.ui.shop.appearance import Appearance
from kiosk.ui.shop.screens.attract import AttractScreen
from kiosk.ui.translations import translator
from kiosk.ui.translations.shop import ShopStrings

IDLE = 45.0
"""Seconds without a touch after which the first screen is the next customer's."""


class CustomerPreferences(QObject):
    """The machine's own choices, until somebody makes others."""

    changed = pyqtSignal()
    """By a touch on the first screen."""

    def __init__(self, appearance: Appearance, parent: QObject) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._translator = translator.Language(translator.SOURCE)
        self._touched = 0.0
        self.languages = [code for code in appearance.languages if translator.can_show(code)] or [translator.SOURCE]
        self.large_text = appearance.large_text
        self.low_reach = appearance.low_reach

    @property
    def code(self) -> str:
        return self._translator.code

    @property
    def first_language(self) -> str:
        return self.languages[0]

    def serve(self, attract: AttractScreen, strings: ShopStrings, panel: LivePanel) -> None:
        """Where choices are made and what follows them; to be called once, before anything is chosen."""
        self._attract, self._strings, self._panel = attract, strings, panel
        attract.language_wanted.connect(self._on_language)
        attract.large_text_wanted.connect(self._on_large_text)
        attract.low_reach_wanted.connect(self._on_low_reach)
        self._show_aids()

    def speak(self, code: str) -> None:
        """Say everything in this language from now on."""
        if code != self.code:
            self.silence()
            self._translator = translator.Language(
                code
            )  # nobody's child: the one before it goes with its last reference
            QCoreApplication.installTranslator(self._translator)
        self._strings.language = code
        self._panel.retranslate()

    def silence(self) -> None:
        """Take the translations away, as has to be before the window goes."""
        QCoreApplication.removeTranslator(self._translator)

    def forget(self) -> None:
        """The customer is gone."""
        self.forget_aids()
        if self.code != self.first_language:
            self.speak(self.first_language)

    def forget_aids(self) -> None:
        """But not the language, in which there is still something to read."""
        self.large_text, self.low_reach = self._appearance.large_text, self._appearance.low_reach
        self._show_aids()

    def touched(self, now: float) -> None:
        self._touched = now

    def abandoned(self, now: float) -> bool:
        """Whether choices were made, and then nothing was touched for `IDLE` seconds."""
        own = (self.first_language, self._appearance.large_text, self._appearance.low_reach)
        return now - self._touched >= IDLE and (self.code, self.large_text, self.low_reach) != own

    # Slots

    def _on_language(self, code: str) -> None:
        self.speak(code)
        self.changed.emit()

    def _on_large_text(self, wanted: bool) -> None:
        self.large_text = wanted
        self._show_aids()
        self.changed.emit()

    def _on_low_reach(self, wanted: bool) -> None:
        self.low_reach = wanted
        self._show_aids()
        self.changed.emit()

    def _show_aids(self) -> None:
        self._attract.large_text, self._attract.low_reach = self.large_text, self.low_reach
