"""Nothing of a face is written anywhere: a whole sale with consent and age check, and an eye on every file."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.file_watch import Watch, written_by
from tests.support.sandbox import MAY_BE_WRITTEN, environment_in

PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"WEBPVP8", b"ftyp", b"\x93NUMPY")
OF_A_FACE = ("gender", "female", "estimate", "probabilit", "expected", "track", "box", "quality", "landmark", "face")


@dataclass(frozen=True)
class Seen:
    """What came of the sale."""

    report: dict[str, Any]
    written: set[str]
    """Within the sandbox, whenever."""
    contents: dict[str, bytes]
    """Of each file there at the receipt."""
    sandbox: Path
    errors: Path
    """Where standard error went."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    sandbox = tmp_path_factory.mktemp("sandbox")
    environment = environment_in(sandbox)
    watch = Watch(sandbox)
    report_path = tmp_path_factory.mktemp("report") / "report.json"
    errors_path = report_path.with_name("errors")
    errors = errors_path.open("wb")  # no pipe: an end of it that a lost process held would be waited for
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.privacy_child", str(sandbox), str(report_path)],
        env=environment,
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )
    try:
        while child.poll() is None:
            watch.look()
            time.sleep(0.002)
        assert child.returncode == 0, errors_path.read_text(encoding="utf-8")
        report = json.loads(report_path.read_text(encoding="utf-8"))
        contents = {name: bytes.fromhex(content) for name, content in report.pop("found").items()}
        yield Seen(report, {str(path.relative_to(sandbox)) for path in watch.look()}, contents, sandbox, errors_path)
    finally:
        child.kill()
        child.wait()
        errors.close()
        watch.close()


def test_a_whole_sale_was_seen(seen: Seen) -> None:
    phases = seen.report["phases"]
    wanted = ["attract", "browsing", "selected", "age_check", "paying", "dispensing", "done", "attract"]
    assert [phase for phase in phases if phase != "ask_id"] == wanted
    assert seen.report["estimates"] > 0
    assert any(name.endswith("journal.db") for name in seen.written)


def test_nobody_was_estimated_before_they_consented(seen: Seen) -> None:
    assert seen.report["faces"] > 0
    assert seen.report["estimates before consent"] == 0


def test_nothing_but_the_journal_and_its_like_was_written(seen: Seen) -> None:
    strange = [name for name in seen.written if not any(re.fullmatch(each, name) for each in MAY_BE_WRITTEN)]
    assert strange == []


def test_no_file_was_open_for_writing_but_the_picture_in_memory(seen: Seen) -> None:
    outside = [
        path
        for path in seen.report["open"]
        if not path.startswith((str(seen.sandbox), str(seen.errors), "/dev/shm/psm_", "/memfd:"))
        and not path.endswith("/oom_score_adj")  # what the kernel is told of a process, and no file
    ]
    assert outside == []
    shared = [path for path in seen.report["open"] if path.startswith("/dev/shm/")]
    assert shared
    assert not any(Path(path).exists() for path in shared)


@pytest.mark.proves("theft-pictures")
def test_no_file_holds_a_picture(seen: Seen) -> None:
    for name, content in seen.contents.items():
        if not name.endswith(".svm"):
            assert not any(re.search(re.escape(mark).replace(rb"\.\.\.\.", b"...."), content) for mark in PICTURES), (
                name
            )
            assert len(content) < 200_000, name


@pytest.mark.proves("theft-faces")
def test_the_journal_holds_no_estimate(seen: Seen, tmp_path: Path) -> None:
    for name, content in seen.contents.items():
        if "journal.db" in name:
            (tmp_path / Path(name).name).write_bytes(content)
    database = sqlite3.connect(tmp_path / "journal.db")
    rows = [(kind, json.loads(data)) for kind, data in database.execute("SELECT kind, data FROM events ORDER BY seq")]
    database.close()
    (cleared,) = [data for kind, data in rows if kind == "age_cleared"]
    assert cleared.keys() == {"sale", "result", "by"}
    assert (cleared["result"], cleared["by"]) in {("passed", ""), ("id_confirmed", "reader")}
    assert "sale_opened" in [kind for kind, _ in rows]
    for kind, data in rows:
        assert not any(isinstance(value, float) for value in data.values()), kind
        words = f"{kind} {json.dumps(data)}".lower()
        assert not [word for word in OF_A_FACE if word in words], words


def test_a_file_that_is_gone_at_once_is_noticed(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    try:
        (tmp_path / "folder").mkdir()
        watch.look()
        secret = tmp_path / "folder" / "face.png"
        secret.write_bytes(b"\x89PNG\r\n")
        secret.unlink()
        assert watch.look() == {secret}
    finally:
        watch.close()


def test_a_file_that_is_open_for_writing_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "frame.raw"
    path.touch()
    with path.open("rb"):
        assert str(path) not in written_by(os.getpid())
    with path.open("wb"):
        assert str(path) in written_by(os.getpid())
