"""The catalogue's valid contents, and the one-line errors for invalid ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from kiosk.vending.catalog.catalog import Catalog, CatalogError, Product, demo_path, load, picture_path
from kiosk.vending.catalog.currency import is_currency, minor_digits, numeric_code, to_major_units

GOOD: dict[str, Any] = {"slot": '"A1"', "name": '{ en = "Water" }', "price": "180", "capacity": "8", "stock": "8"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.toml"


def text(*changes: dict[str, str], currency: str = '"EUR"') -> str:
    """Returns a catalogue with one product for each argument. A key with an empty value is left out."""
    tables = [f"currency = {currency}" if currency else ""]
    for number, change in enumerate(changes, 1):
        keys = {**GOOD, "slot": f'"A{number}"', **change}
        tables.append("[[product]]\n" + "\n".join(f"{key} = {value}" for key, value in keys.items() if value))
    return "\n\n".join(tables) + "\n"


def refusal(path: Path, content: str | bytes) -> str:
    """Returns the error line for `content`, which starts with the file's name."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CatalogError) as caught:
        load(path)
    line = str(caught.value)
    assert "\n" not in line
    assert "http" not in line
    assert line.startswith(f"catalogue {path}")
    return line.removeprefix(f"catalogue {path}").removeprefix(": ")


def test_a_catalogue_is_read(path: Path) -> None:
    (path.parent / "beer.png").touch()
    path.write_text(
        text({}, {"minimum_age": "16", "picture": '"beer.png"', "name": '{ en = "Beer", de = "Bier", zh = "啤酒" }'}),
        encoding="utf-8",
    )
    catalog = load(path)
    water, beer = catalog.product
    assert (water.slot, water.price, water.minimum_age, water.capacity, water.stock) == ("A1", 180, 0, 8, 8)
    assert picture_path(path, water) is None
    assert picture_path(path, beer) == path.parent / "beer.png"
    assert catalog.items()["A2"].minimum_age == 16
    assert catalog.items()["A2"].currency == "EUR"


def test_a_name_falls_back_to_english() -> None:
    product = Product(slot="A1", name={"en": "Beer", "zh": "啤酒", "de-AT": "Bier"}, price=1, capacity=1)
    assert [product.name_in(language) for language in ("zh_CN", "zh", "de_AT", "de", "fr", "en_GB")] == [
        "啤酒", "啤酒", "Bier", "Beer", "Beer", "Beer"
    ]  # fmt: skip


def test_nothing_in_it_can_be_changed(path: Path) -> None:
    path.write_text(text({}))
    with pytest.raises(ValidationError, match="frozen"):
        load(path).product[0].price = 1  # type: ignore[misc]


@pytest.mark.parametrize("model", [Catalog, Product])
def test_every_key_has_a_meaning(model: type[Catalog] | type[Product]) -> None:
    assert all(field.description for field in model.model_fields.values())


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("price", "1.80", "valid integer"),
        ("price", "0", "greater than or equal to 1"),
        ("price", "-5", "greater than or equal to 1"),
        ("price", "10000001", "less than or equal to 10000000"),
        ("price", "true", "valid integer"),
        ("price", '"180"', "valid integer"),
        ("minimum_age", "-1", "greater than or equal to 0"),
        ("minimum_age", "100", "less than or equal to 99"),
        ("minimum_age", "18.0", "valid integer"),
        ("capacity", "0", "greater than or equal to 1"),
        ("capacity", "1000", "less than or equal to 999"),
        ("stock", "-1", "greater than or equal to 0"),
        ("slot", '""', "pattern"),
        ("slot", '"A 1"', "pattern"),
        ("slot", '"../../x"', "pattern"),
        ("slot", "1", "valid string"),
        ("name", '"Water"', "valid dictionary"),
        ("name", '{ de = "Wasser" }', "no name in 'en'"),
        ("name", '{ en = "Water", german = "Wasser" }', "'german' is not a language"),
        ("name", '{ en = " " }', "1 to 60 characters"),
        ("name", f'{{ en = "{"x" * 61}" }}', "1 to 60 characters"),
        ("picture", '"../../etc/passwd"', "without a folder"),
        ("picture", '".."', "without a folder"),
        ("picture", f'"{"ü" * 128}"', "at most 255 bytes"),
        ("picture", '"a/b.svg"', "without a folder"),
    ],
)
def test_a_bad_value_is_explained(path: Path, key: str, value: str, why: str) -> None:
    line = refusal(path, text({}, {key: value}))
    assert line.startswith(f"product 2, {key}")
    assert why in line
    description = Product.model_fields[key].description
    assert description
    assert description in line


