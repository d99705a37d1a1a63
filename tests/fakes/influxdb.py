"""A real InfluxDB (Debian's `influxdb`, 1.6), where there is one, to ask what docs/fleet.md has Grafana ask."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

PROGRAM = shutil.which("influxd")


class Database:
    """One that is empty, by HTTP."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._post("query", {"q": "CREATE DATABASE kiosk"})

    def write(self, lines: list[str]) -> None:
        self._post("write", {"db": "kiosk", "precision": "ms"}, "\n".join(lines).encode())

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that answer, with what Grafana puts into its variables."""
        text = query.replace("$timeFilter", "time > '2026-01-01' AND time < '2030-01-01'")
        answer = json.loads(self._post("query", {"db": "kiosk", "q": text.replace("$__interval", "365d")}))
        (result,) = answer["results"]
        assert "error" not in result, result
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def _post(self, what: str, values: dict[str, str], body: bytes = b"") -> bytes:
        with urlopen(f"{self._url}/{what}?{urlencode(values)}", data=body) as answer:
            return bytes(answer.read())


@contextmanager
def influxdb(folder: Path) -> Iterator[Database]:
    """Skips the test where there is none."""
    if PROGRAM is None:
        pytest.skip("no influxd: Debian's package influxdb has it")
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    config = folder / "influxdb.conf"
    config.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{ports[0]}"\n[meta]\ndir = "{folder}/meta"\n'
        f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n[http]\nbind-address = "127.0.0.1:{ports[1]}"\n'
    )
    process = subprocess.Popen([PROGRAM, "-config", str(config)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if "Listening for signals" in line:
                break
        else:
            raise AssertionError("".join(said))
        yield Database(ports[1])
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
