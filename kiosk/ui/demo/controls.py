"""The control window of `kiosk run --demo`: a button for everything that the simulated devices can do.

In automatic mode everything succeeds after a moment. Without it, payment and vend wait for a button here. If there is
no space beside the shop, the window is one small button in the corner that unfolds the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PyQt6.QtCore import QEvent, QRect, Qt, QTimer
from PyQt6.QtWidgets import QGridLayout, QLabel, QLayout, QPushButton, QVBoxLayout, QWidget

from kiosk.ui.translations.demo import DemoStrings
from kiosk.vending.devices.protocols import Approved, NotDropped
from kiosk.vending.devices.simulated import dispenser as simulated_dispenser
from kiosk.vending.devices.simulated import terminal as simulated_terminal
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.id_reader import SimulatedIdReader
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.shop import Shop

if TYPE_CHECKING:
    from PyQt6.QtGui import QCloseEvent
from PyQt6.QtCore import QPoint

TICK_MS = 200
COLUMNS = 3
_ABOVE = Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.FramelessWindowHint


class Machine(Protocol):
    """The parts of a demo machine that the window controls."""

    terminal: SimulatedTerminal
    dispenser: SimulatedDispenser
    reader: SimulatedIdReader

    attendant_pin: str
    service_pin: str

    @property
    def automatic(self) -> bool: ...

    def set_automatic(self, automatic: bool) -> None: ...


class DemoControls(QWidget):
    """A window for the mouse, beside the machine's window. Closing it does not change the machine."""

    def __init__(self, machine: Machine, shop: Shop, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._machine = machine
        self._shop = shop
        self._strings = DemoStrings(self)
        self._beside: QWidget | None = None
        self.buttons: dict[str, QPushButton] = {}
        """The buttons by group and name, in the window's first language."""
        self.groups: list[QLabel] = []

        # Widgets and layout
        self._box = box = QVBoxLayout(self)
        box.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.unfold = QPushButton(self)
        self.unfold.setCheckable(True)
        self.unfold.setChecked(True)
        self.unfold.toggled.connect(self._on_unfold)
        self.unfold.hide()
        self.facts = QLabel(self)
        self.facts.setWordWrap(True)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.state = QLabel(self)
        self.state.setWordWrap(True)
        self.auto = QPushButton(self)
        self.auto.setCheckable(True)
        self.auto.setChecked(machine.automatic)
        self.auto.toggled.connect(self._on_auto)
        box.addWidget(self.unfold)
        box.addWidget(self.facts)
        box.addWidget(self.auto)
        box.addWidget(self.state)
        for title, actions in self._groups():
            grid = QGridLayout()
            self.groups.append(QLabel(self))
            box.addWidget(self.groups[-1])
            box.addLayout(grid)
            for index, (name, slot) in enumerate(actions):
                button = self.buttons[f"{title}: {name}"] = QPushButton(self)
                button.clicked.connect(self._slot(slot))
                grid.addWidget(button, index // COLUMNS, index % COLUMNS)
        box.addStretch(1)

        # Appearance
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self._retranslate()

        # Time
        self.timer = QTimer(self)
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self._renew)
        self.timer.start()

    def show_beside(self, window: QWidget) -> None:
        """Shows it to the right of `window`, which is made narrower for it; folded up if there is no space."""
        window.show()  # without a window manager, a window shown later would cover this one
        self._beside = window
        self._take_place()
        self.show()

    def _take_place(self) -> None:
        """Adjusts the size to the texts of the language, and the position so that it covers nothing."""
        self._fit()
        screen = self._beside.screen() if self._beside else None
        if self._beside is None or screen is None:
            return
        room = screen.availableGeometry()
        place = None if self._is_folding else position_beside(self._beside, self.width(), room)
        if place is not None:
            self.move(place)
            return
        if not self._is_folding:
            # In a corner of the shop that has nothing to touch, and above it, so that a touch does not cover it.
            was_shown = self.isVisible()
            self.setWindowFlags(self.windowFlags() | _ABOVE)  # which hides it
            self._box.setContentsMargins(6, 6, 6, 6)
            self.unfold.show()
            self.unfold.setChecked(False)
            self.setVisible(was_shown)
        corner = QRect(0, 0, self.width(), self.height())
        corner.moveTopRight(room.topRight())
        self.setGeometry(corner)

    def _fit(self) -> None:
        """Fits the size to the content; `adjustSize` would leave a folded window 100 pixels high."""
        self._box.activate()
        size = self._box.totalSizeHint()
        if self._box.hasHeightForWidth():
            size.setHeight(self._box.totalHeightForWidth(size.width()))
        self.resize(size)

    @property
    def _is_folding(self) -> bool:
        """Whether it is over the shop and can be folded."""
        return not self.unfold.isHidden()

    def _groups(self) -> list[tuple[str, list[tuple[str, Callable[[], None]]]]]:
        terminal, dispenser, reader = self._machine.terminal, self._machine.dispenser, self._machine.reader
        payment, vend = simulated_terminal.Behaviour, simulated_dispenser.Behaviour
        return [
            (
                self.tr("Payment"),
                [
                    (self.tr("Approve"), terminal.approve),
                    (self.tr("Decline"), terminal.decline),
                    (self.tr("Cancel at reader"), lambda: terminal.decline("cancelled")),
                    (self.tr("No card comes"), lambda: terminal.decline("timeout")),
                    (self.tr("Answer twice"), self._approve_twice),
                    (self.tr("Stop answering"), terminal.silence),
                ],
            ),
            (
                self.tr("Next payment"),
                [
                    (self.tr("Late approval"), lambda: terminal.plan([payment.APPROVE_LATE])),
                    (self.tr("Decline it"), lambda: terminal.plan([payment.DECLINE])),
                    (self.tr("Approve, reply lost"), lambda: terminal.plan([payment.APPROVE_SILENTLY])),
                ],
            ),
            (
                self.tr("Goods"),
                [
                    (self.tr("Drop"), dispenser.drop),
                    (self.tr("Jam"), dispenser.jam),
                    (self.tr("Drop nothing"), self._drop_nothing),
                ],
            ),
            (
                self.tr("Next vend"),
                [
                    (self.tr("Jam it"), lambda: dispenser.plan([vend.JAM])),
                    (self.tr("Nothing falls"), lambda: dispenser.plan([vend.NOTHING])),
                    (self.tr("No answer"), lambda: dispenser.plan([vend.SILENCE])),
                ],
            ),
            (
                self.tr("ID reader"),
                [
                    (self.tr("ID of 40 years"), lambda: reader.present(40)),
                    (self.tr("ID of 15 years"), lambda: reader.present(15)),
                ],
            ),
            (
                self.tr("Cables"),
                [
                    (self.tr("Pull terminal"), terminal.vanish),
                    (self.tr("Plug terminal"), terminal.come_back),
                    (self.tr("Pull dispenser"), dispenser.vanish),
                    (self.tr("Plug dispenser"), dispenser.come_back),
                ],
            ),
        ]

    # Slots

    def _approve_twice(self) -> None:
        terminal = self._machine.terminal
        if transaction := terminal.waiting:
            terminal.approve()
            terminal.say(Approved(transaction, terminal.accounts[transaction].amount))

    def _drop_nothing(self) -> None:
        dispenser = self._machine.dispenser
        if dispenser.waiting:
            vend, _ = dispenser.waiting
            dispenser.silence()
            dispenser.say(NotDropped(vend, "nothing"))

    def _on_unfold(self, unfolded: bool) -> None:
        for widget in (self.facts, self.auto, self.state, *self.groups, *self.buttons.values()):
            widget.setVisible(unfolded)
        self._take_place()

    def _on_auto(self, automatic: bool) -> None:
        self._machine.set_automatic(automatic)
        self._renew()

    def _slot(self, slot: Callable[[], None]) -> Callable[[], None]:
        def touched() -> None:
            slot()
            self._renew()

        return touched

    def _renew(self) -> None:
        machine = self._machine
        self.auto.setText(self._strings.automatic(machine.automatic))
        self.state.setText(
            self._strings.state(
                self._shop.snapshot.phase,
                terminal=machine.terminal.waiting is not None,
                dispenser=machine.dispenser.waiting is not None,
                reader=machine.reader.wanted is not None,
            )
        )

    def _retranslate(self) -> None:
        self.setWindowTitle(self._strings.window_title())
        self.unfold.setText(self._strings.controls())
        self.facts.setText(self._strings.facts(self._machine.attendant_pin, self._machine.service_pin))
        buttons = iter(self.buttons.values())
        for label, (title, actions) in zip(self.groups, self._groups(), strict=True):
            label.setText(f"<b>{title}</b>")
            for name, _ in actions:
                next(buttons).setText(name)
        self._renew()

    # Events

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
            self._take_place()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        self.timer.stop()
        self._beside = None  # the shop may be deleted first
        super().closeEvent(event)


GAP = 8
"""Pixels between and beside the windows, because a window manager reports its frames too late."""
NARROWEST = 640
"""The smallest width in pixels to which a shop's window is reduced for its controls."""


def position_beside(window: QWidget, width: int, room: QRect) -> QPoint | None:
    """Returns the position to the right of `window` for something of this width; None if there is no space in `room`.

    If needed, moves `window` to the left and makes it narrower, unless it fills the screen.
    """
    frame = window.frameGeometry()
    lack = max(frame.right() + 1 + GAP + width + GAP - (room.right() + 1), 0)
    moved = min(lack, max(frame.left() - room.left(), 0))
    narrower = lack - moved
    if lack and (window.isFullScreen() or window.width() - narrower < NARROWEST):
        return None
    if moved:
        window.move(window.pos() - QPoint(moved, 0))
    if narrower:
        window.resize(window.width() - narrower, window.height())
    return QPoint(frame.right() + 1 + GAP - lack, max(frame.top(), room.top()))
