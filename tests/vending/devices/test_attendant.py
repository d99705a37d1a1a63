"""The attendant's PIN is hashed, counted before it is checked, and slowed down after wrong attempts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from kiosk.security.pin import PinError, Tries, check_hash, hash_pin, matches, wait_after
from kiosk.vending.devices.attendant import Attendant
from kiosk.vending.devices.protocols import IdConfirmed, WrongPin
from kiosk.vending.journal.facts import PinRefused
from kiosk.vending.sale.events import Cancel
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import BEER, Rig

ROUNDS = 4
PIN = "4711"
HASH = hash_pin(PIN, ROUNDS)


def at_once(check: Callable[[], bool]) -> Future[bool]:
    future: Future[bool] = Future()
    future.set_result(check())
    return future


@pytest.fixture
def tries(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tries"


@pytest.fixture
def attendant(tries: Path) -> Attendant:
    return Attendant(HASH, tries, run=at_once)


def answers(attendant: Attendant, now: float = 0.0) -> list[object]:
    """Returns the messages of two polls: the first sends a query, the second has the answer."""
    return [*attendant.poll(now), *attendant.poll(now)]


def test_a_hash_says_nothing_of_the_pin_and_differs_each_time() -> None:
    assert PIN not in HASH
    assert hash_pin(PIN, ROUNDS) != HASH
    assert matches(PIN, HASH)
    assert not matches("4712", HASH)


@pytest.mark.parametrize("pin", ["", "123", "1" * 13, "12a4", "１２３４", "1234\n", " 1234"])
def test_what_is_no_pin_is_refused(pin: str) -> None:
    with pytest.raises(PinError, match="4 to 12 digits"):
        hash_pin(pin, ROUNDS)
    assert not matches(pin, HASH)


@pytest.mark.parametrize(
    "hash_",
    ["", "4711", HASH[:-1], f"{HASH}\n", HASH.replace("$2b", "$9z")],
    ids=["nothing", "a PIN", "cut", "two lines", "another kind"],  # a hash is another one in every process
)
def test_what_is_no_hash_is_refused(hash_: str, tries: Path) -> None:
    with pytest.raises(PinError, match="set the PIN again"):
        check_hash(hash_)
    with pytest.raises(PinError):
        Attendant(hash_, tries)


def test_the_right_pin_confirms_the_sale_that_it_was_typed_for(attendant: Attendant) -> None:
    attendant.begin("s-1", 18)
    attendant.enter(PIN)
    assert answers(attendant) == [IdConfirmed("s-1", "pin")]
    assert answers(attendant) == []


def test_a_wrong_pin_confirms_nothing(attendant: Attendant) -> None:
    attendant.begin("s-1", 18)
    attendant.enter("0000")
    assert answers(attendant) == [WrongPin("s-1")]


def test_nothing_is_looked_at_while_nobody_waits(attendant: Attendant) -> None:
    attendant.enter(PIN)
    attendant.begin("s-1", 18)
    attendant.enter(PIN)
    attendant.end("s-1")
    assert answers(attendant) == []
    attendant.begin("s-2", 18)
    assert answers(attendant) == []


def test_an_answer_names_the_sale_before_if_the_next_has_begun(attendant: Attendant) -> None:
    attendant.begin("s-1", 18)
    attendant.enter(PIN)
    assert attendant.poll(0) == []
    attendant.end("s-1")
    attendant.begin("s-2", 18)
    assert attendant.poll(0) == [IdConfirmed("s-1", "pin")]


@pytest.mark.proves("guess-pin")
def test_waits_grow_with_wrong_tries() -> None:
    assert [wait_after(wrong) for wrong in range(10)] == [0, 0, 0, 30, 60, 120, 240, 480, 900, 900]
    assert wait_after(10**6) == 900


def test_guessing_is_slowed(attendant: Attendant) -> None:
    attendant.begin("s-1", 18)
    for locked_s in (0, 0, 30):
        attendant.enter("0000")
        assert answers(attendant) == [WrongPin("s-1", locked_s)]
    assert attendant.wait_s(0) == 30
    attendant.enter(PIN)
    assert answers(attendant, 29.9) == []
    assert attendant.wait_s(30) == 0
    attendant.enter(PIN)
    assert answers(attendant, 30) == [IdConfirmed("s-1", "pin")]
    assert attendant.wait_s(30) == 0


@pytest.mark.proves("guess-pin")
def test_a_restart_does_not_help_a_guesser(attendant: Attendant, tries: Path) -> None:
    attendant.begin("s-1", 18)
    for _ in range(4):
        attendant.enter("0000")
        answers(attendant, 100)
    again = Attendant(HASH, tries, run=at_once)
    again.begin("s-2", 18)
    again.enter(PIN)
    assert answers(again, 5000) == []
    assert again.wait_s(5000) == 30
    assert again.wait_s(5030) == 0


def test_a_try_counts_before_it_is_looked_at(tries: Path) -> None:
    """A power cut during the computation does not save an attempt."""
    attendant = Attendant(HASH, tries, run=lambda _: Future())
    attendant.begin("s-1", 18)
    attendant.enter("0000")
    attendant.poll(0)
    assert tries.read_text() == "1"


def test_the_right_pin_forgets_the_wrong_ones(attendant: Attendant, tries: Path) -> None:
    attendant.begin("s-1", 18)
    for pin in ("0000", "0001", PIN):
        attendant.enter(pin)
        answers(attendant)
    assert tries.read_text() == "0"


@pytest.mark.proves("guess-pin")
@pytest.mark.parametrize("content", ["", "many", "-5", "\xff"])
def test_a_damaged_count_is_no_free_pass(tries: Path, content: str) -> None:
    tries.parent.mkdir()
    tries.write_text(content, encoding="latin-1")
    assert Tries(tries).wait_s(0) == (0 if content == "-5" else 30)


def test_a_try_that_cannot_be_counted_is_not_made(tries: Path) -> None:
    tries.mkdir(parents=True)  # a folder in the way
    attendant = Attendant(HASH, tries, run=at_once)
    attendant.begin("s-1", 18)
    assert attendant.wait_s(0) == 30
    attendant.enter(PIN)
    assert answers(attendant, 60) == [WrongPin("s-1")]


def test_the_hash_is_computed_in_another_thread(tries: Path) -> None:
    attendant = Attendant(HASH, tries)
    attendant.begin("s-1", 18)
    attendant.enter(PIN)
    assert attendant.poll(0) == []
    assert attendant._pending is not None
    assert attendant._pending[1].result(timeout=60)
    assert attendant.poll(0) == [IdConfirmed("s-1", "pin")]


def test_an_attendant_lets_a_sale_go_on(attendant: Attendant) -> None:
    rig = Rig(verifiers=[attendant])
    rig.buy(BEER, camera=False)
    assert rig.shop.snapshot.id_methods == ("pin",)
    for _ in range(3):
        rig.shop.enter_pin("8642")
        rig.tick()
    assert rig.reason == "wrong_pin"
    assert 29 < rig.shop.snapshot.pin_wait_s < 30
    rig.after(30)
    rig.shop.enter_pin(PIN)
    rig.tick(5)
    assert rig.phase is Phase.DONE
    refused = [fact for fact in rig.journal.facts if isinstance(fact, PinRefused)]
    assert refused == [PinRefused("attendant", f"{rig.journal.id}-1", locked_s) for locked_s in (0, 0, 30)]
    assert not any(PIN in row or "8642" in row for row in rig.journal.rows)


def test_a_wrong_pin_is_journalled_even_if_its_customer_has_gone(attendant: Attendant) -> None:
    rig = Rig(verifiers=[attendant])
    rig.buy(BEER, camera=False)
    rig.shop.enter_pin("8642")
    rig.after(0.1)
    rig.shop.touch(Cancel())
    rig.after(0.1)
    assert rig.journal.facts[-1] == PinRefused("attendant", f"{rig.journal.id}-1")
    assert rig.phase is Phase.ATTRACT


def test_a_pin_typed_where_nobody_asks_is_not_even_looked_at(attendant: Attendant, tries: Path) -> None:
    rig = Rig(verifiers=[attendant])
    rig.choose(BEER)
    rig.shop.enter_pin("0000")
    rig.tick()
    assert not tries.exists()
