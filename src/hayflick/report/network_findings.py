"""The findings of a network's run: sentences, rows, and marks on its trace."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from typing_extensions import override

from hayflick.core.records import ActionKind, State
from hayflick.network.contamination import contamination_of_run
from hayflick.network.run_results import NetworkRun
from hayflick.network.run_watch import MOST_AGENTS, NetworkWatch, watch_run
from hayflick.report.contamination import ContaminationFindings
from hayflick.report.language import Language, metric_label
from hayflick.report.rules_decisions import action_text
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watched_input import joined_names

NORM, FLOOR = "group_frobenius_norm", "noise_floor"
_SHOWN = (
    *(NORM, FLOOR, "within", "between", "spread"),
    *("vocabulary_kept", "retention", "distinct_2"),
    *("pool_size", "texts_read", "synthetic_share", "empty_answers"),
)
_SHARES = ("vocabulary_kept", "retention", "synthetic_share")

_SOME = 10
"""The number of rounds at each end that are summarised."""


@dataclass(frozen=True)
class NetworkFindings:
    """A run in words.

    Parameters
    ----------
    run
        The run, finished or not.
    language
        Of the words.
    """

    run: NetworkRun
    language: Language

    def state(self) -> str:
        """Return how far the run has come."""
        text, run = self.language.text, self.run
        if run.finished:
            return text("Finished: {rounds} rounds.", rounds=run.rounds)
        whole = run.experiment.rounds
        return text("Stopped: {rounds} of {whole} rounds are done.", rounds=run.rounds, whole=whole)

    def data(self) -> str:
        """Return the numbers of agents, answers and texts."""
        number, run = self.language.number, self.run
        return self.language.text(
            "{agents} agents, {answers} answers ({empty} of them empty), {texts} pool texts.",
            agents=number(len(run.agents)),
            answers=number(len(run.answers)),
            empty=number(sum(not one.text.strip() for one in run.answers)),
            texts=number(len(run.texts)),
        )

    def agreement(self) -> str:
        """Return how far apart the agents are, in units of the noise floor."""
        text = self.language.text
        some = min(_SOME, self.run.rounds // 2) or 1
        first, last = (self.excess(part) for part in (slice(0, some), slice(-some, None)))
        if first is None or last is None:
            return text("The agents' distance cannot be told from these rounds.")
        return text(
            "The distance of the agents, ‖D‖, is {last} times what chance alone gives if all are "
            "alike, over the last {some} rounds ({first} times over the first {some}).",
            first=f"{first:.2f}",
            last=f"{last:.2f}",
            some=some,
        )

    def excess(self, rounds: slice) -> float | None:
        """Return the root mean square of ‖D‖ over that of the noise floor; None if undefined."""
        norms = _squares(self.run.series(NORM)[rounds])
        floors = _squares(self.run.series(FLOOR)[rounds])
        if not norms.size or not floors.size or not floors.mean():
            return None
        return math.sqrt(norms.mean() / floors.mean())

    def cost(self) -> str:
        """Return the tokens, requests and cost of the run."""
        text, totals = self.language.text, self.run.totals()
        tokens = [totals["tokens_in"], totals["tokens_out"]]
        shown = [self.language.number(one) if one is not None else "–" for one in tokens]
        cost = totals["cost"]
        return text(
            "Tokens: {read} read, {written} written; requests: {attempts}; cost: {cost}.",
            read=shown[0],
            written=shown[1],
            attempts=self.language.number(totals["attempts"] or 0.0),
            cost="–" if cost is None else f"{cost:.6g}",
        )

    def sentences(self) -> list[str]:
        """Return the summary."""
        return [self.state(), self.data(), self.agreement(), self.cost()]

    def rows(self) -> list[tuple[str, str, str]]:
        """Return a metric's name and its values in the first and in the last round."""
        found = []
        for name in _SHOWN:
            values = self.run.series(name)
            if any(value is not None for value in values):
                first, last = self._shown(name, values[0]), self._shown(name, values[-1])
                found.append((metric_label(name, self.language), first, last))
        return found

    def _shown(self, name: str, value: float | None) -> str:
        if value is None:
            return "–"
        return self.language.percent(value) if name in _SHARES else f"{value:.4g}"

    def answers(self) -> list[tuple[str, str, str]]:
        """Return every agent's first answer in the first and in the last round."""
        last = self.run.rounds
        texts = {
            (one.round, one.agent): " ".join(one.text.split())
            for one in self.run.answers
            if one.place == 0 and one.query == 0 and one.round in (1, last)
        }
        return [
            (name, texts.get((1, name), ""), texts.get((last, name), ""))
            for name in self.run.agents
        ]

    @cached_property
    def marks(self) -> Marks:
        """What the trace of ‖D‖ is marked with."""
        return run_marks(self.run, self.language, self.watched)

    @cached_property
    def watched(self) -> NetworkWatch:
        """What the charts say of the run."""
        return watch_run(self.run)

    @cached_property
    def contamination(self) -> ContaminationFindings | None:
        """How far the agents' answers go; None before the first round is finished."""
        found = contamination_of_run(self.run)
        return None if found is None else ContaminationFindings(found, self.language)

    @cached_property
    def charted(self) -> WatchFindings | None:
        """The findings of the charts; None where there are none."""
        result = self.watched.result
        return AgentFindings(result, self.language) if result and result.charts else None

    def verdict(self) -> str:
        """Return the verdict of `watch` on the run, and whether agents can be told apart."""
        text, apart, state = self.language.text, self.watched.apart, self.watched.verdict
        if self.charted is None:
            return text("No verdict: the run cannot be watched yet")
        if apart is not None and apart.merged:
            if state is State.ALARM:
                return text("Alarm: the agents can no longer be told apart")
            return text("The agents can no longer be told apart")
        if apart is not None and apart.alike and not self.charted.result.alarms:
            return text("The agents cannot be told apart")
        return self.charted.headline()

    def verdict_class(self) -> str:
        """Return the name of the verdict's style."""
        return self.watched.verdict.value.replace(" ", "-")

    def lead(self) -> list[str]:
        """Return what the verdict stands on: what has fallen, and how far apart agents are."""
        if self.charted is None:
            return list(self.marks.sentences)
        return [*self.charted.story(), self.agreement()]

    def rules(self) -> list[str]:
        """Return which rules decided from which round on, where they were replaced or added."""
        text = self.language.text
        if [one.from_round for one in self.run.rules] in ([], [1]):
            return []
        return [
            text(
                "From round {round} on, {name} decides (SHA-256 {hash}…).",
                round=one.from_round,
                name=Path(one.name).name,
                hash=one.sha256[:_SHORT_HASH],
            )
            if one.sha256 is not None
            else text("From round {round} on, {name} decides.", round=one.from_round, name=one.name)
            for one in self.run.rules
        ]

    def decision_rows(self) -> list[tuple[str, str, str]]:
        """Return round, action and reason of everything that was decided."""
        return [
            (
                str(one.round),
                action_text(one.kind, items=one.items, language=self.language),
                one.reason,
            )
            for one in self.run.decisions
        ]

    def decisions(self) -> list[str]:
        """Return what was decided, a sentence each."""
        text = self.language.text
        return [
            text(
                "Round {round}: {kind}: {reason}", round=one.round, kind=one.kind, reason=one.reason
            )
            for one in self.run.decisions
        ]


