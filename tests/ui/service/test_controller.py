"""Service mode by touch: it needs the PIN, and every change is checked and kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import OperationalError
from threading import Event
from unittest.mock import Mock

import pytest
from PyQt6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from kiosk.system import usb_export
from kiosk.ui.service.fact_table import Row
from kiosk.ui.service.pages import health, journal
from kiosk.ui.service.pages.camera import CameraPage
from kiosk.ui.service.pages.device_tests import TestsPage
from kiosk.ui.service.pages.health import HealthPage
from kiosk.ui.service.pages.journal import ExportPage, JournalPage, rows_of_today
from kiosk.ui.service.pages.machine import MachinePage
from kiosk.ui.service.pages.settle import SettlePage
from kiosk.ui.service.pages.stock import StockPage
from kiosk.ui.service.pin_dialog import IDLE_TIMEOUT
from kiosk.ui.service.vision_feed import VisionFeed
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.widgets import theme
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Payment
from kiosk.vending.journal import JournalError, read
from kiosk.vending.journal.facts import PinRefused, PriceSet, SettingChanged, StockSet
from kiosk.vending.journal.operator_settings import BRIGHTNESS, OUT_OF_ORDER, VOLUME
from kiosk.vending.sale.events import Choose, Continue, Start
from kiosk.vending.sale.state import Phase
from kiosk.vision.process.messages import VisionMode, VisionState
from tests.fakes.service_rig import PIN, ServiceRig, at_once
from tests.fakes.ui import FakeVision, make_face, make_preview

Start_ = Callable[..., ServiceRig]


@pytest.fixture
def start(qtbot: QtBot, tmp_path: Path) -> Iterator[Start_]:  # noqa: ARG001 - Qt needs a QApplication
    """Returns a function that starts the machine, each time from the state that the last one left."""
    running: list[ServiceRig] = []

    def start(**options: object) -> ServiceRig:
        if running:
            running.pop().close()
        running.append(ServiceRig(tmp_path, **options))  # type: ignore[arg-type]
        return running[0]

    yield start
    for rig in running:
        rig.close()


@pytest.fixture
def rig(start: Start_) -> ServiceRig:
    return start()


# The way in and out


@pytest.mark.proves("stick-journal")
def test_the_gesture_asks_for_the_pin_and_the_pin_opens_service_mode(rig: ServiceRig, qtbot: QtBot) -> None:
    for _ in range(5):
        qtbot.mouseClick(rig.window, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    rig.tick(9)
    assert rig.service.pin_dialog.isVisible()
    assert rig.service.screen is None
    assert rig.shop.snapshot.phase is Phase.ATTRACT
    rig.type(PIN)
    assert rig.service.pin_dialog.isHidden()
    assert rig.screen.isVisible()
    assert rig.shop.snapshot.phase is Phase.SERVICE


@pytest.mark.proves("guess-pin")
def test_a_wrong_pin_opens_nothing_and_slows_the_next_one_down(rig: ServiceRig) -> None:
    rig.window.service_requested.emit()
    for _ in range(3):
        rig.type("1234")
        assert rig.service.screen is None
    assert rig.service.pin_dialog.result.text == "Next try in 30 s"
    refused = [entry.fact for entry in rig.journal.entries() if isinstance(entry.fact, PinRefused)]
    assert refused == [PinRefused("service", locked_s=locked_s) for locked_s in (0, 0, 30)]
    rig.type(PIN)
    assert rig.service.screen is None
    assert rig.shop.snapshot.phase is Phase.ATTRACT
    rig.tick(100, 0.25)  # longer than the wait; the dialog closes after a while without a touch
    rig.service.pin_dialog._idle_seconds = 0.0
    rig.tick(30, 0.25)
    rig.type(PIN)
    assert rig.screen.isVisible()


def test_wrong_tries_are_remembered_across_a_restart(rig: ServiceRig, start: Start_) -> None:
    rig.window.service_requested.emit()
    for _ in range(3):
        rig.type("1234")
    rig = start()
    rig.window.service_requested.emit()
    rig.tick()
    assert not rig.service.pin_dialog.pad.isEnabled()


@pytest.mark.proves("service-left-open")
def test_the_pin_dialog_closes_after_a_while_and_by_touch_and_keeps_no_digit(rig: ServiceRig) -> None:
    rig.window.service_requested.emit()
    rig.service.pin_dialog.pad.keys["4"].click()
    rig.tick(1, IDLE_TIMEOUT)
    assert rig.service.pin_dialog.isHidden()
    assert rig.service.pin_dialog.dots.count == 0
    rig.window.service_requested.emit()
    rig.service.pin_dialog.pad.keys["4"].click()
    rig.service.pin_dialog.close_button.click()
    assert rig.service.pin_dialog.isHidden()
    assert rig.service.pin_dialog.dots.count == 0


@pytest.mark.parametrize("pin", [PIN, "1234"])
def test_an_answer_to_a_closed_pin_dialog_does_not_reach_the_next(rig: ServiceRig, pin: str) -> None:
    checks: list[tuple[Future[bool], Callable[[], bool]]] = []

    def slowly(check: Callable[[], bool]) -> Future[bool]:
        checks.append((Future(), check))
        return checks[-1][0]

    rig.run_check = slowly
    rig.window.service_requested.emit()
    rig.type(pin)
    rig.service.pin_dialog.close_button.click()
    ((future, check),) = checks
    future.set_result(check())
    rig.window.service_requested.emit()
    rig.tick()
    assert rig.service.screen is None
    assert rig.service.pin_dialog.result.text == ""
    assert rig.shop.snapshot.phase is Phase.ATTRACT
    rig.run_check = at_once
    rig.type(PIN)
    assert rig.screen.isVisible()


def test_the_sale_continues_below_the_pin_dialog(rig: ServiceRig) -> None:
    for touch in (Start(False), Choose("A1")):
        rig.shop.touch(touch)
    rig.window.service_requested.emit()
    rig.tick()
    assert rig.shop.snapshot.phase is Phase.SELECTED


def test_products_on_their_way_come_first(rig: ServiceRig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    rig.window.service_requested.emit()
    for touch in (Start(False), Choose("A1"), Continue()):
        rig.shop.touch(touch)
    rig.tick()
    assert rig.shop.snapshot.phase is Phase.DISPENSING
    rig.type(PIN)
    assert rig.service.screen is None
    assert rig.service.pin_dialog.result.text == "Please wait: a sale is ending"
    rig.dispenser.drop()
    rig.tick()
    assert rig.screen.isVisible()


def test_it_uses_the_machines_language_and_not_the_customers(start: Start_) -> None:
    rig = start(languages=("de", "en"))
    rig.window.set_language("en")
    rig.shop.touch(Start(False))
    rig.tick()
    rig.window.service_requested.emit()
    rig.tick()
    assert rig.service.pin_dialog.title.text == ServiceStrings().pin_wanted()
    rig.type(PIN)
    assert rig.window.strings.language == "de"
    page = rig.open(HealthPage)
    assert isinstance(page, HealthPage)
    (accuracy,) = (row.value for row in page.table.rows if row.label == "Genauigkeit")
    assert accuracy.startswith("Geschlecht 89.6%, Altersgruppe 57.7%")
    rig.screen.back.click()
    assert rig.screen.back.text() == ServiceStrings().leave_service()
    page = rig.open(StockPage)
    assert isinstance(page, StockPage)
    assert page.tiles["A1"].text().startswith("A1 · Stilles Wasser\n")
    assert page.tiles["A1"].text().endswith("1,50\u00a0€")


def test_back_leaves_service_mode(rig: ServiceRig) -> None:
    screen = rig.enter()
    rig.open(HealthPage)
    screen.back.click()
    assert screen.current is None
    screen.back.click()
    rig.tick()
    assert rig.service.screen is None
    assert rig.shop.snapshot.phase is Phase.ATTRACT


@pytest.mark.proves("service-left-open")
def test_it_times_out_unless_somebody_touches_the_screen(rig: ServiceRig) -> None:
    rig.enter()
    rig.tick(1, 590)
    rig.open(StockPage)
    rig.tick(1, 590)
    assert rig.screen.isVisible()
    rig.tick(1, 11)
    rig.tick()
    assert rig.service.screen is None
    assert rig.shop.snapshot.phase is Phase.ATTRACT


def test_exit_must_be_touched_twice(start: Start_) -> None:
    rig = start(locked=True)
    rig.window.close()
    assert rig.window.isVisible()
    rig.enter()
    page = rig.open(MachinePage)
    assert isinstance(page, MachinePage)
    page.exit.click()
    assert rig.window.isVisible()
    assert page.exit.text() == "Really exit?"
    page.exit.click()
    assert not rig.window.isVisible()


# The camera


def test_faces_are_processed_only_on_the_camera_page(rig: ServiceRig) -> None:
    rig.enter()
    assert rig.vision.mode is VisionMode.PRESENCE
    page = rig.open(CameraPage)
    assert rig.vision.mode is VisionMode.SERVICE
    rig.vision.see(make_face())
    rig.vision.next_preview = make_preview()
    rig.tick()
    assert rig.feed.latest_preview is not None
    assert rig.feed.latest_observation is not None
    assert page.grab().toImage().pixelColor(page.width() // 2, 100).lightness() > 100
    rig.screen.back.click()
    assert rig.vision.mode is VisionMode.PRESENCE
    assert rig.feed.latest_preview is None
    assert rig.feed.latest_observation is None


def test_landmarks_are_drawn_at_their_position(rig: ServiceRig) -> None:
    rig.enter()
    page = rig.open(CameraPage)
    assert isinstance(page, CameraPage)

    def greens() -> list[tuple[int, int]]:
        rig.vision.next_preview = make_preview()
        rig.tick()
        image = page.view.grab().toImage()
        accent = theme.ACCENT.rgb()
        return [(x, y) for x in range(image.width()) for y in range(image.height()) if image.pixel(x, y) == accent]

    rig.vision.see(replace(make_face(status="estimating"), landmarks=((320.0, 120.0),)))
    seen = greens()
    share = min(page.view.width() / 640, page.view.height() / 480)
    left = (page.view.width() - 640 * share) / 2
    assert seen
    assert abs(sum(x for x, _ in seen) / len(seen) - (left + 320 * share)) < 2
    assert abs(sum(y for _, y in seen) / len(seen) - 120 * share) < 2
    rig.vision.see(make_face(status="estimating"))
    assert not greens()


def test_no_face_is_kept_when_service_mode_ends_or_the_camera_fails(rig: ServiceRig) -> None:
    rig.enter()
    rig.open(CameraPage)
    for end in ("camera", "service"):
        rig.vision.state = VisionState.RUNNING
        rig.vision.see(make_face())
        rig.vision.next_preview = make_preview()
        rig.tick()
        assert rig.feed.latest_preview is not None
        if end == "camera":
            rig.vision.state = VisionState.RESTARTING
            rig.tick()
        else:
            rig.service.leave()
            rig.tick()
            assert rig.vision.mode is VisionMode.PRESENCE
        assert rig.feed.latest_preview is None
        assert rig.feed.latest_observation is None


def test_the_operator_is_not_counted_as_a_customer() -> None:
    vision, counted = FakeVision(), []
    feed = VisionFeed(vision, counted.extend)
    for is_listening in (False, True, False):
        feed.is_listening = is_listening
        vision.see(make_face())
        feed.poll()
    assert [observation.frame for observation in counted] == [0, 2]


def test_the_feed_keeps_no_face_of_a_customer(rig: ServiceRig) -> None:
    rig.shop.touch(Start(True))
    rig.vision.see(make_face())
    rig.vision.next_preview = make_preview()
    rig.tick()
    assert rig.feed.latest_preview is None
    assert rig.feed.latest_observation is None


# Health


@pytest.mark.proves("disk-nearly-full")
def test_health_shows_what_works_and_what_does_not(rig: ServiceRig) -> None:
    rig.enter()
    page = rig.open(HealthPage)
    assert isinstance(page, HealthPage)
    rows = {row.label: row for row in page.table.rows}
    assert rows["Vision"].is_ok
    assert rows["Engine"].value == "ONNX Runtime on the CPU, fp32"
    assert rows["Accuracy"].value == "gender 89.6%, age group 57.7%, within one 93.8% on 8672 faces of FairFace"
    assert rows["Terminal"].is_ok
    assert str(rig.journal.head)[:12] in rows["Journal"].value
    assert rows["Disk"].is_ok
    rig.vision.state, rig.vision.fault = VisionState.NO_CAMERA, "camera 0 gives no picture"
    rig.vision.engine_fault = "facialnet.engine does not run here"
    rig.terminal.vanish()
    rig.tick()
    rows = {row.label: row for row in page.table.rows}
    assert (rows["Vision"].is_ok, rows["Vision"].value) == (False, "no camera: camera 0 gives no picture")
    assert rows["Engine"].value.endswith("facialnet.engine does not run here")
    assert not rows["Engine"].is_ok
    assert (rows["Terminal"].is_ok, rows["Dispenser"].is_ok) == (False, True)
    assert len(page.table.placed_texts) == 2 * len(rows)
    assert "Settings" not in rows
    for free, is_enough in ((500_000_000, True), (499_999_999, False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(health.shutil, "disk_usage", lambda _, free=free: Mock(free=free))
            rig.tick()
        rows = {row.label: row for row in page.table.rows}
        assert rows["Disk"].is_ok is is_enough
    page.context = replace(
        page.context, settings_fault="settings kiosk.toml: nonsense; running with those of the last start"
    )
    rig.tick()
    (row,) = [row for row in page.table.rows if row.label == "Settings"]
    assert (row.is_ok, row.value) == (False, page.context.settings_fault)


# Stock and prices


def test_a_slot_that_is_not_in_the_catalogue_opens_nothing(rig: ServiceRig) -> None:
    rig.enter()
    page = rig.open(StockPage)
    assert isinstance(page, StockPage)
    page.edit("Z9")
    assert page.slot is None
    page.slot = "Z9"
    page.save.click()
    assert not any(isinstance(entry.fact, StockSet) and entry.fact.slot == "Z9" for entry in rig.journal.entries())


def test_stock_and_price_are_set_journalled_and_kept(rig: ServiceRig, start: Start_) -> None:
    rig.enter()
    page = rig.open(StockPage)
    assert isinstance(page, StockPage)
    page.tiles["A1"].click()
    for _ in range(3):
        page.count.minus.click()
    page.price.plus.click()
    page.save.click()
    assert page.status.text == "Saved"
    facts = [entry.fact for entry in rig.journal.entries()]
    assert facts[-2:] == [StockSet("A1", 7, "correction"), PriceSet("A1", 155, 150, "EUR")]
    rig = start()
    offer = rig.shop.snapshot.offers[0]
    assert (offer.slot, offer.count, offer.price) == ("A1", 7, 155)
    rig.enter()
    page = rig.open(StockPage)
    assert isinstance(page, StockPage)
    assert page.tiles["A1"].text() == "A1 · Still water\n7 of 10 · €1.55"
    page.tiles["A1"].click()
    page.full.click()
    page.save.click()
    assert [entry.fact for entry in rig.journal.entries()][-1] == StockSet("A1", 10, "refill")


def test_stock_and_price_stay_in_their_bounds(rig: ServiceRig) -> None:
    rig.enter()
    page = rig.open(StockPage)
    assert isinstance(page, StockPage)
    page.edit("A1")
    assert not page.count.plus.isEnabled()
    for stepper, wanted in ((page.count, (0, 10)), (page.price, (1, 10_000_000))):
        for value, end in ((-100, wanted[0]), (10**9, wanted[1])):
            stepper.set_value(value)
            assert stepper.value == end


def test_what_was_not_saved_is_not_changed(rig: ServiceRig) -> None:
    rig.enter()
    rows = rig.journal.head.seq
    page = rig.open(StockPage)
    assert isinstance(page, StockPage)
    page.edit("A1")
    page.count.minus.click()
    rig.screen.back.click()
    assert page.slot is None
    assert rig.journal.head.seq == rows
    page.edit("A1")
    assert page.count.value == 10


@pytest.mark.parametrize(
    ("language", "of_stock", "of_price"),
    [
        ("en", "Not saved: slot A1 holds 0 to 10", "Price not saved: it must be €0.01 to €100,000.00"),
        (
            "de",
            "Nicht gespeichert: Fach A1 fasst 0 bis 10",
            "Preis nicht gespeichert: erlaubt sind 0,01 € bis 100.000,00 €",
        ),
        ("zh", "未保存：货道 A1 可放 0 到 10 件", "价格未保存：须在 €0.01 到 €100,000.00 之间"),
    ],
)
def test_a_refusal_gives_the_allowed_range(start: Start_, language: str, of_stock: str, of_price: str) -> None:
    rig = start(languages=(language,))
    rig.enter()
    page = rig.open(StockPage)
    assert isinstance(page, StockPage)
    page.edit("A1")
    page.count.maximum = page.price.maximum = 10**9
    page.count.set_value(99)
    page.save.click()
    assert page.status.text == of_stock
    page.count.set_value(9)
    page.price.set_value(10**9)
    page.save.click()
    assert page.status.text.replace("\N{NO-BREAK SPACE}", " ") == of_price
    assert [entry.fact for entry in rig.journal.entries()][-1] == StockSet("A1", 9, "correction")


# What an operator has to settle


def test_a_vend_in_doubt_is_settled_and_a_blocked_slot_counted(rig: ServiceRig) -> None:
    rig.dispenser.plan([Vend.SILENCE])
    rig.buy("A1")
    rig.tick(80, 1)
    rig.dispenser.plan([Vend.JAM])
    rig.buy("A2")
    rig.tick(30, 1)
    rig.enter()
    tiles = [tile.text() for tile in rig.screen.tiles]
    assert "To settle (2)" in tiles
    page = rig.open(SettlePage)
    assert isinstance(page, SettlePage)
    assert "did the product leave the machine" in page.question.text
    assert page.money.isHidden()
    page.left_machine.click()
    rig.tick()
    assert "Slot A2 failed" in page.question.text
    assert page.left_machine.isHidden()
    page.count.click()
    rig.tick()
    stock = rig.screen.stock
    assert (rig.screen.current, stock.slot) == (stock, "A2")
    stock.save.click()
    assert rig.shop.snapshot.attention == ()
    rig.open(SettlePage) if rig.screen.current is None else rig.screen.open(page)
    rig.tick()
    assert page.question.text == "Nothing has to be settled"
    assert all(
        button.isHidden() for button in (page.left_machine, page.stayed, page.money, page.count, page.next_button)
    )


def test_money_that_the_terminal_does_not_confirm_is_settled_by_hand(rig: ServiceRig) -> None:
    rig.terminal.plan([Payment.APPROVE])
    rig.terminal.unheard = 1000
    rig.buy("A1")
    rig.tick(300, 1)
    assert [each.kind for each in rig.shop.snapshot.attention] == ["unsettled"]
    rig.enter()
    page = rig.open(SettlePage)
    assert isinstance(page, SettlePage)
    assert "€1.50" in page.question.text
    page.money.click()
    rig.tick()
    assert rig.shop.snapshot.attention == ()


@pytest.mark.proves("journal-damaged-start")
def test_a_damaged_journal_is_shown_until_it_is_settled_by_hand(start: Start_) -> None:
    rig = start()
    rig.terminal.plan([Payment.APPROVE])
    rig.terminal.unheard = 1000
    rig.buy("A1")
    rig.tick(300, 1)
    rig.close()
    path = rig.folder / "journal.db"
    path.write_bytes(path.read_bytes().replace(b"initial", b"INITIAL"))
    rig = start()
    assert list(rig.folder.glob("journal-damaged-*/journal.db"))
    rig.enter()
    assert not journal_in_health(rig).is_ok
    page = rig.open(SettlePage)
    assert isinstance(page, SettlePage)
    assert "The journal was damaged. It is saved in journal-damaged-" in page.question.text
    assert "Count every slot" in page.question.text
    assert page.question.text.endswith("-1-1")
    assert [button.isHidden() for button in (page.money, page.left_machine, page.count)] == [False, True, True]
    page.money.click()
    rig.tick()
    assert rig.shop.snapshot.attention == ()
    assert page.question.text == "Nothing has to be settled"
    assert journal_in_health(rig).is_ok


@pytest.mark.proves("journal-gone-start")
def test_a_missing_journal_is_shown_until_it_is_settled_by_hand(start: Start_) -> None:
    rig = start()
    rig.close()
    (rig.folder / "journal.db").unlink()
    rig = start()
    rig.enter()
    assert journal_in_health(rig).value.startswith("new journal")
    assert not journal_in_health(rig).is_ok
    page = rig.open(SettlePage)
    assert isinstance(page, SettlePage)
    assert "The journal was missing" in page.question.text
    assert "journal-missing-" in page.question.text
    page.money.click()
    rig.tick()
    assert rig.shop.snapshot.attention == ()
    assert journal_in_health(rig).is_ok


def journal_in_health(rig: ServiceRig) -> Row:
    page = rig.open(HealthPage)
    assert isinstance(page, HealthPage)
    (row,) = [row for row in page.table.rows if row.label == "Journal"]
    return row


# Tests


def test_a_slot_and_the_terminal_can_be_tested_for_free(rig: ServiceRig) -> None:
    rig.enter()
    page = rig.open(TestsPage)
    assert isinstance(page, TestsPage)
    rig.dispenser.plan([Vend.WAIT])
    page.next_button.click()
    assert page.slot.text == "Slot A2: Sparkling water"
    page.vend.click()
    rig.tick()
    assert page.result.text == "Running…"
    assert not page.vend.isEnabled()
    rig.dispenser.drop()
    rig.tick()
    assert page.result.text == "It worked"
    assert rig.dispenser.fallen["A2"] == 1
    rig.dispenser.plan([Vend.JAM])
    page.vend.click()
    rig.tick()
    assert page.result.text == "It failed"
    page.pay.click()
    rig.tick(5)
    assert page.result.text == "It worked"
    assert [(account.charged, account.held) for account in rig.terminal.accounts.values()] == [(100, 0)]


# The journal


def test_the_journal_of_today_is_shown_the_newest_first(rig: ServiceRig) -> None:
    rig.buy("A1")
    rig.enter()
    page = rig.open(JournalPage)
    assert isinstance(page, JournalPage)
    shown = page.table.visible_rows
    assert shown[0].label.startswith(f"{rig.journal.head.seq} · ")
    assert "sale_closed" in " ".join(row.value for row in shown)
    page.next_button.click()
    assert page.table.visible_rows[0] != shown[0]


def test_entries_of_other_days_are_not_shown(rig: ServiceRig) -> None:
    now = datetime.now().astimezone()
    assert len(rows_of_today(rig.context.journal_path, now)) == rig.journal.head.seq
    assert rows_of_today(rig.context.journal_path, now - timedelta(days=2)) == ()
    assert rows_of_today(rig.context.journal_path, now + timedelta(days=2)) == ()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """An event that every read of the journal waits for, as if the journal were very long."""
    released = Event()
    for module, name in ((journal, "read_between"), (usb_export, "read_verified")):
        read_it = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args, read_it=read_it: released.wait() and read_it(*args))
    yield released
    released.set()


def test_the_screen_goes_on_while_the_journal_is_read(rig: ServiceRig, held: Event) -> None:
    rig.enter()
    page = rig.open(JournalPage, wait=False)
    assert isinstance(page, JournalPage)
    rig.tick()
    assert page.status.text == "Reading…"
    assert page.status.isVisible()
    held.set()
    rig.wait(page)
    assert page.table.visible_rows[0].label.startswith(f"{rig.journal.head.seq} · ")
    assert not page.status.isVisible()


def test_a_page_that_was_left_ignores_what_was_read(rig: ServiceRig, held: Event) -> None:
    rig.enter()
    page = rig.open(JournalPage, wait=False)
    assert isinstance(page, JournalPage)
    rig.screen.back.click()
    held.set()
    rig.tick()
    assert page.table.rows == ()


def test_a_journal_that_cannot_be_read_is_reported(rig: ServiceRig) -> None:
    rig.service.context = replace(rig.context, journal_path=rig.folder / "elsewhere.db")
    rig.enter()
    page = rig.open(JournalPage)
    assert isinstance(page, JournalPage)
    assert "there is no journal" in page.status.text


def test_an_empty_day_is_reported(rig: ServiceRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "read_between", lambda *_: [])
    rig.enter()
    page = rig.open(JournalPage)
    assert isinstance(page, JournalPage)
    assert page.status.text == "Nothing yet today"
    assert page.status.isVisible()


def test_a_stick_button_is_at_most_two_touch_targets_high(rig: ServiceRig, tmp_path: Path) -> None:
    rig.window.resize(800, 1280)
    rig.enter()
    page = rig.open(ExportPage)
    assert isinstance(page, ExportPage)
    page.find_sticks = lambda: [tmp_path, tmp_path / "another"]
    rig.tick()
    shown = [button for button in page.buttons if button.isVisible()]
    assert len(shown) == 2
    assert all(button.height() <= 2 * rig.window.metrics.touch for button in shown)


def test_the_journal_goes_to_a_stick(rig: ServiceRig, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    rig.buy("A1")
    rig.enter()
    page = rig.open(ExportPage)
    assert isinstance(page, ExportPage)
    assert page.status.text == "No USB stick found under /media or /run/media"
    page.find_sticks = lambda: [stick]
    rig.tick()
    page.buttons[0].click()
    rig.wait(page)
    assert "Written" in page.status.text
    csv, document = sorted(stick.iterdir())
    assert "Still water" in csv.read_text()
    assert json.loads(document.read_text())["events"][-1]["seq"] <= rig.journal.head.seq


def test_a_stick_that_cannot_be_written_is_reported(rig: ServiceRig, tmp_path: Path) -> None:
    rig.enter()
    page = rig.open(ExportPage)
    assert isinstance(page, ExportPage)
    page.find_sticks = lambda: [tmp_path / "pulled out"]
    rig.tick()
    page.buttons[0].click()
    rig.wait(page)
    assert page.status.text == "Not written: No such file or directory"


@pytest.mark.proves("stick-name")
def test_a_stick_may_be_named_in_any_bytes(rig: ServiceRig, tmp_path: Path) -> None:
    stick = tmp_path / os.fsdecode(b"a\nb \xff\xfe \xed\xa0\x80")
    stick.mkdir()
    rig.enter()
    page = rig.open(ExportPage)
    assert isinstance(page, ExportPage)
    page.find_sticks = lambda: [stick]
    rig.tick()
    assert page.buttons[0].text().endswith("a b \ufffd\ufffd \ufffd\ufffd\ufffd")
    page.buttons[0].click()
    rig.wait(page)
    assert [file.suffix for file in sorted(stick.iterdir())] == [".csv", ".json"]


@pytest.mark.parametrize("leaves", ["the page", "service mode"])
def test_an_export_ends_when_its_page_is_left_and_leaves_nothing(
    rig: ServiceRig, tmp_path: Path, held: Event, leaves: str
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    rig.enter()
    page = rig.open(ExportPage)
    assert isinstance(page, ExportPage)
    page.find_sticks = lambda: [stick]
    rig.tick()
    page.buttons[0].click()
    rig.tick()
    assert page.status.text == "Checking the journal…"
    writing = page._writing
    assert writing is not None
    if leaves == "the page":
        rig.screen.back.click()
    else:
        rig.service.leave()
    held.set()
    with pytest.raises(usb_export.StoppedError):
        writing.result()
    assert list(stick.iterdir()) == []


def test_the_progress_of_an_export_is_shown(
    rig: ServiceRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def half_done(*_: object) -> usb_export.Exported:
        page._progress.share = 0.5
        shown.wait()
        return usb_export.Exported(("a.csv",), ("kiosk-journal-damaged-1",))

    shown = Event()
    monkeypatch.setattr(journal, "export", half_done)
    rig.enter()
    page = rig.open(ExportPage)
    assert isinstance(page, ExportPage)
    page.find_sticks = lambda: [tmp_path]
    rig.tick()
    page.buttons[0].click()
    qtbot.waitUntil(lambda: rig.tick(1) or page.status.text == "Writing… 50%")
    shown.set()
    rig.wait(page)
    assert page.status.text == (
        "Written: a.csv. You can remove the stick. Not written (no space, or an error): kiosk-journal-damaged-1"
    )


def test_an_export_overwrites_nothing(rig: ServiceRig, tmp_path: Path) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5)
    files = usb_export.export(rig.context.journal_path, tmp_path, now).files
    assert files == ("kiosk-journal-2026-01-02-030405.csv", "kiosk-journal-2026-01-02-030405.json")
    with pytest.raises(FileExistsError):
        usb_export.export(rig.context.journal_path, tmp_path, now)


# The machine


@pytest.fixture
def backlight(tmp_path: Path) -> Path:
    device = tmp_path / "backlight" / "intel"
    device.mkdir(parents=True)
    (device / "brightness").write_text("200")
    (device / "max_brightness").write_text("200")
    return device


def test_volume_and_brightness_are_set_journalled_and_kept(backlight: Path, start: Start_) -> None:
    rig = start()
    rig.enter()
    page = rig.open(MachinePage)
    assert isinstance(page, MachinePage)
    volumes: list[float] = []
    rig.window.set_volume = volumes.append  # type: ignore[method-assign, assignment]
    page.volume.plus.click()
    page.brightness.minus.click()
    assert volumes == [0.7]
    assert (backlight / "brightness").read_text() == "180"
    facts = [entry.fact for entry in rig.journal.entries()]
    assert facts[-2:] == [SettingChanged(VOLUME, "70"), SettingChanged(BRIGHTNESS, "90")]
    (backlight / "brightness").write_text("200")
    rig = start()
    assert (backlight / "brightness").read_text() == "180"
    assert rig.settings.get(VOLUME, 60) == 70


def test_nothing_is_changed_that_could_not_be_journalled(
    backlight: Path, start: Start_, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise JournalError("journal cannot be used (disk is full)") from OperationalError("disk is full")

    rig = start(languages=("de",))
    rig.enter()
    page = rig.open(MachinePage)
    assert isinstance(page, MachinePage)
    volumes: list[float] = []
    rig.window.set_volume = volumes.append  # type: ignore[method-assign, assignment]
    monkeypatch.setattr(rig.journal, "append", fails)
    page.brightness.minus.click()
    page.volume.plus.click()
    assert (backlight / "brightness").read_text() == "200"
    assert volumes == []
    assert page.status.text == "Das Journal ist nicht benutzbar (disk is full): Datenträger und Ordner prüfen"
    assert (page.brightness.value, page.volume.value) == (100, 60)


def test_the_volume_starts_at_the_configured_value(rig: ServiceRig) -> None:
    rig.service.context = replace(rig.context, volume=35)
    rig.enter()
    page = rig.open(MachinePage)
    assert isinstance(page, MachinePage)
    assert page.volume.value == 35


def test_a_screen_without_a_backlight_control_says_so(rig: ServiceRig) -> None:
    rig.enter()
    page = rig.open(MachinePage)
    assert isinstance(page, MachinePage)
    assert page.status.text == "The system cannot change this screen's brightness"
    assert not page.brightness.minus.isEnabled()
    assert not page.brightness.plus.isEnabled()


def test_out_of_order_stays_until_it_is_ended(rig: ServiceRig, start: Start_) -> None:
    rig.enter()
    page = rig.open(MachinePage)
    assert isinstance(page, MachinePage)
    page.order.click()
    assert page.order.text() == "Put back in order"
    rig.service.leave()
    rig.tick()
    assert rig.shop.snapshot.phase is Phase.OUT_OF_ORDER
    rig = start()
    assert rig.shop.snapshot.phase is Phase.OUT_OF_ORDER
    rig.enter()
    page = rig.open(MachinePage)
    assert isinstance(page, MachinePage)
    page.order.click()
    rig.service.leave()
    rig.tick()
    assert rig.shop.snapshot.phase is Phase.ATTRACT
    values = [entry.fact.value for entry in rig.journal.entries() if isinstance(entry.fact, SettingChanged)]
    assert values == ["1", "0"]
    assert start().shop.snapshot.phase is Phase.ATTRACT


def test_an_invalid_setting_is_refused_and_one_in_the_journal_is_ignored(rig: ServiceRig, start: Start_) -> None:
    for name, value in ((VOLUME, 101), (BRIGHTNESS, 0), (OUT_OF_ORDER, 2)):
        with pytest.raises(ValueError, match=name):
            rig.settings.set(name, value)
    rig.journal.append(SettingChanged(VOLUME, "900"))
    rig.journal.append(SettingChanged(BRIGHTNESS, "bright"))
    settings = start().settings
    assert (settings.get(VOLUME, 60), settings.get(BRIGHTNESS, 80)) == (60, 80)


def test_the_same_setting_again_is_not_journalled_again(rig: ServiceRig) -> None:
    rig.settings.set(VOLUME, 50)
    rows = rig.journal.head.seq
    rig.settings.set(VOLUME, 50)
    assert rig.journal.head.seq == rows
    assert read(rig.context.journal_path)[-1].fact == SettingChanged(VOLUME, "50")
