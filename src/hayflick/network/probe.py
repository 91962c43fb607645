"""A probe: the same prompts, several answers each, to the same agents, time after time.

Every call adds a round to a file of JSON lines that `hayflick watch` reads. The answers of a round
are stored beside it as they arrive; once all are there, the file is replaced by one with the whole
round. So a reader never sees a part of a round, and a round that was interrupted is continued
instead of being asked again.

An endpoint that is down costs its own answers alone: a round ends at its deadline at the latest,
and what is missing then stands in the file without an answer, with the reason. So does a round that
nobody answers, once the file has a round.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hayflick.core.checks import number_between, whole_number
from hayflick.core.display import Result
from hayflick.core.display_text import display_text
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError, DataError, EndpointError
from hayflick.core.locks import file_lock
from hayflick.core.output import check_folder, write_file
from hayflick.core.progress import Progress, silent
from hayflick.core.refusals import refusal
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.core.toml import read_toml
from hayflick.network.agents.budget import Budget, Spending
from hayflick.network.agents.parsing import parse_agents, parse_sections
from hayflick.network.agents.protocol import Agent, AnswerSeed, RemoteAgent
from hayflick.network.experiment import MOST_AGENTS, BudgetSection, agent_files
from hayflick.network.rounds import Question, ask_all, run_async
from hayflick.network.usage import effort_of_answers
from hayflick.storage.runs import StoredAnswer

_Row = dict[str, Any]
_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("agent", "time", "prompt", "answer"), (str,)),
    **dict.fromkeys(("round", "query", "index"), (int,)),
    **dict.fromkeys(("tokens_in", "tokens_out"), (int, type(None))),
    "cost": (int, float, type(None)),
}
"""What an answer that was stored holds."""

_ATTEMPTS = 2
"""How often an agent whose request failed is asked for what is left of a round."""

_SHORTEST_DEADLINE_S = 600.0
_DEADLINE_OVER_ESTIMATE = 4.0
_SHORTEST_STATED_S, _LONGEST_DEADLINE_S = 0.1, 7 * 86_400.0

_MOST_BARS = 20
"""Up to so many agents have a progress of their own."""

_TAIL = 1 << 20
"""Bytes at the end of the file that its last line is looked for in."""


class Panel(BaseModel):
    """A panel's file: who is asked what, how often in a round, and where the answers go.

    Examples
    --------
    >>> panel = Panel.of({
    ...     "format_version": 1, "prompts": ["Why?"], "file": "answers.jsonl",
    ...     "agents": [{"name": "anna", "kind": "ngram", "texts": ["It rains."]}],
    ... })
    >>> panel.answers
    5
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Literal[1]
    seed: int = Field(default=1, ge=0)
    prompts: list[str] = Field(min_length=1)
    answers: int = Field(default=5, ge=1, le=100_000)
    file: str = Field(min_length=1)
    concurrency: int = Field(default=32, ge=1, le=10_000)
    deadline: float | None = Field(default=None, ge=_SHORTEST_STATED_S, le=_LONGEST_DEADLINE_S)
    budget: BudgetSection = Field(default_factory=BudgetSection)
    agents: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_AGENTS)

    @classmethod
    def of(cls, values: Mapping[str, Any], *, name: str = "panel") -> Self:
        """Return the panel of the values of a file.

        Raises
        ------
        ArgumentError
            If a key is not known (the nearest is offered) or missing, or a value is out of its
            range.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as fault:
            raise refusal(name, fault, model=cls) from None


@dataclass(frozen=True, slots=True)
class MissingAnswers:
    """Answers of an agent that a round lacks, and why."""

    agent: str
    number: int
    reason: str


class ProbeInterrupted(KeyboardInterrupt):
    """Ctrl-C in a round; what was answered is kept, and the next call goes on.

    Attributes
    ----------
    round : int
        Number of the round.
    kept, asked : int
        How many of its answers are kept, and how many it has.
    seconds_left : float
        Until its deadline; after it, the next call closes the round with what it has.
    """

    def __init__(self, number: int, *, kept: int, asked: int, seconds_left: float) -> None:
        self.round, self.kept, self.asked = number, kept, asked
        self.seconds_left = seconds_left
        super().__init__(f"{kept} of {asked} answers of round {number} are kept")


@dataclass(frozen=True)
class ProbeRound(Result):
    """A finished round of a probe.

    Parameters
    ----------
    round
        Its number, from 1.
    file
        Where the answers were added.
    answers, empty
        How many answers there are, and how many of them are empty. Without any, the round stands
        in the file as a gap.
    panel
        Who was asked what.
    missing
        What agents did not answer.
    closed
        Number of an earlier round that was cut off before its deadline, and was closed with the
        answers that it had; None without one.
    sources
        What was read: the panel, and the answers of earlier rounds.
    """

    round: int
    file: Path
    answers: int
    empty: int
    panel: Panel = field(repr=False)
    missing: tuple[MissingAnswers, ...] = ()
    closed: int | None = None
    sources: tuple[Source, ...] = field(default=(), repr=False)

    def provenance(self) -> dict[str, Any]:
        """Return what the round was made with."""
        values = self.panel.model_dump(mode="json", exclude={"seed", "budget"})
        return provenance({**values, "round": self.round}, seed=self.panel.seed)


def probe(
    panel: str | os.PathLike[str], *, deadline: float | None = None, progress: Progress = silent
) -> ProbeRound:
    """Ask a panel once more, and add the round of answers to its file.

    What an agent has not answered when its requests went on failing, or at the deadline, is missing
    in the round. A round that was cut off is continued before its deadline, and closed after it.

    Parameters
    ----------
    panel
        A TOML file; files that it names are looked up in its folder.
    deadline
        Seconds after which the round ends; where None, as the panel says, else four times the
        estimate of the round, ten minutes at least.
    progress
        Told beforehand what the round takes, then how far every agent has come.

    Raises
    ------
    ArgumentError, DataError
        If the panel is invalid, or its file holds something else.
    EndpointError
        If no agent answered at all, and the file has no round yet; nothing is added.
    BudgetExhausted
        If the round cannot be finished now; the next call continues it.
    ProbeInterrupted
        At Ctrl-C; the next call continues the round.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... format_version = 1
    ... prompts = ["How is it?", "And now?"]
    ... answers = 3
    ... file = "answers.jsonl"
    ... [[agents]]
    ... name = "anna"
    ... kind = "ngram"
    ... texts = ["It rains in May."]
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     panel = Path(folder) / "panel.toml"
    ...     _ = panel.write_text(text)
    ...     rounds = [probe(panel), probe(panel)]
    >>> [(one.round, one.answers) for one in rounds]
    [(1, 6), (2, 6)]
    """
    path = Path(panel)
    found = Panel.of(read_toml(path, what="a panel (.toml)"), name=str(path))
    file = path.parent / found.file
    each = found.answers * len(found.prompts)
    sections = parse_sections(found.agents)
    effort = effort_of_answers(sections, each=each, concurrency=found.concurrency)
    expect(progress, effort)
    seconds = _deadline(deadline, found, effort)
    check_folder(file.parent)
    with file_lock(file.with_name(f".{file.name}.lock"), subject=str(file)):
        named = [(role, path.parent / name) for role, name in agent_files(found.agents)]
        sources = Source.files(("panel", path), ("answers of earlier rounds", file), *named)
        cycle = _Cycle(found, file, progress)
        closed = None
        if cycle.age > seconds:
            closed = cycle.finish("the round was cut off").round
            cycle = _Cycle(found, file, progress)
        budget = Budget(**found.budget.model_dump(), spent=cycle.spent())
        agents = parse_agents(found.agents, folder=path.parent, budget=budget)
        try:
            run_async(cycle.ask(agents, seconds=seconds - cycle.age))
        except KeyboardInterrupt:
            raise cycle.interrupted(seconds) from None
        done = cycle.finish(f"no answer within {seconds:,g} s")
        return replace(done, closed=closed, sources=sources)


def _deadline(stated: float | None, panel: Panel, effort: Effort) -> float:
    if stated is not None:
        return number_between("deadline", stated, low=_SHORTEST_STATED_S, high=_LONGEST_DEADLINE_S)
    if panel.deadline is not None:
        return panel.deadline
    longest = max(_SHORTEST_DEADLINE_S, _DEADLINE_OVER_ESTIMATE * effort.seconds)
    return min(longest, _LONGEST_DEADLINE_S)


class _Cycle:
    """A round under way: the one that was interrupted, or a new one."""

    def __init__(self, panel: Panel, file: Path, progress: Progress) -> None:
        self.panel, self.file, self.progress = panel, file, progress
        self.partial = file.with_name(f"{file.name}.partial")
        self.number = _last_round(file) + 1
        self.rows = [row for row in _rows(self.partial) if row["round"] == self.number]
        self.answered = Counter(row["agent"] for row in self.rows)
        self.failures: dict[str, Exception] = {}
        now = datetime.now(UTC)
        self.started = self.rows[0]["time"] if self.rows else now.isoformat(timespec="seconds")
        # Times are stored in whole seconds; a new round has all of its time.
        age = (now - _time(self.started, self.partial)).total_seconds() if self.rows else 0.0
        self.age = max(0.0, age)
        # A line that was cut off, or a round that is in the file already, is left out.
        self.partial.write_text("".join(map(_line, self.rows)), encoding="utf-8")

    def spent(self) -> Spending:
        tokens = sum((row["tokens_in"] or 0) + (row["tokens_out"] or 0) for row in self.rows)
        return Spending(tokens, sum(row["cost"] or 0.0 for row in self.rows))

    async def ask(self, agents: Sequence[Agent], *, seconds: float) -> None:
        """Ask what has no answer yet, every agent by itself, until the round ends.

        Raises
        ------
        EndpointError
            If there is no answer at all, in the first round.
        BudgetExhausted
            If the next request could exceed the budget.
        """
        for agent in agents:
            self._report(agent.name)
        asked = [self._ask(agent, agents=len(agents)) for agent in agents]
        try:
            async with asyncio.timeout(seconds):
                found = await asyncio.gather(*asked, return_exceptions=True)
        except TimeoutError:
            found = []
            self._remember(agents, seconds)
        finally:
            await asyncio.gather(*(agent.close() for agent in agents))
        for failure in found:
            if isinstance(failure, BaseException):
                raise failure
        if not self.rows and self.number == 1:
            raise next(iter(self.failures.values()), self._silence(seconds))

    def _remember(self, agents: Sequence[Agent], seconds: float) -> None:
        """Remember why requests failed that were to be made again when the round ended."""
        for agent, section in zip(agents, self.panel.agents, strict=True):
            failing = agent.failing if isinstance(agent, RemoteAgent) else None
            if failing is not None and agent.name not in self.failures:
                reason = f"{failing}; asked again until the deadline, {seconds:,.1f} s"
                self.failures[agent.name] = _failure(section, reason)

    def _silence(self, seconds: float) -> EndpointError:
        return _failure(self.panel.agents[0], f"no agent answered within {seconds:,.1f} s")

    def _report(self, agent: str) -> None:
        """Tell how far an agent has come; of many agents, how far all have."""
        each = self.panel.answers * len(self.panel.prompts)
        if len(self.panel.agents) > _MOST_BARS:
            self.progress("answers", len(self.rows), each * len(self.panel.agents))
            return
        stage = f"answers of {display_text(agent, longest=40)}"
        self.progress(stage, self.answered[agent], each)

    def interrupted(self, seconds: float) -> ProbeInterrupted:
        """Return what is kept of the round."""
        asked = self.panel.answers * len(self.panel.prompts) * len(self.panel.agents)
        begun = _time(self.started, self.partial)
        left = seconds - (datetime.now(UTC) - begun).total_seconds()
        return ProbeInterrupted(
            self.number, kept=len(self.rows), asked=asked, seconds_left=max(0.0, left)
        )

    async def _ask(self, agent: Agent, *, agents: int) -> None:
        """Ask an agent what it has not answered yet; remember the last failure, if it fails."""
        panel, number = self.panel, self.number
        for _ in range(_ATTEMPTS):
            answered = {_key(row) for row in self.rows}
            questions = [
                Question(
                    agent, prompt, (), AnswerSeed(panel.seed, agent.name, number, query, index)
                )
                for index in range(panel.answers)
                for query, prompt in enumerate(panel.prompts)
                if (agent.name, query, index) not in answered
            ]
            try:
                # Agents do not wait for one another.
                each = max(1, panel.concurrency // agents)
                await ask_all(questions, concurrency=each, store=self._store)
            except EndpointError as failure:
                self.failures[agent.name] = failure
            else:
                self.failures.pop(agent.name, None)
                return

    def _store(self, answers: Sequence[StoredAnswer]) -> None:
        rows = [self._row(one) for one in answers]
        size = self.partial.stat().st_size
        try:
            with open(self.partial, "a", encoding="utf-8") as file:
                file.write("".join(map(_line, rows)))
        except OSError:
            # They are written once more, and must not follow half a line.
            os.truncate(self.partial, size)
            raise
        self.rows.extend(rows)
        arrived = Counter(row["agent"] for row in rows)
        self.answered += arrived
        for agent in arrived:
            self._report(agent)

    def _row(self, answer: StoredAnswer) -> _Row:
        row = {name: getattr(answer, name) for name in answer.__slots__}
        text, query, index = (row.pop(name) for name in ("text", "query", "place"))
        place = {"prompt": self.panel.prompts[query], "query": query, "index": index}
        return {**row, "time": self.started, **place, "answer": text}

    def finish(self, unanswered: str) -> ProbeRound:
        """Add the round to the file; without an answer, with a reason, where there is none."""
        rows = {_key(row): row for row in self.rows}
        # The panel may have changed since the round was started.
        names = [str(section["name"]) for section in self.panel.agents]
        wanted: list[_Row] = []
        missing: dict[str, MissingAnswers] = {}
        for name in names:
            reason = str(self.failures.get(name, unanswered))
            for query, index in itertools.product(
                range(len(self.panel.prompts)), range(self.panel.answers)
            ):
                row = rows.get((name, query, index))
                if row is None:
                    row = self._gap(name, query, index, reason)
                    number = missing[name].number if name in missing else 0
                    missing[name] = MissingAnswers(name, number + 1, reason)
                wanted.append(row)

        def write(temporary: Path) -> None:
            if self.file.exists():
                shutil.copyfile(self.file, temporary)
            with open(temporary, "a", encoding="utf-8") as file:
                file.write("".join(map(_line, wanted)))

        write_file(self.file, write, force=True)
        self.partial.unlink()
        texts = [row["answer"] for row in wanted if row["answer"] is not None]
        empty = sum(not text.strip() for text in texts)
        lacking = tuple(missing.values())
        return ProbeRound(self.number, self.file, len(texts), empty, self.panel, missing=lacking)

    def _gap(self, agent: str, query: int, index: int, reason: str) -> _Row:
        prompt = self.panel.prompts[query]
        place = {"prompt": prompt, "query": query, "index": index}
        place |= {"round": self.number, "agent": agent, "time": self.started}
        return {**place, "answer": None, "missing": reason}


def _failure(section: Mapping[str, Any], reason: str) -> EndpointError:
    address = str(section.get("base_url", section["kind"]))
    return EndpointError(reason, agent=str(section["name"]), url=address)


def _time(text: str, partial: Path) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise _damaged(partial) from None


def _damaged(path: Path) -> DataError:
    return DataError(f"{path}: a line is no answer of a probe; remove the file")


def _key(row: _Row) -> tuple[str, int, int]:
    return row["agent"], row["query"], row["index"]


def _line(row: _Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _rows(path: Path) -> list[_Row]:
    """Return the complete lines of a file; none if there is no file.

    Raises
    ------
    DataError
        If one is no answer of a probe.
    """
    if not path.exists():
        return []
    try:
        rows = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        whole = all(isinstance(row[name], kinds) for row in rows for name, kinds in _KINDS.items())
    except (ValueError, LookupError, TypeError, RecursionError, OSError):
        whole, rows = False, []
    if not whole:
        raise _damaged(path)
    return rows


def _last_round(file: Path) -> int:
    """Return the number of the last round in a file; 0 for none.

    Raises
    ------
    DataError
        If it is a folder, or its last line is no row of a probe.
    """
    if file.is_dir():
        raise DataError(f"{file}: is a folder; name a file in the panel")
    if not file.exists() or not file.stat().st_size:
        return 0
    with open(file, "rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL))
        last = opened.read().rstrip(b"\n").rsplit(b"\n", 1)[-1]
    try:
        return whole_number("round", json.loads(last)["round"], at_least=1)
    except (ArgumentError, ValueError, LookupError, TypeError, RecursionError):
        remedy = "name another file in the panel"
        raise DataError(f"{file}: its last line is no round of a probe; {remedy}") from None