_SHORT_HASH = 16


class AgentFindings(WatchFindings):
    """The sentences about a watched run, whose groups are agents."""

    @override
    def story_of_groups(self) -> list[str]:
        messages = {
            State.ALARM: self.language.text(
                "Agents that have alarmed, {number} of {all}: {groups}.",
                **self._groups_in(State.ALARM),
            ),
            State.FALLING: self.language.text(
                "Agents that have fallen without an alarm, {number} of {all}: {groups}.",
                **self._groups_in(State.FALLING),
            ),
        }
        states = {agent.state for agent in self.groups}
        return [message for state, message in messages.items() if state in states]


def _squares(values: Sequence[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value**2 for value in values if value is not None], dtype=np.float64)


@dataclass(frozen=True)
class Marks:
    """Marks on a trace, and what they mean.

    Parameters
    ----------
    rounds
        The marked rounds, in order, by the label of the mark.
    meaning
        How to read the marks; if there are none, why.
    sentences
        What was watched, and what was found.
    technical
        Why something could not be watched, in English like the errors of the commands.
    """

    rounds: Mapping[str, Sequence[int]]
    meaning: str
    sentences: Sequence[str]
    technical: Sequence[str] = ()


def run_marks(run: NetworkRun, language: Language, watched: NetworkWatch | None = None) -> Marks:
    """Return the marks of a run: of its rules where it has any, else of the charts."""
    if run.rules or run.experiment.rules is not None or run.decisions:
        return _of_rules(run, language)
    watched = watched or watch_run(run)
    return _of_charts(watched, language) if watched.is_charted else _unknown(watched, run, language)


