"""A forecast of words or labels in sentences."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from hayflick.planning.forecast_result import FRESH_SHARES, Forecast
from hayflick.report.base_forecast import ForecastFindings


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
        delta, text = self.forecast.model.smoothing.delta, self.language.text
        training_set = super().regime()
        if not delta:
            return training_set
        smoothing = text(
            "Its model smooths its counts, adding {delta} to each, so what was lost can return.",
            delta=self.language.number(delta),
        )
        return self.language.joined(training_set, smoothing)

    @override
    def outcome(self) -> str:
        forecast, percent = self.forecast, self.language.percent
        return self.language.text(
            "After round {round}, {kept} of the {nouns} are left. One training on real data "
            "alone would keep {baseline}, so recursion costs {excess} of all {nouns}.",
            round=self.last,
            kept=percent(forecast.kept),
            nouns=self.nouns,
            baseline=percent(forecast.baseline),
            excess=self.language.difference(forecast.baseline - forecast.kept),
        )

    @override
    def first_to_go(self) -> str:
        forecast, number, text = self.forecast, self.language.number, self.language.text
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
        if self.forecast.law.name == "exact":
            law = text("The figures come from the exact law.")
        else:
            law = text(
                "The figures come from the branching law; the true share can be higher, by "
                "{error} at most.",
                error=self.language.percent(self.forecast.law.error, digits=3),
            )
        return self.language.joined(law, self.simulated())

    @override
    def sense(self) -> str:
        return self.language.text(
            "Collapse here means that {nouns} are missing from a round's training set. It "
            "says nothing about the quality of those that are left.",
            nouns=self.nouns,
        )

    @override
    def limit(self) -> str:
        percent = self.language.percent
        return self.language.text(
            "{limit} of the {nouns}: {part} of the {baseline} that one training on real data "
            "alone would keep.",
            limit=percent(self.forecast.limit),
            nouns=self.nouns,
            part=percent(self.forecast.part, digits=0),
            baseline=percent(self.forecast.baseline),
        )

    @override
    def axis(self) -> str:
        return self.language.text("share of {nouns} left", nouns=self.nouns)

    @override
    def verdict(self) -> str:
        text, first = self.language.text, self.forecast.first_below
        if first is None:
            return text("On average within the limit up to round {last}", last=self.last)
        first_below = self.language.number(first)
        return text("On average below the limit from round {first}", first=first_below)

    @override
    def beyond_fresh(self) -> str:
        return self.language.text(
            "No share of fresh real data up to {half} stays within the limit. Keep a "
            "reserve of real items with the rare {nouns}, and put it into every round.",
            half=self.language.percent(FRESH_SHARES[-2], digits=0),
            nouns=self.nouns,
        )
