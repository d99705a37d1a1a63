"""Two processes under torchrun learn what one would have learnt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.fakes import made_up
from trainer.training.distributed import join_processes

# A network without dropout and batch normalisation, whose steps are the same however a batch is shared.
_TRAIN = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
from torch import nn
import trainer.training.run_folder, trainer.training.train
from tests.fakes.made_up import TinyNet
from trainer.training.augment import Augmentation
from trainer.training.recipe import DEFAULT

class Plain(TinyNet):
    def __init__(self, batch_norm=False, normalise_input=False):
        super().__init__(batch_norm, normalise_input)
        self.trunk[-1] = nn.Identity()

trainer.training.train.FacialNet = trainer.training.run_folder.FacialNet = Plain
torch.set_num_threads(1)
recipe = replace(DEFAULT, epochs=2, batch_size=24, lr=0.02, batch_norm=False, mixed_precision=False, balance=0.5)
trainer.training.train.train([Path(sys.argv[1])], Path(sys.argv[2]), recipe, resume="--resume" in sys.argv)
"""


def run(*command: str | Path, processes: int = 1) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable]
    if processes > 1:
        launcher += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*launcher, *map(str, command)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=300,
    )


def test_two_processes_equal_one(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(_TRAIN)
    folder = made_up.save(tmp_path / "prepared", 160)
    for out, processes in ((tmp_path / "one", 1), (tmp_path / "two", 2)):
        done = run(script, folder, out, processes=processes)
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("one", "two"))
    for kind in ("network", "average"):
        for name, value in one[kind].items():
            torch.testing.assert_close(two[kind][name], value, atol=1e-5, rtol=1e-4)
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("one", "two")]
    assert [len(log) for log in logs] == [2, 2], "every process wrote a log"
    for ours, theirs in zip(*logs, strict=True):
        assert json.loads(ours)["train"] == pytest.approx(json.loads(theirs)["train"], abs=2e-4)


def test_two_processes_refuse_with_one_voice(tmp_path: Path) -> None:
    refused = run("-m", "trainer", "train", tmp_path / "nowhere", "--out", tmp_path / "run", processes=2)
    assert refused.returncode != 0
    assert refused.stderr.count("nowhere is not prepared data") == 1
    assert not (tmp_path / "run").exists()


def test_alone_there_is_one_process() -> None:
    with join_processes() as processes:
        assert (processes.rank, processes.count, processes.is_first) == (0, 1, True)
        assert processes.total(torch.tensor(2.0)) == 2
        network = torch.nn.Linear(1, 1)
        assert processes.wrap(network) is network
        processes.wait()
