"""What can be known of a run before anybody is asked: that its rules and its budget can work."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.http import key_of
from hayflick.diversity.observing import RoundAnswers
from hayflick.embed.hashing import HashingEmbedder
from hayflick.network.agents.chat import MOST_BYTES_OF_A_TOKEN, ChatAgent
from hayflick.network.experiment import BudgetSection, Experiment
from hayflick.network.pool import Pool
from hayflick.network.rounds import RoundOutput, measure_round
from hayflick.network.run_rules import RunRules
from hayflick.network.setup import NetworkSetup, retrieve_texts, set_up_network
from hayflick.network.usage import ReadingEstimate
from hayflick.storage.runs import StoredAnswer

if TYPE_CHECKING:
    from hayflick.rules.rule_set import RuleSet

_MOST_AGENTS, _MOST_ANSWERS = 3, 6
"""Enough for every metric that compares agents, or answers, to be defined."""

_MOST_MADE = 100


def check_first_round(setup: NetworkSetup, pool: Pool, *, rules: RuleSet | None) -> None:
    """Refuse an experiment that cannot read or measure its first texts, pay for them, or decide.

    Raises
    ------
    ArgumentError, DataError
        If it cannot.
    """
    targets = np.asarray(setup.embed(setup.experiment.query_texts), dtype=np.float64)
    read = retrieve_texts(setup, pool, targets=targets, number=1)
    first = RoundAnswers(round=1, texts=[one.text for one in pool.texts[:1]])
    setup.observer(pool).read(first)
    check_budget(setup, pool, read=read)
    if rules is not None:
        check_rules_of_run(rules, setup=setup, pool=pool)


def check_first_round_of(experiment: Experiment, *, folder: Path, reading: ReadingEstimate) -> None:
    """Refuse an experiment that cannot begin, without vectors that cost money.

    Of more than 100 agents none is made, and no round is measured. A budget that is too small is
    not refused: the estimate says in which round it is spent.

    Raises
    ------
    ArgumentError, DataError
        If it cannot.
    """
    begun_with = RunRules.begun_with(experiment, None, folder=folder)
    rules = None if begun_with is None else begun_with.load()
    sections = reading.sections
    if len(sections) <= _MOST_MADE:
        setup = replace(
            set_up_network(experiment, folder=folder.resolve()), embedder=HashingEmbedder()
        )
        unlimited = experiment.model_copy(update={"budget": BudgetSection()})
        setup = replace(setup, experiment=unlimited)
        check_first_round(setup, setup.first_pool(folder=folder), rules=rules)
        return
    reading.check_first_round()
    for variable in {getattr(one, "key_variable", None) for one in sections} - {None}:
        key_of(str(variable), argument="key_variable")
    if rules is not None:
        names = [one.name for one in sections]
        problems = [
            *rules.baseline_problems(),
            *_baselines(rules, experiment),
            *_groups(rules, names),
        ]
        if problems:
            raise DataError(f"{rules.name}: {problems[0]}")


def check_rules_of_run(rules: RuleSet, *, setup: NetworkSetup, pool: Pool) -> None:
    """Refuse rules that cannot work in a run.

    Raises
    ------
    DataError
        If a chart takes more readings than the run has, a metric is in no reading, a group is no
        agent, or an action has no texts to put in.
    """
    problems = [
        *rules.baseline_problems(),
        *_baselines(rules, setup.experiment),
        *_groups(rules, setup.names),
        *_metrics(rules, setup, pool),
        *_reserves(rules, setup),
    ]
    if problems:
        raise DataError(f"{rules.name}: {problems[0]}")


def _baselines(rules: RuleSet, experiment: Experiment) -> Iterator[str]:
    baseline, rounds = rules.rules.baseline, experiment.rounds
    for watch in rules.rules.watch:
        if watch.chart is not None and baseline >= rounds:
            yield (
                f"[[watch]] {watch.name}: {watch.chart} learns from {baseline} rounds, and the run"
                f" has {rounds}; set a smaller baseline, or more rounds"
            )


def _groups(rules: RuleSet, names: Sequence[str]) -> Iterator[str]:
    for watch in rules.rules.watch:
        unknown = [group for group in watch.groups if group not in (*names, "*", "")]
        if unknown:
            yield (
                f"[[watch]] {watch.name}: groups: got {listed(unknown)}, takes names of agents:"
                f" {listed(names)}"
            )


def _metrics(rules: RuleSet, setup: NetworkSetup, pool: Pool) -> Iterator[str]:
    together, alone = _measurable(setup, pool)
    for watch in rules.rules.watch:
        known = alone if watch.groups else together
        if known.isdisjoint(watch.metrics):
            remedy = "takes one of " + ", ".join(sorted(known))
            if "retention" in watch.metrics and not watch.groups:
                remedy = "it needs [observe] must_keep; for all real words, take vocabulary_kept"
            slow = {"drift", "near_duplicate_rate"} & set(watch.metrics)
            if slow and not watch.groups:
                remedy = f"it needs [observe] slow = {sorted(slow)}"
            whose = "of one agent " if watch.groups else ""
            missing = f"no reading {whose}has {listed(watch.metrics)}"
            yield f"[[watch]] {watch.name}: {missing}; {remedy}"


def _measurable(setup: NetworkSetup, pool: Pool) -> tuple[set[str], set[str]]:
    """Return the metrics of readings of all answers, and of one agent's.

    A round of made-up answers is measured as rounds are.
    """
    experiment = setup.experiment
    names = setup.names[:_MOST_AGENTS]
    places = [
        (name, query, place)
        for name in names
        for query in range(min(len(experiment.query_texts), 2))
        for place in range(min(experiment.answers, _MOST_ANSWERS))
    ]
    words = " ".join(one.text for one in pool.texts[:20]).split() or ["word"]
    answers = [
        StoredAnswer(1, *place, " ".join([*words[row % len(words) :], f"word{row}", "word"]))
        for row, place in enumerate(places)
    ]
    # Their embedding would cost money, and says nothing about which metrics there are.
    width = len(pool.texts[0].embedding) // 4 if pool.texts else 8
    rng = np.random.Generator(np.random.Philox(1))
    vectors = rng.standard_normal((len(answers), width)).astype(np.float32)
    values = dict.fromkeys(("pool_read", "texts_read", "pool_size", "synthetic_share"), 1.0)
    output = RoundOutput(1, answers, vectors, values)
    first, *others = measure_round(output, observer=setup.observer(pool))
    found = [{*one.values, *one.scores} for one in (first, *others)]
    return found[0], set().union(*found[1:])


def _reserves(rules: RuleSet, setup: NetworkSetup) -> Iterator[str]:
    watched = {name for watch in rules.rules.watch for name in watch.actions}
    for action in rules.rules.action:
        if action.kind != "inject" or action.name not in watched:
            continue
        where = f"[[action]] {action.name}"
        if action.reserve is not None:
            reserve = rules.resources.reserves[action.reserve]
            if reserve.error:
                yield f"{where}: {reserve.error}"
            elif not action.repeat and len(reserve.texts) < (action.items or 0):
                held = f"{reserve.name} holds {len(reserve.texts)} items"
                yield f"{where}: {held}, fewer than {action.items}"
        elif not setup.reserve:
            yield f"{where}: names no reserve, and the experiment has no section [reserve]"
        elif len(setup.reserve) < (action.items or 0):
            held = f"the experiment's reserve holds {len(setup.reserve)} texts"
            yield f"{where}: {held}, fewer than {action.items}"


def check_budget(
    setup: NetworkSetup, pool: Pool, *, read: Mapping[tuple[int, int], object]
) -> None:
    """Refuse a budget that cannot pay the first round, however short its answers are.

    Parameters
    ----------
    setup, pool
        What is run, and the first pool.
    read
        The numbers of the texts that every agent reads for every query in the first round.

    Raises
    ------
    ArgumentError
        If it cannot.
    """
    experiment = setup.experiment
    tokens, money = 0, 0.0
    for (agent, query), numbers in read.items():
        asked = setup.agents[agent]
        if not isinstance(asked, ChatAgent):
            continue
        texts = [pool.texts[one].text for one in np.asarray(numbers).tolist()]
        messages = asked.prompt.messages(experiment.query_texts[query], texts)
        length = sum(len(message["content"].encode()) for message in messages)
        each = math.ceil(length / MOST_BYTES_OF_A_TOKEN)
        tokens += experiment.answers * each
        cost = asked.prices.cost(tokens_in=each, tokens_out=0)
        money += experiment.answers * (cost or 0.0)
    remedy = "raise it, or ask for fewer answers"
    limits = experiment.budget
    if limits.tokens is not None and tokens > limits.tokens:
        takes = f"at least {tokens:,}, which the prompts of the first round alone take"
        raise ArgumentError("budget.tokens", got=limits.tokens, takes=takes, remedy=remedy)
    if limits.money is not None and money > limits.money:
        takes = f"at least {money:.6g}, which the prompts of the first round alone cost"
        raise ArgumentError("budget.money", got=limits.money, takes=takes, remedy=remedy)
