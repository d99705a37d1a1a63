"""What Telegraf makes of a message by the settings in docs/fleet.md: as much of its `json_v2` as these use.

By https://github.com/influxdata/telegraf/tree/master/plugins/parsers/json_v2 and `plugins/inputs/mqtt_consumer`. A key
that is not known here fails the test: it would have to be learnt first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CONNECTION = {
    "servers", "topics", "qos", "persistent_session", "client_id", "tls_ca", "tls_cert", "tls_key", "data_format",
}  # fmt: skip
GO_RFC3339 = "2006-01-02T15:04:05Z07:00"
"""Go's layout; a fraction of a second in the text is read, too (https://pkg.go.dev/time#Parse)."""


@dataclass(frozen=True)
class Point:
    """What goes into the database."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, float | bool | str]
    time: datetime

    @property
    def line(self) -> str:
        """InfluxDB's line protocol, in milliseconds. The tags of a test have nothing in them to be escaped."""
        tags = "".join(f",{name}={value}" for name, value in sorted(self.tags.items()))
        fields = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.fields.items())
        return f"{self.measurement}{tags} {fields} {round(self.time.timestamp() * 1000)}"


def points(plugin: Mapping[str, Any], topic: str, payload: Mapping[str, Any]) -> list[Point]:
    """The points of a message that an `inputs.mqtt_consumer` hears; none of one that it does not subscribe to."""
    _only(plugin, CONNECTION | {"topic_tag", "topic_parsing", "json_v2"})
    assert plugin["data_format"] == "json_v2"
    assert plugin["topic_tag"] == ""
    if not any(_matches(each, topic) for each in plugin["topics"]):
        return []
    (parsing,), (parser,) = plugin["topic_parsing"], plugin["json_v2"]
    _only(parsing, {"topic", "measurement", "tags"})
    _only(parser, {"timestamp_path", "timestamp_format", "object"})
    (found,) = parser["object"]
    _only(found, {"path", "tags", "excluded_keys"})
    assert _matches(parsing["topic"], topic)
    assert parser["timestamp_format"] == GO_RFC3339
    time = datetime.fromisoformat(payload[parser["timestamp_path"]].replace("Z", "+00:00"))
    named = dict(zip(parsing["measurement"].split("/"), topic.split("/"), strict=True))
    of_topic = dict(zip(parsing.get("tags", "").split("/"), topic.split("/"), strict=False))
    of_topic.pop("_", None)
    of_topic.pop("", None)
    rows = payload if found["path"] == "@this" else payload[found["path"]]
    made = []
    for row in rows if isinstance(rows, list) else [rows]:
        kept = {key: value for key, value in row.items() if key not in found.get("excluded_keys", ())}
        tags = {key: _text(kept.pop(key)) for key in found["tags"] if key in kept}
        fields = {key: float(value) if type(value) is int else value for key, value in kept.items()}
        assert all(isinstance(value, (float, bool, str)) for value in fields.values()), "it would be taken apart"
        made.append(Point(named["measurement"], {**of_topic, **{k: v for k, v in tags.items() if v}}, fields, time))
    return made


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _only(table: Mapping[str, Any], known: set[str]) -> None:
    assert table.keys() <= known, table.keys() - known


def _matches(pattern: str, topic: str) -> bool:
    wanted, given = pattern.split("/"), topic.split("/")
    return len(wanted) == len(given) and all(want in ("+", name) for want, name in zip(wanted, given, strict=True))
