"""Agents from the sections ``[[agents]]`` of an experiment's file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hayflick.core.errors import ArgumentError
from hayflick.core.http import Retries
from hayflick.network.agents.budget import Budget, Prices
from hayflick.network.agents.chat import ChatAgent, Endpoint
from hayflick.network.agents.ngram import NGramAgent, Vocabularies
from hayflick.network.agents.protocol import (
    PERSONA,
    TEMPLATE,
    Agent,
    Prompt,
)
from hayflick.network.agents.replay import ReplayAgent


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)


class NGramSection(_Section):
    """An n-gram agent: its corpus is a file or folder, or texts."""

    kind: Literal["ngram"]
    corpus: str | None = None
    texts: list[str] | None = None
    tokenizer: str = "auto"
    encoding: str = "utf-8"
    order: int = 3
    trust: float = 0.5
    learning: float = 0.0
    most_tokens: int = 60
    most_sentences: int = 2


class OpenAISection(_Section):
    """An agent behind an endpoint; the key is named by its variable alone."""

    kind: Literal["openai"]
    base_url: str
    model: str
    key_variable: str | None = None
    temperature: float | None = None
    max_tokens: int = 256
    limit_key: str = "max_tokens"
    seeded: bool = True
    template: str = TEMPLATE
    persona: str = PERSONA
    price_in: float | None = None
    price_out: float | None = None
    concurrency: int = 8
    timeout_s: float = 120.0
    retries: int = 6
    extra: dict[str, Any] = Field(default_factory=dict)


class ReplaySection(_Section):
    """An agent that says again what was recorded."""

    kind: Literal["replay"]
    file: str


Section = Annotated[NGramSection | OpenAISection | ReplaySection, Field(discriminator="kind")]
_KINDS: Mapping[str, type[_Section]] = {
    "ngram": NGramSection,
    "openai": OpenAISection,
    "replay": ReplaySection,
}
_SECTION: TypeAdapter[Any] = TypeAdapter(Section)


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
    parsed = [parse_section(section, number) for number, section in enumerate(sections, start=1)]
    names = [section.name for section in parsed]
    if not parsed:
        raise ArgumentError("agents", got="none", takes="a section [[agents]] for each agent")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ArgumentError("agents", got=", ".join(twice), takes="a different name for each")
    workshop = _Workshop(folder, Budget() if budget is None else budget)
    return [workshop.make(section) for section in parsed]


def parse_section(section: Mapping[str, Any], number: int = 1) -> Any:
    """Return an agent's section, checked; `number` is its place in the file, for messages.

    Raises
    ------
    ArgumentError
        If it is not understood.
    """
    where = f"agents, section {number}"
    if isinstance(name := section.get("name"), str) and name:
        where = f"agent {name}"
    kind = str(section.get("kind"))
    if kind not in _KINDS:
        raise _unknown(f"{where}: kind", kind, list(_KINDS))
    keys = list(_KINDS[kind].model_fields)
    for key in section:
        if key not in keys:
            raise _unknown(where, key, keys)
    try:
        return _SECTION.validate_python(section)
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
    key = ".".join(str(part) for part in first["loc"][1:])
    got = "nothing" if first["type"] == "missing" else "another"
    message = first["msg"][0].lower() + first["msg"][1:]
    return ArgumentError(f"{where}: {key}", got=got, takes=f"a value of its kind: {message}")


@dataclass(frozen=True)
class _Workshop:
    """Makes agents, which share what they can."""

    folder: Path
    budget: Budget
    vocabularies: Vocabularies = field(default_factory=dict)
    endpoints: dict[tuple[Any, ...], Endpoint] = field(default_factory=dict)

    def make(self, section: NGramSection | OpenAISection | ReplaySection) -> Agent:
        try:
            if isinstance(section, NGramSection):
                return self._ngram(section)
            if isinstance(section, OpenAISection):
                return self._chat(section)
        except ArgumentError as fault:
            # Which agent's it is.
            raise _AgentArgumentError(section.name, fault) from None
        return ReplayAgent.from_file(section.name, self.folder / section.file)

    def _ngram(self, section: NGramSection) -> NGramAgent:
        if (section.corpus is None) == (section.texts is None):
            takes = "either corpus, a file or folder, or texts"
            got = "neither" if section.corpus is None else "both"
            raise ArgumentError("corpus", got=got, takes=takes)
        settings: dict[str, Any] = section.model_dump(
            exclude={"name", "kind", "corpus", "texts", "encoding"}
        )
        settings["vocabularies"] = self.vocabularies
        if section.texts is not None:
            return NGramAgent.of_texts(section.name, section.texts, **settings)
        path = self.folder / str(section.corpus)
        return NGramAgent.from_text(section.name, path, encoding=section.encoding, **settings)

    def _chat(self, section: OpenAISection) -> ChatAgent:
        return ChatAgent(
            name=section.name,
            endpoint=self._endpoint(section),
            model=section.model,
            temperature=section.temperature,
            max_tokens=section.max_tokens,
            limit_key=section.limit_key,
            seeded=section.seeded,
            prompt=Prompt(section.template, section.persona),
            prices=Prices(section.price_in, section.price_out),
            extra=section.extra,
        )

    def _endpoint(self, section: OpenAISection) -> Endpoint:
        shared = (
            section.base_url,
            section.key_variable,
            section.concurrency,
            section.timeout_s,
            section.retries,
        )
        if shared not in self.endpoints:
            self.endpoints[shared] = Endpoint(
                section.base_url,
                key_variable=section.key_variable,
                concurrency=section.concurrency,
                timeout_s=section.timeout_s,
                retries=Retries(section.retries),
                budget=self.budget,
            )
        return self.endpoints[shared]


class _AgentArgumentError(ArgumentError):
    """An argument's error, with the agent's name before it."""

    def __init__(self, agent: str, fault: ArgumentError) -> None:
        self.argument = fault.argument
        ValueError.__init__(self, f"agent {agent}: {fault}")
