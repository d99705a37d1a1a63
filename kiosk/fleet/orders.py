r"""Remote orders: changes of a few settings, signed by the operator, for one machine or all.

An order is JSON text, sent in an envelope with its signature (Ed25519, RFC 8032):

    {"order": "{\"machine\":\"m-17\",\"counter\":12,…}", "signature": "base64"}

The signature covers the order's exact text, after a line that only orders use, so that JSON needs no canonical form.
Each addressee's counter only grows, so that a repeated order has no effect. An order also expires, so that a delayed
one has no effect either.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import AwareDatetime, ConfigDict, Field, ValidationError

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from kiosk.common.strict_model import StrictModel, first_problem
from kiosk.security.file_permissions import read_secret

EVERYBODY = "all"
"""The addressee for all machines."""

LONGEST_LIFE = timedelta(days=90)
"""The longest validity of an order: for this long it could be repeated to a machine that lost its counters."""

_PURPOSE = b"facialnet-kiosk order, version 1\n"


class OrderError(KioskError):
    """An order is refused."""


class _Model(StrictModel):
    model_config = ConfigDict(strict=False)  # `expires` comes as text


class SetPrice(_Model):
    """Sets the price of a slot, in minor units."""

    kind: Literal["price"] = "price"
    slot: Annotated[str, Field(min_length=1, max_length=8)]
    price: Annotated[int, Field(strict=True, ge=1, le=10_000_000)]


class SetOutOfOrder(_Model):
    """Takes the machine out of order, or back into operation."""

    kind: Literal["out_of_order"] = "out_of_order"
    on: Annotated[bool, Field(strict=True)]


class UseEngine(_Model):
    """Switches to an engine in the machine's folder `fleet.engines`; None is the engine of its settings."""

    kind: Literal["engine"] = "engine"
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None


Change = Annotated[Union[SetPrice, SetOutOfOrder, UseEngine], Field(discriminator="kind")]  # noqa: UP007


class Order(_Model):
    """An order: the machine, the change, and until when it is valid."""

    machine: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    counter: Annotated[int, Field(strict=True, ge=1, lt=2**53)]
    expires: AwareDatetime
    set: Change

    def check_time(self, now: datetime) -> None:
        """Raises `OrderError` if the order has expired or is valid for longer than `LONGEST_LIFE`."""
        by_its_clock = f"by this machine's clock of {now:%Y-%m-%d %H:%M}"
        if now >= self.expires:
            raise OrderError(f"it has expired, {by_its_clock}")
        if self.expires - now > LONGEST_LIFE:
            raise OrderError(f"it would be valid for more than {LONGEST_LIFE.days} days, {by_its_clock}")


class _Envelope(_Model):
    order: Annotated[str, Field(strict=True)]
    signature: Annotated[str, Field(strict=True)]


def load_public_key(text: str) -> Ed25519PublicKey:
    """Returns the operator's public key from its 32 bytes in base64. Raises `OrderError`."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise OrderError("it is not an Ed25519 public key: copy the line that `kiosk fleet keygen` prints") from error


def open_envelope(envelope: bytes, key: Ed25519PublicKey) -> Order:
    """Returns the order in an envelope with a valid signature. Raises `OrderError` before anything else is read."""
    try:
        said = _Envelope.model_validate_json(envelope)
        key.verify(base64.b64decode(said.signature, validate=True), _PURPOSE + said.order.encode())
    except (ValidationError, ValueError) as error:
        raise OrderError("it is not an envelope with an order and its signature") from error
    except InvalidSignature as error:
        raise OrderError("its signature is not the operator's") from error
    return parse_order(said.order)


def parse_order(text: str) -> Order:
    """Returns an order from its JSON text. Raises `OrderError`."""
    try:
        return Order.model_validate_json(text)
    except ValidationError as error:
        raise OrderError(first_problem(error)) from error


def sign(order: Order, key: Ed25519PrivateKey) -> bytes:
    """Returns the signed envelope of an order, as JSON."""
    text = order.model_dump_json()
    signature = base64.b64encode(key.sign(_PURPOSE + text.encode())).decode()
    return json.dumps({"order": text, "signature": signature}).encode()


def new_order(machine: str, change: dict[str, Any], counter: int | None, lifetime: timedelta) -> Order:
    """Returns an order that is valid from now on. The default counter is the time in milliseconds.

    Raises `OrderError` for an invalid change or lifetime.
    """
    now = datetime.now(timezone.utc)
    counter = counter or int(now.timestamp() * 1000)
    text = json.dumps({"machine": machine, "counter": counter, "expires": (now + lifetime).isoformat(), "set": change})
    order = parse_order(text)
    order.check_time(now)
    return order


def generate_key(path: Path) -> str:
    """Generates the operator's key, writes it with mode 0600, and returns the public key. Raises `OSError`."""
    key = Ed25519PrivateKey.generate()
    with replace_file(path, mode=0o600) as temporary:
        temporary.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Returns the operator's private key. Raises `SecretFileError`, `OrderError`."""
    try:
        key = load_pem_private_key(read_secret(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise OrderError(f"{path} is not a key of `kiosk fleet keygen`") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise OrderError(f"{path} is not an Ed25519 key")
    return key
