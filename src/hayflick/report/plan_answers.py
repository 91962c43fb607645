"""What breaks a plan, what does not, and the questions that people ask, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hayflick.planning.confidence import Assurance
from hayflick.planning.designs import Design
from hayflick.planning.plan_result import Plan
from hayflick.planning.questions import FIFTH, NOTHING, RECOMMENDED, TWICE, PlanAnswer
from hayflick.planning.robust import LESS_REAL, NOISE, SHARPER, StressTest
from hayflick.report.language import Language
from hayflick.report.rendering import significant

_NONE = "\N{EN DASH}"


class Findings(Protocol):
    """The sentences of a plan that answers are made of."""

    @property
    def plan(self) -> Plan:
        """The plan."""

    @property
    def language(self) -> Language:
        """The reader's language."""

    def text(self, message: str, **values: str) -> str:
        """Return a message in the reader's language; what the whole plan shares is filled in."""

    def label(self, design: Design) -> str:
        """Return what each round is trained on, in a few words."""

    def cost(self, design: Design) -> str:
        """Return what a design costs, or takes."""

    def in_runs(self, found: Assurance | None) -> str:
        """Return the share of runs that keep enough; a dash if it is unknown."""


@dataclass(frozen=True)
class PlanAnswers:
    """What a plan's trials and questions say, in one language."""

    findings: Findings

    def text(self, message: str, **values: str) -> str:
        """Return a message in the reader's language; what the whole plan shares is filled in."""
        return self.findings.text(message, **values)

    def trials(self) -> str:
        """Return what breaks the recommended design; empty if nothing was tried."""
        found = self.findings.plan.robustness
        if found is None or not found.trials:
            return ""
        if found.broken:
            names = ", ".join(f"{self.trial(one)} ({self.runs(one)})" for one in found.broken)
            return self.text(
                "It breaks where something is worse than planned; {keep} or more is then kept in "
                "fewer of the runs: {trials}.",
                trials=names,
            )
        names = ", ".join(f"{self.trial(one)} ({self.runs(one)})" for one in found.trials)
        return self.text("It holds where something is worse than planned: {trials}.", trials=names)

    def not_tried(self) -> str:
        """Return what was not tried; empty if everything was."""
        found = self.findings.plan.robustness
        if found is None or not found.not_tried:
            return ""
        names = ", ".join(self._named(name, found.temperature) for name in found.not_tried)
        return self.text("Not tried, as it takes long or needs runs: {trials}.", trials=names)

    def robust(self) -> str:
        """Return the cheapest design that survives all trials; empty if none was looked for."""
        found = self.findings.plan.robustness
        if found is None or not found.searched or not found.broken:
            return ""
        if found.design is None:
            return self.text("No design that was looked at survives all of these trials.")
        least = min(found.design_trials, key=lambda trial: trial.assurance.confidence)
        return self.text(
            "Robust: {design}. It survives a sharper sampler, wrong labels and half of its real "
            "data; in the worst of these trials {share} of runs keep enough. {cost}",
            design=self.findings.label(found.design),
            share=self.runs(least),
            cost=self.findings.cost(found.design),
        )

    def trial(self, trial: StressTest) -> str:
        """Return what is worse than planned in a trial."""
        return self._named(trial.name, trial.value)

    def _named(self, name: str, value: float) -> str:
        if name == SHARPER:
            return self.text("sampling at temperature {value}", value=f"{value:.4g}")
        if name == NOISE:
            return self.text("1 % of the labels wrong")
        assert name == LESS_REAL
        return self.text("half of the real data")

    def runs(self, trial: StressTest) -> str:
        """Return the share of runs that keep enough in a trial."""
        return self.findings.in_runs(trial.assurance)

    def question(self, answer: PlanAnswer) -> str:
        """Return what is asked."""
        match answer.question:
            case question if question == NOTHING:
                return self.text("doing nothing")
            case question if question == RECOMMENDED:
                return self.text("what is recommended")
            case question if question == TWICE:
                return self.text("twice as many items a round, no real data")
            case question if question == FIFTH:
                return self.text("the same real data, but every fifth round only")
        return self.text("waiting ten rounds before real data come in")

    def headings(self) -> tuple[str, ...]:
        """Return the headings of the table of questions."""
        costs = self.findings.plan.costs
        names = (
            self.text("what if"),
            self.text("in runs"),
            self.text("on average"),
            self.text("real items in all"),
        )
        if costs is None:
            return names
        cost = self.text("{currency} a round", currency=costs.currency)
        if not costs.loss:
            return *names, cost
        return *names, cost, self.text("saved per {currency} spent", currency=costs.currency)

    def rows(self) -> list[tuple[str, ...]]:
        """Return a row for every question."""
        return [self._row(answer) for answer in self.findings.plan.answers]

    def _row(self, answer: PlanAnswer) -> tuple[str, ...]:
        language, costs = self.findings.language, self.findings.plan.costs
        average = _NONE if answer.lowest is None else language.percent(answer.lowest)
        real = language.number(round(answer.real_items))
        row = (self.question(answer), self.findings.in_runs(answer.assurance), average, real)
        if costs is None:
            return row
        cost = _NONE if answer.cost_per_round is None else significant(answer.cost_per_round)
        if not costs.loss:
            return *row, cost
        return *row, cost, _NONE if answer.saved is None else significant(answer.saved)

    def sentences(self) -> list[str]:
        """Return one sentence for every question."""
        return [self._sentence(answer) for answer in self.findings.plan.answers]

    def _sentence(self, answer: PlanAnswer) -> str:
        language, number = self.findings.language, self.findings.language.number
        if answer.assurance is None:
            if answer.lowest is None:
                return self.text("{what}: not known.", what=self.question(answer))
            return self.text(
                "{what}: {average} are left on average in the worst round.",
                what=self.question(answer),
                average=language.percent(answer.lowest),
            )
        said = self.text(
            "{what}: the target is held in {share} of runs, with {items} real items.",
            what=self.question(answer),
            share=self.findings.in_runs(answer.assurance),
            items=number(round(answer.real_items)),
        )
        if answer.saved is None:
            return said
        costs = self.findings.plan.costs
        return language.joined(
            said,
            self.text(
                "Each {currency} spent saves {saved} of losses.",
                currency="" if costs is None else costs.currency,
                saved=significant(answer.saved),
            ),
        )
