"""The MDB driver's file of payments."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from kiosk.vending.devices.mdb.payment_store import MOST_PAYMENTS, PaymentRecord, PaymentStore


def test_it_outlives_the_program(tmp_path: Path) -> None:
    path = tmp_path / "state" / "mdb.json"
    assert PaymentStore(path).put("sale-1-1", PaymentRecord("requested", 180, "EUR"))
    again = PaymentStore(path)
    assert again.is_readable
    assert again.open_payment() == ("sale-1-1", PaymentRecord("requested", 180, "EUR"))
    assert again.put("sale-1-1", PaymentRecord("returned", 180, "EUR"))
    assert PaymentStore(path).open_payment() is None
    assert PaymentStore(path).get("sale-1-1") == PaymentRecord("returned", 180, "EUR")
    assert path.stat().st_mode & 0o077 == 0


def test_it_forgets_what_is_long_over(tmp_path: Path) -> None:
    memory = PaymentStore(tmp_path / "mdb.json")
    for number in range(MOST_PAYMENTS + 3):
        memory.put(f"sale-{number}", PaymentRecord("settled", 180, "EUR"))
    assert memory.get("sale-2") is None
    assert memory.get("sale-3") is not None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "payments": []}', '{"version": 1, "payments": [["a", "paid", 1, "EUR"]]}']
)
def test_a_file_that_says_nothing_sensible_is_no_empty_one(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mdb.json").write_text(text)
    with caplog.at_level(logging.ERROR):
        assert not PaymentStore(tmp_path / "mdb.json").is_readable
    assert "cannot be read" in caplog.text


def test_what_cannot_be_written_was_not_put(tmp_path: Path) -> None:
    (tmp_path / "mdb.json").mkdir()
    memory = PaymentStore(tmp_path / "mdb.json")
    assert not memory.put("sale-1", PaymentRecord("requested", 180, "EUR"))
    assert memory.get("sale-1") is None
    assert not memory.put("sale-1", PaymentRecord("returned", 180, "EUR"))
    assert memory.get("sale-1") == PaymentRecord("returned", 180, "EUR")
