"""Several processes that train one network, as `torchrun` starts them: one a GPU, or a few on CPUs.

Each takes its share of every batch and they average their gradients, so that two processes learn what
one would have learnt, but for dropout, and on CPUs for batch normalisation, which are each share's own.
Started without `torchrun` there is one process, and nothing here costs anything.
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

_PATIENCE = 2.0  # seconds


@dataclass(frozen=True)
class Processes:
    """Who this process is among how many."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def wrapped(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over all processes."""
        if self.count == 1:
            return network
        if self.device.type == "cuda":  # on a CPU each process normalises by its own share of a batch
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
            return DistributedDataParallel(network, device_ids=[self.device.index])
        return DistributedDataParallel(network)

    def total(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def silence_other_processes() -> Iterator[None]:
    """Of several processes only the first prints and says why it ends; the others end a little later.

    `torchrun` ends them all as soon as one has ended, and the first must have spoken by then. Once it
    is gone the others fail at the next gradient, of which there is nothing to say.
    """
    if int(os.environ.get("RANK", 0)) == 0:
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123 a device, not a path
        try:
            yield
        except (KioskError, RuntimeError):
            time.sleep(_PATIENCE)
            sys.exit(1)


@contextmanager
def joined() -> Iterator[Processes]:
    """Joins the processes that `torchrun` started, for as long as the block runs."""
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
