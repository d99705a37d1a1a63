"""Creates the screens of a sale, and maps each phase to its screen."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.age_check import AgeCheckScreen
from kiosk.ui.shop.screens.attract import AttractScreen
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.shop.screens.done import DoneScreen
from kiosk.ui.shop.screens.id_check import AskIdScreen, IdRefusedScreen
from kiosk.ui.shop.screens.payment import (
    DeclinedScreen,
    DispensingScreen,
    OutOfOrderScreen,
    PayingScreen,
    RefundingScreen,
)
from kiosk.ui.shop.screens.product import ProductScreen
from kiosk.ui.shop.screens.products import ProductsScreen
from kiosk.ui.translations.shop import ShopStrings
from kiosk.vending.sale.state import Phase

SIMPLE_SCREENS: dict[Phase, type[Screen]] = {
    Phase.BROWSING: ProductsScreen,
    Phase.SELECTED: ProductScreen,
    Phase.ID_REFUSED: IdRefusedScreen,
    Phase.PAYING: PayingScreen,
    Phase.DECLINED: DeclinedScreen,
    Phase.DISPENSING: DispensingScreen,
    Phase.REFUNDING: RefundingScreen,
    Phase.DONE: DoneScreen,
    Phase.OUT_OF_ORDER: OutOfOrderScreen,
}
"""The screens whose only signal is `touched`."""


class ShopScreens:
    """All screens, by phase. Phase SERVICE has none. `camera_checks` says whether the camera may pass an age check."""

    def __init__(
        self,
        strings: ShopStrings,
        images: ProductImages,
        parent: QWidget,
        languages: Sequence[str],
        *,
        camera_checks: bool,
    ) -> None:
        self.attract = AttractScreen(strings, images, parent, languages, camera_checks=camera_checks)
        self.age_check = AgeCheckScreen(strings, images, parent)
        self.ask_id = AskIdScreen(strings, images, parent)
        self.by_phase: dict[Phase, Screen] = {
            Phase.ATTRACT: self.attract,
            Phase.AGE_CHECK: self.age_check,
            Phase.ASK_ID: self.ask_id,
        }
        self.by_phase |= {phase: kind(strings, images, parent) for phase, kind in SIMPLE_SCREENS.items()}

    def hide_all_except(self, phase: Phase) -> None:
        """Hide every screen but that of `phase`."""
        for each, screen in self.by_phase.items():
            if each is not phase:
                screen.hide()

    def forget(self) -> None:
        """Clear everything of the customer, who has left."""
        for screen in self.by_phase.values():
            screen.forget()
