"""Values of an experiment's file, set by their dotted keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry
from hayflick.network.retrieval import RETRIEVALS
from hayflick.network.topology import TOPOLOGIES

_AGENTS = "agents"
_GRAMMARS: Mapping[str, Mapping[str, Entry[Any]]] = {
    "retrieval": RETRIEVALS,
    "topology": TOPOLOGIES,
}


def with_value(values: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """Set a value of an experiment's file by its dotted key, and return the values.

    ``agents.trust`` is that of all agents, ``agents.anna.trust`` that of one; ``retrieval.k`` is
    the k in ``retrieval = "fixed:5"``.

    Raises
    ------
    ArgumentError
        If the key leads to no place.

    Examples
    --------
    >>> with_value({"retrieval": "fixed:5"}, "retrieval.k", 9)
    {'retrieval': 'fixed:k=9'}
    >>> with_value({"agents": [{"name": "anna"}, {"name": "bert"}]}, "agents.bert.trust", 0.5)
    {'agents': [{'name': 'anna'}, {'name': 'bert', 'trust': 0.5}]}
    """
    first, _, rest = key.partition(".")
    if not rest:
        values[first] = value
        return values
    if first == _AGENTS:
        agents = values.get(_AGENTS)
        name, _, own = rest.partition(".")
        known = agents if isinstance(agents, list) else []
        named = [one for one in known if isinstance(one, dict) and one.get("name") == name]
        for agent in named if own else known:
            with_value(agent, own or rest, value)
        if own and not named:
            names = ", ".join(str(one.get("name")) for one in known if isinstance(one, dict))
            takes = f"agents.KEY for all, or agents.NAME.KEY with one of {names}"
            raise ArgumentError("vary", got=key, takes=takes)
        return values
    if first in _GRAMMARS and isinstance(values.get(first, ""), str):
        values[first] = _with_key(values.get(first), first, rest, value)
        return values
    inner = values.setdefault(first, {})
    if not isinstance(inner, dict):
        takes = f'{first} itself: "{first}" = [...]'
        raise ArgumentError("vary", got=key, takes=takes)
    with_value(inner, rest, value)
    return values


def _with_key(text: str | None, argument: str, key: str, value: object) -> str:
    """Return a text of our grammar with another value of one of its keys."""
    name, _, given = (text or "").partition(":")
    entry = _GRAMMARS[argument].get(name)
    if entry is None or key not in entry.keys:
        known = "nothing" if entry is None else ", ".join(entry.keys) or "nothing"
        takes = f"a key of {text or 'nothing'}, which has {known}"
        remedy = f'vary the whole text: "{argument}" = ["…", "…"]'
        raise ArgumentError("vary", got=f"{argument}.{key}", takes=takes, remedy=remedy)
    parts = [part for part in given.split(",") if part]
    pairs = [part if "=" in part else f"{entry.keys[0]}={part}" for part in parts]
    found = dict(pair.split("=", 1) for pair in pairs)
    found[key] = str(value)
    return f"{name}:" + ",".join(f"{one}={found[one]}" for one in entry.keys if one in found)
