"""The serial line: splitting bytes into lines, and a real port on a pseudo-terminal that is unplugged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from kiosk.vending.devices import serial_line
from kiosk.vending.devices.serial_line import LONGEST_LINE, LineDown, LineSplitter, LineUp, LinkEvent, SerialLine
from tests.fakes.pty_port import TIMEOUT_S, PtyPort


class Echo:
    """A device that repeats what it receives, in capitals."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def feed(self, line: str) -> None:
        self.said.append(line.upper())


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PtyPort]:
    port = PtyPort(Echo(), tmp_path / "port")
    port.plug()
    yield port
    if port.path.exists():
        port.unplug()


@pytest.fixture
def line(port: PtyPort) -> Iterator[SerialLine]:
    line = SerialLine(str(port.path), first_wait=0.01, longest_wait=0.02)
    yield line
    line.close()


def next_of(line: SerialLine) -> list[LinkEvent]:
    assert line.wait(TIMEOUT_S), "nothing came"
    return list(line.poll())


def test_bytes_become_lines_wherever_they_are_torn() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"on") == []
    assert splitter.feed(b"e\r\ntwo\n\r\nth") == ["one", "two"]
    assert splitter.feed(b"ree\n") == ["three"]


def test_noise_is_no_line() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"x" * LONGEST_LINE + b"y") == []
    assert splitter.feed(b"still noise\nline\n") == ["line"]
    assert splitter.feed(b"x" * 5000 + b"\nline\n") == ["line"]
    assert splitter.feed(b"\xff\xfea\n") == ["??a"]


def test_a_line_goes_there_and_an_answer_comes_back(port: PtyPort, line: SerialLine) -> None:
    assert next_of(line) == [LineUp()]
    line.send("hello")
    assert port.pump() == ["hello"]
    assert next_of(line) == ["HELLO"]
    assert list(line.poll()) == []


def test_a_port_that_goes_away_is_opened_again(port: PtyPort, line: SerialLine) -> None:
    assert next_of(line) == [LineUp()]
    port.unplug()
    (down,) = next_of(line)
    assert isinstance(down, LineDown)
    line.send("into nothing")
    port.plug()
    assert next_of(line) == [LineUp()]
    line.send("back")
    assert port.pump() == ["back"]


def test_a_port_is_let_go_of_before_it_is_closed(
    port: PtyPort, line: SerialLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call of `send` meanwhile would write to a file number that may belong to another file."""
    still_known: list[bool] = []
    close = serial.Serial.close

    def watched(closing: serial.Serial) -> None:
        still_known.append(line._open is closing)
        close(closing)

    monkeypatch.setattr(serial.Serial, "close", watched)
    assert next_of(line) == [LineUp()]
    port.unplug()
    assert isinstance(next_of(line)[0], LineDown)
    assert still_known
    assert not any(still_known)


def test_a_port_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    port = PtyPort(Echo(), tmp_path / "port")
    line = SerialLine(str(port.path), first_wait=0.01, longest_wait=0.02)
    assert list(line.poll()) == []
    port.plug()
    assert next_of(line) == [LineUp()]
    line.close()
    port.unplug()


def test_a_port_belongs_to_one_program(
    port: PtyPort, line: SerialLine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert next_of(line) == [LineUp()]
    refusals = []
    refused = threading.Event()

    class Refused(serial_line.serial.Serial):
        def open(self) -> None:
            try:
                super().open()
            except OSError as error:
                refusals.append(error)
                if len(refusals) == 3:
                    refused.set()
                raise

    monkeypatch.setattr(serial_line.serial, "Serial", Refused)
    other = SerialLine(str(port.path), first_wait=0.01, longest_wait=0.01)
    assert refused.wait(TIMEOUT_S)
    other.close()
    assert list(other.poll()) == []
    assert sum("exclusive" in record.message for record in caplog.records) == 1  # and not at each try


def test_what_nobody_fetches_does_not_fill_the_memory(
    port: PtyPort, line: SerialLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_line, "MOST_WAITING", 3)
    assert line.wait(TIMEOUT_S)
    port.write(b"1\n2\n3\n4\n5\n")
    port.unplug()
    heard: list[LinkEvent] = []
    while not any(isinstance(each, LineDown) for each in heard):
        heard += next_of(line)
    assert len(heard) <= 4


def test_closing_gives_the_port_back(port: PtyPort) -> None:
    for _ in range(2):
        line = SerialLine(str(port.path), first_wait=0.01)
        assert next_of(line) == [LineUp()]
        line.close()
