"""The NVIDIA GPU of this machine, asked of its driver: no CUDA package is needed, and no context is made."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from kiosk.inference.base import DriverError

_DRIVER = "libcuda.so.1"
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CUdevice_attribute, in CUDA's cuda.h
_NAME_LENGTH = 128


@dataclass(frozen=True)
class CudaDevice:
    """A GPU."""

    name: str
    capability: str
    """Compute capability: 8.7 for a Jetson Orin."""
    cuda: str
    """The newest CUDA that its driver knows: 12.6."""


def find() -> CudaDevice:
    """The first GPU; `CUDA_VISIBLE_DEVICES` says which that is. Raises `DriverError`."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError as error:
        raise DriverError("this machine has no NVIDIA driver") from error
    _do(driver, "cuInit", 0)
    count, version, device, major, minor = (ctypes.c_int() for _ in range(5))
    _do(driver, "cuDeviceGetCount", ctypes.byref(count))
    if not count.value:
        raise DriverError("the NVIDIA driver finds no GPU")
    _do(driver, "cuDriverGetVersion", ctypes.byref(version))
    _do(driver, "cuDeviceGet", ctypes.byref(device), 0)
    name = ctypes.create_string_buffer(_NAME_LENGTH)
    _do(driver, "cuDeviceGetName", name, _NAME_LENGTH, device)
    _do(driver, "cuDeviceGetAttribute", ctypes.byref(major), _CAPABILITY_MAJOR, device)
    _do(driver, "cuDeviceGetAttribute", ctypes.byref(minor), _CAPABILITY_MINOR, device)
    return CudaDevice(
        name=name.value.decode(errors="replace"),
        capability=f"{major.value}.{minor.value}",
        cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
    )


def find_or_none() -> CudaDevice | None:
    """The first GPU, where there is one."""
    try:
        return find()
    except DriverError:
        return None


def _do(driver: ctypes.CDLL, function: str, *arguments: object) -> None:
    code = getattr(driver, function)(*arguments)
    if code:
        raise DriverError(f"the NVIDIA driver gives no GPU ({function}: error {code}): `nvidia-smi` may say why")
