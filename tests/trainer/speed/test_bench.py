"""Tests of the comparison of engines: names, figures, notes and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from kiosk.inference import EngineError, ManifestError, check, default_path
from kiosk.inference.base import DriverError
from kiosk.inference.manifest import GENDER_LABELS
from tests.fakes import networks
from tests.fakes.timed import MACHINE, Stage
from trainer.speed import ceiling
from trainer.speed import contenders as bench_contenders
from trainer.speed.bench import bench, measure, random_crops, write_json
from trainer.speed.ceiling import Probe
from trainer.speed.contenders import open_engine, open_torch
from trainer.speed.result import MULTIPLY_ADDS, busy_seconds, cpu_model, machine_facts


@pytest.fixture
def small_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the matrices so small that multiplying them takes no time."""
    monkeypatch.setattr(ceiling, "MATRIX_SIDE", 32)


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return networks.write_engine(tmp_path / "linear.onnx", networks.linear_network().SerializeToString())


# Measuring


def test_figures_follow_from_the_scripted_times() -> None:
    stage = Stage()
    contenders = [stage.contender("slow", lambda n: 2.0 * n), stage.contender("fast", lambda n: 1.0 + n)]
    probe = Probe("float32", "made-up", 1e9, partial(stage.play, "product", 10, 2.0))
    result = measure(contenders, [probe], MACHINE, (8, 1, 1), 5, ["a note"], stage.clock)
    assert result.batches == (1, 8)
    slow, fast = result.rows
    assert [(at.batch, at.median_ms, at.p95_ms) for at in slow.timings] == [(1, 2.0, 2.0), (8, 16.0, 16.0)]
    assert [at.median_ms for at in fast.timings] == [2.0, 9.0]
    assert [result.ratio(fast, batch) for batch in result.batches] == [1.0, pytest.approx(16 / 9)]
    assert fast.best == fast.at(8)
    assert result.ceilings[0].rate == pytest.approx(1e11)
    assert result.share_of_product(fast, "float32") == pytest.approx(MULTIPLY_ADDS * 8 / 0.009 / 1e11)
    assert result.notes == ("a note",)
    assert result.rounds > 1


def test_an_engine_that_fell_back_is_not_measured_under_its_name() -> None:
    stage = Stage()
    contenders = [
        stage.contender("own", lambda _: 1),
        stage.contender("unfit", lambda _: 1, fault=lambda: "there is no driver"),
    ]
    result = measure(contenders, [], MACHINE, (1,), 1, clock=stage.clock)
    assert "unfit 1" not in stage.played
    assert (result.rows[1].fault, result.rows[1].timings) == ("there is no driver", ())
    assert result.notes == ("unfit was not measured: there is no driver",)


def test_an_engine_that_falls_back_while_it_is_timed_has_no_figures() -> None:
    stage = Stage()
    contenders = [
        stage.contender("own", lambda _: 1),
        stage.contender("lost", lambda _: 1, fault=lambda: "the GPU was lost" if stage.time > 5e8 else None),
    ]
    result = measure(contenders, [], MACHINE, (1,), 1, clock=stage.clock)
    assert "lost 1" in stage.played
    assert (result.rows[1].fault, result.rows[1].timings) == ("the GPU was lost", ())


def time_or_raise(faces: int) -> float:
    if faces > 2:
        raise EngineError("at most 2 faces")
    return 1


def test_a_batch_that_an_engine_cannot_run_is_left_out() -> None:
    stage = Stage()
    contenders = [stage.contender("own", lambda _: 1), stage.contender("small", time_or_raise)]
    result = measure(contenders, [], MACHINE, (1, 2, 4), 1, clock=stage.clock)
    assert [at.batch for at in result.rows[1].timings] == [1, 2]
    assert result.notes == ("small does not run at 4: at most 2 faces",)


def test_a_failure_of_the_first_engine_is_an_error() -> None:
    stage = Stage()
    with pytest.raises(EngineError, match="at most 2 faces"):
        measure([stage.contender("own", time_or_raise)], [], MACHINE, (1, 4), 1, clock=stage.clock)


def test_a_note_names_an_engine_that_splits_large_batches() -> None:
    stage = Stage()
    contenders = [stage.contender("own", lambda _: 1), stage.contender("built for 4", lambda _: 1, max_batch=4)]
    assert not measure(contenders, [], MACHINE, (1, 4), 1, clock=stage.clock).notes
    [note] = measure(contenders, [], MACHINE, (1, 8), 1, clock=stage.clock).notes
    assert note == "built for 4 runs at most 4 faces at once: more take several calls"


def test_crops_have_an_engines_shape_and_are_the_same_every_time() -> None:
    crops = random_crops(3)
    assert (crops.shape, crops.dtype) == ((3, 1, 75, 75), np.float32)
    assert 0 <= crops.min() < crops.max() <= 1
    assert (crops == random_crops(3)).all()


# Engines and torch


@pytest.mark.usefixtures("small_probes")
def test_the_kiosks_own_network_comes_first_and_each_file_once(engine: Path, tmp_path: Path) -> None:
    copied = networks.write_engine(tmp_path / "copy.onnx", engine.read_bytes())
    result = bench([engine, default_path(), copied], (1, 2), 0.1)
    assert [row.name for row in result.rows] == ["facialnet.onnx", "linear.onnx", "torch eager"]
    assert result.rows[0].runs_on == "ONNX Runtime on the CPU"
    assert all(row.at(2) for row in result.rows)
    assert result.other_cores is not None
    assert {(each.device, each.kind) for each in result.ceilings} == {("cpu", "float32"), ("cpu", "int8")}


