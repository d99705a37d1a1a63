"""One connection to an MQTT 5 broker, in the caller's thread. Only the outbox keeps messages.

Each connection uses a new client with the machine's name as client ID. The broker keeps the session, so that orders
wait for a disconnected machine. Messages in flight are sent again from the outbox.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from kiosk.common.errors import KioskError
from kiosk.config import FleetConfig
from kiosk.security.file_permissions import read_password, read_secret

KEEP_ALIVE_S = 30
"""Seconds. After 1.5 times this without a packet, the broker publishes that the machine is offline."""

CONNECT_WITHIN_S = 10.0
SESSION_S = 30 * 24 * 3600
"""Seconds for which a broker keeps orders for a disconnected machine, unless its own limit is shorter."""

LARGEST_PACKET = 1 << 14
"""The largest packet, in bytes, that a broker may send. An order has less than a thousand."""

_TURN_S = 0.2
_MALFORMED = (ValueError, LookupError, TypeError, AssertionError, struct.error, MQTTException)
"""What the library raises for malformed packets. It has no single error for them."""

_TAKEN_OVER = 0x8E
"""Reason code of MQTT 5, 2.4: another client has connected with this client ID."""


class LinkError(KioskError):
    """There is no connection, or it is lost."""


def check_files(config: FleetConfig) -> None:
    """Reads the password, the key and the certificates once. Raises `LinkError`, `SecretFileError`."""
    if config.password_path:
        read_password(config.password_path)
    if config.key_path:
        read_secret(config.key_path)
    if config.tls:
        tls_context(config)


def tls_context(config: FleetConfig) -> ssl.SSLContext:
    """Returns a TLS context with the trusted authorities and the machine's certificate.

    Raises `LinkError`, `SecretFileError`.
    """
    ca, certificate, key = config.ca_path, config.certificate_path, config.key_path
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
    except OSError as error:  # ssl.SSLError is one
        raise LinkError(f"{ca} holds no certificate of an authority, as PEM: {error}") from error
    if certificate and key:
        read_secret(key)
        try:
            # without a password OpenSSL would ask for one on a terminal
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except OSError as error:
            raise LinkError(f"{certificate} and {key} are no certificate and its key: {error}") from error
    return context


class _Client(Client):
    """Ends the connection when a packet is larger than `LARGEST_PACKET`.

    The library would allocate up to 256 MB for it and has no setting against that.
    """

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > LARGEST_PACKET:
            raise MQTTException(f"a packet of {bufsize} bytes, where {LARGEST_PACKET} are allowed")
        return super()._sock_recv(bufsize)


@dataclass
class Link:
    """One connection. Creating it raises `LinkError` or `SecretFileError` for bad credentials; `open` connects."""

    config: FleetConfig
    will: tuple[str, bytes]
    """Topic and payload of the last will, which the broker publishes, retained, when the connection is lost."""
    subscriptions: tuple[str, ...] = ()
    on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None
    """Called during `poll`. When it returns, the message is acknowledged to the broker."""
    acknowledgements: list[tuple[int, int]] = field(default_factory=list)
    """Packet number and reason code of each PUBACK. The caller removes them."""
    largest: int = 1 << 28
    """The largest packet, in bytes, that the broker accepts. Known after `open`."""
    subscribed: bool = False
    """Whether the broker has acknowledged the subscriptions."""
    _room: int = 65535
    _unanswered: set[int] = field(default_factory=set)
    _up: bool = False
    _lost: str = ""
    _ours: Exception | None = None
    """An error that `on_message` raised, which is not the broker's fault."""

    def __post_init__(self) -> None:
        """Raises `LinkError`, `SecretFileError`."""
        self._client = self._create_client()

    def open(self) -> None:
        """Connects, waits for the broker's answer and subscribes. Raises `LinkError`."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_S
        properties.ReceiveMaximum = 16
        properties.MaximumPacketSize = LARGEST_PACKET
        try:
            self._client.connect(
                self.config.broker, self.config.port, KEEP_ALIVE_S, clean_start=False, properties=properties
            )
        except (OSError, ValueError) as error:
            raise LinkError(f"no connection to {self.config.broker}:{self.config.port}: {error}") from error
        for _ in range(round(CONNECT_WITHIN_S / _TURN_S)):
            if self._up:
                break
            self.poll()
        else:
            raise LinkError(f"{self.config.broker} does not answer as an MQTT 5 broker")
        if self.subscriptions:
            # retained messages come once, and not again at every connection
            once = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            self._client.subscribe([(topic, once) for topic in self.subscriptions])

    def poll(self) -> None:
        """Sends queued packets and reads replies for at most `_TURN_S`.

        Raises `LinkError` if the connection is lost.
        """
        try:
            code = self._client.loop(_TURN_S)
        except _MALFORMED as error:
            if error is self._ours:
                raise
            raise LinkError(f"{self.config.broker} sent a malformed MQTT 5 packet: {error}") from error
        if self._lost or code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"the connection to {self.config.broker} is lost: {self._lost or code.name}")

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Sends a message with QoS 1; returns the packet's number. Raises `LinkError`."""
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        if sent.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"the connection to {self.config.broker} is lost: {sent.rc.name}")
        self._unanswered.add(sent.mid)
        return sent.mid

    @property
    def free(self) -> int:
        """How many more messages may be sent before the broker acknowledges one."""
        return self._room - len(self._unanswered)

    def close(self) -> None:
        """Disconnects properly, so that the broker does not publish the last will."""
        self._client.disconnect()
        self._client.loop(0.0)

    def abandon(self) -> None:
        """Closes the socket, as after an error. The broker then publishes the last will."""
        if connection := self._client.socket():
            connection.close()

    def _create_client(self) -> Client:
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.config.machine,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_WITHIN_S
        client.will_set(self.will[0], self.will[1], qos=1, retain=True)
        if self.config.tls:
            client.tls_set_context(tls_context(self.config))
        if self.config.user:
            password = read_password(self.config.password_path) if self.config.password_path else None
            client.username_pw_set(self.config.user, password)
        client.on_socket_open = _disable_nagle
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
        self._room = getattr(properties, "ReceiveMaximum", self._room)
        self.largest = getattr(properties, "MaximumPacketSize", self.largest)
        if code.is_failure:
            self._lost = f"it refuses the machine: {code}"
        else:
            self._up = True

    def _on_disconnect(self, _client: Client, _data: Any, flags: Any, code: ReasonCode, _properties: Any) -> None:
        if not flags.is_disconnect_packet_from_server:
            why = f"it hung up; if that goes on, check whether another machine is also called {self.config.machine}"
        elif code.value == _TAKEN_OVER:
            why = f"another machine is also called {self.config.machine}: give each its own name"
        else:
            why = str(code)
        self._lost = self._lost or why

    def _on_publish(self, _client: Client, _data: Any, packet: int, code: ReasonCode, _properties: Any) -> None:
        self._unanswered.discard(packet)
        self.acknowledgements.append((packet, code.value))

    def _on_subscribe(self, _client: Client, _data: Any, _packet: int, codes: list[ReasonCode], _: Any) -> None:
        self.subscribed = True
        for code in codes:
            if code.is_failure:
                self._lost = f"it refuses the subscription to orders: {code}"

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        topic, payload = message.topic, bytes(message.payload)
        try:
            self.on_message(topic, payload)
        except Exception as error:
            self._ours = error
            raise  # so that the message is not acknowledged


def _disable_nagle(_client: Client, _data: Any, connection: Any) -> None:
    """Sends small packets at once: otherwise each would wait for the acknowledgement of the one before."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
