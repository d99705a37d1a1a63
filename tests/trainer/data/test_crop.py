"""The processes that cut crops: real ones, on pictures of people who do not exist."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.vision.capture.source import DEMO, open_source
from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.image import Gray, to_gray
from trainer.data import crop
from trainer.data.crop import CropError, crop_all
from trainer.data.partial_results import Outcome, Part
from trainer.data.prepared import MARGIN


@pytest.fixture(scope="module")
def people() -> Gray:
    """(height, width) a frame with a face."""
    finder = FaceFinder()
    for frame in open_source(DEMO).frames():
        if frame is not None and frame.index % 10 == 0 and finder.detect_in_still(gray := to_gray(frame.image)):
            return gray
    pytest.fail("the demo clip shows no face")


def test_pictures_are_cut_by_other_processes(people: Gray, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "face.png"), people)
    cv2.imwrite(str(tmp_path / "none.png"), np.zeros((90, 90), np.uint8))
    batches = {4: [tmp_path / "face.png", tmp_path / "none.png", tmp_path / "nowhere.png"], 7: [tmp_path / "none.png"]}
    parts: dict[int, Part] = {}
    crop_all(batches, 2, parts.__setitem__)
    assert parts.keys() == {4, 7}
    assert parts[4].outcomes.tolist() == [Outcome.FACE, Outcome.NO_FACE, Outcome.UNREADABLE]
    assert parts[7].outcomes.tolist() == [Outcome.NO_FACE]
    assert parts[7].crops.shape == (0, 99, 99)
    assert parts[4].digests[1].tobytes() == parts[7].digests[0].tobytes()
    np.testing.assert_array_equal(parts[4].crops, [align(people, FaceFinder().detect_in_still(people)[0], MARGIN)])


def test_workers_never_see_an_interrupt() -> None:
    """They would each print a traceback; but the user only needs the parent's."""
    with crop._no_interrupts():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def interrupted() -> None:
        with crop._no_interrupts():
            os.kill(os.getpid(), signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    with pytest.raises(KeyboardInterrupt):
        interrupted()


class _BrokenPool:
    """A pool whose workers are gone."""

    def __enter__(self) -> _BrokenPool:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, *_: object) -> object:
        raise BrokenProcessPool

    def shutdown(self, *, cancel_futures: bool) -> None:
        assert cancel_futures


def test_a_killed_worker_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(crop, "_pool", lambda *_: _BrokenPool())
    with pytest.raises(CropError, match=r"a worker process was killed.*with fewer --workers"):
        crop_all({0: [tmp_path / "face.png"]}, 1, lambda *_: None)
