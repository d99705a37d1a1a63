"""What service mode works on, for all of its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtWidgets import QWidget

from kiosk.ui.service.vision_feed import VisionFeed
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button, ButtonStyle
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.journal import Journal
from kiosk.vending.journal.operator_settings import Settings
from kiosk.vending.sale.events import Stay
from kiosk.vending.shop import Shop


@dataclass(frozen=True)
class ServiceContext:
    """The sale, the camera, and what can be set."""

    shop: Shop
    feed: VisionFeed
    catalog: Catalog
    journal: Journal
    settings: Settings
    journal_path: Path
    volume: int = 60
    """Percent, as it is configured: what counts until somebody sets another here."""
    settings_fault: str = ""
    """What is wrong with the settings' file, where the machine runs with those of its last start."""


class Page(QWidget):
    """One page: it is laid out by `arrange`, told the time by `refresh`, and may come and go any number of times."""

    may_use_upper_half = False
    """Whether nothing is touched in its upper part, so that it may have one where all controls have to be low."""

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.context = context
        self.strings = strings
        self.shop_strings = shop_strings
        self.hide()

    def title(self) -> str:
        """What its tile and its head say."""
        raise NotImplementedError  # each page has its own; no ABC can be a QWidget, whose metaclass is Qt's

    def opened(self) -> None:
        """It is shown from now on."""

    def left(self) -> None:
        """It is shown no more."""

    @property
    def is_busy(self) -> bool:
        """Whether it still reads or writes beside the screen's thread."""
        return False

    def step_back(self) -> bool:
        """Whether it had a step of its own to take back."""
        return False

    def refresh(self) -> None:
        """Show what is new, some times a second."""

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Place everything in the page's own rectangle."""

    def button(self, slot: Callable[[], object], style: ButtonStyle = ButtonStyle.PLAIN, sign: str = "") -> Button:
        """A button whose touch also says that somebody is there."""
        button = Button(self, style, sign)
        button.clicked.connect(lambda: self.context.shop.touch(Stay()))
        button.clicked.connect(lambda: slot())
        return button

    def line(self, units: float = theme.BODY) -> Text:
        """A line of text."""
        return Text(self, units)

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Give every text and button the size of now."""
        for text in self.findChildren(Text):
            text.rescale(metrics)
        for button in self.findChildren(Button):
            button.rescale(metrics)
