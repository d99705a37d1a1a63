"""The journal's exports for accounting, and the commands that write them."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.cli.main import main
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.journal import Entry, Head, Journal
from kiosk.vending.journal.export import build_accounts, text_lines, to_csv, to_json
from kiosk.vending.journal.facts import UNREQUESTED, SaleOpened
from kiosk.vending.sale.events import Cancel, Settle
from tests.fakes.sale_rig import BEER, WATER, Rig


@pytest.fixture
def rig() -> Rig:
    """Runs a day: sold, sold after an ID, jammed, cancelled in the payment, in doubt, and an unrequested payment."""
    rig = Rig()
    for slot, pay, vend in (
        (WATER, Pay.APPROVE, Vend.DROP),
        (BEER, Pay.DECLINE, Vend.DROP),
        (WATER, Pay.APPROVE, Vend.SILENCE),
        (BEER, Pay.APPROVE, Vend.JAM),
    ):
        rig.terminal.default, rig.dispenser.default = pay, vend
        rig.buy(slot, camera=False)
        rig.reader.present(40)
        rig.tick()
        if pay is Pay.DECLINE:
            rig.shop.touch(Cancel())
        rig.after(46)
        rig.after(30)
        rig.after(30)
    rig.shop.operate(Settle(f"{rig.journal.id}-3", dropped=True))
    rig.terminal.authorize("another-1-1", 77, "EUR")
    rig.tick()
    return rig


@pytest.fixture
def path(rig: Rig, tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        for fact in rig.journal.facts:
            journal.append(fact)
    return path


def kiosk(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["journal", *map(str, arguments)])
    return result.exit_code, result.output


def test_every_sale_is_a_row_and_all_money_is_there(rig: Rig) -> None:
    found = build_accounts(rig.journal.entries())
    assert [(each.slot, each.outcome, each.age, each.charged, each.returned, each.dispensed) for each in found] == [
        (WATER, "sold", "not_needed", 180, 0, True),
        (BEER, "cancelled", "id_confirmed", 0, 0, False),
        (WATER, "in_doubt", "not_needed", 180, 180, False),
        (BEER, "refunded", "id_confirmed", 350, 350, False),
        ("", UNREQUESTED, "not_needed", 77, 77, False),
    ]
    assert [bool(each.settled_by_operator) for each in found] == [False, False, True, False, False]
    assert sum(each.charged - each.returned for each in found) == rig.held


def test_the_csv_is_in_major_units(rig: Rig) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(rig.journal.entries()))))
    assert [row["price"] for row in rows[:2]] == ["1.80", "3.50"]
    assert rows[0]["charged"] == "1.80"
    assert rows[0]["dispensed"] == "yes"
    assert rows[0]["references"].startswith("SIM")


@pytest.mark.proves("stick-formula")
@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"])
def test_no_cell_of_the_csv_is_a_formula(name: str) -> None:
    entry = Entry(1, "2026-01-01T12:00:00.000Z", SaleOpened("j-1", "A1", name, 180, "EUR", 0))
    (row,) = csv.DictReader(io.StringIO(to_csv([entry]), newline=""))
    assert row["product"] == f"'{name}"
    assert (row["price"], row["slot"]) == ("1.80", "A1")


def test_the_json_has_every_row_in_minor_units(rig: Rig) -> None:
    document = json.loads(to_json(list(rig.journal.entries()), Head(5, "ab")))
    assert document["head"] == "5:ab"
    assert document["sales"][0]["price"] == 180
    assert [event["kind"] for event in document["events"]] == rig.journal.kinds


def test_the_json_has_a_line_for_each_sale_and_each_row(rig: Rig) -> None:
    entries = list(rig.journal.entries())
    parts = to_json(entries, Head(5, "ab")).splitlines()
    rows = [json.loads(line.rstrip(",")) for line in parts if line.startswith('{"seq"')]
    assert [row["seq"] for row in rows] == [entry.seq for entry in entries]
    assert sum(line.startswith('{"sale"') for line in parts) == len(build_accounts(entries))
    assert json.loads(to_json([], Head(0, "ab"))) == {"head": "0:ab", "sales": [], "events": []}


def test_a_line_leaves_out_what_says_nothing(rig: Rig) -> None:
    assert [line.split()[2] for line in text_lines(rig.journal.entries())] == rig.journal.kinds
    assert not any(line.endswith("=") for line in text_lines(rig.journal.entries()))


@pytest.mark.proves("product-name-forges")
def test_a_name_makes_no_line_of_its_own_and_gives_a_terminal_no_orders() -> None:
    fact = SaleOpened("s-1", "A1", "Wasser\n      8  2026-01-01  sale_closed \x1b[2J\u2028 矿泉水", 180, "EUR", 0)
    (line,) = text_lines([Entry(7, "2026-01-01T12:00:00.000Z", fact)])
    assert line.isprintable()
    assert "\\n      8" in line
    assert "\\x1b[2J" in line
    assert "矿泉水" in line


def test_list_prints_the_last_rows(path: Path, rig: Rig) -> None:
    code, output = kiosk("list", "--journal", path)
    assert (code, len(output.splitlines())) == (0, len(rig.journal.rows))
    assert kiosk("list", "--journal", path, "--last", "2")[1].splitlines() == output.splitlines()[-2:]


def test_the_journal_is_where_the_settings_say(path: Path, tmp_path: Path) -> None:
    settings = tmp_path / "kiosk.toml"
    settings.write_text('[shop]\nstate = "."\n')
    for command in ("list", "export", "verify"):
        code, output = kiosk(command, "--config", settings)
        assert (code, output) == kiosk(command, "--journal", path)
        assert code == 0
        code, output = kiosk(command, "--config", settings, "--journal", path)
        assert code == 2
        assert "give one of them" in output


def test_without_either_it_is_the_journal_of_a_kiosk_without_settings(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["journal", "verify"], env={"XDG_STATE_HOME": str(tmp_path)})
    assert result.exit_code == 1
    assert str(tmp_path / "facialnet-kiosk" / "journal.db") in result.output


@pytest.mark.parametrize(
    ("statement", "found", "missing"),
    [
        ("UPDATE events SET data = replace(data, '180', '1') WHERE seq = 5", "row 5 was changed", 0),
        ("UPDATE events SET data = 'x' WHERE seq = 5", "row 5 was changed", 1),
        ("UPDATE events SET data = x'00' WHERE seq = 5", "row 5 was changed", 1),
        ("UPDATE events SET kind = 'party' WHERE seq = 5", "row 5 was changed", 1),
        ("DELETE FROM events WHERE seq = 5", "row 5 is missing", 1),
    ],
)
def test_list_prints_a_damaged_journal_and_says_so(path: Path, statement: str, found: str, missing: int) -> None:
    whole = kiosk("list", "--journal", path)[1].splitlines()
    with closing(sqlite3.connect(path)) as database:
        for name in ("events_stay", "events_remain"):
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
        database.commit()
    result = CliRunner().invoke(main, ["journal", "list", "--journal", str(path)])
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == len(whole) - missing
    assert found in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_export_writes_a_file_or_prints(path: Path, tmp_path: Path) -> None:
    code, printed = kiosk("export", "--journal", path)
    assert code == 0
    assert printed.startswith("sale,opened,closed,")
    assert kiosk("export", "--journal", path, "--output", tmp_path / "sales.csv") == (0, "")
    assert len((tmp_path / "sales.csv").read_bytes().split(b"\r\n")) == 7
    assert kiosk("export", "--journal", path, "--format", "json", "--output", tmp_path / "sales.json")[0] == 0
    assert json.loads((tmp_path / "sales.json").read_text(encoding="utf-8"))["sales"]


def test_verify_prints_a_head_that_it_takes_back(path: Path) -> None:
    code, head = kiosk("verify", "--journal", path)
    assert code == 0
    assert kiosk("verify", "--journal", path, "--noted", head.strip()) == (0, head)
    code, output = kiosk("verify", "--journal", path, "--noted", f"3:{'0' * 64}")
    assert code == 1
    assert "row 3 is not the one that was noted" in output


@pytest.mark.parametrize("noted", ["", "x", "3", "3:xyz", "-1:00000000", f"3:{'0' * 65}"])
def test_a_head_that_is_none_is_refused(path: Path, noted: str) -> None:
    code, output = kiosk("verify", "--journal", path, "--noted", noted or " ")
    assert code == 1
    assert "is not a journal's head" in output


def test_a_missing_journal_is_one_line(tmp_path: Path) -> None:
    for command in ("list", "export", "verify"):
        code, output = kiosk(command, "--journal", tmp_path / "none.db")
        assert code == 1
        assert output.startswith("Error: there is no journal")
