"""What holds for every test: Qt without a screen, a home of its own, and why a test is skipped."""

import importlib
import os
import tempfile
import warnings
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import pytest

from kiosk.inference.tensorrt.library import MODULES, TensorRTLibrary, libraries
from tests.fuzz.mutations import tried

# pytest-qt imports Qt, and matplotlib looks for its settings, when they are first imported: all this comes before.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_home = tempfile.TemporaryDirectory(prefix="kiosk-tests-", ignore_cleanup_errors=True)
for _kind in ("CONFIG", "DATA", "STATE", "CACHE"):
    os.environ[f"XDG_{_kind}_HOME"] = str(Path(_home.name, _kind.lower()))
os.environ.setdefault("XDG_RUNTIME_DIR", _home.name)  # Qt warns without one, and a warning fails a test


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Of the processes that share a run, the first says it all."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["tried"] = tried


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object, error: object) -> None:  # noqa: ARG001 - pytest-xdist's
    tried.update(getattr(node, "workeroutput", {}).get("tried", {}))


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """What one process tells another of a test has to be text; a test of what is none logs it, or fails with it."""
    return _as_text((yield))


def _as_text(told: Any) -> Any:
    match told:
        case str():
            return told.encode(errors="backslashreplace").decode()
        case dict():
            return {name: _as_text(each) for name, each in told.items()}
        case list() | tuple():
            return type(told)(_as_text(each) for each in told)
    return told


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many damaged inputs the fuzz tests tried; of each kind where `FUZZ` asks for many."""
    if not tried:
        return
    terminalreporter.write_line(f"{len(tried)} kinds of damaged input, at least {min(tried.values())} of each")
    if "FUZZ" in os.environ:
        for kind, count in sorted(tried.items()):
            terminalreporter.write_line(f"{count:7} {kind}")


@pytest.fixture(autouse=True)
def _loops_turn(request: pytest.FixtureRequest) -> None:
    """Lets Qt's event loops run in every test. A second request to quit would otherwise also end later loops.

    Until the application's loop has ended once more, `qtbot` would wait in vain.
    """
    if "qtbot" in request.fixturenames:
        from PyQt6.QtCore import QTimer

        application = request.getfixturevalue("qapp")
        QTimer.singleShot(0, application.quit)
        application.exec()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of ten frames at 10 a second, each of its own gray."""
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    for level in range(10):
        writer.write(np.full((48, 64, 3), 20 * level, np.uint8))
    writer.release()
    return path


@pytest.fixture(params=MODULES)
def library(request: pytest.FixtureRequest) -> TensorRTLibrary:
    """A real TensorRT, by each of the modules that it may come with; for tests marked `tensorrt`."""
    found = {each.module.__name__: each for each in libraries()}
    if request.param not in found:
        _do_without_tensorrt(f"no {request.param}: {_why_not(request.param)}")
    return found[request.param]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and (reason := _why_no_gpu()):
        pytest.skip(reason)
    if item.get_closest_marker("tensorrt") and not libraries():
        _do_without_tensorrt("no TensorRT: " + "; ".join(f"{module}: {_why_not(module)}" for module in MODULES))


def _do_without_tensorrt(reason: str) -> NoReturn:
    """Skips a test. Where TensorRT was set up for the tests, as .ci/run does, it fails."""
    if os.environ.get("REQUIRE_TENSORRT"):
        pytest.fail(f"REQUIRE_TENSORRT is set, but {reason}", pytrace=False)
    pytest.skip(reason)


@cache
def _why_no_gpu() -> str | None:
    try:
        import pycuda.driver as cuda
    except ImportError as error:
        return f"no GPU: pycuda cannot be imported ({error})"
    try:
        cuda.init()
    except cuda.Error as error:
        return f"no GPU: {error}"
    return None if cuda.Device.count() else "no GPU: the driver lists none"


@cache
def _why_not(module: str) -> str:
    """Why a TensorRT cannot be used."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(module)
    except (ImportError, OSError, RuntimeError) as error:
        return str(error)
    return "it has no library"
