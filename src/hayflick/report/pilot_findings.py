"""A trial in plain words: how large it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.core.errors import ArgumentError
from hayflick.monitor.pilot_analysis import Outcome, PilotResult, TreatmentEffect
from hayflick.monitor.pilot_design import PilotDesign, rounds_needed
from hayflick.monitor.pilot_variation import Scale
from hayflick.report.language import Language
from hayflick.report.tables import printable, significant


@dataclass(frozen=True)
class DesignFindings:
    """What a trial's design says, sentence by sentence, in one language."""

    trial: PilotDesign
    language: Language

    def change(self, value: float) -> str:
        """Return a change with its sign, in per cent on the relative scale."""
        return change(value, scale=self.trial.aim.scale)

    def verdict(self) -> str:
        """Return how large each arm is, in one line."""
        trial, text, number = self.trial, self.language.text, self.language.number
        if trial.answers is None:
            return text("Each arm: {rounds} rounds", rounds=number(trial.rounds))
        return text(
            "Each arm: {rounds} rounds of {answers} answers",
            rounds=number(trial.rounds),
            answers=number(trial.answers),
        )

    def summary(self) -> tuple[str, ...]:
        """Return what that finds, and why it takes so much."""
        return tuple(filter(None, (self.finds(), self.falls_short(), self.varies(), self.test())))

    def finds(self) -> str:
        """Return the power, and the smallest effect that is found."""
        trial, percent = self.trial, self.language.percent
        return self.language.text(
            "A change of {effect} is found with a power of {power}; with {aimed}, a change of "
            "{detectable}.",
            effect=self.change(trial.aim.effect),
            power=percent(trial.power),
            aimed=percent(trial.aim.power, digits=0),
            detectable=self.change(trial.detectable),
        )

    def falls_short(self) -> str:
        """Return how many rounds would be enough, where these are not; else empty."""
        if self.trial.power >= self.trial.aim.power:
            return ""
        try:
            needed = rounds_needed(self.trial)
        except ArgumentError:
            return self.language.text("That is less than aimed at, and no number of rounds helps.")
        return self.language.text(
            "That is less than aimed at: {rounds} rounds would be enough.",
            rounds=self.language.number(needed),
        )

    def varies(self) -> str:
        """Return what the sizes rest on."""
        trial, text, variation = self.trial, self.language.text, self.trial.variation
        where = text("as stated")
        if variation.rounds is not None:
            rounds = self.language.number(variation.rounds)
            where = text("estimated from {rounds} rounds of readings", rounds=rounds)
        sd = significant(variation.sd)
        if variation.correlation is None or trial.answers is None:
            return text(
                "Standard deviation of a round's number: {sd} ({where}).", sd=sd, where=where
            )
        return text(
            "Standard deviation of an answer: {sd}; correlation within a round: {correlation} "
            "({where}). A round of {answers} answers is worth {worth} independent ones.",
            sd=sd,
            correlation=significant(variation.correlation),
            where=where,
            answers=self.language.number(trial.answers),
            worth=self.language.number(trial.answers / variation.design_effect(trial.answers)),
        )

    def test(self) -> str:
        """Return how it will be judged."""
        trial, text = self.trial, self.language.text
        sides = text("in both directions") if trial.aim.sides == 2 else text("in one direction")
        false_alarms = self.language.percent(trial.aim.false_alarms)
        if len(trial.treatments) == 1:
            return text(
                "Test: Welch's t of the rounds, {sides}; false alarms {false_alarms}.",
                sides=sides,
                false_alarms=false_alarms,
            )
        return text(
            "Test: Welch's t of the rounds, {sides}; false alarms {false_alarms} over all "
            "{treatments} treatments together ({correction}).",
            sides=sides,
            false_alarms=false_alarms,
            treatments=self.language.number(len(trial.treatments)),
            correction=trial.aim.correction.capitalize(),
        )


