"""The MDB interface's lines, by the maker's documentation."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kiosk.vending.devices.mdb.protocol import Reader, Refusal, Status, Version, parse_line

SWISS = Reader(3, 1756, 1, 2, 30, 8)


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("d,STATUS,RESET", Status("RESET")),
        ("d,STATUS,INIT,1", Status("INIT", always_idle=True)),
        ("d,STATUS,INIT,0", Status("INIT", always_idle=False)),
        ("d,STATUS,IDLE", Status("IDLE")),
        ("d,STATUS,CREDIT,-1", Status("CREDIT")),
        ("d,STATUS,CREDIT,10.50", Status("CREDIT")),
        ("d,STATUS,VEND", Status("VEND")),
        ("d,STATUS,RESULT,-1", Status("RESULT")),
        ("d,STATUS,RESULT,1,1.50", Status("RESULT", approved=Decimal("1.50"))),
        ("d,STATUS,INIT,1,#,3,1756,1,2,30,8", Status("INIT", always_idle=True, reader=SWISS)),
        ("d,STATUS,VEND,#,3,1756,1,2,30,8", Status("VEND", reader=SWISS)),
        (
            "d,STATUS,RESULT,1,1.50,#,3,1756,1,2,30,8,2",
            Status("RESULT", approved=Decimal("1.50"), reader=Reader(3, 1756, 1, 2, 30, 8, 2)),
        ),
        ('d,ERR,"-1"', Refusal("-1")),
        ("d,ERR,-1", Refusal("-1")),
        ('D,ERR,"cashless master is on"', Refusal("cashless master is on")),
        ('D,ERR,"cashless master is off"', Status("OFF")),
        ("v,4.0.2.0", Version("4.0.2.0")),
    ],
)
def test_a_documented_line_is_understood(line: str, meaning: object) -> None:
    assert parse_line(line) == meaning


@pytest.mark.proves("device-noise")
@pytest.mark.parametrize(
    "line",
    [
        "",
        "d,STATUS",
        "d,STATUS,",
        "d,STATUS,RESULT",
        "d,STATUS,RESULT,1",  # of an approval whose amount was lost
        "d,STATUS,RESULT,1,",
        "d,STATUS,RESULT,1,1.",
        "d,STATUS,RESULT,1,-1.50",
        "d,STATUS,RESULT,-",
        "d,STATUS,IDLE,#,3,1756",
        "d,STATUS,IDLEd,STATUS,IDLE",
        "c,STATUS,IDLE",
        "x" * 200,
    ],
)
def test_what_is_not_whole_is_noise(line: str) -> None:
    assert parse_line(line) is None


def test_an_approval_cut_anywhere_is_no_answer_that_approves_another_amount() -> None:
    whole = "d,STATUS,RESULT,1,10.00,#,3,1978,1,2,30,8"
    for length in range(len(whole)):
        meaning = parse_line(whole[:length])
        assert not (isinstance(meaning, Status) and meaning.is_answer)
