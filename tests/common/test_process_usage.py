"""Reading a process's usage from /proc."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kiosk.common.process_usage import seconds_since_launch, usage

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")


def make_proc(folder: Path, name: str) -> Path:
    place = folder / "7"
    place.mkdir()
    fields = ["S", "1", *("0" for _ in range(9)), "250", "50", *("0" for _ in range(6)), "1000"]
    (place / "stat").write_text(f"7 ({name}) {' '.join(fields)} 0 0\n")
    (place / "smaps_rollup").write_text("5-7 ---p 0 00:00 0 [rollup]\nRss: 900 kB\nPss: 300 kB\nPss_Anon: 200 kB\n")
    return folder


@pytest.mark.parametrize("name", ["python", "a (strange) name) R 9"])
def test_a_process_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    used = usage(7, make_proc(tmp_path, name))
    assert used is not None
    assert used.processor == 300 / os.sysconf("SC_CLK_TCK")
    assert used.memory == 300 * 1024


def test_an_ended_process_has_no_usage(tmp_path: Path) -> None:
    assert usage(7, tmp_path) is None
    assert seconds_since_launch(tmp_path) is None


def test_this_process_has_usage_and_age() -> None:
    used = usage(os.getpid())
    assert used is not None
    assert used.processor > 0
    assert used.memory > 1 << 20
    launched = seconds_since_launch()
    assert launched is not None
    assert launched > 0