def _of_rules(run: NetworkRun, language: Language) -> Marks:
    text, decided = language.text, run.decisions
    if not decided:
        nothing = text("The rules of this run have decided nothing.")
        return Marks({}, nothing, [nothing])
    names = {
        ActionKind.INJECT: text("decided: real texts"),
        ActionKind.VARY_PROMPTS: text("decided: other prompts"),
        ActionKind.REVIEW: text("decided: a review"),
        ActionKind.NOTIFY: text("decided: a notice"),
    }
    rounds = {
        name: sorted({one.round for one in decided if one.kind is kind})
        for kind, name in names.items()
    }
    summary = text(
        "The rules of this run have decided {number} times, first after round {round}.",
        number=language.number(len(decided)),
        round=decided[0].round,
    )
    meaning = text(
        "Triangles mark the rounds after which the rules decided something; the reasons are in "
        "the table."
    )
    return Marks({name: found for name, found in rounds.items() if found}, meaning, [summary])


def _of_charts(watched: NetworkWatch, language: Language) -> Marks:
    result, text = watched.result, language.text
    assert result is not None
    findings = WatchFindings(result, language)
    rounds: dict[str, set[int]] = {
        text("alarm: all answers"): set(),
        text("alarm: an agent"): set(),
    }
    together, single = rounds
    for chart in result.charts:
        rounds[single if chart.group else together] |= {one.round for one in chart.alarms}
    marked = {name: sorted(numbers) for name, numbers in rounds.items() if numbers}
    meaning = text("No chart has alarmed.")
    if marked:
        meaning = text(
            "Triangles mark the rounds in which a chart alarms; the line below them is where an "
            "alarm begins."
        )
    numbers = [
        metric_label(one, language) for one in dict.fromkeys(c.metric for c in result.charts)
    ]
    watched_for = text(
        "Watched as hayflick watch does, with the first {baseline} rounds as healthy: {numbers}. "
        "The effective number of answers is not watched, as a run keeps no vectors of single "
        "answers.",
        baseline=watched.baseline,
        numbers=", ".join(numbers),
    )
    sentences = [watched_for, *findings.promises()]
    if not result.groups:
        sentences.append(
            text(
                "The agents have no charts of their own, as they are more than {most}.",
                most=language.number(MOST_AGENTS),
            )
        )
    sentences += [] if marked else [meaning]
    groups = list(dict.fromkeys(one.group or text("all answers") for one in watched.unwatched))
    if groups:
        sentences.append(
            text(
                "Not watched in full, for reasons given below: {groups}.",
                groups=joined_names(groups),
            )
        )
    technical = [
        f"{findings.named(one.metric, one.group)}: {text(one.reason)}"
        for one in watched.unwatched[:_TECHNICAL]
    ]
    return Marks(marked, meaning, sentences, technical)


_TECHNICAL = 20


def _unknown(watched: NetworkWatch, run: NetworkRun, language: Language) -> Marks:
    """Return why there is no chart, so that nobody takes silence for health."""
    text = language.text
    if run.rounds <= watched.baseline:
        why = text(
            "Alarms cannot be told: a chart takes the first {baseline} rounds as healthy and "
            "watches those that follow; here are {rounds}.",
            baseline=watched.baseline,
            rounds=run.rounds,
        )
    else:
        why = text(
            "Alarms cannot be told: the answers of the first {baseline} rounds are too few, or "
            "too much alike, for a limit with a guarantee.",
            baseline=watched.baseline,
        )
    return Marks({}, why, [why], [one.reason for one in watched.unwatched if not one.group])
