"""Trains one network in several processes that `torchrun` starts: one for each GPU, or a few on CPUs.

Each process uses its part of every batch, and they average their gradients. So several processes learn the same as one,
except for dropout and, on CPUs, batch normalisation, which each process does by itself. Without `torchrun` there is one
process, and nothing here costs time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from kiosk.common.errors import KioskError

_EXIT_DELAY = 2.0  # seconds


@dataclass(frozen=True)
class Processes:
    """This process's rank, the number of processes, and its device."""

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0

    def wrap(self, network: nn.Module) -> nn.Module:
        """Returns the network with gradients averaged over all processes."""
        if self.count == 1:
            return network
        if self.device.type == "cuda":  # on a CPU, each process normalises by its own part of a batch
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
            return DistributedDataParallel(network, device_ids=[self.device.index])
        return DistributedDataParallel(network)

    def total(self, values: Tensor) -> Tensor:
        """Returns the sum of `values` over all processes."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def wait(self) -> None:
        """Waits until all processes have called this."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def silence_other_processes() -> Iterator[None]:
    """Lets only the first process print, also errors; the others end silently and a little later.

    `torchrun` ends all processes when one has ended, so the first must print its error before. After that, the others
    fail at the next gradient, which is not reported.
    """
    if int(os.environ.get("RANK", 0)) == 0:
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123 a device, not a path
        try:
            yield
        except (KioskError, RuntimeError):
            time.sleep(_EXIT_DELAY)
            sys.exit(1)


@contextmanager
def join_processes() -> Iterator[Processes]:
    """Connects the processes of `torchrun` within the block; yields this process's place among them."""
    rank, count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if count == 1:
        yield Processes(0, 1, device)
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(rank, count, device)
    finally:
        distributed.destroy_process_group()
