"""Random customers that touch the shop's window, each with a product to buy, habits and little patience.

All random numbers come from a seeded generator. The number of draws depends on the machine's timing, so two runs with
the same seed begin alike but do not stay alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget

from kiosk.app.demo import DemoMachine
from kiosk.ui.shop.screens.age_check import AgeCheckScreen
from kiosk.ui.shop.screens.attract import AttractScreen
from kiosk.ui.shop.screens.done import DoneScreen
from kiosk.ui.shop.screens.id_check import AskIdScreen, IdRefusedScreen
from kiosk.ui.shop.screens.payment import DeclinedScreen, PayingScreen
from kiosk.ui.shop.screens.product import ProductScreen
from kiosk.ui.shop.screens.products import ProductsScreen
from kiosk.ui.shop.window import ShopWindow
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop

_LEFT, _NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier

THINKS = (0.08, 0.4)
"""Seconds between two touches of the same customer."""
STEPS = 90
"""The number of touches after which a customer gives up."""


@dataclass(frozen=True)
class CustomerProfile:
    """What one customer wants, and how they behave."""

    slot: str
    camera: bool
    language: str
    large_text: bool
    low_reach: bool
    leaves_in: Phase | None
    """The phase in which they leave without a touch."""
    hasty: bool
    """Whether they tap everything twice."""
    fumbles: float
    """The probability that they touch a random place instead."""
    wavers: float
    """The probability that they go back, cancel, or switch the camera."""
    years: int
    """Their age in years, as on their ID."""
    has_staff: bool
    """Whether an attendant checks the ID instead of the reader."""

    @classmethod
    def draw(cls, random: Random, slots: list[str], languages: list[str]) -> CustomerProfile:
        leaves = [*Phase] if random.random() < 0.15 else [None]
        return cls(
            slot=random.choice(slots),
            camera=random.random() < 0.5,
            language=random.choice(languages),
            large_text=random.random() < 0.2,
            low_reach=random.random() < 0.2,
            leaves_in=random.choice(leaves),
            hasty=random.random() < 0.15,
            fumbles=random.choice([0.0, 0.0, 0.1]),
            wavers=random.choice([0.0, 0.0, 0.0, 0.15]),
            years=random.choice([12, 17, 18, 30, 70]),
            has_staff=random.random() < 0.5,
        )


class Customers:
    """Customers who use the machine one after the other. Call `step` repeatedly."""

    def __init__(self, window: ShopWindow, shop: Shop, machine: DemoMachine, random: Random) -> None:
        self.served = 0
        self._window = window
        self._shop = shop
        self._machine = machine
        self._random = random
        self._profile = self._next_profile()
        self._touches = 0
        self._gone = False
        self._asked: set[str] = set()

    def step(self) -> float:
        """Touches the window at most once, and returns the seconds until the next step."""
        phase = self._shop.snapshot.phase
        self._touches += 1
        if phase is self._profile.leaves_in or self._touches > STEPS:
            self._gone = True
        if self._gone:
            if phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
                self._leave()
        elif phase in self._TOUCHES:
            question = self._window.still_there
            if question.isVisible():
                self._touch(self._random.choice([question.yes, question.yes, question.no]))
            elif self._random.random() < self._profile.fumbles:
                self._touch_anywhere()
            else:
                self._TOUCHES[phase](self)
        return self._random.uniform(*THINKS)

    def _leave(self) -> None:
        self.served += 1
        self._profile, self._touches, self._gone = self._next_profile(), 0, False
        self._asked.clear()

    def _next_profile(self) -> CustomerProfile:
        slots = [offer.slot for offer in self._shop.snapshot.offers]
        screen = self._window.screens[Phase.ATTRACT]
        assert isinstance(screen, AttractScreen)
        return CustomerProfile.draw(self._random, slots, list(screen.languages))

    # What they do, by phase

    def _attract(self) -> None:
        if self._touches > 8:
            return self._leave()
        screen, options = self._window.screens[Phase.ATTRACT], self._profile
        assert isinstance(screen, AttractScreen)
        if self._window.strings.language != options.language:
            return self._touch(screen.languages[options.language])
        if screen.large_text != options.large_text:
            return self._touch(screen.large_text_button)
        if screen.low_reach != options.low_reach:
            return self._touch(screen.low_reach_button)
        return self._touch(screen.with_camera if options.camera else screen.without_camera)

    def _browsing(self) -> None:
        screen = self._window.screens[Phase.BROWSING]
        assert isinstance(screen, ProductsScreen)
        tile = screen.tiles[self._profile.slot]
        if self._wavers():
            return self._touch(self._random.choice([screen.cancel, screen.camera]))
        if tile.isVisible() and tile.isEnabled() and self._touches < STEPS // 2:
            return self._touch(tile)
        if tile.isVisible():  # sold out
            return self._touch(self._random.choice([*screen.tiles.values(), screen.cancel]))
        page = list(screen.tiles).index(self._profile.slot) // screen.grid.per_page
        return self._touch(screen.next_button if page > screen.page else screen.previous_button)

    def _selected(self) -> None:
        screen = self._window.screens[Phase.SELECTED]
        assert isinstance(screen, ProductScreen)
        return self._touch(screen.back if self._wavers() else screen.buy)

    def _age_check(self) -> None:
        screen = self._window.screens[Phase.AGE_CHECK]
        assert isinstance(screen, AgeCheckScreen)
        if self._random.random() < 0.05 or self._wavers():
            self._touch(self._random.choice([screen.back, screen.camera, screen.show_id]))

    def _ask_id(self) -> None:
        screen = self._window.screens[Phase.ASK_ID]
        assert isinstance(screen, AskIdScreen)
        sale = self._shop.snapshot.sale
        if self._wavers() or sale is None or sale in self._asked:
            if self._random.random() < 0.2:
                self._touch(self._random.choice([screen.back, screen.cancel]))
            return
        self._asked.add(sale)
        if self._profile.has_staff:
            right = self._profile.years >= 18
            for key in f"{self._machine.attendant_pin if right else '0'}!":
                self._touch(screen.pad.keys[key])
        else:
            self._machine.reader.present(self._profile.years)

    def _id_refused(self) -> None:
        screen = self._window.screens[Phase.ID_REFUSED]
        assert isinstance(screen, IdRefusedScreen)
        self._touch(self._random.choice([screen.cancel, screen.other]))

    def _paying(self) -> None:
        screen = self._window.screens[Phase.PAYING]
        assert isinstance(screen, PayingScreen)
        if self._wavers():
            self._touch(self._random.choice([screen.cancel, screen.back]))

    def _declined(self) -> None:
        screen = self._window.screens[Phase.DECLINED]
        assert isinstance(screen, DeclinedScreen)
        self._touch(self._random.choice([screen.again, screen.again, screen.other, screen.cancel]))

    def _done(self) -> None:
        screen = self._window.screens[Phase.DONE]
        assert isinstance(screen, DoneScreen)
        self._gone = True
        if not self._wavers():
            self._touch(screen.done)

    _TOUCHES: ClassVar[dict[Phase, Callable[[Customers], None]]] = {
        Phase.ATTRACT: _attract,
        Phase.BROWSING: _browsing,
        Phase.SELECTED: _selected,
        Phase.AGE_CHECK: _age_check,
        Phase.ASK_ID: _ask_id,
        Phase.ID_REFUSED: _id_refused,
        Phase.PAYING: _paying,
        Phase.DECLINED: _declined,
        Phase.DONE: _done,
    }

    # The finger

    def _wavers(self) -> bool:
        return self._random.random() < self._profile.wavers

    def _touch(self, part: QWidget) -> None:
        """Touches the middle of `part`; a widget that covers it, such as a touch guard, gets the touch."""
        if part.isVisible():
            self._touch_at(part.mapTo(self._window, part.rect().center()))

    def _touch_anywhere(self) -> None:
        # not the corner that opens service mode
        size = self._window.size()
        self._touch_at(
            QPoint(self._random.randrange(size.width()), self._random.randrange(size.height() // 3, size.height()))
        )

    def _touch_at(self, point: QPoint) -> None:
        for _ in range(2 if self._profile.hasty else 1):
            target = self._window.childAt(point) or self._window
            if target.isEnabled():
                pos = target.mapFrom(self._window, point)
                QTest.mouseClick(target, _LEFT, _NO_KEY, pos)  # type: ignore[call-overload]  # the stub has it no static one
