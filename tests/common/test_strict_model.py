"""The base of the models, and the text of a validation error."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError, model_validator

from kiosk.common.strict_model import StrictModel, first_problem


class Inner(StrictModel):
    number: int


class Outer(StrictModel):
    inner: Inner

    @model_validator(mode="after")
    def _check(self) -> Outer:
        if self.inner.number == 13:
            raise ValueError("13 is not allowed")
        return self


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"inner": {"number": "7"}}, "inner.number: Input should be a valid integer"),
        ({"inner": {"number": 7, "more": 1}}, "inner.more: Extra inputs are not permitted"),
        ({"inner": {"number": 13}}, "13 is not allowed"),
    ],
)
def test_the_first_problem_names_the_key(data: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Outer.model_validate(data)
    assert first_problem(refused.value) == text


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Inner(number=7).number = 8  # type: ignore[misc]
