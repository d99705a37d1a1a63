"""The log: JSON or text, one line for each event; a file of bounded size; uncaught exceptions."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.common import log_setup
from kiosk.common.errors import KioskError

SURPRISE = "from kiosk.common import log_setup\nlog_setup.set_up()\nraise ValueError('two\\nlines')"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    log, hook = logging.getLogger("kiosk"), sys.excepthook
    handlers, level = list(log.handlers), log.level
    yield
    for handler in set(log.handlers) - set(handlers):
        handler.close()
    log.handlers, log.level, sys.excepthook = handlers, level, hook


@pytest.mark.proves("product-name-forges")
def test_systemd_gets_a_line_of_json_for_each_event(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1234")
    log_setup.set_up()
    logging.getLogger("kiosk.vending.shop").error("the disk\nis %s", "full")
    line = json.loads(capsys.readouterr().err)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "error", "source": "kiosk.vending.shop", "message": "the disk\nis full"}


def test_a_person_gets_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    log_setup.set_up()
    log_setup.set_up()  # twice changes nothing
    logging.getLogger("kiosk.ui").info("ready")
    assert capsys.readouterr().err == "kiosk.ui: ready\n"


@pytest.mark.proves("product-name-forges")
def test_control_characters_from_a_device_are_escaped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    log_setup.set_up()
    logging.getLogger("kiosk.vending.mdb").warning("it says %s", "\x1b[2J\rfine \u9b31")
    assert capsys.readouterr().err == "kiosk.vending.mdb: it says \\x1b[2J\\rfine \u9b31\n"


def test_a_file_is_rotated_before_it_grows_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_setup, "MAX_BYTES", 2000)
    log_setup.set_up(tmp_path / "logs" / "kiosk.log")
    for number in range(200):
        logging.getLogger("kiosk").info("line %d", number)
    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == 1 + log_setup.BACKUP_COUNT
    assert all(file.stat().st_size <= 2000 for file in files)
    assert json.loads(files[0].read_text().splitlines()[-1])["message"] == "line 199"


def test_half_a_surrogate_pair_reaches_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.set_up(tmp_path / "kiosk.log")
    logging.getLogger("kiosk").warning("it says %s", "\ud800")
    assert json.loads((tmp_path / "kiosk.log").read_text())["message"] == "it says \ud800"
    assert not capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    with pytest.raises(KioskError, match="cannot be written"):
        log_setup.set_up(tmp_path / "folder" / "kiosk.log")


def test_the_old_log_goes_on_if_the_new_file_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unattended machine logs there why it cannot sell."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1234")
    log_setup.set_up()
    (tmp_path / "file").touch()
    with pytest.raises(KioskError, match="cannot be written"):
        log_setup.set_up(tmp_path / "file" / "kiosk.log")
    logging.getLogger("kiosk.app.unattended").error("the machine cannot sell")
    assert json.loads(capsys.readouterr().err)["message"] == "the machine cannot sell"


@pytest.mark.parametrize("journal", [True, False])
def test_an_uncaught_exception_is_logged(journal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if journal:
        monkeypatch.setenv("JOURNAL_STREAM", "8:1234")
    result = subprocess.run([sys.executable, "-c", SURPRISE], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    if journal:
        line = json.loads(result.stderr)
        assert line["message"] == "ValueError: two\nlines"
        assert "Traceback" in line["traceback"]
    else:
        assert "Traceback" in result.stderr
