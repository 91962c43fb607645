"""A run of a network, watched: the panel of `watch` on what the run has measured.

Beside the spread and the words, the distance between the agents is charted, in units of what chance
alone gives. A run keeps no vectors of single answers, so the effective number of answers and the
distance between queries have no reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hayflick.core.records import Reading, State
from hayflick.corpus.tokenizers import tokenizer_for
from hayflick.diversity.hill import rarefied_entropy
from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.observing import SPREAD, CommonSizes
from hayflick.monitor.chart_requests import panel_requests
from hayflick.monitor.charting import run_charts, scaling_rounds
from hayflick.monitor.grouping import FLOOR, NORM, GroupsApart, groups_apart
from hayflick.monitor.panel import ChartPanel
from hayflick.monitor.watch_result import MissingChart, WatchResult
from hayflick.network.run_results import NetworkRun

BASELINE = 10
"""Number of first rounds that are taken as healthy."""

MOST_AGENTS = 200
"""Agents that have charts of their own: those of a thousand would take minutes."""

SEPARATION = "separation"
"""The distance between agents, ‖D‖, over its floor."""

_WORDS = "effective_words"


@dataclass(frozen=True, eq=False)
class NetworkWatch:
    """The control charts of a run.

    Parameters
    ----------
    baseline
        Number of first rounds that are taken as healthy.
    result
        What is watched; None without a round after the baseline.
    apart
        How far apart the agents are; None likewise.
    """

    baseline: int
    result: WatchResult | None = None
    apart: GroupsApart | None = None

    @property
    def is_charted(self) -> bool:
        """Whether there is a chart."""
        return self.result is not None and bool(self.result.charts)

    @property
    def unwatched(self) -> tuple[MissingChart, ...]:
        """The charts that could not be made, and why."""
        return () if self.result is None else self.result.missing_charts

    @property
    def verdict(self) -> State:
        """The verdict of the charts; ``falling`` in place of ``healthy`` where agents are alike."""
        if self.result is None or not self.is_charted:
            return State.NO_READING
        verdict = self.result.verdict
        is_alike = self.apart is not None and self.apart.alike
        return State.FALLING if is_alike and verdict is State.HEALTHY else verdict


def watch_run(run: NetworkRun, *, baseline: int = BASELINE) -> NetworkWatch:
    """Return the charts of a run; there are none without a round after the baseline.

    Parameters
    ----------
    run
        Finished or not.
    baseline
        Number of first rounds that are taken as healthy.
    """
    if run.rounds <= baseline:
        return NetworkWatch(baseline)
    words = _effective_words(run, baseline)
    readings = {
        group: tuple(_with_more(one, words.get((group, one.round))) for one in series)
        for group, series in run.readings.items()
        if not group or len(run.readings) <= MOST_AGENTS
    }
    metrics = {name for one in readings[""] for name in one.values}
    charts = [f"{SPREAD}=guaranteed"]
    charts += [
        f"{name}=rank" for name in (_WORDS, SPREAD, SEPARATION) if name in metrics | {SPREAD}
    ]
    panel = ChartPanel()
    made, missing = run_charts(
        readings,
        panel_requests(charts, values=[SEPARATION]),
        baseline=baseline,
        scaling=scaling_rounds(baseline),
        panel=panel,
    )
    result = WatchResult(
        name="network",
        rounds=tuple(one.name for one in readings[""]),
        baseline=baseline,
        readings=readings,
        charts=made,
        # The distance between agents is that of all of them.
        missing_charts=tuple(one for one in missing if one.metric != SEPARATION or not one.group),
        answers=len(run.answers),
        panel=panel,
    )
    return NetworkWatch(baseline, result, groups_apart(result))


def _with_more(reading: Reading, words: float | None) -> Reading:
    """Return a reading with its effective number of words, and the agents' distance over chance."""
    more = {} if words is None else {_WORDS: words}
    norm, floor = reading.values.get(NORM), reading.values.get(FLOOR)
    if norm is not None and floor:
        more[SEPARATION] = norm / floor
    return replace(reading, values={**reading.values, **more}) if more else reading


def _effective_words(run: NetworkRun, baseline: int) -> Mapping[tuple[str, int], float]:
    """Return the effective number of words by agent and round, at half of the smallest round."""
    tokenizer = run.experiment.observe.tokenizer
    if tokenizer == "auto":
        tokenizer = tokenizer_for([one.text for one in run.texts if one.origin == "first"]).name
    counts: dict[tuple[str, int], NgramCounts] = {}
    for number, (texts, agents) in _texts_of_rounds(run).items():
        whole, by_agent = NgramCounts.by_group(texts, agents, tokenizer=tokenizer, longest=1)
        counts |= {(agent, number): found for agent, found in {"": whole, **by_agent}.items()}
    found: dict[tuple[str, int], float] = {}
    for (agent, number), words in counts.items():
        healthy = [counts.get((agent, one)) for one in range(1, baseline + 1)]
        totals = [one.total() for one in healthy if one is not None and one.total()]
        size = CommonSizes.of(words=totals, answers=[]).words
        if size is None:
            continue
        entropy = rarefied_entropy(words.numbers_of(1), size=size)
        if entropy is not None:
            found[agent, number] = float(np.exp(entropy))
    return found


def _texts_of_rounds(run: NetworkRun) -> Mapping[int, tuple[Sequence[str], Sequence[str]]]:
    """Return the texts of each finished round, and who wrote them."""
    rounds: dict[int, tuple[list[str], list[str]]] = {}
    for one in run.answers:
        if one.round <= run.rounds:
            texts, agents = rounds.setdefault(one.round, ([], []))
            texts.append(one.text)
            agents.append(one.agent)
    return rounds