@pytest.mark.parametrize("key", ["slot", "name", "price", "capacity"])
def test_a_missing_key_is_named_with_its_meaning(path: Path, key: str) -> None:
    line = refusal(path, text({key: ""}))
    assert line.startswith(f"product 1, {key}: field required (")
    assert str(Product.model_fields[key].description) in line


def test_a_value_inside_a_table_is_named(path: Path) -> None:
    assert refusal(path, text({"name": '{ en = "Water", de = 5 }'})).startswith("product 1, name.de = 5: ")


def test_an_unknown_key_is_named_beside_the_ones_there_are(path: Path) -> None:
    assert refusal(path, text({"prize": "180"})) == (
        "unknown key product 1, prize; the known keys are slot, name, price, minimum_age, picture, capacity, stock"
    )
    assert refusal(path, "shop = 1\n" + text({})) == "unknown key shop; the known keys are currency, product"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (text({}, currency='"EURO"'), "currency = 'EURO': it is no currency code of ISO 4217"),
        (text({}, currency='"eur"'), "currency = 'eur': it is no currency code of ISO 4217"),
        (text({}, currency="978"), "currency = 978: input should be a valid string"),
        (text({}, currency=""), "currency: field required"),
        (text(), "product: field required (one table [[product]] for each slot"),
        ('currency = "EUR"\nproduct = []\n', "product = []: tuple should have at least 1 item"),
        ('currency = "EUR"\nproduct = 5\n', "product = 5: input should be a valid tuple"),
        ('currency = "EUR"\nproduct = [5]\n', "product 1: input should be a valid dictionary"),
        (text({"slot": '"B1"'}, {"slot": '"B1"'}), "slot 'B1' is there twice"),
        (text({}, {"stock": "9"}), "product 2: stock 9 is more than the capacity 8"),
        (text({"picture": '"none.svg"'}), "picture = 'none.svg' of slot A1: there is no such file"),
        ("[[product]", "not valid TOML"),
        ("", "currency: field required"),
        (text({}).replace("Water", "Größe").encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_bad_catalogue_is_explained(path: Path, content: str | bytes, why: str) -> None:
    assert why in refusal(path, content)


def test_a_long_value_is_cut(path: Path) -> None:
    assert len(refusal(path, text({"price": f'"{"9" * 5000}"'}))) < 400


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"none\.toml cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_the_demo_sells_something_for_every_path_through_the_sale() -> None:
    catalog = load(demo_path())
    assert {product.minimum_age for product in catalog.product} >= {0, 16, 18}
    assert {0} < {product.stock for product in catalog.product}  # one is sold out
    for product in catalog.product:
        assert {"en", "de", "zh"} <= product.name.keys()
        picture = picture_path(demo_path(), product)
        assert picture is not None
        root = ElementTree.parse(picture).getroot()
        assert root.get("viewBox")
        assert not [each for each in root.iter() if each.tag.endswith(("image", "text", "script"))]


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (180, "EUR", "1.80"),
        (5, "EUR", "0.05"),
        (0, "EUR", "0.00"),
        (-180, "EUR", "-1.80"),
        (180, "JPY", "180"),
        (180, "KWD", "0.180"),
        (1234567, "CNY", "12345.67"),
    ],
)
def test_an_amount_is_shown_with_its_currencys_digits(amount: int, currency: str, shown: str) -> None:
    assert str(to_major_units(amount, currency)) == shown


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("IQD", 3), ("MGA", 2)])
def test_minor_digits_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(("currency", "number"), [("EUR", 978), ("AUD", 36), ("CNY", 156), ("RON", 946)])
def test_numbers_are_those_of_iso_4217(currency: str, number: int) -> None:
    assert numeric_code(currency) == number


def test_what_is_no_currency_has_no_digits() -> None:
    for code in ("", "eur", "EURO", "XAU", "XXX", "DEM"):
        assert not is_currency(code)
    with pytest.raises(KeyError):
        minor_digits("DEM")
