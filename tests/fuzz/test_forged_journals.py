"""With a journal of correct hashes and nonsense rows, the machine starts and deletes nothing."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.vending import journal as journals
from kiosk.vending.journal import Journal, quarantine
from kiosk.vending.journal.facts import JournalReplaced
from kiosk.vending.journal.ledger import fold
from kiosk.vending.journal.recovery import make_checkpoint, rebuild_ledger, recovery_facts
from tests.fakes.sale_rig import BEER, WATER, Rig
from tests.fuzz.forged import forge
from tests.fuzz.mutations import rounds
from tests.fuzz.test_journals import readable_rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two journals of two finished sales and an open one; the second journal has a checkpoint."""
    rig = Rig()
    for slot in (WATER, BEER):
        rig.buy(slot)
        rig.tick(5)
        rig.after(60)
    rig.buy(WATER)
    paths = []
    for more in ([], [make_checkpoint(fold(rig.journal.facts))]):
        paths.append(tmp_path_factory.mktemp("whole") / "journal.db")
        with closing(Journal(paths[-1])) as journal:
            for fact in (*rig.journal.facts, *more):
                journal.append(fact)
    return paths


@pytest.mark.proves("state-spoilt")
def test_the_machine_starts_with_forged_rows(tmp_path: Path, whole: list[Path]) -> None:
    replaced = 0
    for random in rounds():
        state = tmp_path / "state"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        path = state / "journal.db"
        shutil.copy(random.choice(whole), path)
        forge(path, random)
        before = path.read_bytes()
        readable = readable_rows(path)
        with closing(quarantine.open_journal(path)) as journal:
            for fact in recovery_facts(rebuild_ledger(journal)):
                journal.append(fact)
            if list(journal.of_kind(JournalReplaced)) and path.read_bytes() != before:
                (folder,) = state.glob("journal-damaged-*")
                assert readable_rows(folder / "journal.db") == readable
                replaced += 1
        journals.verify(path)
    assert replaced
