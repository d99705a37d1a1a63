r"""Orders from afar: a few settings, signed by the operator's key, each for one machine or all, each once.

An order is JSON text, and goes out in an envelope with its signature (Ed25519, RFC 8032):

    {"order": "{\"machine\":\"m-17\",\"counter\":12,…}", "signature": "base64"}

What is signed is the order's text as it stands, after a line that no other use of the key begins with: nobody has to
write JSON in one way. Each addressee's counter only grows, so an order that is recorded and sent again does nothing;
and it expires, so one that was held back does nothing either.
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
"""The addressee that every machine listens to."""

LONGEST_LIFE = timedelta(days=90)
"""Until an order expires at most: for so long could one be repeated to a machine that lost its counters."""

_PURPOSE = b"facialnet-kiosk order, version 1\n"


class OrderError(KioskError):
    """An order that is not carried out."""


class _Model(StrictModel):
    model_config = ConfigDict(strict=False)  # `expires` comes as text


class SetPrice(_Model):
    """Another price for what a slot sells, in minor units."""

    kind: Literal["price"] = "price"
    slot: Annotated[str, Field(min_length=1, max_length=8)]
    price: Annotated[int, Field(strict=True, ge=1, le=10_000_000)]


class SetOutOfOrder(_Model):
    """Out of service, or back in it."""

    kind: Literal["out_of_order"] = "out_of_order"
    on: Annotated[bool, Field(strict=True)]


class UseEngine(_Model):
    """Another engine, of those that lie in the machine's folder for it. None: the one of its own settings."""

    kind: Literal["engine"] = "engine"
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None


Change = Annotated[Union[SetPrice, SetOutOfOrder, UseEngine], Field(discriminator="kind")]  # noqa: UP007


class Order(_Model):
    """What is to change at whom, until when."""

    machine: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    counter: Annotated[int, Field(strict=True, ge=1, lt=2**53)]
    expires: AwareDatetime
    set: Change

    def check_time(self, now: datetime) -> None:
        """Raises `OrderError` for one that has expired, or would live too long."""
        by_its_clock = f"by this machine's clock of {now:%Y-%m-%d %H:%M}"
        if now >= self.expires:
            raise OrderError(f"it has expired, {by_its_clock}")
        if self.expires - now > LONGEST_LIFE:
            raise OrderError(f"it would be valid for more than {LONGEST_LIFE.days} days, {by_its_clock}")


class _Envelope(_Model):
    order: Annotated[str, Field(strict=True)]
    signature: Annotated[str, Field(strict=True)]


def public_key(text: str) -> Ed25519PublicKey:
    """The operator's key, as the settings have it: its 32 bytes in base64. Raises `OrderError`."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise OrderError("it is no Ed25519 public key as `kiosk fleet keygen` prints it") from error


def opened(envelope: bytes, key: Ed25519PublicKey) -> Order:
    """The order in an envelope whose signature is the operator's. Raises `OrderError`; nothing else is read then."""
    try:
        said = _Envelope.model_validate_json(envelope)
        key.verify(base64.b64decode(said.signature, validate=True), _PURPOSE + said.order.encode())
    except (ValidationError, ValueError) as error:
        raise OrderError("it is no envelope of an order and its signature") from error
    except InvalidSignature as error:
        raise OrderError("its signature is not the operator's") from error
    return parsed(said.order)


def parsed(text: str) -> Order:
    """An order from its text. Raises `OrderError`."""
    try:
        return Order.model_validate_json(text)
    except ValidationError as error:
        raise OrderError(first_problem(error)) from error


def signed(order: Order, key: Ed25519PrivateKey) -> bytes:
    """The envelope of an order."""
    text = order.model_dump_json()
    signature = base64.b64encode(key.sign(_PURPOSE + text.encode())).decode()
    return json.dumps({"order": text, "signature": signature}).encode()


def new_order(machine: str, change: dict[str, Any], counter: int | None, lifetime: timedelta) -> Order:
    """An order from now on. Without a counter it takes the time in milliseconds, which grows by itself."""
    now = datetime.now(timezone.utc)
    counter = counter or int(now.timestamp() * 1000)
    text = json.dumps({"machine": machine, "counter": counter, "expires": (now + lifetime).isoformat(), "set": change})
    order = parsed(text)
    order.check_time(now)
    return order


def write_new_key(path: Path) -> str:
    """Makes the operator's key and keeps it where nobody else can read it; returns the public one. Raises `OSError`."""
    key = Ed25519PrivateKey.generate()
    with replace_file(path, mode=0o600) as temporary:
        temporary.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def private_key(path: Path) -> Ed25519PrivateKey:
    """The operator's key. Raises `SecretFileError`, `OrderError`."""
    try:
        key = load_pem_private_key(read_secret(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise OrderError(f"{path} holds no key as `kiosk fleet keygen` makes it") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise OrderError(f"{path} holds no Ed25519 key")
    return key
