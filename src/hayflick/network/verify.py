"""Check a stored run against what it must be: what it kept is computed again, and compared.

Nothing is asked and nothing is changed. Vectors of answers are not kept; those of a paid embedder
would have to be bought again, so that of such a run only the numbers that need none are computed.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from hayflick.core.arrays import Integers
from hayflick.core.display import Result
from hayflick.core.errors import HayflickError
from hayflick.core.notes import translatable
from hayflick.core.records import Reading
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.diversity.observing import RoundAnswers
from hayflick.embed.embedder import Vectors
from hayflick.embed.hashing import HashingEmbedder
from hayflick.network.agents.budget import Prices
from hayflick.network.experiment import fingerprints
from hayflick.network.interventions import RecordedAction, injected_texts
from hayflick.network.pool import Pool
from hayflick.network.rounds import RoundOutput, measure_round
from hayflick.network.run_results import NetworkRun, run_folder, stored_run
from hayflick.network.run_rules import RoundDecisions
from hayflick.network.setup import AgentQuery, NetworkSetup, retrieve_texts, set_up_network
from hayflick.storage.runs import StoredAnswer, StoredText

TOLERANCE = 1e-9
"""Relative difference of readings that is no difference."""

_MOST_SHOWN = 20

Found: TypeAlias = Iterator[str]


@dataclass(frozen=True, slots=True)
class RunCheck:
    """One thing that was checked.

    Parameters
    ----------
    name
        What, as a phrase; reports translate it.
    differences
        How the run differs; empty if it does not.
    skipped
        Why it could not be checked; empty if it was.
    """

    name: str
    differences: tuple[str, ...] = ()
    skipped: str = ""


@dataclass(frozen=True, eq=False)
class NetworkVerification(Result):
    """What was checked of a run; `save` writes it as a page.

    Parameters
    ----------
    run
        The run.
    checks
        What was checked, in order.
    """

    run: NetworkRun = field(repr=False)
    checks: tuple[RunCheck, ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        """What the run was begun with."""
        return self.run.sources

    @property
    def sound(self) -> bool:
        """Whether nothing differs."""
        return not any(one.differences for one in self.checks)

    def provenance(self) -> dict[str, Any]:
        """Return what the run was made with."""
        values = {**self.run.experiment.parameters(), "tolerance": TOLERANCE}
        return provenance(values, seed=self.run.experiment.seed)


def verify_network(folder: str | os.PathLike[str]) -> NetworkVerification:
    """Check a stored run, finished or not, against its own invariants.

    Rounds and answers are complete, the sizes of the pool, the numbers of texts read and the
    shares follow from the stored texts, readings are computed again from the stored answers
    (equal within 1e-9, relatively), decisions are those of the rules, spending is at least that
    of the answers and at most the budget, and the files are those that the run began with.

    Parameters
    ----------
    folder
        Of the run, or the run itself.

    Raises
    ------
    DataError
        If the folder holds no run that can be read.

    Examples
    --------
    >>> import tempfile
    >>> from hayflick.network.experiment import Experiment
    >>> from hayflick.network.run import run_network
    >>> village = Experiment.of({
    ...     "format_version": 1, "rounds": 2, "answers": 2, "query": "How is it?",
    ...     "pool": {"texts": ["It rains in May.", "It snows in June."]},
    ...     "agents": [{"name": n, "kind": "ngram", "texts": ["It rains in May."]} for n in "ab"],
    ... })
    >>> with tempfile.TemporaryDirectory() as place:
    ...     run = run_network(village, out=f"{place}/run")
    ...     verify_network(run).sound
    True
    """
    place = run_folder(folder)
    run = NetworkRun.read(place)
    with stored_run(place) as store:
        config, seed, finished = store.config, store.seed, store.finished
    where = Path(config["folder"])
    checks = [
        RunCheck(translatable("files are unchanged"), _limited(_files(run, config, where))),
        RunCheck(
            translatable("every round is complete"),
            _limited(_complete(run, seed=seed, finished=finished)),
        ),
        RunCheck(
            translatable("spending fits the answers and the budget"), _limited(_spending(run))
        ),
    ]
    try:
        setup = set_up_network(run.experiment, folder=where, asking=False)
    except (HayflickError, OSError) as fault:
        skipped = f"the experiment cannot be set up again: {fault}"
        names = ("texts of the pool", "texts that were read", "readings")
        checks += [RunCheck(one, (), skipped) for one in names]
        return NetworkVerification(run, (*checks, _decisions(run)))
    pool = Pool(tuple(run.texts), setup.names, setup.policy)
    checks += [
        RunCheck(translatable("texts of the pool"), _limited(_texts(run, setup, where))),
        RunCheck(translatable("texts that were read"), _limited(_reads(run, setup, pool))),
        RunCheck(translatable("readings"), _limited(_readings(run, setup, pool))),
        _decisions(run),
    ]
    return NetworkVerification(run, tuple(checks))


def _limited(found: Found) -> tuple[str, ...]:
    shown = list(found)
    more = [f"and {len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
    return (*shown[:_MOST_SHOWN], *more)


def _files(run: NetworkRun, config: Mapping[str, Any], folder: Path) -> Found:
    now = fingerprints(run.experiment, folder=folder)
    for name, digest in config["files"].items():
        if now.get(name) != digest and not (name == run.experiment.rules and len(run.rules) > 1):
            what = "has changed" if name in now else "is missing"
            yield f"{folder / name} {what} since the run began"


def _complete(run: NetworkRun, *, seed: int, finished: int) -> Found:
    experiment = run.experiment
    if seed != experiment.seed:
        yield f"the run has seed {seed}, and its experiment {experiment.seed}"
    later = sorted({one.round for one in run.texts if one.round > finished})
    yield from (f"round {number}: texts of a round that was not finished" for number in later)
    each = Counter((one.round, one.agent, one.query) for one in run.answers)
    reads = Counter((one.round, one.agent, one.query) for one in run.reads)
    for number in range(1, run.rounds + 1):
        for agent in run.agents:
            for query in range(len(experiment.query_texts)):
                key = (number, agent, query)
                where = f"round {number}, agent {agent}, query {query}"
                if each[key] != experiment.answers:
                    yield f"{where}: {each[key]} answers, not {experiment.answers}"
                if reads[key] != 1:
                    yield f"{where}: {reads[key]} records of what was read, not 1"
        groups = {name for name, found in run.readings.items() if _has(found, number)}
        for name in sorted({"", *run.agents} - groups):
            yield f"round {number}: no reading of {name or 'all answers'}"
    beyond = {one.round for one in run.answers if one.round > run.rounds + 2}
    yield from (f"round {number}: answers of a round that was not begun" for number in beyond)


def _has(readings: Sequence[Reading], number: int) -> bool:
    return any(one.round == number for one in readings)


def _usage(run: NetworkRun) -> Found:
    """Yield numbers of answers that no agent gives, and costs that are not those of the tokens."""
    sections = {str(one["name"]): one for one in run.experiment.agents}
    for one in run.answers:
        numbers = one.tokens_in, one.tokens_out, one.cost, one.latency_s
        where = f"round {one.round}, agent {one.agent}, query {one.query}, answer {one.place}"
        if not all(number is None or 0 <= number < math.inf for number in numbers):
            yield f"{where}: its numbers are {numbers}, takes none below 0"
        if one.attempts < 1:
            yield f"{where}: {one.attempts} attempts, takes 1 or more"
        section = sections[one.agent]
        if section.get("kind") == "openai":
            prices = Prices(section.get("price_in"), section.get("price_out"))
            due = prices.cost(tokens_in=one.tokens_in, tokens_out=one.tokens_out)
            if (one.cost, due).count(None) == 1 or not math.isclose(one.cost or 0.0, due or 0.0):
                yield f"{where}: it cost {_number(one.cost)}, and its tokens cost {_number(due)}"


def _spending(run: NetworkRun) -> Found:
    yield from _usage(run)
    tokens, money = run.spent
    if not tokens >= 0 or not 0.0 <= money < math.inf:
        yield f"{tokens} tokens and {money:g} in money are no spending"
    chats = {str(one["name"]) for one in run.experiment.agents if one.get("kind") == "openai"}
    if not chats and (tokens or money):
        yield f"{tokens:,} tokens and {money:g} in money are spent, and no agent has an endpoint"
    paid = [one for one in run.answers if one.agent in chats]
    claimed = sum((one.tokens_in or 0) + (one.tokens_out or 0) for one in paid)
    cost = sum(one.cost or 0.0 for one in paid)
    budget = run.experiment.budget
    # A claim beyond the budget uses it up, and no more.
    if tokens < claimed and tokens != budget.tokens:
        yield f"{tokens:,} tokens are spent, and the answers took {claimed:,}"
    if money < cost * (1.0 - TOLERANCE) and money != budget.money:
        yield f"{money:.6g} in money is spent, and the answers cost {cost:.6g}"


def _texts(run: NetworkRun, setup: NetworkSetup, folder: Path) -> Found:
    """Yield differences of the pool: real texts, and what joined after each round."""
    first = [one.text for one in run.texts if one.round == 0]
    try:
        begun = [one.text for one in setup.first_pool(folder=folder, embedded=False).texts]
    except (HayflickError, OSError):
        begun = first
    if first != begun:
        yield f"the first pool holds {len(first)} texts, which are not those of the experiment"
    if isinstance(setup.embedder, HashingEmbedder):
        vectors = np.asarray(setup.embed([one.text for one in run.texts]), "<f4")
        for one, vector in zip(run.texts, vectors, strict=True):
            if one.embedding != vector.tobytes():
                yield f"text {one.number}: its vector is not that of the text"
    joined: dict[int, list[StoredText]] = {}
    for one in run.texts:
        joined.setdefault(one.round, []).append(one)
    answers = _by_round(run.answers)
    for number in range(1, run.rounds + 1):
        found = [(one.author, one.text, one.origin) for one in joined.get(number, [])]
        due = [(one.agent, one.text, "answer") for one in _joining(answers[number], setup)]
        decided = [one for one in run.decisions if one.round <= number]
        reserve = setup.reserve
        injected = injected_texts(run.experiment, decided, reserve=reserve, after=number)
        due += [("", text, "injected") for text in injected]
        if found != due:
            yield (
                f"round {number}: {len(found)} texts joined the pool, and the answers and decisions"
                f" give {len(due)}" + ("" if len(found) != len(due) else " others")
            )


def _joining(answers: Sequence[StoredAnswer], setup: NetworkSetup) -> list[StoredAnswer]:
    said = [one for one in answers if one.text.strip()]
    if setup.policy.adds != "first":
        return said
    return [next(group) for _, group in groupby(said, key=lambda one: (one.agent, one.query))]


def _by_round(answers: Sequence[StoredAnswer]) -> dict[int, list[StoredAnswer]]:
    found: dict[int, list[StoredAnswer]] = {}
    for one in sorted(answers, key=lambda one: (one.round, one.agent, one.query, one.place)):
        found.setdefault(one.round, []).append(one)
    return found


def _read_by_round(run: NetworkRun) -> dict[int, dict[AgentQuery, Integers]]:
    places = {name: number for number, name in enumerate(run.agents)}
    found: dict[int, dict[AgentQuery, Integers]] = {}
    for one in run.reads:
        key = places[one.agent], one.query
        found.setdefault(one.round, {})[key] = np.frombuffer(one.texts, "<i4")
    return found


def _reads(run: NetworkRun, setup: NetworkSetup, pool: Pool) -> Found:
    """Yield differences of what was read, which the seed determines."""
    exact = isinstance(setup.embedder, HashingEmbedder)
    width = len(pool.texts[0].embedding) // 4
    # Without the vectors of the queries, only how many texts are read is known.
    targets = np.ones((len(run.experiment.query_texts), width))
    if exact:
        targets = np.asarray(setup.embed(run.experiment.query_texts), dtype=np.float64)
    for number, read in _read_by_round(run).items():
        for key, due in retrieve_texts(setup, pool, targets=targets, number=number).items():
            found = read.get(key, np.empty(0, np.int64))
            if found.size != due.size or (exact and not np.array_equal(found, due)):
                who = f"round {number}, agent {setup.names[key[0]]}, query {key[1]}"
                others = " others" if found.size == due.size else ""
                yield f"{who}: {found.size} texts were read; the retrieval gives {due.size}{others}"


def _readings(run: NetworkRun, setup: NetworkSetup, pool: Pool) -> Found:
    answers, reads = _by_round(run.answers), _read_by_round(run)
    computed = isinstance(setup.embedder, HashingEmbedder)
    observer = setup.observer(pool)
    for number in range(1, run.rounds + 1):
        if number not in answers or len(reads.get(number, {})) == 0:
            continue
        values = {
            "pool_read": float(pool.in_force(after=number - 1).size),
            "texts_read": float(np.mean([one.size for one in reads[number].values()])),
            "pool_size": float(pool.in_force(after=number).size),
            "synthetic_share": pool.synthetic_share(after=number),
        }
        stored = {one.group: one for group in run.readings.values() for one in group
                  if one.round == number}  # fmt: skip
        if not computed:
            texts = [one.text for one in answers[number]]
            (words,) = observer.read(RoundAnswers(round=number, texts=texts))
            due = Reading(number, {**words.values, **_known(values)})
            yield from _different(stored.get(""), due, only={*words.values, *values})
            continue
        vectors: Vectors = setup.embed([one.text for one in answers[number]])
        output = RoundOutput(number, answers[number], vectors, values)
        for due in measure_round(output, observer=observer):
            yield from _different(stored.get(due.group), due, only=None)
        for key, mean in output.mean_vectors().items():
            yield from _mean_difference(run, number, key, mean)


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _mean_difference(run: NetworkRun, number: int, key: tuple[str, int], mean: Any) -> Found:
    one = next((r for r in run.reads if (r.round, r.agent, r.query) == (number, *key)), None)
    stored = None if one is None or one.mean is None else np.frombuffer(one.mean, "<f8")
    same = (stored is None) == (mean is None)
    if stored is not None and mean is not None:
        same = stored.shape == mean.shape and bool(
            np.allclose(stored, mean, rtol=TOLERANCE, atol=TOLERANCE)
        )
    if not same:
        yield f"round {number}, agent {key[0]}, query {key[1]}: the mean vector differs"


def _different(stored: Reading | None, due: Reading, *, only: set[str] | None) -> Found:
    where = f"round {due.round}, {due.group or 'all answers'}"
    if stored is None:
        return
    names = sorted({*stored.values, *due.values} if only is None else only)
    for name in names:
        found, expected = stored.values.get(name), due.values.get(name)
        if found is None or expected is None:
            same = found is expected
        else:
            same = math.isclose(found, expected, rel_tol=TOLERANCE, abs_tol=1e-12)
        if not same:
            yield f"{where}: {name} is {_number(found)}, computed {_number(expected)}"
    for name in () if only is not None else sorted({*stored.scores, *due.scores}):
        one, other = stored.scores.get(name), due.scores.get(name)
        same = one is not None and other is not None and one.shape == other.shape
        if not same or not np.allclose(one, other, rtol=TOLERANCE, atol=1e-12):  # type: ignore[arg-type]
            yield f"{where}: scores of {name} differ"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.12g}"


def _decisions(run: NetworkRun) -> RunCheck:
    name = translatable("decisions")
    if not run.rules and run.experiment.rules is None:
        found = [f"round {one.round}: {one.kind.value} without rules" for one in run.decisions]
        return RunCheck(name, _limited(iter(found)))
    if not run.rules:
        return RunCheck(name, (), "the run does not hold its rules")
    if any(one.text is None for one in run.rules):
        return RunCheck(name, (), "a rule that was given in Python cannot be replayed")
    try:
        return RunCheck(name, _limited(_replayed(run)))
    except (HayflickError, OSError) as fault:
        return RunCheck(name, (), f"the rules cannot be read again: {fault}")


def _replayed(run: NetworkRun) -> Found:
    ends = [*(one.from_round for one in run.rules[1:]), run.rounds + 1]
    groups = ("", *run.agents)
    for rules, end in zip(run.rules, ends, strict=True):
        rule_set = rules.load()
        if rule_set is None:
            continue
        deciding = RoundDecisions(rule_set.start())
        for number in range(1, min(end, run.rounds + 1)):
            readings = [
                one
                for group in groups
                for one in run.readings.get(group, ())
                if one.round == number
            ]
            due = [RecordedAction.of(one, round=number) for one in deciding.decide(readings)]
            found = [one for one in run.decisions if one.round == number]
            if number >= rules.from_round and found != due:
                yield f"round {number}: decided {_kinds(found)}; the rules give {_kinds(due)}"


def _kinds(decisions: Sequence[RecordedAction]) -> str:
    return ", ".join(f"{one.kind.value} ({one.reason})" for one in decisions) or "nothing"
