"""A plan in plain words: what to do, what it costs, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.planning.designs import Design
from hayflick.planning.plan import Plan
from hayflick.planning.retention import SIMULATED
from hayflick.planning.targets import DIVERSITY, MUST_KEEP, VARIANCE, Target
from hayflick.regimes.periodic import Periodic
from hayflick.report.language import Language
from hayflick.report.tables import significant

_SHOWN_PRICES = 2


@dataclass(frozen=True)
class PlanFindings:
    """What a plan says, sentence by sentence, in one language."""

    plan: Plan
    language: Language

    @property
    def subject(self) -> str:
        """What is kept."""
        return subject_label(self.plan.target, self.language)

    def label(self, design: Design) -> str:
        """Return what each round is trained on, in a few words."""
        rounds = self.plan.problem.generations
        return design_label(design, rounds=rounds, language=self.language)

    def data(self) -> str:
        """Return what the plan is for."""
        number = self.language.number
        if self._of_numbers:
            return self._numbers()
        return self.language.text(
            "{name}: keep {keep} of {subject} in every one of {rounds} rounds of {samples} items; "
            "different symbols in the data: {types}.",
            name=self.plan.target.source.name,
            keep=self.language.percent(self.plan.keep),
            subject=self.subject,
            rounds=number(self.plan.problem.generations),
            samples=number(self.plan.problem.samples),
            types=number(self.plan.target.model.types),
        )

    @property
    def _of_numbers(self) -> bool:
        return self.plan.target.kind == VARIANCE

    def _numbers(self) -> str:
        """Return what the plan is for, of numbers."""
        plan, number = self.plan, self.language.number
        return self.language.text(
            "{name}: keep {keep} of the variance, in the median run, in every one of {rounds} "
            "rounds of {samples} numbers; mean {mean}, standard deviation {deviation}.",
            name=plan.target.source.name,
            keep=self.language.percent(plan.keep),
            rounds=number(plan.problem.generations),
            samples=number(plan.problem.samples),
            mean=significant(plan.target.model.mean),
            deviation=significant(plan.target.model.deviation),
        )

    def verdict(self) -> str:
        """Return the recommendation in one line."""
        best, text = self.plan.best, self.language.text
        if best is None:
            return text("No design keeps enough")
        return text("Recommended: {design}", design=self.label(best))

    def reason(self) -> str:
        """Return why fresh draws alone, or all designs, are not enough; else empty."""
        plan, text, percent = self.plan, self.language.text, self.language.percent
        if plan.best is None:
            return text(
                "No design that was looked at keeps {keep}; the closest keeps {most}.",
                keep=percent(plan.keep),
                most=percent(max(design.lowest for design in plan.designs)),
            )
        if plan.fresh is None or plan.fresh.feasible:
            return ""
        if self._of_numbers:
            return text(
                "Fresh draws alone cannot keep {keep}: they keep {most} at most, because the "
                "variance of a sample of {samples} is mostly below the real one.",
                keep=percent(plan.keep),
                most=percent(plan.fresh.retention.lowest),
                samples=self.language.number(plan.problem.samples),
            )
        return text(
            "Fresh draws alone cannot keep {keep}: even real data alone keeps {most}, because a "
            "sample of {samples} misses what is rare.",
            keep=percent(plan.keep),
            most=percent(plan.fresh.retention.lowest),
            samples=self.language.number(plan.problem.samples),
        )

    def share(self, design: Design) -> str:
        """Return the lowest share that a design keeps, with its standard error if it has one."""
        kept = self.language.percent(design.lowest)
        if design.retention.standard_error is None:
            return kept
        return f"{kept} ± {self.language.percent(design.retention.lowest_error, digits=2)}"

    def _lowest(self, design: Design) -> str:
        """Return the lowest share for a sentence that says "at least"."""
        return self.language.percent(design.lowest).removeprefix(">")

    def kept(self, design: Design) -> str:
        """Return what a design keeps."""
        if self._of_numbers:
            return self.language.joined(*filter(None, self._kept_of_numbers(design)))
        if design.retention.counted_from > 1:
            return self.language.text(
                "It keeps at least {lowest} of {subject} from round {first} to round {round}, "
                "counted from now: less is left at present.",
                lowest=self._lowest(design),
                subject=self.subject,
                first=self.language.number(design.retention.counted_from),
                round=self.language.number(self.plan.problem.generations),
            )
        return self.language.text(
            "It keeps at least {lowest} of {subject} up to round {round}.",
            lowest=self._lowest(design),
            subject=self.subject,
            round=self.language.number(self.plan.problem.generations),
        )

    def _kept_of_numbers(self, design: Design) -> tuple[str, ...]:
        median = self.language.text(
            "The median run keeps at least {lowest} of the variance up to round {round}, "
            "{spread} of the standard deviation.",
            lowest=self._lowest(design),
            round=self.language.number(self.plan.problem.generations),
            spread=self.language.percent(design.lowest**0.5),
        )
        if design.expected is None:
            return (median,)
        mean = self.language.text(
            "The mean over runs, which a few wide ones decide, is {mean} of the variance in the "
            "last round, exactly.",
            mean=self.language.percent(float(design.expected[-1])),
        )
        return median, mean

    def stored(self) -> str:
        """Return what the recommended reserve holds; empty where there is none."""
        plan, best = self.plan, self.plan.best
        if best is not None and self._of_numbers and best.kind == "anchor":
            return self.language.text(
                "Store numbers with the mean and the standard deviation of the data: evenly "
                "spaced quantiles, for example."
            )
        if best is None or best.stored_up_to is None:
            return ""
        held = self._rarest(best)
        if plan.target.kind == MUST_KEEP:
            held = self.language.text(
                "The reserve holds {stored} of the listed symbols, one item of each.",
                stored=self.language.number(best.real_per_round),
            )
        return self.language.joined(held, self.language.text("--reserve-out writes it."))

    def _rarest(self, best: Design) -> str:
        """Return up to which count the recommended reserve holds all symbols."""
        text, number = self.language.text, self.language.number
        stored, count = number(best.real_per_round), number(best.stored_up_to or 0.0)
        if best.real_per_round == 1.0:
            return text(
                "The reserve holds one item of the rarest; times seen: {count}.", count=count
            )
        if best.stored_up_to == 1.0:
            return text(
                "The reserve holds one item of each of {stored} symbols that are seen once.",
                stored=stored,
            )
        return text(
            "The reserve holds one item of each of the {stored} rarest, those seen up to {count} "
            "times.",
            stored=stored,
            count=count,
        )

    def cost(self, design: Design) -> str:
        """Return what a design costs, or takes."""
        costs, text = self.plan.costs, self.language.text
        if costs is None or design.cost_per_round is None:
            if design.real_per_round == 1.0:
                return text("It takes one real item a round.")
            return text(
                "It takes {real} real items a round.",
                real=self.language.number(design.real_per_round),
            )
        per_round = design.cost_per_round
        return text(
            "It costs {round} {currency} a round, {month} a month, {year} a year.",
            round=significant(per_round),
            month=significant(costs.per_month(per_round)),
            year=significant(costs.per_year(per_round)),
            currency=costs.currency,
        )

    def margin(self) -> str:
        """Return how far the recommended design is ahead, and of what; else empty."""
        plan, margin = self.plan, self.plan.margin
        if margin is None or plan.runner_up is None:
            return self.language.text("No other kind of design keeps enough.")
        runner_up = self.label(plan.runner_up)
        if plan.costs is None or margin.price <= 0.0:
            return self._behind_in_items(runner_up)
        return self.language.text(
            "Runner-up: {runner_up}. It costs {more} {currency} more a round.",
            runner_up=runner_up,
            more=significant(margin.price),
            currency=plan.costs.currency,
        )

    def _behind_in_items(self, runner_up: str) -> str:
        """Return how many more real items the runner-up takes, where its price is no higher."""
        plan, text = self.plan, self.language.text
        real = [design.real_per_round for design in plan.designs[:2]]
        more = real[1] - real[0]
        if plan.costs is None and more <= 0.0:
            return text("Runner-up: {runner_up}. It takes as many real items.", runner_up=runner_up)
        if more <= 0.0:
            return text("Runner-up: {runner_up}. It costs the same.", runner_up=runner_up)
        if plan.costs is None:
            return text(
                "Runner-up: {runner_up}. It takes {more} more real items a round.",
                runner_up=runner_up,
                more=self.language.number(more),
            )
        return text(
            "Runner-up: {runner_up}. It costs the same, but takes {more} more real items a round.",
            runner_up=runner_up,
            more=self.language.number(more),
        )

    def changes(self) -> tuple[str, ...]:
        """Return what would change the recommendation."""
        return tuple(filter(None, (self._prices(), self._target())))

    def _prices(self) -> str:
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
        return self.language.text(
            "Both would cost the same at one of these prices: {values}.", values=values
        )

    def _target(self) -> str:
        plan, best = self.plan, self.plan.best
        kinds = plan.other_targets
        names = [kind for kind, _ in kinds]
        if best is None or best.kind not in names:
            return ""
        place = names.index(best.kind)
        if place == 0:
            return self.language.text("For lower targets too, no other kind is cheaper.")
        before, upto = kinds[place - 1]
        return self.language.text(
            "For a target up to about {share}, another kind is cheapest: {kind}.",
            share=self.language.percent(upto, digits=0),
            kind=kind_label(before, self.language),
        )

    def step_in(self) -> str:
        """Return when someone must step in, and what waiting costs."""
        plan, number, text = self.plan, self.language.number, self.language.text
        if plan.step_in is None:
            return text("Even without real data, enough is left in every round.")
        first = text(
            "Without real data, less than the target is left from round {round}.",
            round=number(plan.step_in),
        )
        recoveries = [strategy for strategy in plan.recoveries if strategy.items]
        if len(recoveries) < 2 or recoveries[0].items is None or recoveries[-1].items is None:
            return first
        waiting = text(
            "Back by fresh data then takes {items} real items; {rounds} rounds later, {later}.",
            items=number(recoveries[0].items),
            rounds=number(recoveries[-1].waited),
            later=number(recoveries[-1].items),
        )
        return self.language.joined(first, waiting)

    def inspection(self) -> str:
        """Return how often to look; empty where nothing says."""
        found = self.plan.inspection
        if found is None or self.plan.costs is None:
            return ""
        return self.language.text(
            "Look every {every} rounds: for one failure within the horizon, checks and delay "
            "cost {cost} {currency} a round.",
            every=self.language.number(found.every),
            cost=significant(found.cost_per_round),
            currency=self.plan.costs.currency,
        )

    def method(self) -> str:
        """Return which law the figures come from, and what a simulation says of it."""
        plan, text = self.plan, self.language.text
        design = plan.designs[0]
        if design.retention.law == SIMULATED:
            return text(
                "No law is known for this design: {runs} runs were simulated, and it is enough two "
                "standard errors below what they keep.",
                runs=self.language.number(design.retention.runs),
            )
        if design.retention.law == "exact":
            law = text("The figures come from the exact law.")
        else:
            law = text(
                "The figures come from the branching law; the true share can be higher, by "
                "{error} at most.",
                error=self.language.percent(design.retention.error, digits=3),
            )
        distance = plan.simulated_distance()
        if plan.simulated is None:
            return law
        if distance is None or plan.simulated.standard_error[-1] == 0.0:
            alike = text(
                "Simulated, all of {runs} runs keep {mean} in the last round.",
                runs=self.language.number(plan.simulated.replicates),
                mean=self.language.percent(float(plan.simulated.kept[-1]), digits=2),
            )
            return self.language.joined(law, alike)
        simulated = text(
            "Simulated, {runs} runs keep {mean} in the last round, {distance} standard errors "
            "from the law.",
            runs=self.language.number(plan.simulated.replicates),
            mean=self.language.percent(float(plan.simulated.kept[-1]), digits=2),
            distance=f"{distance:.1f}",
        )
        return self.language.joined(law, simulated)

    def left_out(self) -> str:
        """Return which kinds of design were not looked at; empty where all were."""
        kinds = [kind_label(kind, self.language) for kind in self.plan.left_out]
        if not kinds:
            return ""
        return self.language.text(
            "Not looked at, because no law is known for them and they were not simulated: {kinds}.",
            kinds=", ".join(kinds),
        )

    def history(self) -> tuple[str, ...]:
        """Return how a recorded run compares with the plan; empty without one."""
        compared, text, percent = self.plan.comparison, self.language.text, self.language.percent
        if compared is None:
            return ()
        history = compared.history
        found = text(
            "{name}: after {rounds} recorded rounds {left} of all symbols are left. The plan is "
            "for the rounds from there.",
            name=history.name,
            rounds=self.language.number(history.rounds),
            left=percent(float(history.left[-1])),
        )
        if compared.planned is None:
            return (found,)
        planned = text(
            "The design that was best from the start would have kept {planned} of {subject}.",
            planned=percent(float(compared.planned[-1])),
            subject=self.subject,
        )
        return found, planned

    def summary(self) -> tuple[str, ...]:
        """Return all sentences, a few per entry."""
        best = self.plan.best
        about = [] if best is None else [self.kept(best), self.cost(best), self.stored()]
        parts = (
            *self.history(),
            self.language.joined(*filter(None, about)),
            self.reason(),
            self.margin() if best is not None else "",
            self.language.joined(*self.changes()),
            self.step_in(),
            self.inspection(),
            self.language.joined(*filter(None, (self.method(), self.left_out()))),
        )
        return tuple(filter(None, parts))


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
    """Return what a knob is called."""
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
