"""The file of an experiment, ``experiment.toml``: who is asked what, and what they read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.refusals import refusal
from hayflick.core.source import Source
from hayflick.core.toml import read_toml
from hayflick.corpus.encodings import decoded
from hayflick.corpus.json_lines import json_lines

MOST_AGENTS = 10_000
_Text = Annotated[str, Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Texts(_Section):
    """Texts of a file, one a line (or JSON lines with a key ``text``), or given here."""

    file: str | None = None
    texts: list[_Text] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.file is None) == (not self.texts):
            raise ValueError("either file or texts")
        return self


class PoolSection(_Texts):
    """The real texts of the first pool, and how the pool changes.

    The first `size` texts are taken, or all if it is left out. `owners` says whether they belong
    to nobody or are split among the agents. `inject` real texts are added after every round.
    """

    size: int | None = Field(default=None, ge=1)
    owners: Literal["none", "split"] = "none"
    policy: str = "add-first"
    inject: int = Field(default=0, ge=0)


class ReserveSection(_Texts):
    """Real texts that can be injected later."""


class QuerySection(_Section):
    """One of several queries."""

    text: _Text


class TopologySection(_Section):
    """Who reads whom from a round on."""

    from_round: int = Field(ge=1)
    topology: _Text


class BudgetSection(_Section):
    """The most that a run may spend."""

    tokens: int | None = Field(default=None, ge=0)
    money: float | None = Field(default=None, ge=0)


class ObserveSection(_Section):
    """How answers are measured."""

    tokenizer: str = "auto"
    must_keep: list[_Text] = Field(default_factory=list)
    slow: list[Literal["drift", "near_duplicate_rate"]] = Field(default_factory=list)


class Experiment(_Section):
    """An experiment; `docs/networks-of-models.md` explains every key.

    Examples
    --------
    >>> village = Experiment.of({
    ...     "format_version": 1, "rounds": 3, "answers": 2, "query": "How is it?",
    ...     "pool": {"texts": ["It rains."]},
    ...     "agents": [{"name": "anna", "kind": "ngram", "texts": ["It rains."]}],
    ... })
    >>> village.query_texts, village.retrieval
    (('How is it?',), 'uniform:0.5')
    """

    format_version: Literal[1]
    seed: int = Field(default=1, ge=0, lt=2**63)
    rounds: int = Field(ge=1, le=1_000_000)
    answers: int = Field(default=1, ge=1, le=100_000)
    query: _Text | None = None
    queries: list[QuerySection] = Field(default_factory=list)
    personas: list[_Text] = Field(default_factory=list)
    prompt_variations: list[_Text] = Field(default_factory=list)
    vary_prompts: Literal["when asked", "always"] = "when asked"
    retrieval: str = "uniform:0.5"
    topology: _Text | None = None
    topologies: list[TopologySection] = Field(default_factory=list)
    embedder: str = "hashing"
    concurrency: int = Field(default=32, ge=1, le=10_000)
    review: Literal["wait", "continue"] = "wait"
    rules: str | None = None
    pool: PoolSection
    reserve: ReserveSection | None = None
    budget: BudgetSection = Field(default_factory=BudgetSection)
    observe: ObserveSection = Field(default_factory=ObserveSection)
    agents: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_AGENTS)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.query is None) == (not self.queries):
            raise ValueError("either query or sections [[queries]]")
        if self.topology is not None and self.topologies:
            raise ValueError("either topology or sections [[topologies]]")
        if any(one.from_round > self.rounds for one in self.topologies):
            raise ValueError(f"topologies from one of the {self.rounds} rounds on")
        if not all("{query}" in text for text in self.prompt_variations):
            raise ValueError("prompt_variations with {query} in each")
        if self.vary_prompts == "always" and not self.prompt_variations:
            raise ValueError("prompt_variations where vary_prompts is always")
        if self.pool.inject and self.reserve is None:
            raise ValueError("a section [reserve] where pool.inject is set")
        return self

    @classmethod
    def of(cls, values: Mapping[str, Any], *, name: str = "experiment") -> Self:
        """Return the experiment of the values of a file.

        Parameters
        ----------
        values
            By key.
        name
            Name of the values in messages.

        Raises
        ------
        ArgumentError
            If a key is unknown (the nearest is offered) or missing, or a value is out of its
            range.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as fault:
            raise refusal(name, fault, model=cls) from None

    @property
    def query_texts(self) -> tuple[str, ...]:
        """The queries, in order."""
        return (self.query,) if self.query is not None else tuple(q.text for q in self.queries)

    @property
    def topology_schedule(self) -> tuple[TopologySection, ...]:
        """Who reads whom from which round on; everyone reads everyone by default."""
        first = TopologySection(from_round=1, topology=self.topology or "complete")
        return tuple(self.topologies) or (first,)

    def parameters(self) -> dict[str, Any]:
        """Return all settings but the seed and the budget, ready for JSON."""
        return self.model_dump(mode="json", exclude={"seed", "budget"})

    def agent_sections(self) -> list[dict[str, Any]]:
        """Return the agents' sections; language models without a persona get one in turn.

        Raises
        ------
        ArgumentError
            If there are personas, but no language model without one.
        """
        sections = [dict(section) for section in self.agents]
        open_ones = [s for s in sections if s.get("kind") == "openai" and "persona" not in s]
        if self.personas and not open_ones:
            takes = "nothing where no agent of kind openai can take one"
            raise ArgumentError("personas", got=f"{len(self.personas)} texts", takes=takes)
        for place, section in enumerate(open_ones if self.personas else []):
            section["persona"] = self.personas[place % len(self.personas)]
        return sections


