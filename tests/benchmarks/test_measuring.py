"""The parts of a run, each for a moment: they measure what is there and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.bench import answers, running
from benchmarks.bench.processes import children, command, cpu_nanoseconds, cpu_seconds, memory
from benchmarks.bench.scenes import Passage, passage
from benchmarks.bench.stages import STAGES, stages
from benchmarks.bench.strangers import SIZE, drawings, photographs, strangers
from kiosk.inference import Engine, load
from kiosk.vision.capture.source import DEMO
from kiosk.vision.faces.detector import FaceFinder

linux = pytest.mark.skipif(sys.platform != "linux", reason="what processes use is read from Linux's /proc")


@pytest.fixture(scope="module")
def shown() -> Passage:
    return passage(DEMO, FaceFinder(), 10)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = load(cpu_only=True)
    yield engine
    engine.close()


@linux
def test_a_processs_own_figures_are_those_that_others_see() -> None:
    before = time.process_time()
    seen, seen_finely = cpu_seconds(os.getpid()), cpu_nanoseconds(os.getpid()) / 1e9
    assert before <= seen <= seen_finely <= time.process_time()
    used = memory(os.getpid())
    assert 0 < used.proportional <= used.resident


@linux
def test_children_are_found_by_what_they_were_started_as() -> None:
    code = "print('here', flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code, "a mark"], stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()  # the system sets a process's command line a moment after it starts
        assert child.pid in children(os.getpid())
        assert "a mark" in command(child.pid)
        child.communicate(b"\n")
    with pytest.raises(OSError):  # noqa: PT011 — which one depends on how far the system has cleared it away
        memory(child.pid)


def test_from_picture_to_answer(shown: Passage, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "SIZES", ((640, 480),))
    monkeypatch.setattr(answers, "FACES", (2,))
    [row] = answers.answers("a clip", shown, engine, None, rounds=1, paced_seconds=0.3)
    assert (row["clip"], row["width"], row["height"], row["faces"]) == ("a clip", 640, 480, 2)
    assert row["ours"]["faces_a_frame"] == row["ours"]["known_a_frame"] == 2
    assert 0 < row["ours"]["p50_ms"] <= row["ours"]["p95_ms"]
    assert row["alternative"] is row["times_alternative"] is None
    assert 0 < row["paced"]["share_answered"] <= 1
    assert 0 < row["paced"]["p50_ms"] <= row["paced"]["p95_ms"]


@pytest.mark.usefixtures("qapp")
def test_every_stage_is_measured(shown: Passage, engine: Engine) -> None:
    row = stages(shown, 640, 480, 1, engine, frames=6)
    assert row["notes"] == []
    assert list(row["ms"]) == list(STAGES)
    assert min(row["ms"].values()) > 0
    assert row["processor_ms"] > 0


def test_drawings_and_photographs_fill_the_camera(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    cv2.imwrite(str(tmp_path / "wide.png"), np.full((10, 90, 3), 9, np.uint8))
    taken = photographs({"wide": tmp_path / "wide.png", "damaged": tmp_path / "missing.png"})
    assert list(taken) == ["photograph: wide"]
    assert {picture.shape for picture in [*drawings().values(), *taken.values()]} == {(SIZE[1], SIZE[0], 3)}


def test_strangers_are_told_by_the_worst_that_was_said(shown: Passage, engine: Engine) -> None:
    pictures = {"plain": drawings()["plain: 128"], "somebody": shown.pictures[0]}
    said = strangers(pictures, engine, None, seconds=1.0)
    assert said["known"] == ["somebody"]
    assert [row["ours"] for row in said["rows"]] == ["no face", "known"]
    assert said["alternative_answers"] is None


@linux
def test_the_kiosk_is_watched_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SETTLED_AFTER", 0.2)
    running.write_room(tmp_path / "room.avi")
    said = running.watch(tmp_path / "room.avi", 0.2)
    shares = said["share_of_a_core"]
    assert shares["both"] == pytest.approx(shares["vision"] + shares["window"])
    assert min(said["proportional_mb"].values()) > 1


@linux
def test_a_kiosk_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(running.RunningError, match=r"kiosk demo .*missing\.avi"):
        running.watch(tmp_path / "missing.avi", 0.2)
