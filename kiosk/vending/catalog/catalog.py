"""The catalogue: what each slot sells, read from a TOML file into a validated, immutable object.

    currency = "EUR"

    [[product]]
    slot = "A1"
    price = 180              # minor units: 1.80 EUR
    minimum_age = 0
    capacity = 8
    stock = 8                # at the machine's first start; later the journal has the stock
    picture = "water.svg"    # beside this file, or one of the kiosk's own
    name = { en = "Still water", de = "Stilles Wasser", zh = "矿泉水" }

The current stock is not in the catalogue: the journal's facts add up to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator
from pydantic_core import ErrorDetails

from kiosk.common import toml
from kiosk.common.errors import KioskError
from kiosk.common.strict_model import StrictModel
from kiosk.vending.catalog.currency import PRICES, is_currency

FALLBACK = "en"
"""The language in which every product must have a name."""

_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]{2,4})?", re.ASCII)
_LONGEST_NAME = 255  # NAME_MAX of Linux
_SLOT = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,7}$"


class CatalogError(KioskError):
    """A catalogue cannot be read, or has an invalid value."""


@dataclass(frozen=True)
class Item:
    """What a slot sells, as the sale needs it. `price` is in minor units of `currency`."""

    slot: str
    product: str
    price: int
    currency: str
    minimum_age: int = 0


class Product(StrictModel):
    """What one slot sells. The descriptions of the fields are part of error messages."""

    slot: Annotated[str, Field(pattern=_SLOT)] = Field(
        description="the slot as it is labelled on the machine: up to 8 letters and digits, each slot once"
    )
    name: dict[str, str] = Field(
        description='the product\'s name by language, "en" at least: { en = "Water", de = "Wasser" }'
    )
    price: Annotated[int, Field(ge=PRICES[0], le=PRICES[-1])] = Field(
        description="whole number of minor units of the currency, from 1: 180 is 1.80 EUR"
    )
    minimum_age: Annotated[int, Field(ge=0, le=99)] = Field(
        0, description="years that a customer must have, 0 to 99; 0 sells to everybody"
    )
    picture: str = Field("", description="a picture's file name, beside the catalogue or among the kiosk's own")
    capacity: Annotated[int, Field(ge=1, le=999)] = Field(description="how many products the slot can hold, 1 to 999")
    stock: Annotated[int, Field(ge=0, le=999)] = Field(
        0, description="how many it holds at the machine's very first start, 0 to its capacity"
    )

    @field_validator("name")
    @classmethod
    def _is_named(cls, name: dict[str, str]) -> dict[str, str]:
        if FALLBACK not in name:
            raise ValueError(f"there is no name in {FALLBACK!r}: add one")
        for language, text in name.items():
            if not _LANGUAGE.fullmatch(language):
                raise ValueError(f"{language!r} is not a language: write it like 'en' or 'zh_CN'")
            if not text.strip() or len(text) > 60:
                raise ValueError(f"the name in {language!r} must have 1 to 60 characters")
        return name

    @field_validator("picture")
    @classmethod
    def _is_a_file_name(cls, picture: str) -> str:
        if picture and (PurePosixPath(picture).name != picture or picture.startswith(".")):
            raise ValueError("it must be a file name without a folder")
        if len(picture.encode()) > _LONGEST_NAME:
            raise ValueError(f"a file's name has at most {_LONGEST_NAME} bytes")
        return picture

    @model_validator(mode="after")
    def _fits(self) -> Product:
        if self.stock > self.capacity:
            raise ValueError(f"stock {self.stock} is more than the capacity {self.capacity}")
        return self

    def name_in(self, language: str) -> str:
        """Returns the name in a language such as `zh_CN`, or else in `zh`, or else in English."""
        wanted = language.replace("-", "_")
        names = {key.replace("-", "_"): text for key, text in self.name.items()}
        return names.get(wanted) or names.get(wanted.split("_")[0]) or names[FALLBACK]


class Catalog(StrictModel):
    """What the machine sells, in one currency."""

    currency: str = Field(description="the currency of all prices, by its three letters in ISO 4217: EUR, CNY, JPY")
    product: Annotated[tuple[Product, ...], Field(min_length=1, max_length=200, strict=False)] = Field(
        description="one table [[product]] for each slot, at least one"
    )

    @field_validator("currency")
    @classmethod
    def _is_a_currency(cls, currency: str) -> str:
        if not is_currency(currency):
            raise ValueError("it is no currency code of ISO 4217")
        return currency

    @model_validator(mode="after")
    def _slots_are_different(self) -> Catalog:
        slots = [product.slot for product in self.product]
        if twice := {slot for slot in slots if slots.count(slot) > 1}:
            raise ValueError(f"slot {min(twice)!r} is there twice: each slot has one product")
        return self

    def items(self) -> dict[str, Item]:
        """Returns what the sale needs to know of each product, by slot."""
        return {
            each.slot: Item(each.slot, each.name[FALLBACK], each.price, self.currency, each.minimum_age)
            for each in self.product
        }


def demo_path() -> Path:
    """Returns the path of the catalogue for `kiosk run --demo`."""
    return Path(str(resources.files("kiosk.assets") / "demo" / "catalog.toml"))


def load(path: Path) -> Catalog:
    """Reads and validates a catalogue.

    Raises `CatalogError`, whose one line names the key, the problem, and the values that the key may have.
    """
    catalog = toml.load(path, Catalog, "catalogue", CatalogError, _explain)
    for product in catalog.product:
        if product.picture and picture_path(path, product) is None:
            raise CatalogError(
                f"catalogue {path}: picture = {product.picture!r} of slot {product.slot}: there is no such file "
                "beside the catalogue or among the kiosk's own pictures"
            )
    return catalog


def picture_path(catalog: Path, product: Product) -> Path | None:
    """Returns the file of a product's picture, or None. `catalog` is the catalogue's own path."""
    own = Path(str(resources.files("kiosk.assets") / "products"))
    candidates = (folder / product.picture for folder in (catalog.parent, own))
    return next((file for file in candidates if product.picture and file.is_file()), None)


def _explain(problem: ErrorDetails) -> str:
    keys, fields = list(problem["loc"]), Product.model_fields if len(problem["loc"]) > 1 else Catalog.model_fields
    name = _key_name(keys)
    what = problem["msg"].removeprefix("Value error, ")
    what = f"{what[0].lower()}{what[1:]}"
    key = next((str(key) for key in reversed(keys) if str(key) in fields), None)
    if problem["type"] == "extra_forbidden":
        return f"unknown key {name}; the known keys are {', '.join(fields)}"
    if key is None:
        return f"{name}: {what}" if name else what
    value = "" if problem["type"] == "missing" else f" = {_shorten(problem['input'])}"
    return f"{name}{value}: {what} ({fields[key].description})"


def _key_name(keys: list[str | int]) -> str:
    """Returns a key's name, such as `product 3, price`, with products counted from 1."""
    parts = [
        f"product {keys[1] + 1}" if index == 0 and len(keys) > 1 and isinstance(keys[1], int) else str(key)
        for index, key in enumerate(keys)
        if index != 1 or not isinstance(key, int)
    ]
    return ", ".join([parts[0], ".".join(parts[1:])]) if len(parts) > 1 else "".join(parts)


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
