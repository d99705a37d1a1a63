"""`kiosk doctor`: what this machine has, what the kiosk lacks, and what to do about it."""

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
from kiosk.system.display_probe import why_no_window

Verdict = Literal["ok", "note", "problem"]

_COLOURS: dict[Verdict, str] = {"ok": "green", "note": "yellow", "problem": "red"}
_REQUIRED = ("dlib-bin", "numpy", "onnxruntime", "opencv-python-headless", "PyQt6")
_RUNS = 20
_GPU_EXTRA = (
    'only TensorRT engines need it: `pip install "facialnet-kiosk[gpu]"`; '
    "a Jetson has TensorRT from JetPack, in an environment made with --system-site-packages"
)


_NO_ANSWER = "if something should: is it powered, and does it speak what docs/hardware.md says?"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    verdict: Verdict
    text: str
    advice: str = ""


def examine(engine: Path | None) -> bool:
    """Prints every finding; False where one is a problem."""
    sound = True
    for look in _LOOKS:
        for finding in look(engine):
            sound = sound and finding.verdict != "problem"
            click.echo(
                f"{click.style(f'{finding.verdict:8}', _COLOURS[finding.verdict])}{finding.subject}: {finding.text}"
            )
            if finding.advice:
                click.echo(f"        → {finding.advice}")
    return sound


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
    from kiosk.vision.capture.camera import cameras, gives_picture
    from kiosk.vision.capture.camera_names import stable_name

    devices = cameras()
    if not devices:
        yield Finding("camera", "note", "none", "plug one in; until then the demo shows its clip")
    for device in devices:
        if gives_picture(device):
            name = stable_name(device)
            advice = f'name it so in the settings, its number may change: camera.source = "{name}"'
            yield Finding("camera", "ok", f"{device} gives a picture", advice if name != device else "")
        else:
            advice = f"another program may hold it (`fuser {device}`), or you may lack the right (`groups` wants video)"
            yield Finding("camera", "note", f"{device} gives no picture", advice)


def _ports(_: Path | None) -> Iterator[Finding]:
    from kiosk.system.port_scan import found, what_answers

    ports = list(found())
    if not ports:
        advice = "a card terminal or a dispenser of a machine that sells is plugged into one"
        yield Finding("serial ports", "note", "none", advice)
    for port in ports:
        answer = what_answers(port.path)
        where = f"{port.path} ({port.description})"
        if answer.trouble:
            advice = (
                f"another program may hold it (`fuser {port.path}`), or you may lack the right (`groups` wants dialout)"
            )
            yield Finding("serial port", "note", f"{where} cannot be opened: {answer.trouble}", advice)
        elif answer.terminal:
            advice = f'payment.kind = "mdb", payment.port = "{port.path}"'
            yield Finding("serial port", "ok", f"{where} is an MDB interface: {answer.terminal}", advice)
        elif answer.dispenser:
            advice = f'dispenser.kind = "serial", dispenser.port = "{port.path}"'
            yield Finding("serial port", "ok", f"{where} is a dispenser: {answer.dispenser}", advice)
        else:
            yield Finding("serial port", "note", f"{where}: nothing that the kiosk knows answers", _NO_ANSWER)


def _display(_: Path | None) -> Iterator[Finding]:
    reason = why_no_window()
    if reason:
        yield Finding("display", "note", reason, "without one, `kiosk demo` goes headless")
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
        engine.infer(crops)  # the first run allocates
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
            if candidate.why_not and candidate.path.name not in (engine.fault or ""):
                yield Finding("engine passed over", "note", f"{candidate.path}: {candidate.why_not}")


def _gpu(_: Path | None) -> Iterator[Finding]:
    try:
        device = gpu.find()
    except DriverError as error:
        yield Finding("GPU", "note", str(error), "none is needed: the kiosk runs on the CPU")
        return
    yield Finding("GPU", "ok", f"{device.name}, compute capability {device.capability}, CUDA {device.cuda}")
    found = library.libraries()
    if found:
        yield Finding("TensorRT", "ok", " and ".join(dict.fromkeys(map(str, found))))
    else:
        yield Finding("TensorRT", "note", "not installed", _GPU_EXTRA)
    if importlib.util.find_spec("pycuda"):
        yield Finding("PyCUDA", "ok", _version("pycuda") or "installed")
    else:
        yield Finding("PyCUDA", "note", "not installed", _GPU_EXTRA)
    with contextlib.suppress(KioskError):  # what is wrong with the network was said before
        yield from _gpu_engine()


def _gpu_engine() -> Iterator[Finding]:
    if not any(candidate.compiled and not candidate.why_not for candidate in candidates()):
        advice = "build one: `trainer build-engine --precision fp16`"
        yield Finding("GPU engine", "note", "none fits this machine", advice)


_LOOKS: tuple[Callable[[Path | None], Iterator[Finding]], ...] = (
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
