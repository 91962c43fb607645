"""A forecast of words or labels in sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

from typing_extensions import override

from hayflick.planning.classes import ClassOutlook
from hayflick.planning.confidence import BOUND, MOST_CLASSES, SIMULATED, Assurance
from hayflick.planning.forecast_result import FRESH_SHARES, UPPER_BOUND, Forecast
from hayflick.regimes.anchor import Anchor
from hayflick.report.base_forecast import NOTICEABLE, ForecastFindings
from hayflick.report.class_outlooks import at_risk
from hayflick.report.trainer_findings import trainer

_NAMED = 3
_LIKELY, _SEVERAL = 0.5, 2

# An error that three digits of a percentage show as 0.
_EXACTLY = 5e-6


@dataclass(frozen=True)
class DiscreteFindings(ForecastFindings):
    """Sentences on a forecast of words or labels."""

    forecast: Forecast

    @property
    def nouns(self) -> str:
        """The word for symbols: words, labels or symbols."""
        text, source = self.language.text, self.forecast.model.source
        if source.tokenizer in ("words", "japanese", "whitespace"):
            return text("words")
        if source.holds_labels:
            return text("labels")
        return text("symbols")

    @override
    def data(self) -> str:
        text, number, model = self.language.text, self.language.number, self.forecast.model
        if model.total is None:
            return text(
                "{name} is a law; different {nouns}: {types}.",
                name=model.source.name,
                types=number(model.types),
                nouns=self.nouns,
            )
        return text(
            "{name} holds {tokens} {nouns} in all; different ones: {types}.",
            name=model.source.name,
            tokens=number(model.total),
            types=number(model.types),
            nouns=self.nouns,
        )

    @override
    def regime(self) -> str:
        delta, text = self.forecast.delta, self.language.text
        training_set = super().regime()
        if not delta:
            return training_set
        smoothing = text(
            "Its model smooths its counts, adding {delta} to each, so what was lost can return.",
            delta=self.language.number(delta),
        )
        return self.language.joined(training_set, smoothing)

    @property
    @override
    def by_class(self) -> bool:
        return self.forecast.source.holds_labels and bool(self.forecast.classes)

    @property
    def whole(self) -> str:
        """The word for all of the real data: the text, the rows or the data."""
        text, source = self.language.text, self.forecast.source
        if source.holds_labels:
            return text("rows")
        return text("text") if source.tokenizer is not None else text("data")

    @property
    def lost_share(self) -> str:
        """The share of the real data that lost symbols cover."""
        return self.language.percent(float(self.forecast.mass_lost[-1]))

    @property
    def gone(self) -> float:
        """The share of symbols that the last round's training set lacks, on average."""
        return 1.0 - float(self.forecast.law.surviving_fraction[-1])

    @override
    def outcome(self) -> str:
        forecast, percent = self.forecast, self.language.percent
        values = {
            "round": self.last,
            "nouns": self.nouns,
            "whole": self.whole,
            "kept": percent(forecast.kept),
            "baseline": percent(forecast.baseline),
            "excess": self.language.difference(forecast.baseline - forecast.kept),
            "lost": percent(self.gone),
            "mass": self.lost_share,
        }
        if self.by_class:
            number, types = self.language.number, forecast.model.types
            values["types"] = number(types)
            values["enough"] = number(forecast.kept * types)
            values["alone"] = number(forecast.baseline * types)
            enough = self.language.text(
                "After round {round}, {enough} of {types} {nouns} still have enough examples, on "
                "average; after one training on real data alone it would be {alone}. Those that "
                "are gone cover {mass} of the {whole}, on average.",
                **values,
            )
            return self.language.joined(*filter(None, (enough, self.beside_ideal())))
        average = self.language.text(
            "After round {round}, {kept} of the {nouns} are left, on average. One training on "
            "real data alone would keep {baseline}, so recursion costs {excess} of all {nouns}.",
            **values,
        )
        meaning = self.language.text(
            "Gone are {lost} of the {nouns}, which cover {mass} of the {whole}.", **values
        )
        return self.language.joined(self.beside_ideal() or average, meaning)

    @override
    def beside_ideal(self) -> str:
        forecast, percent = self.forecast, self.language.percent
        band = forecast.simulated_band()
        if forecast.ideal is None or band is None:
            return ""
        values = {
            "round": self.last,
            "nouns": self.nouns,
            "ideal": percent(float(forecast.ideal.expected[-1])),
            "kept": percent(forecast.kept),
            "low": percent(float(band["low"][-1])),
            "high": percent(float(band["high"][-1])),
            "baseline": percent(forecast.baseline),
        }
        if self.by_class:
            return self.language.text(
                "The law of an ideal trainer would promise that {ideal} of the {nouns} have enough "
                "examples after round {round}, on average; with your trainer {kept} have, [{low}, "
                "{high}] in 90% of simulated runs.",
                **values,
            )
        return self.language.text(
            "The law of an ideal trainer would promise {ideal} of the {nouns} after round {round}; "
            "with your trainer {kept} are left, [{low}, {high}] in 90% of simulated runs. One "
            "training on real data alone would keep {baseline}.",
            **values,
        )

    @override
    def spread(self) -> str:
        forecast, text = self.forecast, self.language.text
        found, average = forecast.assurance, float(forecast.left[-1])
        if found is None:
            return text("What single runs keep is not known.")
        sure = found.confidence > 0.999 or found.confidence < 0.001
        if sure and forecast.model.types > MOST_CLASSES and found.law != SIMULATED:
            is_clear = (found.confidence > _LIKELY) == (average >= forecast.limit)
            if is_clear and (found.law != BOUND or found.confidence > _LIKELY):
                return text("With so many {nouns}, single runs hardly differ.", nouns=self.nouns)
        return text(
            "Share of runs in which every round keeps enough: {share}.", share=self.in_runs(found)
        )

    def in_runs(self, found: Assurance | None) -> str:
        """Return the share of runs in which every round keeps enough; a dash if it is unknown."""
        percent = self.language.percent
        if found is None or (found.law == BOUND and found.confidence < self.forecast.confidence):
            return "–"
        share = percent(found.confidence)
        if found.law == BOUND:
            return self.language.at_least(found.confidence)
        if found.law == UPPER_BOUND and found.confidence >= 0.0005:
            return f"≤ {share.removeprefix('<')}"
        if found.law == SIMULATED and found.standard_error:
            return f"{share} ± {percent(found.standard_error)}"
        return share

    @property
    def representative(self) -> bool:
        """Whether the symbols most at risk stand for all that are lost."""
        source = self.forecast.source
        return source.tokenizer is not None and not source.holds_labels

    def named_classes(self) -> list[ClassOutlook]:
        """Return the classes most at risk, a few of them."""
        return at_risk(self.forecast.classes)[:_NAMED]

    def said_of_classes(self) -> str:
        """Return what to say aloud of the classes."""
        text, percent = self.language.text, self.language.percent
        risky = self.named_classes()
        if not risky:
            return text(
                "If we go on as planned, each of our {nouns} still has enough examples after round "
                "{round} with a chance of {chance} or more.",
                nouns=self.nouns,
                round=self.last,
                chance=percent(1.0 - max(c.below_least for c in self.forecast.classes), digits=0),
            )
        if several := self._several():
            return text("If we go on as planned: {what}.", what=several)
        worst, values = risky[0], {"round": self.last, "symbol": risky[0].symbol}
        if worst.gone >= 1.0 - self.forecast.confidence:
            return text(
                "If we go on as planned, there is a {chance} chance that {symbol} is gone after "
                "round {round}.",
                chance=percent(worst.gone, digits=0),
                **values,
            )
        return text(
            "If we go on as planned, there is a {chance} chance that we have fewer than {least} "
            "examples of {symbol} after round {round}.",
            chance=percent(worst.below_least, digits=0),
            least=self.language.number(worst.least),
            **values,
        )

    def class_lines(self) -> tuple[str, ...]:
        """Return a sentence on each of the classes most at risk."""
        return tuple(self._class_line(one) for one in self.named_classes())

    def _class_line(self, one: ClassOutlook) -> str:
        values = {
            "symbol": one.symbol,
            "count": self.language.number(one.count),
            "round": self.last,
            "gone": self.language.percent(one.gone, digits=0),
            "few": self.language.percent(one.below_least, digits=0),
            "least": self.language.number(one.least),
        }
        if one.least == 1:
            return self.language.text(
                "{symbol} ({count} in the real data): a {gone} chance that it is gone after round "
                "{round}.",
                **values,
            )
        return self.language.text(
            "{symbol} ({count} in the real data): after round {round} a {gone} chance that it is "
            "gone, and a {few} chance of fewer than {least} examples.",
            **values,
        )

    def others_at_risk(self) -> str:
        """Return which classes are at risk, for a note in amber; empty if none is."""
        if not self.by_class:
            return ""
        risky = at_risk(self.forecast.classes, chance=1.0 - self.forecast.confidence)
        verdict = "" if self.forecast.within else self._class_verdict()
        # What the verdict names is said.
        risky = risky if not verdict or self._several() else risky[1:]
        if not risky:
            return ""
        names = [one.symbol for one in risky[:_NAMED]]
        if len(risky) <= _NAMED:
            return self.language.text("At risk: {symbols}", symbols=names)
        return self.language.text(
            "At risk: {symbols} and {number} more",
            symbols=names,
            number=self.language.number(len(risky) - _NAMED),
        )

    @override
    def first_to_go(self) -> str:
        forecast, number, text = self.forecast, self.language.number, self.language.text
        if self.by_class:
            return self.language.joined(*self.class_lines())
        if not forecast.most_at_risk:
            return ""
        rarest = forecast.most_at_risk[0]
        values = {
            "symbols": number(forecast.rarest),
            "nouns": self.nouns,
            "count": number(rarest.count),
            "kept": self.language.percent(rarest.survival),
            "baseline": self.language.percent(rarest.baseline),
        }
        who = text(
            "The rarest go first. {nouns} with a count of {count}, not in a reserve: {symbols}.",
            **values,
        )
        if rarest.median_loss is None:
            fate = text(
                "Each is left after the last round with a chance of {kept}; real data alone: "
                "{baseline}.",
                **values,
            )
        else:
            fate = text(
                "By round {round} each is more likely gone than left; after the last round the "
                "chance is {kept}; real data alone: {baseline}.",
                round=number(rarest.median_loss),
                **values,
            )
        return self.language.joined(who, fate)

    @override
    def method(self) -> str:
        text = self.language.text
        if self.forecast.ideal is not None:
            return self._simulated_alone()
        if self.by_class:
            return self.language.joined(self._class_laws(), self.simulated())
        if self.forecast.law.name == "exact":
            law = text("The figures come from the exact law.")
        elif self.forecast.law.error < _EXACTLY:
            law = text("The figures come from the branching law.")
        else:
            law = text(
                "The figures come from the branching law; the true share can be higher, by "
                "{error} at most.",
                error=self.language.percent(self.forecast.law.error, digits=3),
            )
        return self.language.joined(law, self.simulated())

    def _simulated_alone(self) -> str:
        """Return where the figures of a calibrated trainer come from."""
        forecast, text = self.forecast, self.language.text
        band = forecast.simulated_band()
        assert band is not None
        error = float(band["standard_error"][-1])
        shown = "–" if math.isnan(error) else self.language.percent(error, digits=2)
        source = text(
            "All figures were simulated with the calibrated resampler, because no law of a trained "
            "model is known; runs: {runs}, standard error of the share: {error}.",
            runs=self.language.number(forecast.runs),
            error=shown,
        )
        stopped = text("The simulation was interrupted.") if forecast.interrupted else ""
        assert forecast.resampler is not None
        made_by = trainer(forecast.resampler, self.language)
        return self.language.joined(*filter(None, (source, stopped, made_by)))

    def _class_laws(self) -> str:
        """Return where the chances of the classes come from."""
        text, laws = self.language.text, {one.law for one in self.forecast.classes}
        if laws == {"exact"}:
            return text("The chances of every class come from the exact law.")
        if SIMULATED in laws:
            return text(
                "The chances of rare classes come from the branching law, those of common ones "
                "from simulated runs of their own."
            )
        return text("The chances of every class come from the branching law.")

    @override
    def sense(self) -> str:
        return self.language.text(
            "Collapse here means that {nouns} are missing from a round's training set. It "
            "says nothing about the quality of those that are left.",
            nouns=self.nouns,
        )

    @override
    def limit(self) -> str:
        forecast, text = self.forecast, self.language.text
        values = {
            "limit": self.language.percent(forecast.limit),
            "nouns": self.nouns,
            "part": self.language.percent(forecast.part, digits=0),
            "baseline": self.language.percent(forecast.baseline),
            "required": self.language.number(forecast.required),
            "types": self.language.number(forecast.model.types),
            "least": self.language.number(forecast.at_least),
            "confidence": self.language.percent(forecast.confidence, digits=0),
        }
        if not self.by_class:
            return text(
                "{limit} of the {nouns}: {part} of the {baseline} that one training on real data "
                "alone would keep.",
                **values,
            )
        if forecast.at_least == 1:
            what = text("{required} of the {types} {nouns} in every round.", **values)
        else:
            what = text(
                "{required} of the {types} {nouns} with at least {least} examples each (or all "
                "that the data have) in every round.",
                **values,
            )
        why = text(
            "That is {part} of what one training on real data alone would keep, rounded up; it is "
            "to hold in {confidence} of runs.",
            **values,
        )
        return self.language.joined(what, why)

    @override
    def axis(self) -> str:
        if self.forecast.at_least > 1:
            return self.language.text("share of {nouns} with enough examples", nouns=self.nouns)
        return self.language.text("share of {nouns} left", nouns=self.nouns)

    @override
    def verdict(self) -> str:
        text, forecast = self.language.text, self.forecast
        confidence = self.language.percent(forecast.confidence, digits=0)
        if forecast.within:
            return text(
                "Within the limit up to round {last}, in at least {confidence} of runs",
                last=self.last,
                confidence=confidence,
            )
        if self.by_class and (named := self._class_verdict()):
            return named
        first, found = forecast.first_below, forecast.assurance
        if first is not None:
            first_below = self.language.number(first)
            return text("On average below the limit from round {first}", first=first_below)
        if found is None or found.law == BOUND:
            return text(
                "Not shown to keep enough in {confidence} of runs up to round {last}",
                last=self.last,
                confidence=confidence,
            )
        return text(
            "Below the limit in {share} of runs, at some time up to round {last}",
            share=self.language.percent(1.0 - found.confidence, digits=0),
            last=self.last,
        )

    def _several(self) -> str:
        """Return how many classes are likely gone, or too small; empty for none or one."""
        classes, number = self.forecast.classes, self.language.number
        gone = sum(one.gone > _LIKELY for one in classes)
        few = sum(one.below_least > _LIKELY for one in classes)
        values = {"types": number(len(classes)), "nouns": self.nouns, "round": self.last}
        if few > max(gone, 1):
            return self.language.text(
                "{number} of {types} {nouns} are more likely than not to have too few examples by "
                "round {round}",
                number=number(few),
                **values,
            )
        if gone < _SEVERAL:
            return ""
        return self.language.text(
            "{number} of {types} {nouns} are more likely gone than left by round {round}",
            number=number(gone),
            **values,
        )

    def _class_verdict(self) -> str:
        """Return the verdict as what becomes of the classes; empty if none is at risk by itself."""
        text, percent = self.language.text, self.language.percent
        risky = at_risk(self.forecast.classes)
        if not risky:
            return ""
        worst = risky[0]
        if several := self._several():
            return several
        if worst.gone >= 1.0 - self.forecast.confidence:
            return text(
                "A {chance} chance that {symbol} is gone by round {round}",
                chance=percent(worst.gone, digits=0),
                symbol=worst.symbol,
                round=self.last,
            )
        return text(
            "A {chance} chance that {symbol} has fewer than {least} examples by round {round}",
            chance=percent(worst.below_least, digits=0),
            symbol=worst.symbol,
            least=self.language.number(worst.least),
            round=self.last,
        )

    @override
    def action(self) -> str:
        forecast, text = self.forecast, self.language.text
        share = forecast.smallest_holding_share
        if forecast.within or share is None:
            return super().action()
        return text(
            "Put {share} fresh real data into every round: of the shares compared, it is the "
            "smallest that stays within the limit in at least {confidence} of runs.",
            share=self.language.percent(share, digits=0),
            confidence=self.language.percent(forecast.confidence, digits=0),
        )

    @override
    def fresh_data(self) -> str:
        forecast, text, percent = self.forecast, self.language.text, self.language.percent
        rows = zip(FRESH_SHARES, forecast.fresh_shares, forecast.fresh_assurances, strict=True)
        better = [row for row in rows if row[1] > forecast.kept + NOTICEABLE and row[0] < 1]
        if not better:
            return ""
        (small, small_kept, small_runs), (large, large_kept, large_runs) = better[0], better[-1]
        values = {
            "small": percent(small, digits=0),
            "small_kept": percent(small_kept),
            "small_runs": self.in_runs(small_runs),
            "large": percent(large, digits=0),
            "large_kept": percent(large_kept),
            "large_runs": self.in_runs(large_runs),
        }
        if isinstance(forecast.regime, Anchor):
            more = text(
                "Instead of the reserve, fresh real data in every round would keep more on "
                "average: a share of {small} {small_kept}, a share of {large} {large_kept}.",
                **values,
            )
        else:
            more = text(
                "Fresh real data in every round would keep more on average: a share of {small} "
                "{small_kept}, a share of {large} {large_kept}.",
                **values,
            )
        if not self.by_class:
            return more
        runs = text(
            "Share of runs that keep enough in every round: {small_runs} and {large_runs}.",
            **values,
        )
        return self.language.joined(more, runs)

    @override
    def fresh_runs(self) -> tuple[str, ...]:
        return tuple(self.in_runs(found) for found in self.forecast.fresh_assurances)

    @override
    def beyond_fresh(self) -> str:
        values = {
            "half": self.language.percent(FRESH_SHARES[-2], digits=0),
            "nouns": self.nouns,
            "confidence": self.language.percent(self.forecast.confidence, digits=0),
        }
        return self.language.text(
            "No share of fresh real data up to {half} is enough in {confidence} of runs. Keep a "
            "reserve of real items with the rare {nouns}, and put it into every round.",
            **values,
        )