def read_experiment(path: str | os.PathLike[str]) -> Experiment:
    """Return the experiment of a TOML file.

    Raises
    ------
    DataError
        If the file cannot be read, or is no TOML.
    ArgumentError
        If a key or a value is not understood.
    """
    return Experiment.of(read_toml(path, what="an experiment (.toml)"), name=str(path))


def experiment_in(
    experiment: Experiment | str | os.PathLike[str], folder: str | os.PathLike[str] | None
) -> tuple[Experiment, Path]:
    """Return an experiment, read if it is a file, and the folder of the files that it names.

    Raises
    ------
    DataError, ArgumentError
        As `read_experiment`.
    """
    if isinstance(experiment, Experiment):
        return experiment, Path(folder or Path())
    return read_experiment(experiment), Path(folder or Path(experiment).parent)


_JSON_LINES = (".jsonl", ".ndjson")


def texts_of(section: PoolSection | ReserveSection, *, folder: Path) -> list[str]:
    """Return the texts of a section; blank lines of a file are skipped.

    Raises
    ------
    DataError
        If the file cannot be read, holds no text, or is JSON lines without a key ``text``.

    Examples
    --------
    >>> texts_of(ReserveSection(texts=["It rains."]), folder=Path())
    ['It rains.']
    """
    if section.file is None:
        return list(section.texts)
    path = folder / section.file
    found = list(_records(path) if path.suffix in _JSON_LINES else _lines(path))
    if not found:
        raise DataError(f"{path}: holds no text")
    return found


def _lines(path: Path) -> Iterator[str]:
    lines = "".join(decoded(path, encoding="utf-8")).splitlines()
    return (line.strip() for line in lines if line.strip())


def _records(path: Path) -> Iterator[str]:
    for number, record in json_lines(path):
        text = record.get("text") if isinstance(record, dict) else None
        if not isinstance(text, str):
            raise DataError(f"{path}: line {number} takes an object with a key text")
        if text.strip():
            yield text


def fingerprints(experiment: Experiment, *, folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that an experiment names, by name."""
    return {
        name: _digest(folder / name)
        for _, name in named_files(experiment)
        if (folder / name).is_file()
    }


def named_files(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Yield what a file is to the experiment, and its name."""
    if experiment.pool.file is not None:
        yield "pool", experiment.pool.file
    if experiment.reserve is not None and experiment.reserve.file is not None:
        yield "reserve", experiment.reserve.file
    if experiment.rules is not None:
        yield "rules", experiment.rules
    yield from agent_files(experiment.agents)
    for one in experiment.topology_schedule:
        kind, _, name = one.topology.partition(":")
        if kind == "edges":
            yield "topology", name.removeprefix("file=")


def agent_files(agents: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the role and the name of every file that sections of agents name."""
    for agent in agents:
        yield from (
            ("texts of an agent", str(agent[key])) for key in ("corpus", "file") if key in agent
        )


def experiment_sources(
    experiment: Experiment, *, given: object = None, folder: Path
) -> tuple[Source, ...]:
    """Return the experiment's own file and the files that it names, each once.

    Parameters
    ----------
    experiment
        The experiment.
    given
        The path that it was read from, if there is one.
    folder
        Where the files that it names are looked up.
    """
    named = [(role, folder / name) for role, name in named_files(experiment)]
    found = Source.files(("experiment", given), *dict.fromkeys(named))
    sections = {"pool": experiment.pool, "reserve": experiment.reserve}
    return tuple(
        one
        if (section := sections.get(one.role)) is None
        else replace(one, rows=len(texts_of(section, folder=folder)))
        for one in found
    )


def check_unchanged(before: Mapping[str, Any], *, now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to resume a run whose files have changed since it began.

    Raises
    ------
    DataError
        If one has changed or is missing.
    """
    changed: Sequence[str] = [name for name, digest in before.items() if now.get(name) != digest]
    if changed:
        remedy = "restore it, or begin a new run"
        raise DataError(f"{folder / changed[0]}: is not what the run began with; {remedy}")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
