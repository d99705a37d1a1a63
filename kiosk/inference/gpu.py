"""Finds the NVIDIA GPU of this machine through its driver. It needs no CUDA package and creates no context."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from kiosk.inference.base import DriverError

_DRIVER = "libcuda.so.1"
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CUdevice_attribute, in CUDA's cuda.h
_NAME_LENGTH = 128


@dataclass(frozen=True)
class CudaDevice:
    """An NVIDIA GPU and its driver."""

    name: str
    capability: str
    """The compute capability, such as 8.7 for a Jetson Orin."""
    cuda: str
    """The newest CUDA version that the driver supports, such as 12.6."""


def find() -> CudaDevice:
    """Returns the first GPU, in the order of `CUDA_VISIBLE_DEVICES`. Raises `DriverError` if there is none."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError as error:
        raise DriverError("this machine has no NVIDIA driver") from error
    _call(driver, "cuInit", 0)
    count, version, device, major, minor = (ctypes.c_int() for _ in range(5))
    _call(driver, "cuDeviceGetCount", ctypes.byref(count))
    if not count.value:
        raise DriverError("the NVIDIA driver finds no GPU")
    _call(driver, "cuDriverGetVersion", ctypes.byref(version))
    _call(driver, "cuDeviceGet", ctypes.byref(device), 0)
    name = ctypes.create_string_buffer(_NAME_LENGTH)
    _call(driver, "cuDeviceGetName", name, _NAME_LENGTH, device)
    _call(driver, "cuDeviceGetAttribute", ctypes.byref(major), _CAPABILITY_MAJOR, device)
    _call(driver, "cuDeviceGetAttribute", ctypes.byref(minor), _CAPABILITY_MINOR, device)
    return CudaDevice(
        name=name.value.decode(errors="replace"),
        capability=f"{major.value}.{minor.value}",
        cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
    )


def find_or_none() -> CudaDevice | None:
    """Returns the first GPU, or None if there is none."""
    try:
        return find()
    except DriverError:
        return None


def _call(driver: ctypes.CDLL, function: str, *arguments: object) -> None:
    code = getattr(driver, function)(*arguments)
    if code:
        raise DriverError(f"the NVIDIA driver gives no GPU ({function}: error {code}): `nvidia-smi` may say why")
