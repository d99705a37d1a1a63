"""How the screen looks: the operator's settings, and the language and aids that the current customer chose."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QCoreApplication, QObject, pyqtSignal

from kiosk.ui.live.panel import LivePanel
from kiosk.ui.shop.presence import GONE_AFTER
from kiosk.ui.shop.screens.attract import AttractScreen
from kiosk.ui.translations import translator
from kiosk.ui.translations.shop import ShopStrings

IDLE_TIMEOUT = 45.0
"""Seconds without a touch on the first screen after which the customer's choices are cleared."""


@dataclass(frozen=True)
class Appearance:
    """What the operator configured for the screen, its language and its sound."""

    languages: tuple[str, ...] = ("en", "zh", "de")
    """Codes of the languages that a customer can choose. The first is the machine's own."""
    large_text: bool = False
    low_reach: bool = False
    """Whether every control is in the lower half from the start. A customer can always choose this."""
    pixels_per_mm: float | None = None
    """Density of the screen. None asks the screen, which often does not know."""
    sound: bool = False
    volume: float = 0.6
    """From 0 to 1."""
    mirrored: bool = True
    """Whether the live picture is mirrored: true for a camera, false for a clip."""
    locked: bool = False
    """Whether the window is fullscreen, without frame and pointer, and closes only through `leave`."""
    counts: bool = False
    """Whether customers are counted by hour and age group, and must be told so."""
    gone_after: float = GONE_AFTER
    """Seconds without a face and a touch after which the window asks whether the customer is still there."""


class CustomerPreferences(QObject):
    """The language and the aids that are in force: the operator's, until a customer chooses others."""

    changed = pyqtSignal()
    """Emitted after a customer chose something on the first screen."""

    def __init__(self, appearance: Appearance, parent: QObject) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._translator = translator.Language(translator.SOURCE)
        self._last_touch = 0.0
        self.languages = [code for code in appearance.languages if translator.can_show(code)] or [translator.SOURCE]
        self.large_text = appearance.large_text
        self.low_reach = appearance.low_reach

    @property
    def code(self) -> str:
        """The code of the current language, as "en"."""
        return self._translator.code

    @property
    def first_language(self) -> str:
        """The code of the machine's own language."""
        return self.languages[0]

    def connect_widgets(self, attract: AttractScreen, strings: ShopStrings, panel: LivePanel) -> None:
        """Connect the screen on which customers choose and the widgets that follow. Call this once, before all else."""
        self._attract, self._strings, self._panel = attract, strings, panel
        attract.language_requested.connect(self._on_language)
        attract.large_text_requested.connect(self._on_large_text)
        attract.low_reach_requested.connect(self._on_low_reach)
        self._show_aids()

    def set_language(self, code: str) -> None:
        """Translate every text into the language `code` from now on."""
        if code != self.code:
            self.remove_translator()
            # It has no parent, so that Python frees the previous one with its last reference.
            self._translator = translator.Language(code)
            QCoreApplication.installTranslator(self._translator)
        self._strings.language = code
        self._panel.retranslate()

    def remove_translator(self) -> None:
        """Remove the translator from the application. This must happen before the window is destroyed."""
        QCoreApplication.removeTranslator(self._translator)

    def reset(self) -> None:
        """Return to the operator's language and aids, for the next customer."""
        self.reset_aids()
        if self.code != self.first_language:
            self.set_language(self.first_language)

    def reset_aids(self) -> None:
        """Return to the operator's aids but keep the language, because the customer still has something to read."""
        self.large_text, self.low_reach = self._appearance.large_text, self._appearance.low_reach
        self._show_aids()

    def record_touch(self, now: float) -> None:
        """Note that the screen was touched at `now`, in seconds."""
        self._last_touch = now

    def is_abandoned(self, now: float) -> bool:
        """Return whether a customer chose something and then touched nothing for `IDLE_TIMEOUT` seconds."""
        default = (self.first_language, self._appearance.large_text, self._appearance.low_reach)
        return now - self._last_touch >= IDLE_TIMEOUT and (self.code, self.large_text, self.low_reach) != default

    # Slots

    def _on_language(self, code: str) -> None:
        self.set_language(code)
        self.changed.emit()

    def _on_large_text(self, is_on: bool) -> None:
        self.large_text = is_on
        self._show_aids()
        self.changed.emit()

    def _on_low_reach(self, is_on: bool) -> None:
        self.low_reach = is_on
        self._show_aids()
        self.changed.emit()

    def _show_aids(self) -> None:
        self._attract.large_text, self._attract.low_reach = self.large_text, self.low_reach