def test_two_engines_of_one_name_are_distinguished_without_their_folders(tmp_path: Path) -> None:
    content = networks.linear_network().SerializeToString()
    (tmp_path / "secret").mkdir()
    other = networks.write_engine(tmp_path / "secret" / "facialnet.onnx", content)
    names = list(bench_contenders.engine_paths([other]))
    assert names == ["facialnet.onnx", f"facialnet.onnx ({check(other).sha256[:8]}…)"]


@pytest.mark.usefixtures("small_probes")
def test_without_torch_its_rows_are_left_out(engine: Path) -> None:
    result = bench([engine], (1,), 0.1, with_torch=False)
    assert [row.name for row in result.rows] == ["facialnet.onnx", "linear.onnx"]
    assert "torch is not measured, because of --no-torch" in result.notes
    assert result.machine["torch"] is None


def test_bench_runs_where_torch_is_not_installed() -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from trainer.speed import ceiling\n"
        "from trainer.speed.bench import bench\n"
        "from trainer.speed.text import markdown\n"
        "ceiling.MATRIX_SIDE = 32\n"
        "print(markdown(bench([], (1,), 0.1)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| facialnet.onnx | ONNX Runtime on the CPU | float32 |" in done.stdout
    assert "torch is not installed here: its rows are left out" in done.stdout


def test_an_engine_that_does_not_run_here_is_a_row_without_figures(
    engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise DriverError("this machine has no NVIDIA driver")

    monkeypatch.setattr(bench_contenders, "load_exactly", refuse)
    contender = open_engine("linear.onnx", engine)
    assert contender.fault() == "this machine has no NVIDIA driver"
    contender.close()


def test_a_damaged_engine_is_an_error(engine: Path) -> None:
    engine.write_bytes(b"another")
    with pytest.raises(ManifestError, match="is not the file that"):
        bench([engine])


def test_torch_returns_probabilities_of_an_engines_shapes() -> None:
    manifest = check(default_path())
    import torch

    answers: Any = open_torch(torch, manifest, "cpu").infer(random_crops(3))
    gender, age = answers
    assert gender.shape == (3, len(GENDER_LABELS))
    assert age.shape == (3, len(manifest.age_groups))
    assert torch.allclose(age.sum(dim=1), torch.ones(3), atol=1e-5)


def test_the_multiply_adds_are_the_networks() -> None:
    graph = onnx.shape_inference.infer_shapes(onnx.load(default_path())).graph
    weights = {each.name: each.dims for each in graph.initializer}
    shapes = {each.name: [side.dim_value for side in each.type.tensor_type.shape.dim] for each in graph.value_info}
    total = 0
    for node in graph.node:
        if node.op_type in {"Conv", "Gemm"}:
            positions = shapes[node.output[0]][2:] if node.op_type == "Conv" else []
            total += int(np.prod([*weights[node.input[1]], *positions]))
    assert total == MULTIPLY_ADDS


# The machine


def test_a_processor_without_a_name_is_named_after_its_board(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")
    assert cpu_model(tmp_path) == "Some CPU @ 2 GHz"
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nCPU part\t: 0xd42\n")
    assert cpu_model(tmp_path)
    (tmp_path / "device-tree").mkdir()
    (tmp_path / "device-tree" / "model").write_bytes(b"NVIDIA Jetson Orin Nano\0")
    assert cpu_model(tmp_path) == "NVIDIA Jetson Orin Nano"


def test_busy_seconds_leave_out_idle_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda _: 100)
    (tmp_path / "stat").write_text("cpu  100 200 300 99999 88888 400 500 600 100 200\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert busy_seconds(tmp_path) == 21.0


def test_the_facts_do_not_contain_the_machines_network_name() -> None:
    import platform

    known = machine_facts(None)
    assert known["onnxruntime"]
    assert known["torch"] is None
    assert not platform.node() or platform.node() not in json.dumps(known)


# JSON


def test_json_holds_every_figure(tmp_path: Path) -> None:
    stage = Stage()
    contenders = [stage.contender("own", lambda _: 2), stage.contender("unfit", lambda _: 1, fault=lambda: "no driver")]
    probes = [Probe("float32", "made-up", 1e9, partial(stage.play, "probe", 10))]
    result = measure(contenders, probes, MACHINE, (1,), 1, clock=stage.clock)
    path = tmp_path / "sub" / "bench.json"
    write_json(result, path)
    written: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert written == result.to_dict()
    assert set(written) == {
        "machine",
        "multiply_adds_per_face",
        "batches",
        "rounds",
        "others_cores",
        "engines",
        "ceilings",
        "notes",
    }
    own, unfit = written["engines"]
    assert own["timings"][0] == {
        "batch": 1,
        "calls": own["timings"][0]["calls"],
        "median_ms": 2.0,
        "p95_ms": 2.0,
        "faces_per_second": 500.0,
        "multiply_adds_per_second": 500.0 * MULTIPLY_ADDS,
        "times_first": 1.0,
    }
    assert own["share_of_float32_product"] == own["share_of_own_product"] == pytest.approx(5 * MULTIPLY_ADDS / 1e9)
    assert (unfit["fault"], unfit["timings"], unfit["share_of_own_product"]) == ("no driver", [], None)
