"""What a run of a network says, in sentences and rows, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hayflick.network.run_results import NetworkRun
from hayflick.report.language import Language
from hayflick.report.metric_labels import metric_label
from hayflick.report.network_marks import Marks, marks_of
from hayflick.report.rules_decisions import action_text
from hayflick.report.tables import printable

NORM, FLOOR = "group_frobenius_norm", "noise_floor"
_SHOWN = (
    *(NORM, FLOOR, "within", "between", "spread"),
    *("vocabulary_kept", "retention", "distinct_2"),
    *("pool_size", "texts_read", "synthetic_share", "empty_answers"),
)
_SHARES = ("vocabulary_kept", "retention", "synthetic_share")

_SOME = 10
"""Rounds at each end that are told together."""


@dataclass(frozen=True)
class NetworkFindings:
    """A run, put into words.

    Parameters
    ----------
    run
        What was run.
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
        """Return what was asked of whom."""
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
        """Return the root mean square of ‖D‖ over that of the noise floor; None for neither."""
        norms = _squares(self.run.series(NORM)[rounds])
        floors = _squares(self.run.series(FLOOR)[rounds])
        if not norms.size or not floors.size or not floors.mean():
            return None
        return math.sqrt(norms.mean() / floors.mean())

    def cost(self) -> str:
        """Return what it took."""
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
        said = [one for one in self.run.answers if one.place == 0 and one.query == 0]
        found = {(one.round, one.agent): " ".join(one.text.split()) for one in said}
        last = self.run.rounds
        return [
            (name, found.get((1, name), ""), found.get((last, name), ""))
            for name in self.run.agents
        ]

    @cached_property
    def marks(self) -> Marks:
        """What the trace of ‖D‖ is marked with."""
        return marks_of(self.run, self.language)

    def decided(self) -> list[tuple[str, str, str]]:
        """Return round, action and reason of everything that was decided."""
        return [
            (
                str(one.round),
                action_text(one.kind, items=one.items, language=self.language),
                printable(one.reason),
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


def _squares(values: Sequence[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value**2 for value in values if value is not None], dtype=np.float64)
