"""A real Mosquitto for tests, which can be stopped and started again, and a collector that keeps what it hears."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
MOST_TURNS = 3000


def passwords(path: Path, names: Iterable[str], password: str) -> None:
    """Writes a file of users who all have the same password."""
    need_mosquitto()
    assert PROGRAM is not None
    path.write_text("".join(f"{name}:{password}\n" for name in names))
    path.chmod(0o600)
    subprocess.run([Path(PROGRAM).parents[1] / "bin" / "mosquitto_passwd", "-U", path], check=True)


def need_mosquitto() -> None:
    """Skips a test where there is no Mosquitto; fails it if there has to be one, as in .ci/run."""
    if PROGRAM is None:
        reason = "no mosquitto: install Debian's package of this name"
        if os.environ.get("REQUIRE_MOSQUITTO"):
            pytest.fail(f"REQUIRE_MOSQUITTO is set, but {reason}", pytrace=False)
        pytest.skip(reason)


class Broker:
    """Its sessions and retained messages outlive a stop, and so they are there after the next start."""

    def __init__(self, folder: Path, *more: str) -> None:
        need_mosquitto()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            "log_dest stderr",
            *(["user root"] if os.geteuid() == 0 else []),
            *(more or ("allow_anonymous true",)),
        ]
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        self._process = subprocess.Popen([PROGRAM, "-c", str(self._config)], stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if line.rstrip().endswith("running"):
                return
        raise AssertionError("".join(said))

    def stop(self, *, kill: bool = False) -> None:
        """Ends it, in good order or without a word."""
        if self._process:
            assert self._process.stderr is not None
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self._process.wait()
            self._process.stderr.close()
            self._process = None


class Collector:
    """Subscribes to everything, with a session that the broker keeps while it is away."""

    def __init__(self, port: int, topic: str = "kiosk/#", name: str = "collector", password: str = "") -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.retained: list[str] = []
        self._port = port
        self._topic = topic
        self._name = name
        self._password = password
        self._subscribed = False
        self._client: Client | None = None

    def connect(self) -> None:
        client = Client(
            CallbackAPIVersion.VERSION2, self._name, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
        )
        if self._password:
            client.username_pw_set(self._name, self._password)
        client.on_message = self._on_message
        client.on_subscribe = lambda *_: setattr(self, "_subscribed", True)
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", self._port, clean_start=False, properties=properties)
        self._client, self._subscribed = client, False
        until(client.is_connected, self.poll)
        client.subscribe(self._topic, qos=1)
        until(lambda: self._subscribed, self.poll)

    def poll(self) -> None:
        if self._client:
            self._client.loop(0.01)
            for _ in range(50):  # each hears one packet
                self._client.loop(0.0)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert self._client is not None
        done: list[int] = []
        self._client.on_publish = lambda _c, _d, packet, *_: done.append(packet)
        sent = self._client.publish(topic, payload, qos=1, retain=retain)
        until(lambda: sent.mid in done, self.poll)

    def close(self) -> None:
        if self._client:
            self._client.disconnect()
            self._client.loop(0.01)
            self._client = None

    def of(self, name: str) -> list[dict[str, Any]]:
        """What came on a topic that ends like this."""
        return [data for topic, data in self.heard if topic.endswith(f"/{name}")]

    def once(self) -> list[dict[str, Any]]:
        """What came in streams, without what came again by its key, in the order of its first coming."""
        first = {}
        for _, data in self.heard:
            if "stream" in data:
                first.setdefault((data["machine"], data["stream"], data["seq"]), data)
        return list(first.values())

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, json.loads(message.payload)))
        if message.retain:
            self.retained.append(message.topic)


def until(condition: Callable[[], object], *turns: Callable[[], object]) -> None:
    """Takes turns, each of which waits for the network a little, until something is so."""
    for _ in range(MOST_TURNS):
        if condition():
            return
        for turn in turns:
            turn()
    raise AssertionError("it never came")
