"""A plan in plain words: what to do, what it costs, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hayflick.core.display_text import display_text
from hayflick.planning.confidence import BOUND, Assurance
from hayflick.planning.designs import Design
from hayflick.planning.plan_result import Plan
from hayflick.planning.retention import SIMULATED
from hayflick.planning.targets import DIVERSITY, MUST_KEEP, VARIANCE, SymbolTarget, Target
from hayflick.regimes.periodic import Periodic
from hayflick.report.class_outlooks import accumulated
from hayflick.report.language import Language
from hayflick.report.plan_answers import PlanAnswers
from hayflick.report.rendering import significant
from hayflick.report.trainer_findings import designs_simulated, resampler_in

_SHOWN_PRICES, _NAMED = 2, 5

# An error that three digits of a percentage show as 0.
_EXACTLY = 5e-6


@dataclass(frozen=True)
class PlanFindings:
    """What a plan says, sentence by sentence, in one language."""

    plan: Plan
    language: Language

    @property
    def subject(self) -> str:
        """What is kept."""
        return subject_label(self.plan.target, self.language)

    @cached_property
    def _facts(self) -> dict[str, str]:
        """What many sentences name: the input, the target, the horizon and the sizes."""
        plan, number = self.plan, self.language.number
        return {
            "name": plan.target.source.name,
            "keep": self.language.percent(plan.keep),
            "runs": self._runs,
            "subject": self.subject,
            "rounds": number(plan.problem.generations),
            "round": number(plan.problem.generations),
            "samples": number(plan.problem.samples),
            "currency": "" if plan.costs is None else plan.costs.currency,
        }

    @property
    def _runs(self) -> str:
        """In how many runs enough is to be kept."""
        confidence, language = self.plan.confidence, self.language
        if confidence is None:
            return language.text("on average over the runs")
        return language.text("in {share} of runs", share=language.percent(confidence))

    def text(self, message: str, **values: str) -> str:
        """Return a message in the reader's language; what the whole plan shares is filled in."""
        return self.language.text(message, **{**self._facts, **values})

    @property
    def _of_numbers(self) -> bool:
        return self.plan.target.kind == VARIANCE

    def label(self, design: Design) -> str:
        """Return what each round is trained on, in a few words."""
        return design_label(design, rounds=self.plan.problem.generations, language=self.language)

    def data(self) -> str:
        """Return what the plan is for."""
        model = self.plan.target.model
        if self._of_numbers:
            return self.text(
                "{name}: keep {keep} of the variance in every one of {rounds} rounds of {samples} "
                "numbers, {runs}; mean {mean}, standard deviation {deviation}.",
                mean=significant(model.mean),
                deviation=significant(model.deviation),
            )
        data = self.text(
            "{name}: keep {keep} of {subject} in every one of {rounds} rounds of {samples} items, "
            "{runs}; different symbols in the data: {types}.",
            types=self.language.number(model.types),
        )
        return self.language.joined(data, self.examples())

    def examples(self) -> str:
        """Return how many examples keep a label; empty where one does."""
        least = self.plan.examples
        target = self.plan.target
        if isinstance(target, SymbolTarget) and target.usual is not None:
            return self.text(
                "A symbol is kept while a training set holds as many examples of it as the "
                "must-keep list says ({least} where it says nothing), or all that the data have.",
                least=self.language.number(least),
            )
        if least == 1:
            return ""
        return self.text(
            "A label is kept while a training set holds at least {least} examples of it, or all "
            "that the data have.",
            least=self.language.number(least),
        )

    def verdict(self) -> str:
        """Return the recommendation in one line."""
        if self.plan.best is None:
            return self.text("No design keeps enough")
        return self.text("Recommended: {design}", design=self.label(self.plan.best))

    def reason(self) -> str:
        """Return why fresh draws alone, or all designs, are not enough; else empty."""
        plan, percent = self.plan, self.language.percent
        if plan.best is None:
            closest = plan.designs[0]
            if closest.assurance is None:
                return self.text(
                    "No design that was looked at keeps {keep}; the closest keeps {most}.",
                    most=percent(closest.lowest),
                )
            return self.text(
                "No design that was looked at keeps {keep} in enough runs; the closest does so in "
                "{share} of them, and keeps {most} on average.",
                share=self.in_runs(closest.assurance),
                most=percent(closest.lowest),
            )
        if plan.fresh is None or plan.fresh.feasible:
            return ""
        most = percent(plan.fresh.retention.lowest)
        if self._of_numbers:
            return self.text(
                "Fresh draws alone cannot keep {keep} in enough runs: the median run keeps {most} "
                "at most, because the variance of a sample of {samples} is mostly below the real "
                "one.",
                most=most,
            )
        return self.text(
            "Fresh draws alone cannot keep {keep} in enough runs: even real data alone keeps "
            "{most} on average, because a sample of {samples} misses what is rare.",
            most=most,
        )

    def share(self, design: Design) -> str:
        """Return the lowest share that a design keeps on average, with its standard error."""
        kept = self.language.percent(design.lowest)
        if design.retention.standard_error is None:
            return kept
        return f"{kept} ± {self.language.percent(design.retention.lowest_error, digits=2)}"

    def data_lost(self, design: Design) -> str:
        """Return the share of the real data that lost types cover; a dash if it is unknown."""
        lost = design.mass_lost
        return "\N{EN DASH}" if lost is None else self.language.percent(lost)

    def covers(self, design: Design) -> str:
        """Return what the loss means: how much of the real data it concerns; else empty."""
        if design.mass_lost is None:
            return ""
        return self.text(
            "What is lost after the last round covers {mass} of the real data, on average.",
            mass=self.data_lost(design),
        )

    def in_runs(self, found: Assurance | None) -> str:
        """Return the share of runs that keep enough; a dash if it is unknown."""
        if found is None:
            return "–"
        share = self.language.percent(found.confidence)
        if found.law == BOUND:
            return self.language.at_least(found.confidence)
        if found.law == SIMULATED and found.standard_error:
            return f"{share} ± {self.language.percent(found.standard_error)}"
        return share

    def kept(self, design: Design) -> str:
        """Return in which share of runs a design keeps enough, and what it keeps on average."""
        first = design.retention.counted_from
        then = ""
        if first > 1:
            then = self.text(
                "This counts from round {first}, from now on: less is left at present.",
                first=self.language.number(first),
            )
        return self._joined(self._promise(design), self._average(design), then)

    def _promise(self, design: Design) -> str:
        """Return in which share of runs enough is kept."""
        found = design.assurance
        if found is None or (found.law == BOUND and found.confidence < 0.0005):
            return self.text(
                "What single runs keep is not known; the average is compared with {keep}."
            )
        share = self.in_runs(found)
        if found.law == BOUND:
            # "At least" with 100 % would say that it never fails.
            share = self.language.percent(min(found.confidence, 0.9994))
            return self.text(
                "In at least {share} of runs it keeps {keep} of {subject} or more in every round.",
                share=share,
            )
        if found.law == SIMULATED:
            return self.text(
                "In {share} of {runs} simulated runs it keeps {keep} of {subject} or more in every "
                "round.",
                share=share,
                runs=self.language.number(found.runs),
            )
        return self.text(
            "In {share} of runs it keeps {keep} of {subject} or more in every round.", share=share
        )

    def _average(self, design: Design) -> str:
        """Return what is kept on average, or in the median run."""
        lowest = self.share(design)
        if not self._of_numbers:
            return self.text("On average {lowest} are left in the worst round.", lowest=lowest)
        median = self.text(
            "The median run keeps {lowest} of the variance in the worst round, {spread} of the "
            "standard deviation.",
            lowest=lowest,
            spread=self.language.percent(design.lowest**0.5),
        )
        if design.expected is None:
            return median
        mean = self.text(
            "The mean over runs, which a few wide ones decide, is {mean} of the variance in "
            "the last round, exactly.",
            mean=self.language.percent(float(design.expected[-1])),
        )
        return self.language.joined(median, mean)

    def stored(self) -> str:
        """Return what the recommended reserve holds; empty if there is none."""
        best = self.plan.best
        if best is not None and self._of_numbers and best.kind == "anchor":
            return self.text(
                "Store numbers with the mean and the standard deviation of the data: evenly "
                "spaced quantiles, for example."
            )
        if best is None or best.stored_up_to is None:
            return ""
        held = self._stored_symbols(best, best.stored_up_to)
        return self.language.joined(held, self.text("--reserve-out writes it."))

    def _stored_symbols(self, design: Design, highest: float) -> str:
        number = self.language.number
        values = {
            "items": number(design.real_per_round),
            "stored": number(design.number),
            "count": number(highest),
        }
        if design.real_per_round == 1.0:
            return self.text("The reserve holds one item of one symbol.")
        if self.plan.target.kind == MUST_KEEP:
            return self.text(
                "The reserve holds {items} items of {stored} of the listed symbols.", **values
            )
        if design.number == 1:
            return self.text(
                "The reserve holds {items} of the {count} items of the rarest.", **values
            )
        if highest == 1.0:
            return self.text(
                "The reserve holds one item of each of {stored} symbols that are seen once.",
                **values,
            )
        return self.text(
            "The reserve holds {items} items of the {stored} rarest, those seen up to {count} "
            "times.",
            **values,
        )

    def cost(self, design: Design) -> str:
        """Return what a design costs, or takes."""
        costs, cost = self.plan.costs, design.cost_per_round
        if costs is None or cost is None:
            real = self.language.number(design.real_items)
            if round(design.real_items) == 1:
                return self.text("It takes one real item in {rounds} rounds.")
            return self.text("It takes {real} real items in {rounds} rounds.", real=real)
        return self.text(
            "It costs {round} {currency} a round, {month} a month, {year} a year.",
            round=significant(cost),
            month=significant(costs.per_month(cost)),
            year=significant(costs.per_year(cost)),
        )

    def margin(self) -> str:
        """Return how far the recommended design is ahead, and of what; else empty."""
        best, second, margin = self.plan.best, self.plan.runner_up, self.plan.margin
        if best is None or second is None or margin is None:
            return self.text("No other kind of design keeps enough.")
        names = {"runner_up": self.label(second)}
        has_prices = self.plan.costs is not None
        if has_prices and margin.price > 0.0:
            return self.text(
                "Runner-up: {runner_up}. It costs {more} {currency} more a round.",
                more=significant(margin.price),
                **names,
            )
        items = second.real_items - best.real_items
        if items <= 0.0:
            if has_prices:
                return self.text("Runner-up: {runner_up}. It costs the same.", **names)
            return self.text("Runner-up: {runner_up}. It takes as many real items.", **names)
        names["more"] = self.language.number(items)
        if not has_prices:
            return self.text(
                "Runner-up: {runner_up}. It takes {more} more real items in all.", **names
            )
        return self.text(
            "Runner-up: {runner_up}. It costs the same, but takes {more} more real items in all.",
            **names,
        )

    def trials(self) -> tuple[str, ...]:
        """Return what breaks the recommended design, and which one does not break."""
        answers = PlanAnswers(self)
        return self._joined(answers.trials(), answers.not_tried()), answers.robust()

    def at_risk(self) -> str:
        """Return the labels that have too few examples in too many runs; empty if none has."""
        risky = sorted(self.plan.classes_at_risk, key=lambda one: -one.below_least)
        if not risky:
            return ""
        percent = self.language.percent
        names = ", ".join(
            f"{display_text(one.symbol)} ({percent(one.below_least)})" for one in risky[:_NAMED]
        )
        return self.text(
            "Labels at risk of too few examples after round {rounds}: {names}.", names=names
        )

    def prices(self) -> str:
        """Return the prices at which the runner-up would cost the same; else empty."""
        plan = self.plan
        if plan.costs is None or not plan.break_even:
            return ""
        ratios = {
            name: value / getattr(plan.costs, name) if getattr(plan.costs, name) else 1e99
            for name, value in plan.break_even.items()
        }
        nearest = sorted(ratios, key=lambda name: abs(ratios[name] - 1.0))[:_SHOWN_PRICES]
        values = ", ".join(
            f"{price_label(name, self.language)} {significant(plan.break_even[name])}"
            for name in nearest
        )
        return self.text(
            "Both would cost the same at one of these prices: {values}.", values=values
        )

    def other_targets(self) -> str:
        """Return up to which target another kind of design is cheapest; else empty."""
        kinds = self.plan.other_targets
        names = [kind for kind, _ in kinds]
        if self.plan.best is None or self.plan.best.kind not in names:
            return ""
        place = names.index(self.plan.best.kind)
        if place == 0:
            return self.text("For lower averages too, no other kind is cheaper.")
        kind, share = kinds[place - 1]
        return self.text(
            "For an average up to about {share}, another kind is cheapest: {kind}.",
            share=self.language.percent(share, digits=0),
            kind=kind_label(kind, self.language),
        )

    def step_in(self) -> str:
        """Return when someone must step in, and what waiting costs."""
        plan, number = self.plan, self.language.number
        if plan.step_in is None:
            return self.text("Even without real data, {keep} is left on average in every round.")
        first = self.text(
            "Without real data, less than {keep} is left on average from round {round}.",
            round=number(plan.step_in),
        )
        found = [one for one in plan.recoveries if one.items]
        if len(found) < 2:
            return first
        waiting = self.text(
            "Recovery of that average by fresh data then takes {items} real items; {rounds} rounds "
            "later, {later}.",
            items=number(found[0].items or 0),
            rounds=number(found[-1].waited),
            later=number(found[-1].items or 0),
        )
        return self.language.joined(first, waiting)

    def inspection(self) -> str:
        """Return how often to check; empty without the prices for it."""
        found = self.plan.inspection
        if found is None:
            return ""
        return self.text(
            "Look every {every} rounds: for one failure within the horizon, checks and delay "
            "cost {cost} {currency} a round.",
            every=self.language.number(found.every),
            cost=significant(found.cost_per_round),
        )

    def classes_kept(self) -> str:
        """Return where the figures of labels come from where rounds accumulate; else nothing."""
        design = self.plan.designs[0]
        first = design.regime.mix(1, samples=design.samples)
        shown = bool(self.plan.classes) and first.accumulate
        return accumulated(self.language, sampled=first.subsample is not None) if shown else ""

    def method(self) -> str:
        """Return which law the figures come from, and what a simulation says of it."""
        retention, simulated = self.plan.designs[0].retention, self.plan.simulated
        percent, number = self.language.percent, self.language.number
        if (trained := resampler_in(self.plan.target.model)) is not None:
            return designs_simulated(trained, self.language, runs=retention.runs)
        if retention.law == SIMULATED and not retention.runs:
            return self.text("Averages come from the simulated counts of each label.")
        if retention.law == SIMULATED:
            return self.text(
                "No law is known for the average of this design: {runs} runs were simulated.",
                runs=number(retention.runs),
            )
        if retention.law == "exact":
            law = self.text("Averages come from the exact law.")
        elif retention.error < _EXACTLY:
            law = self.text("Averages come from the branching law.")
        else:
            law = self.text(
                "Averages come from the branching law; the true share can be higher, by "
                "{error} at most.",
                error=percent(retention.error, digits=3),
            )
        if simulated is None:
            return law
        distance = self.plan.simulated_distance()
        values = {
            "runs": number(simulated.replicates),
            "mean": percent(float(simulated.kept[-1]), digits=2),
        }
        if distance is None or simulated.standard_error[-1] == 0.0:
            check = self.text(
                "Simulated, all of {runs} runs keep {mean} in the last round.", **values
            )
        else:
            check = self.text(
                "Simulated, {runs} runs keep {mean} in the last round, {distance} standard errors "
                "from the law.",
                distance=f"{distance:.1f}",
                **values,
            )
        return self.language.joined(law, check)

    def left_out(self) -> str:
        """Return which kinds of design were not looked at; empty if all were."""
        kinds = ", ".join(kind_label(kind, self.language) for kind in self.plan.left_out)
        if not kinds:
            return ""
        return self.text(
            "Not looked at, because no law is known for them and they were not simulated: {kinds}.",
            kinds=kinds,
        )

    def history(self) -> tuple[str, ...]:
        """Return how a recorded run compares with the plan; empty without one."""
        compared, percent = self.plan.comparison, self.language.percent
        if compared is None:
            return ()
        found = self.text(
            "{name}: after {rounds} recorded rounds {left} of all symbols are left. The plan is "
            "for the rounds from there.",
            name=compared.history.name,
            rounds=self.language.number(compared.history.rounds),
            left=percent(float(compared.history.left[-1])),
        )
        if compared.planned is None:
            return (found,)
        planned = self.text(
            "The design that was best from the start would have kept {planned} of {subject}.",
            planned=percent(float(compared.planned[-1])),
        )
        return found, planned

    def summary(self) -> tuple[str, ...]:
        """Return all sentences, a few per entry."""
        best = self.plan.best
        if best is None:
            about, margin = "", ""
        else:
            about = self._joined(self.kept(best), self.covers(best), self.cost(best), self.stored())
            margin = self.margin()
        paragraphs = (
            *self.history(),
            about,
            self.reason(),
            *self.trials(),
            self.at_risk(),
            margin,
            self._joined(self.prices(), self.other_targets()),
            self.step_in(),
            self.inspection(),
            self._joined(self.method(), self.left_out()),
        )
        return tuple(filter(None, paragraphs))

    def _joined(self, *sentences: str) -> str:
        return self.language.joined(*filter(None, sentences))


