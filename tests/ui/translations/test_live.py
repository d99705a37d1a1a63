from __future__ import annotations

import pytest

from kiosk.estimate import AgeGroup
from kiosk.ui.translations.live import LONGEST_FAULT, Strings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.vision.process.messages import VisionState
from tests.fakes.ui import make_estimate, make_face


def test_ages_have_a_typographic_dash(strings: Strings) -> None:
    assert strings.ages(AgeGroup.parse("20-29")) == "20–29"
    assert strings.ages(AgeGroup.parse("60+")) == "60+"


def test_an_unforeseen_gender_label_is_shown_as_it_is(strings: Strings) -> None:
    assert (strings.gender("female"), strings.gender_letter("female")) == ("Female", "F")
    assert (strings.gender("other"), strings.gender_letter("other")) == ("Other", "O")


def test_tags(strings: Strings) -> None:
    known = make_face(estimate=make_estimate())
    assert strings.tag(known) == "Male · 30–39"
    assert strings.short_tag(known) == "M · 30–39"
    for tag in (strings.tag, strings.short_tag):
        assert tag(make_face(status="estimating", estimate=make_estimate())) == "Estimating…"
        assert tag(make_face(status="unknown", estimate=make_estimate())) == "Unknown"


@pytest.mark.parametrize("state", VisionState)
def test_every_state_but_running_has_a_message(strings: Strings, state: VisionState) -> None:
    message = strings.notice(state)
    assert (message is None) == (state is VisionState.RUNNING)
    titles = [notice.title for notice in map(strings.notice, VisionState) if notice]
    assert len(set(titles)) == len(titles)


def test_a_long_fault_is_cut(strings: Strings) -> None:
    assert strings.fault(None) == ""
    assert strings.fault("short") == "short"
    assert strings.fault("x" * 500) == "x" * (LONGEST_FAULT - 1) + "…"


def test_what_is_kept_is_said(strings: Strings) -> None:
    shop_words = ShopStrings()
    assert strings.privacy()[1] == "Nothing is stored."
    assert "counts visitors" not in shop_words.notice()
    strings.counts = shop_words.counts = True
    assert strings.privacy()[1] == "Only hourly counts by age group are kept."
    assert shop_words.notice().endswith("the machine counts visitors per age group and hour.")
