"""TLS, certificates, passwords and access lists, with a real broker; what is wrong is said in one line."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from kiosk.fleet.mqtt import Link, LinkError, check_files
from kiosk.security.file_permissions import SecretFileError, read_password
from tests.fakes.broker import Broker, passwords, until
from tests.fakes.fleet_rig import Machine, fleet_config, status

WILL = "kiosk/m-1/state", b"{}"


class Authority:
    """A certificate authority that writes its certificates into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name}.crt"
        self.path.write_bytes(self._signed(self._name, self._key, authority=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, key_path = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate.write_bytes(self._signed(subject, key, authority=False))
        key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key_path.chmod(0o600)
        return certificate, key_path

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> bytes:
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
        )
        if authority:
            usage = x509.KeyUsage(
                digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "fleet")


@pytest.fixture
def tls_broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    certificate, key = authority.issue("broker")
    broker = Broker(
        tmp_path,
        f"cafile {authority.path}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "require_certificate true",
        "use_identity_as_username true",
    )
    broker.start()
    yield broker
    broker.stop()


def open_link(port: int, **settings: Any) -> Link:
    link = Link(fleet_config(port, **settings), WILL)
    try:
        link.open()
    except BaseException:
        link.abandon()
        raise
    return link


@pytest.mark.proves("network-broker")
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # paho leaves a failed one to Python
def test_the_machine_shows_its_certificate_and_checks_the_brokers(
    tmp_path: Path, tls_broker: Broker, authority: Authority
) -> None:
    certificate, key = authority.issue("m-1")
    pair = {"certificate": str(certificate), "key": str(key)}
    link = open_link(tls_broker.port, tls=True, ca=str(authority.path), **pair)
    packet = link.publish("kiosk/m-1/health", b"{}")
    until(lambda: packet in dict(link.acknowledgements), link.poll)
    link.close()
    with pytest.raises(LinkError):  # it has none
        open_link(tls_broker.port, tls=True, ca=str(authority.path))
    stranger = Authority(tmp_path, "stranger")
    with pytest.raises(LinkError, match="certificate verify failed"):
        open_link(tls_broker.port, tls=True, ca=str(stranger.path), **pair)
    with pytest.raises(LinkError, match="certificate verify failed"):  # the system's authorities do not know it
        open_link(tls_broker.port, tls=True, **pair)


def test_a_faulty_file_is_reported_before_anything_starts(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("m-1")
    pair = {"certificate": str(certificate), "key": str(key)}
    check_files(fleet_config(tls=True, ca=str(authority.path), **pair))
    key.chmod(0o640)
    with pytest.raises(SecretFileError, match=r"m-1.key can be read by others: run `chmod 600"):
        check_files(fleet_config(tls=True, **pair))
    key.chmod(0o600)
    _, other = authority.issue("m-2")
    with pytest.raises(LinkError, match="no certificate and its key"):
        check_files(fleet_config(tls=True, **{**pair, "key": str(other)}))
    with pytest.raises(LinkError, match="no certificate of an authority"):
        check_files(fleet_config(tls=True, ca=str(tmp_path / "nothere.crt")))
    with pytest.raises(SecretFileError, match="cannot be read"):
        check_files(fleet_config(user="m-1", password=str(tmp_path / "nothere")))


def test_a_password_is_the_first_line_of_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("s3cret é\r\nmore\n", encoding="utf-8")
    with pytest.raises(SecretFileError, match="can be read by others"):
        read_password(path)
    path.chmod(0o600)
    assert read_password(path) == "s3cret é"
    for bad in (b"", b"\n", b"\xff"):
        path.write_bytes(bad)
        with pytest.raises(SecretFileError, match="holds no password"):
            read_password(path)


@pytest.fixture
def closed_broker(tmp_path: Path) -> Iterator[Broker]:
    """Returns a broker that accepts m-1 with a password and refuses its sales."""
    users, access = tmp_path / "users", tmp_path / "access"
    passwords(users, ["m-1"], "right")
    access.write_text("user m-1\ntopic write kiosk/m-1/health\ntopic write kiosk/m-1/state\n")
    os.chmod(access, 0o600)  # noqa: PTH101
    broker = Broker(tmp_path, "allow_anonymous false", f"password_file {users}", f"acl_file {access}")
    broker.start()
    yield broker
    broker.stop()


def with_password(folder: Path, password: str) -> dict[str, str]:
    path = folder / "password"
    path.write_text(password)
    path.chmod(0o600)
    return {"user": "m-1", "password": str(path)}


def test_a_wrong_password_is_refused(tmp_path: Path, closed_broker: Broker) -> None:
    open_link(closed_broker.port, **with_password(tmp_path, "right")).close()
    with pytest.raises(LinkError, match="refuses the machine: Not authorized"):
        open_link(closed_broker.port, **with_password(tmp_path, "wrong"))


def test_a_message_that_the_broker_refuses_stays_in_the_outbox(
    tmp_path: Path, closed_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(tmp_path / "m-1", closed_broker.port, **with_password(tmp_path, "right"))
    machine.sell()
    until(lambda: "refuses sale with code 135" in caplog.text, machine.step)
    assert machine.outbox.cursor(machine.journal.id) < 5
    machine.tell(status())
    until(lambda: machine.outbox.messages_after(0, 1) == [], machine.step)  # the rest goes on
    machine.close()


def test_an_unreachable_broker_is_logged_in_one_line(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    machine = Machine(tmp_path, 1)
    for _ in range(5):
        machine.after(100)
    (record,) = caplog.records
    assert "no connection to 127.0.0.1:1" in record.message
    machine.close()
