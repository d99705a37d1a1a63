"""One connection to an MQTT 5 broker, in the thread that calls it; nothing is kept that the outbox does not keep.

A new client is made for each connection, with the machine's name as its id and a session that the broker keeps, so that
orders wait for a machine that is away. What this end had in flight is the outbox's to send again.
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
"""After one and a half times as long without a word the broker says that the machine is offline."""

CONNECT_WITHIN_S = 10.0
SESSION_S = 30 * 24 * 3600
"""How long a broker keeps orders for a machine that is away, if its own limit is no shorter."""

LARGEST_PACKET = 1 << 14
"""Bytes of what a broker may send; an order has less than a thousand."""

_TURN_S = 0.2
_MALFORMED = (ValueError, LookupError, TypeError, AssertionError, struct.error, MQTTException)
"""What the library raises where a packet is not what its first byte says; it has no one name for it."""

_TAKEN_OVER = 0x8E
"""Reason code of MQTT 5, 2.4: somebody else has connected under this name."""


class LinkError(KioskError):
    """No connection, or one that is lost."""


def check_files(config: FleetConfig) -> None:
    """Reads the password, the key and the certificates once. Raises `LinkError`, `SecretFileError`."""
    if config.password_path:
        read_password(config.password_path)
    if config.key_path:
        read_secret(config.key_path)
    if config.tls:
        tls_context(config)


def tls_context(config: FleetConfig) -> ssl.SSLContext:
    """Returns the trusted authorities and the machine's certificate. Raises `LinkError`, `SecretFileError`."""
    ca, certificate, key = config.ca_path, config.certificate_path, config.key_path
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
    except OSError as error:  # ssl.SSLError is one
        raise LinkError(f"{ca} holds no certificate of an authority, as PEM: {error}") from error
    if certificate and key:
        read_secret(key)
        try:
            # without a password OpenSSL would ask for an encrypted key's at a terminal that is not there
            context.load_cert_chain(certificate, key, password=lambda: b"")
        except OSError as error:
            raise LinkError(f"{certificate} and {key} are no certificate and its key: {error}") from error
    return context


class _Client(Client):
    """Ends a connection in which a packet begins that is larger than this end said it takes.

    The library asks for all of the rest at once, up to 256 MB, and has no setting for this.
    """

    def _sock_recv(self, bufsize: int) -> bytes:
        if bufsize > LARGEST_PACKET:
            raise MQTTException(f"a packet of {bufsize} bytes, where {LARGEST_PACKET} are allowed")
        return super()._sock_recv(bufsize)


@dataclass
class Link:
    """A connection, from its beginning to its end."""

    config: FleetConfig
    will: tuple[str, bytes]
    """Topic and payload of what the broker says, retained, once the machine is gone."""
    subscriptions: tuple[str, ...] = ()
    on_message: Callable[[str, bytes], None] = lambda _topic, _payload: None
    """Called in the middle of `turn`. When it returns, the broker takes the message for kept."""
    answers: list[tuple[int, int]] = field(default_factory=list)
    """Packet and reason code of what the broker answered, for the caller to take away."""
    largest: int = 1 << 28
    """Bytes of a packet that the broker takes; known once it is open."""
    subscribed: bool = False
    """Whether the broker has answered the subscriptions."""
    _room: int = 65535
    _unanswered: set[int] = field(default_factory=set)
    _up: bool = False
    _lost: str = ""
    _ours: Exception | None = None
    """What `on_message` raised, which is not the broker's fault."""

    def __post_init__(self) -> None:
        """Raises `LinkError`, `SecretFileError`."""
        self._client = self._made()

    def open(self) -> None:
        """Connects and subscribes, waiting for the broker's word. Raises `LinkError`."""
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
            self.turn()
        else:
            raise LinkError(f"{self.config.broker} does not answer as an MQTT 5 broker")
        if self.subscriptions:
            # what the broker retains comes once, and not again at every connection
            once = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            self._client.subscribe([(topic, once) for topic in self.subscriptions])

    def turn(self) -> None:
        """Sends and hears for a moment. Raises `LinkError` once the connection is lost."""
        try:
            code = self._client.loop(_TURN_S)
        except _MALFORMED as error:
            if error is self._ours:
                raise
            raise LinkError(f"{self.config.broker} says what is no MQTT 5: {error}") from error
        if self._lost or code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"the connection to {self.config.broker} is lost: {self._lost or code.name}")

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Sends by QoS 1; gives the packet's number. Raises `LinkError`."""
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        if sent.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkError(f"the connection to {self.config.broker} is lost: {sent.rc.name}")
        self._unanswered.add(sent.mid)
        return sent.mid

    @property
    def free(self) -> int:
        """How many more messages the broker takes before it has acknowledged one."""
        return self._room - len(self._unanswered)

    def close(self) -> None:
        """Says goodbye, if anybody hears it; the broker then keeps the last will to itself."""
        self._client.disconnect()
        self._client.loop(0.0)

    def abandon(self) -> None:
        """Lets go without a word, as after an error: the broker says the last will."""
        if connection := self._client.socket():
            connection.close()

    def _made(self) -> Client:
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
        client.on_socket_open = _at_once
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
            why = f"it hung up; where that goes on, look whether another machine is called {self.config.machine}, too"
        elif code.value == _TAKEN_OVER:
            why = f"another machine is called {self.config.machine}, too: give each a name of its own"
        else:
            why = str(code)
        self._lost = self._lost or why

    def _on_publish(self, _client: Client, _data: Any, packet: int, code: ReasonCode, _properties: Any) -> None:
        self._unanswered.discard(packet)
        self.answers.append((packet, code.value))

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
            raise  # which keeps the broker from being answered


def _at_once(_client: Client, _data: Any, connection: Any) -> None:
    """Small packets go out as they come: else each waits for the broker's word on the one before."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
