"""A part that falls silent is found, in its own time."""

from __future__ import annotations

import pytest

from kiosk.system.heartbeat import Heartbeat


def test_each_part_has_its_own_patience() -> None:
    heartbeat = Heartbeat({"journal": 10, "vision": 60}, now=100)
    assert heartbeat.silent(110) == ()
    assert heartbeat.silent(110.1) == ("journal",)
    assert heartbeat.silent(161) == ("journal", "vision")


def test_a_sign_of_life_counts_from_when_it_came() -> None:
    heartbeat = Heartbeat({"journal": 10}, now=0)
    heartbeat.beat("journal", 8)
    heartbeat.beat("journal", 5)  # late news changes nothing
    assert heartbeat.silent(18) == ()
    assert heartbeat.silent(18.5) == ("journal",)
    heartbeat.beat("journal", 19)
    assert heartbeat.silent(20) == ()


def test_a_part_that_it_does_not_know_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Heartbeat({"journal": 10}, now=0).beat("window", 1)
