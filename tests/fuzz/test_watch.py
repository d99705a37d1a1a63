"""The fuzz tests notice a hang and excessive memory use, and count their inputs."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz import mutations as module
from tests.fuzz import structures, watch
from tests.fuzz.mutations import COUNT, mutations, tried
from tests.fuzz.watch import HangError


def forever() -> None:
    watch.begin(0.01)
    while True:
        pass


def test_an_input_that_hangs_is_found() -> None:
    with pytest.raises(HangError):
        forever()


def test_an_input_that_takes_much_memory_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MOST_GROWTH", 64 << 20)
    inputs = mutations(b"a sample")
    next(inputs)
    assert b"x" * (512 << 20)  # far more than what other tests left can be freed meanwhile
    with pytest.raises(AssertionError, match="input 0 takes more than 64 MiB"):
        next(inputs)


def test_every_input_is_counted_and_the_same_every_time(request: pytest.FixtureRequest) -> None:
    first = list(mutations(b"some words of a sample"))
    assert first == list(mutations(b"some words of a sample"))
    assert first != list(mutations(b"some words of a sample", seed=1))
    assert len(first) == COUNT
    assert tried.pop(f"test_watch.py::{request.node.name}") == 3 * COUNT


@pytest.mark.parametrize("sample", [b'{"a": [1, {"b": null}], "c": "d"}', b"[]", b"1"])
def test_damaged_json_is_still_json(sample: bytes) -> None:
    said = {structures.damage_json(sample, Random(number)) for number in range(50)}
    assert len(said) > 10
    for each in said:
        structures.json.loads(each)


def test_a_length_is_read_back_as_it_was_written() -> None:
    for value in (0, 127, 128, 16_383, 16_384, 2_097_151):
        data = structures._varint(value)
        assert structures._length(b"\0" + data, 1) == (value, 1 + len(data))


def test_every_kind_of_damage_occurs() -> None:
    assert len({module.damage(b"0123456789" * 9, Random(number)) for number in range(100)}) > 80
