"""Agents from the sections ``[[agents]]`` of an experiment's file."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hayflick.core.errors import ArgumentError
from hayflick.network.agents.budget import Budget
from hayflick.network.agents.chat import ChatSection
from hayflick.network.agents.ngram import NGramSection
from hayflick.network.agents.protocol import Agent, AgentSection, SharedParts
from hayflick.network.agents.replay import ReplaySection

KINDS: Mapping[str, type[AgentSection]] = {
    "ngram": NGramSection,
    "openai": ChatSection,
    "replay": ReplaySection,
}
"""The section of every kind of agent."""


def parse_agents(
    sections: Sequence[Mapping[str, Any]], *, folder: Path, budget: Budget | None = None
) -> list[Agent]:
    """Return the agents of an experiment.

    Agents with the same address, variable, concurrency, timeout and retries share a connection;
    all share the budget.

    Parameters
    ----------
    sections
        One mapping for each agent, as the file has them.
    folder
        Where the file is: names of files are taken from there.
    budget
        What all may spend together.

    Raises
    ------
    ArgumentError
        If a section has an unknown key (the nearest is offered), lacks one, or a value is out of
        its range; if two agents have one name; if a key's variable is not set.
    DataError
        If a file cannot be read.
    MissingExtraError
        If an agent needs an extra that is not installed.

    Examples
    --------
    >>> sections = [{"name": "anna", "kind": "ngram", "texts": ["It rains."], "trust": 0.2}]
    >>> parse_agents(sections, folder=Path())[0].name
    'anna'
    """
    parsed = parse_sections(sections)
    shared = SharedParts(folder, Budget() if budget is None else budget)
    return [_agent(section, shared) for section in parsed]


def parse_sections(sections: Sequence[Mapping[str, Any]]) -> list[AgentSection]:
    """Return the sections of agents, checked; no agent is made.

    Raises
    ------
    ArgumentError
        As `parse_agents`, but for what the making of an agent shows.
    """
    parsed = [_section(section, number) for number, section in enumerate(sections, start=1)]
    if not parsed:
        raise ArgumentError("agents", got="none", takes="a section [[agents]] for each agent")
    times = Counter(section.name for section in parsed)
    if twice := sorted(name for name, number in times.items() if number > 1):
        raise ArgumentError("agents", got=", ".join(twice[:10]), takes="a different name for each")
    return parsed


def _section(section: Mapping[str, Any], number: int) -> AgentSection:
    """Return an agent's section, checked; `number` is its place in the file, for messages."""
    where = f"agents, section {number}"
    if isinstance(name := section.get("name"), str) and name:
        where = f"agent {name}"
    kind = str(section.get("kind"))
    if kind not in KINDS:
        raise _unknown(f"{where}: kind", kind, list(KINDS))
    keys = list(KINDS[kind].model_fields)
    for key in section:
        if key not in keys:
            raise _unknown(where, key, keys)
    try:
        return KINDS[kind].model_validate(section)
    except ValidationError as fault:
        raise _refusal(where, fault) from None


def _unknown(where: str, word: str, known: Sequence[str]) -> ArgumentError:
    begun = [one for one in known if word and one.startswith(word)]
    near = [*difflib.get_close_matches(word, known, n=1), *begun]
    remedy = f"did you mean {near[0]}?" if near else ""
    return ArgumentError(where, got=word, takes=f"one of {', '.join(known)}", remedy=remedy)


def _refusal(where: str, fault: ValidationError) -> ArgumentError:
    # The value itself may be a key that was put in the wrong place, so it is not shown.
    first = fault.errors(include_url=False, include_context=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    got = "nothing" if first["type"] == "missing" else "another"
    message = first["msg"][0].lower() + first["msg"][1:]
    return ArgumentError(f"{where}: {key}", got=got, takes=f"a value of its kind: {message}")


def _agent(section: AgentSection, shared: SharedParts) -> Agent:
    try:
        return section.make(shared)
    except ArgumentError as fault:
        raise _AgentArgumentError(section.name, fault) from None


class _AgentArgumentError(ArgumentError):
    """An argument's error, with the agent's name before it."""

    def __init__(self, agent: str, fault: ArgumentError) -> None:
        self.argument = fault.argument
        ValueError.__init__(self, f"agent {agent}: {fault}")
