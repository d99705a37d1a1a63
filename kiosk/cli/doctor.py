"""`kiosk doctor`: checks the camera, serial ports, display, engine and GPU, and advises how to fix each problem."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
import numpy as np

from kiosk.common.errors import KioskError
from kiosk.inference import candidates, gpu, load
from kiosk.inference.base import DriverError
from kiosk.inference.tensorrt import library
from kiosk.system.display_probe import window_problem

Verdict = Literal["ok", "note", "problem"]

_COLOURS: dict[Verdict, str] = {"ok": "green", "note": "yellow", "problem": "red"}
_REQUIRED = ("dlib-bin", "numpy", "onnxruntime", "opencv-python-headless", "PyQt6")
_RUNS = 20  # inferences whose mean time is shown
_GPU_EXTRA = (
    'only TensorRT engines need it: `pip install "facialnet-kiosk[gpu]"`; '
    "on a Jetson, JetPack provides TensorRT: create the environment with --system-site-packages"
)
_NO_ANSWER = "if a device should answer: check that it is powered on, and that docs/hardware.md lists its protocol"


@dataclass(frozen=True)
class Finding:
    """The result of one check: what was checked, how it went, what was found, and what to do."""

    subject: str
    verdict: Verdict
    text: str
    advice: str = ""


def examine(engine: Path | None) -> bool:
    """Runs every check and prints its findings; returns whether none of them is a problem.

    `engine` is the engine to check, or None for the one that the kiosk would choose.
    """
    is_ok = True
    for run_check in _CHECKS:
        for finding in run_check(engine):
            is_ok = is_ok and finding.verdict != "problem"
            click.echo(
                f"{click.style(f'{finding.verdict:8}', _COLOURS[finding.verdict])}{finding.subject}: {finding.text}"
            )
            if finding.advice:
                click.echo(f"        → {finding.advice}")
    return is_ok


def _versions(_: Path | None) -> Iterator[Finding]:
    yield Finding("machine", "ok", f"{platform.machine()}, {platform.system()} {platform.release()}")
    yield Finding("Python", "ok", platform.python_version())
    for name in _REQUIRED:
        version = _version(name)
        if version:
            yield Finding(name, "ok", version)
        else:
            yield Finding(name, "problem", "not installed", "run `make install`, or `pip install facialnet-kiosk`")


def _camera(_: Path | None) -> Iterator[Finding]:
    from kiosk.vision.capture.camera import cameras, gives_frames, stable_name

    devices = cameras()
    if not devices:
        yield Finding("camera", "note", "none found", "plug one in; until then the demo shows its clip")
    for device in devices:
        if gives_frames(device):
            name = stable_name(device)
            advice = f'use this name in the settings, because the number may change: camera.source = "{name}"'
            yield Finding("camera", "ok", f"{device} works", advice if name != device else "")
        else:
            advice = (
                f"another program may use it (see `fuser {device}`), or your user may not be in the group video "
                "(see `groups`)"
            )
            yield Finding("camera", "note", f"{device} gives no frames", advice)


def _ports(_: Path | None) -> Iterator[Finding]:
    from kiosk.system.port_scan import identify_device, list_serial_ports

    ports = list(list_serial_ports())
    if not ports:
        advice = "a machine that sells needs one for its card terminal and one for its dispenser"
        yield Finding("serial ports", "note", "none found", advice)
    for port in ports:
        answer = identify_device(port.path)
        where = f"{port.path} ({port.description})"
        if answer.problem:
            advice = (
                f"another program may use it (see `fuser {port.path}`), or your user may not be in the group dialout "
                "(see `groups`)"
            )
            yield Finding("serial port", "note", f"{where} cannot be opened: {answer.problem}", advice)
        elif answer.terminal:
            advice = f'payment.kind = "mdb", payment.port = "{port.path}"'
            yield Finding("serial port", "ok", f"{where} is an MDB interface: {answer.terminal}", advice)
        elif answer.dispenser:
            advice = f'dispenser.kind = "serial", dispenser.port = "{port.path}"'
            yield Finding("serial port", "ok", f"{where} is a dispenser: {answer.dispenser}", advice)
        else:
            yield Finding("serial port", "note", f"{where}: no known device answers", _NO_ANSWER)


def _display(_: Path | None) -> Iterator[Finding]:
    reason = window_problem()
    if reason:
        yield Finding("display", "note", reason, "without a display, `kiosk demo` runs headless")
    else:
        yield Finding("display", "ok", "a window can be shown")


def _landmarks(_: Path | None) -> Iterator[Finding]:
    from kiosk.vision.faces.dlib_models import landmark_file

    try:
        yield Finding("landmarks", "ok", str(landmark_file()))
    except KioskError as error:
        yield Finding("landmarks", "problem", str(error), "run `make install`")


def _engine(path: Path | None) -> Iterator[Finding]:
    try:
        engine = load(path)
        crops = np.random.default_rng(0).random((1, 1, 75, 75), np.float32)
        engine.infer(crops)  # the first inference also allocates memory
        started = time.perf_counter()
        for _ in range(_RUNS):
            engine.infer(crops)
        milliseconds = (time.perf_counter() - started) / _RUNS * 1000
        engine.close()
    except KioskError as error:
        yield Finding("engine", "problem", str(error), "" if path else "reinstall the kiosk")
        return
    yield Finding("engine", "ok", f"{engine.manifest.precision}, {engine.name}, {milliseconds:.1f} ms a face")
    if engine.fault:
        yield Finding("engine", "note", engine.fault)
    if engine.manifest.accuracy:
        yield Finding("accuracy", "ok", str(engine.manifest.accuracy))
    if path is None:
        for candidate in candidates():
            if candidate.reason_rejected and candidate.path.name not in (engine.fault or ""):
                yield Finding("engine not used", "note", f"{candidate.path}: {candidate.reason_rejected}")


def _gpu(_: Path | None) -> Iterator[Finding]:
    try:
        device = gpu.find()
    except DriverError as error:
        yield Finding("GPU", "note", str(error), "the kiosk does not need one: it runs on the CPU")
        return
    yield Finding("GPU", "ok", f"{device.name}, compute capability {device.capability}, CUDA {device.cuda}")
    libraries = library.libraries()
    if libraries:
        yield Finding("TensorRT", "ok", " and ".join(dict.fromkeys(map(str, libraries))))
    else:
        yield Finding("TensorRT", "note", "not installed", _GPU_EXTRA)
    if importlib.util.find_spec("pycuda"):
        yield Finding("PyCUDA", "ok", _version("pycuda") or "installed")
    else:
        yield Finding("PyCUDA", "note", "not installed", _GPU_EXTRA)
    with contextlib.suppress(KioskError):  # the engine check has reported it already
        yield from _gpu_engine()


def _gpu_engine() -> Iterator[Finding]:
    if not any(candidate.compiled and not candidate.reason_rejected for candidate in candidates()):
        advice = "build one: `trainer build-engine --precision fp16`"
        yield Finding("GPU engine", "note", "none works on this machine", advice)


_CHECKS: tuple[Callable[[Path | None], Iterator[Finding]], ...] = (
    _versions,
    _camera,
    _ports,
    _display,
    _landmarks,
    _engine,
    _gpu,
)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
