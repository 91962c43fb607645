"""Spans and log records of OpenTelemetry's tools as plain records, which paths lead into."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from hayflick.corpus.labels import json_inside
from hayflick.corpus.paths import attributes_of, plain_value

_NUMBERED = re.compile(r"(.+?)\.(\d{1,4})\.(.+)")
_LONGEST_NAME = 300


def plain_telemetry(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a span or a log record with its attributes, events and body as plain values.

    Attributes whose names are numbered are lists. Events are lists of their attributes by their
    name, and a log record that is an event is among them, too.

    Examples
    --------
    >>> names = {"llm.output_messages.0.message.content": "Yes"}
    >>> plain_telemetry({"attributes": names})["attributes"]["llm.output_messages"]
    [{'message.content': 'Yes'}]
    >>> plain_telemetry({"attributes": {"mlflow.spanType": '"LLM"'}})["attributes"]
    {'mlflow.spanType': 'LLM'}
    >>> value = {"kvlistValue": {"values": [{"key": "index", "value": {"intValue": "0"}}]}}
    >>> plain_telemetry({"eventName": "gen_ai.choice", "body": value})["events"]
    {'gen_ai.choice': [{'index': 0}]}
    """
    plain = dict(with_lists(record))
    if "attributes" in plain:
        plain["attributes"] = _attributes(plain["attributes"])
    if "body" in plain:
        plain["body"] = plain_value(plain["body"])
    events = plain.get("events")
    named: dict[str, list[Any]] = {}
    events = json_inside(events) if isinstance(events, str) else events
    for event in events if isinstance(events, list) else ():
        if isinstance(event, Mapping):
            held = _attributes(event.get("attributes"))
            named.setdefault(str(event.get("name")), []).append(held)
    attributes = plain.get("attributes")
    attributes = attributes if isinstance(attributes, Mapping) else {}
    name = plain.get("eventName") or plain.get("event_name") or attributes.get("event.name")
    if name:
        body = plain.get("body")
        body = body if isinstance(body, Mapping) else {}
        named.setdefault(str(name), []).append({**attributes, **body})
    return {**plain, "events": named}


def _attributes(given: Any) -> Any:
    given = json_inside(given) if isinstance(given, str) else given
    if isinstance(given, list):
        given = attributes_of(given)
    if not isinstance(given, Mapping):
        return {}
    return with_lists({name: _decoded(name, cell) for name, cell in given.items()})


def _decoded(name: str, cell: Any) -> Any:
    """Return a cell as it is meant: MLflow writes its attributes as JSON, texts in quotes too."""
    if not (name.startswith("mlflow.") and isinstance(cell, str) and cell.startswith('"')):
        return cell
    try:
        return json.loads(cell)
    except ValueError:
        return cell


def with_lists(cells: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return cells with those whose names are numbered in lists.

    Examples
    --------
    >>> with_lists({"m.0.text": "Yes", "m.1.text": "No", "model": "x"})
    {'model': 'x', 'm': [{'text': 'Yes'}, {'text': 'No'}]}
    """
    found: dict[str, dict[int, dict[str, Any]]] = {}
    plain: dict[str, Any] = {}
    for name, cell in cells.items():
        split = _NUMBERED.fullmatch(name) if len(name) <= _LONGEST_NAME else None
        if split is None:
            plain[name] = cell
        elif cell is not None:
            found.setdefault(split[1], {}).setdefault(int(split[2]), {})[split[3]] = cell
    for name, items in found.items():
        plain.setdefault(name, [with_lists(items[place]) for place in sorted(items)])
    return plain
