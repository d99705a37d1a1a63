"""A compiled engine is a program: what is not the very file that was built is refused before TensorRT sees a byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiosk.inference import ManifestError, check, load, load_exactly
from kiosk.inference.manifest import manifest_path, write
from tests.fakes import fake_gpu
from tests.fakes.fake_gpu import FakeGpu, compiled_manifest


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    return fake_gpu.install_fake_gpu(monkeypatch)


@pytest.fixture
def compiled(tmp_path: Path, good_content: bytes) -> Path:
    """A compiled engine with a manifest that is its own, in a folder of its own."""
    path = tmp_path / "engines" / "facialnet-fp16.engine"
    path.parent.mkdir()
    path.write_bytes(good_content)
    write(compiled_manifest(good_content), path)
    return path


def refusal(gpu: FakeGpu, engine: Path) -> str:
    said = set()
    for way in (check, load, load_exactly):
        with pytest.raises(ManifestError) as refused:
            way(engine)
        said.add(str(refused.value))
    assert gpu.log == [], "the GPU was touched"
    (line,) = said
    assert "\n" not in line
    return line


def test_a_whole_engine_is_loaded(gpu: FakeGpu, compiled: Path) -> None:
    engine = load(compiled)
    assert "deserialise" in gpu.log
    assert engine.fault is None
    assert engine.name == "TensorRT 10.3.0.26 (fp32) on Orin (made up)"
    engine.close()


@pytest.mark.proves("engine-damaged")
@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_flipped_bit_is_refused(gpu: FakeGpu, compiled: Path, place: int) -> None:
    content = bytearray(compiled.read_bytes())
    content[place] ^= 1
    compiled.write_bytes(content)
    assert "its SHA-256 differs" in refusal(gpu, compiled)


@pytest.mark.parametrize("kept", [0, 1, 5000])
def test_a_truncated_engine_is_refused(gpu: FakeGpu, compiled: Path, kept: int) -> None:
    compiled.write_bytes(compiled.read_bytes()[:kept])
    assert "its SHA-256 differs" in refusal(gpu, compiled)


def test_another_engines_manifest_is_refused(gpu: FakeGpu, compiled: Path, good_content: bytes) -> None:
    write(compiled_manifest(good_content + b"another"), compiled)
    assert "its SHA-256 differs" in refusal(gpu, compiled)


@pytest.mark.proves("engine-writable")
@pytest.mark.parametrize("which", ["engine", "manifest"])
def test_a_file_that_everybody_may_change_is_refused(gpu: FakeGpu, compiled: Path, which: str) -> None:
    file = compiled if which == "engine" else manifest_path(compiled)
    file.chmod(0o646)
    assert f"everybody may change {file}: run `chmod o-w {file}`" in refusal(gpu, compiled)


def test_a_folder_in_which_everybody_may_replace_files_is_refused(gpu: FakeGpu, compiled: Path) -> None:
    compiled.parent.chmod(0o777)
    assert "everybody may replace the files" in refusal(gpu, compiled)
    compiled.parent.chmod(0o1777)
    load(compiled).close()


@pytest.mark.parametrize("which", ["engine", "manifest"])
def test_a_link_out_of_the_folder_is_refused(gpu: FakeGpu, compiled: Path, tmp_path: Path, which: str) -> None:
    file = compiled if which == "engine" else manifest_path(compiled)
    file.symlink_to(file.rename(tmp_path / "elsewhere"))
    assert f"{file} is a link out of its folder" in refusal(gpu, compiled)


def test_a_link_within_the_folder_is_as_good_as_the_file(compiled: Path) -> None:
    for file in (compiled, manifest_path(compiled)):
        file.symlink_to(file.rename(file.with_name(f"v2-{file.name}")).name)
    assert check(compiled).format == "tensorrt"


def test_the_folder_itself_may_be_a_link(compiled: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(compiled.parent)
    assert check(tmp_path / "current" / compiled.name).format == "tensorrt"


@pytest.mark.parametrize("which", ["engine", "manifest"])
def test_a_pipe_is_refused_and_not_waited_for(gpu: FakeGpu, compiled: Path, which: str) -> None:
    file = compiled if which == "engine" else manifest_path(compiled)
    file.unlink()
    os.mkfifo(file)
    assert "It is not a regular file" in refusal(gpu, compiled)


@pytest.mark.proves("engine-writable")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("which", ["engine", "manifest", "folder"])
def test_what_belongs_to_somebody_else_is_refused(gpu: FakeGpu, compiled: Path, which: str) -> None:
    file = {"engine": compiled, "manifest": manifest_path(compiled), "folder": compiled.parent}[which]
    os.chown(file, 12345, -1)
    assert f"{file} belongs to another user" in refusal(gpu, compiled)


def test_a_device_is_refused(gpu: FakeGpu, compiled: Path) -> None:
    compiled.unlink()
    compiled.symlink_to("/dev/zero")
    assert "It is not a regular file" in refusal(gpu, compiled)


def test_what_is_larger_than_any_engine_is_not_read(gpu: FakeGpu, compiled: Path) -> None:
    os.truncate(manifest_path(compiled), 2**30)
    assert "It is larger than 1 MiB" in refusal(gpu, compiled)


def test_a_name_that_cannot_be_is_refused() -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        check(Path("a\0b"))


def test_a_hostile_manifest_is_one_short_line(gpu: FakeGpu, compiled: Path) -> None:
    path = manifest_path(compiled)
    path.write_text(path.read_text().replace('"0-2"', '"' + "x" * 100_000 + '"'))
    assert len(refusal(gpu, compiled)) < 1000
