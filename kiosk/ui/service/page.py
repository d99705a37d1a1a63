"""The base class of service mode's pages, and the parts of the machine that they work on."""

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
from kiosk.vending.journal.operator_settings import OperatorSettings
from kiosk.vending.sale.events import Stay
from kiosk.vending.shop import Shop


@dataclass(frozen=True)
class ServiceContext:
    """The parts of the machine that service mode reads and changes."""

    shop: Shop
    feed: VisionFeed
    catalog: Catalog
    journal: Journal
    settings: OperatorSettings
    journal_path: Path
    volume: int = 60
    """The configured volume in percent. It applies until an operator sets another one."""
    settings_fault: str = ""
    """What is wrong with the settings file, if the machine runs with the settings of its last start."""


class Page(QWidget):
    """One page of service mode. It can be opened and closed any number of times."""

    may_use_upper_half = False
    """Whether the page has its buttons at the bottom, so that it may fill the window even with low reach."""

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.context = context
        self.strings = strings
        self.shop_strings = shop_strings
        self.hide()

    def title(self) -> str:
        """Return the text of the page's tile and heading."""
        raise NotImplementedError  # a QWidget cannot be an ABC, because Qt has its own metaclass

    def start(self) -> None:
        """Prepare the page. Called each time before it is shown."""

    def stop(self) -> None:
        """End what the page does. Called each time before it is hidden."""

    @property
    def is_busy(self) -> bool:
        """Whether the page still reads or writes in a thread."""
        return False

    def step_back(self) -> bool:
        """Undo a step inside the page, and return whether there was one. If not, *back* closes the page."""
        return False

    def refresh(self) -> None:
        """Show what has changed. Called several times per second."""

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Set the geometry of every widget, in pixels of the page."""

    def button(self, slot: Callable[[], object], style: ButtonStyle = ButtonStyle.PLAIN, icon: str = "") -> Button:
        """Create a button that calls `slot`. Its touches also restart the timeout of service mode."""
        button = Button(self, style, icon)
        button.clicked.connect(lambda: self.context.shop.touch(Stay()))
        button.clicked.connect(lambda: slot())
        return button

    def line(self, units: float = theme.BODY) -> Text:
        """Create a text with a font size of `units`."""
        return Text(self, units)

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Give every text and button the sizes of `metrics`."""
        for text in self.findChildren(Text):
            text.rescale(metrics)
        for button in self.findChildren(Button):
            button.rescale(metrics)
