"""Recorded answers, replayed: a run repeated exactly, without the endpoint and its costs.

A record is a JSON object on a line of its own: `agent`, `round`, `query` (its number), `index` and
`text`, and what else an answer has (`tokens_in`, `tokens_out`, `cost`, `latency_s`,
`attempts`, `finish`, `model`). Other keys are ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import override

from hayflick.core.errors import DataError, listed
from hayflick.corpus.json_lines import json_lines
from hayflick.network.agents.protocol import AgentSection, Answer, AnswerSeed, SharedParts

Place: TypeAlias = tuple[int, int, int]
"""Round, number of the query, and number of the answer to it."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    agent: str
    round: int = Field(ge=1)
    query: int = Field(default=0, ge=0)
    index: int = Field(default=0, ge=0)
    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency_s: float | None = None
    attempts: int = 1
    finish: str = "stop"
    model: str = ""

    def to_answer(self) -> Answer:
        values = self.model_dump(exclude={"agent", "round", "query", "index"})
        return Answer(**values)


def record_line(answer: Answer, *, seed: AnswerSeed) -> str:
    """Return an answer as a line that `ReplayAgent.from_file` reads.

    Examples
    --------
    >>> record_line(Answer("Yes."), seed=AnswerSeed(7, agent="anna", round=2))[:61]
    '{"agent": "anna", "round": 2, "query": 0, "index": 0, "text":'
    """
    place = {"agent": seed.agent, "round": seed.round, "query": seed.query, "index": seed.index}
    return json.dumps({**place, **asdict(answer)}, ensure_ascii=False)


@final
@dataclass(frozen=True, eq=False)
class ReplayAgent:
    """An agent that repeats recorded answers.

    Parameters
    ----------
    name
        Name of the agent, as in the records.
    answers
        By round, number of the query, and number of the answer.
    source
        Where the records come from, for messages.

    Examples
    --------
    >>> import asyncio
    >>> agent = ReplayAgent("anna", {(1, 0, 0): Answer("Yes.")})
    >>> asyncio.run(agent.answer("Is it?", [], seed=AnswerSeed(7, agent="anna"))).text
    'Yes.'
    """

    name: str
    answers: Mapping[Place, Answer] = field(repr=False)
    source: str = "the records"

    @classmethod
    def from_file(cls, name: str, path: str | os.PathLike[str]) -> ReplayAgent:
        """Return the agent of a file of records.

        Raises
        ------
        DataError
            If the file is missing or empty, a line is no record, an answer occurs twice, or no
            answer is the agent's.
        """
        path = Path(path)
        answers: dict[Place, Answer] = {}
        others: dict[str, None] = {}
        for number, line in json_lines(path):
            parsed = _record(path, number, line)
            place = parsed.round, parsed.query, parsed.index
            if parsed.agent != name:
                others[parsed.agent] = None
                continue
            if place in answers:
                raise DataError(f"{path}: line {number} repeats {_named(name, place)}")
            answers[place] = parsed.to_answer()
        if not answers:
            raise DataError(f"{path}: holds no answer of {name}, but of {listed(list(others))}")
        return cls(name, answers, str(path))

    async def answer(self, query: str, context: Sequence[str], *, seed: AnswerSeed) -> Answer:  # noqa: ARG002
        """Return the answer that was recorded there.

        Raises
        ------
        DataError
            If there is none.
        """
        place = seed.round, seed.query, seed.index
        if place not in self.answers:
            raise DataError(f"{self.source}: lacks {_named(self.name, place)}")
        return self.answers[place]

    def missing(self, places: Iterable[Place]) -> list[Place]:
        """Return the places without a recorded answer."""
        return [place for place in places if place not in self.answers]

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the agent again, ready for JSON."""
        return {"kind": "replay", "name": self.name, "file": self.source}


def _record(path: Path, number: int, line: Mapping[str, Any] | str) -> _Record:
    if isinstance(line, str):
        raise DataError(f"{path}: line {number} {line}; fix or remove it")
    try:
        return _Record.model_validate(line)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"{path}: line {number}: {where}: {first['msg']}; fix it") from None


def _named(name: str, place: Place) -> str:
    turn, query, index = place
    return f"answer {index} of {name} to query {query} in round {turn}"


@final
class ReplaySection(AgentSection):
    """An agent that repeats recorded answers."""

    kind: Literal["replay"]
    file: str

    @override
    def make(self, shared: SharedParts) -> ReplayAgent:
        return ReplayAgent.from_file(self.name, shared.folder / self.file)