@dataclass(frozen=True)
class ResultFindings:
    """What came of a trial, sentence by sentence, in one language."""

    result: PilotResult
    language: Language

    def data(self) -> str:
        """Return what was analysed."""
        return self.language.text(
            "{name}: {arms} arms with {rounds} rounds and {values} values.",
            name=printable(self.result.source),
            arms=self.language.number(len(self.result.arms)),
            rounds=self.language.number(sum(arm.rounds for arm in self.result.arms)),
            values=self.language.number(sum(arm.values for arm in self.result.arms)),
        )

    def change(self, value: float) -> str:
        """Return a change with its sign, in per cent on the relative scale."""
        return change(value, scale=self.result.trial.aim.scale)

    def interval(self, compared: TreatmentEffect) -> str:
        """Return an interval."""
        return f"{self.change(compared.low)} … {self.change(compared.high)}"

    def outcome(self, compared: TreatmentEffect) -> str:
        """Return a decision in a word or two."""
        text = self.language.text
        labels = {
            Outcome.GO: text("go"),
            Outcome.NO_GO: text("no go"),
            Outcome.INCONCLUSIVE: text("inconclusive"),
        }
        return labels[compared.outcome]

    def verdict(self) -> str:
        """Return the decisions in one line."""
        shown = [
            self.language.text(
                "{arm}: {outcome}", arm=printable(one.arm), outcome=self.outcome(one)
            )
            for one in self.result.comparisons
        ]
        return "; ".join(shown)

    def summary(self) -> tuple[str, ...]:
        """Return each treatment's effect, and what is to be known of the data."""
        told = [self.sentence(compared) for compared in self.result.comparisons]
        notes = (self.meaning(), self.alike(), self.fewer(), self.passed_over())
        return tuple(filter(None, (*told, *notes)))

    def sentence(self, compared: TreatmentEffect) -> str:
        """Return what a treatment did."""
        reason = {
            Outcome.GO: self.language.text(
                "There is a change in the direction that was hoped for, and one that matters is "
                "not ruled out."
            ),
            Outcome.NO_GO: self.language.text("A change that would matter is ruled out."),
            Outcome.INCONCLUSIVE: self.language.text(
                "Neither is a change found nor one that would matter ruled out: more rounds tell."
            ),
        }
        told = self.language.text(
            "{arm} against {control}: {effect} (from {low} to {high}, p = {p}).",
            arm=printable(compared.arm),
            control=printable(self.result.trial.control),
            effect=self.change(compared.effect),
            low=self.change(compared.low),
            high=self.change(compared.high),
            p=p_value(compared.adjusted),
        )
        return self.language.joined(told, reason[compared.outcome])

    def meaning(self) -> str:
        """Return what intervals and decisions refer to."""
        return self.language.text(
            "A change matters from {matters} on. Each interval has a confidence of {confidence}; "
            "rounds are the units, so values of one round may depend on one another.",
            matters=self.change(self.result.trial.aim.matters),
            confidence=self.language.percent(self.result.confidence),
        )

    def alike(self) -> str:
        """Return that rounds may depend on one another, where it looks so; else empty."""
        if not self.result.alike or self.result.succession is None:
            return ""
        return self.language.text(
            "Successive rounds are alike (correlation {correlation}): if rounds of an arm follow "
            "on one another, intervals are too narrow and p-values too small.",
            correlation=significant(self.result.succession),
        )

    def fewer(self) -> str:
        """Return which arms have fewer rounds than planned; else empty."""
        planned = self.result.trial.rounds
        short = [arm for arm in self.result.arms if arm.rounds < planned]
        if not short:
            return ""
        shown = ", ".join(f"{printable(arm.name)} ({arm.rounds})" for arm in short)
        return self.language.text(
            "Fewer rounds than the {planned} that were planned: {arms}. The power is lower for "
            "that; intervals and p-values hold.",
            planned=self.language.number(planned),
            arms=shown,
        )

    def passed_over(self) -> str:
        """Return how many rows could not be used; else empty."""
        rows = self.result.passed_over
        if not rows:
            return ""
        return self.language.text("Rows passed over: {rows}.", rows=self.language.number(rows))


def change(value: float, *, scale: str) -> str:
    """Return a change with its sign.

    Examples
    --------
    >>> change(0.05, scale="absolute"), change(-0.1234, scale="relative")
    ('+0.05', '-12.3%')
    """
    if scale == Scale.RELATIVE:
        return f"{value:+.1%}"
    return f"+{significant(value)}" if value > 0.0 else significant(value)


def p_value(p: float) -> str:
    """Return a p-value with three digits, or as a bound.

    Examples
    --------
    >>> p_value(0.04321), p_value(1e-9)
    ('0.0432', '<0.0001')
    """
    return "<0.0001" if p < 0.0001 else f"{p:.3g}"