def subject_label(target: Target, language: Language) -> str:
    """Return what is kept."""
    text = language.text
    if target.kind == DIVERSITY:
        return text("the diversity")
    if target.kind == VARIANCE:
        return text("the variance")
    if target.kind == MUST_KEEP:
        return text("the listed items")
    if target.source.tokenizer in ("words", "japanese", "whitespace"):
        return text("the words")
    return text("the symbols")


def design_label(design: Design, *, rounds: int, language: Language) -> str:
    """Return what each round is trained on, in a few words."""
    text, number, percent = language.text, language.number, language.percent
    size, regime = number(design.samples), design.regime
    share = percent(regime.mix(1, samples=design.samples).fresh / design.samples)
    if isinstance(regime, Periodic):
        share = percent(regime.share)
        return text(
            "{share} fresh real data, every {every} rounds", share=share, every=regime.every
        )
    match design.kind:
        case "replace":
            return text("no real data")
        case "fresh":
            return text("{share} fresh real data in every round", share=share)
        case "anchor":
            if design.real_per_round == 1.0:
                return text("a reserve of one stored real item in every round")
            stored = number(design.real_per_round)
            return text("a reserve of {stored} stored real items in every round", stored=stored)
        case "accumulate":
            return text("no new real data, everything so far is kept")
        case "accumulate-subsample":
            return text("no new real data, a sample of everything so far")
        case "larger":
            return text("no real data, {samples} items a round", samples=size)
        case "growing":
            last = number(regime.mix(rounds, samples=1).samples)
            return text("no real data, {samples} items growing to {last}", samples=size, last=last)
    return text(
        "{share} fresh real data in every round of {samples} items", share=share, samples=size
    )


def kind_label(kind: str, language: Language) -> str:
    """Return what a kind of design is called."""
    text = language.text
    return {
        "replace": text("no real data at all"),
        "fresh": text("fresh real data"),
        "periodic": text("periodic real data"),
        "anchor": text("a reserve"),
        "accumulate": text("keeping everything"),
        "accumulate-subsample": text("sampling everything so far"),
        "larger": text("larger training sets"),
        "growing": text("growing training sets"),
        "larger and fresh": text("larger sets with fresh data"),
    }[kind]


def price_label(name: str, language: Language) -> str:
    """Return what a price is called."""
    text = language.text
    return {
        "real": text("real item"),
        "generated": text("generated item"),
        "check": text("check"),
        "monitoring": text("monitoring"),
        "loss": text("loss"),
    }[name]


def sensitivity_label(name: str, language: Language) -> str:
    """Return the name of what a sensitivity changes."""
    text = language.text
    return {
        "samples": text("items a round"),
        "share": text("share of fresh data"),
        "stored": text("stored items"),
        "period": text("rounds between real data"),
        "temperature": text("temperature"),
        "accuracy": text("share of right labels"),
        "noise": text("noise, in standard deviations"),
        "bits": text("bits of a parameter"),
    }[name]
