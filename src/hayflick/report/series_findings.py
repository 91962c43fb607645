"""A forecast of numbers or running text in sentences, by family."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from hayflick.planning.confidence import FEWEST_SHARE_RUNS
from hayflick.planning.forecast_result import FRESH_SHARES
from hayflick.planning.quantities import BandPoint, Quantity
from hayflick.planning.series_forecast import SeriesForecast
from hayflick.report.base_forecast import ForecastFindings
from hayflick.report.language import Language
from hayflick.report.rendering import significant


@dataclass(frozen=True)
class SeriesFindings(ForecastFindings):
    """Sentences that these families share."""

    forecast: SeriesForecast

    @abstractmethod
    def label(self, name: str) -> str:
        """Return the name of a quantity on an axis and in a heading."""

    @override
    def verdict(self) -> str:
        text, forecast = self.language.text, self.forecast
        first, found = forecast.first_below, forecast.runs_within
        if first is not None:
            return text("Below the limit from round {first}", first=self.language.number(first))
        if found is None and forecast.family == "poisson":
            return text("Within the limit up to round {last}", last=self.last)
        if found is None:
            return text("The median run is within the limit up to round {last}", last=self.last)
        runs = forecast.assurance.runs if forecast.assurance else 0
        if forecast.within and runs < FEWEST_SHARE_RUNS:
            return text(
                "Within the limit up to round {last} in an estimated {share} of runs",
                last=self.last,
                share=self.language.percent(found, digits=0),
            )
        if forecast.within:
            return text(
                "Within the limit up to round {last} in {share} of {runs} simulated runs",
                last=self.last,
                share=self.language.percent(found, digits=0),
                runs=self.language.number(runs),
            )
        if found >= forecast.confidence:
            return text(
                "Not shown to keep enough in {confidence} of runs up to round {last}",
                confidence=self.language.percent(forecast.confidence, digits=0),
                last=self.last,
            )
        return text(
            "Below the limit in {share} of runs, at some time up to round {last}",
            share=self.language.percent(1.0 - found, digits=0),
            last=self.last,
        )

    @override
    def action(self) -> str:
        forecast, share = self.forecast, self.forecast.smallest_holding_share
        if forecast.within or share is None or forecast.runs_within is None:
            return super().action()
        return self.language.text(
            "Put {share} fresh real data into every round: of the shares compared, it is the "
            "smallest whose median run stays within the limit.",
            share=self.language.percent(share, digits=0),
        )

    @override
    def axis(self) -> str:
        return self.label(self.forecast.main.name)

    def value(self, quantity: Quantity, value: float | None) -> str:
        """Return a value of a quantity; a dash for None."""
        if value is None:
            return "–"
        return self.language.percent(value) if quantity.is_share else significant(value)

    def between(self, quantity: Quantity, point: BandPoint) -> str:
        """Return the 5 and the 95 % quantile; a dash if there are none."""
        if point.low is None:
            return "–"
        return f"{self.value(quantity, point.low)} – {self.value(quantity, point.high)}"

    @override
    def limit(self) -> str:
        percent = self.language.percent
        return self.language.text(
            "{limit}: {part} of the {baseline} that one training on real data alone would give.",
            limit=percent(self.forecast.limit),
            part=percent(self.forecast.part, digits=0),
            baseline=percent(self.forecast.baseline),
        )

    @override
    def beyond_fresh(self) -> str:
        return self.language.text(
            "No share of fresh real data up to {half} stays within the limit. Train on more "
            "items in every round, or on real data alone.",
            half=self.language.percent(FRESH_SHARES[-2], digits=0),
        )

    @override
    def method(self) -> str:
        text = self.language.text
        if self.forecast.law_name == "exact":
            law = text("The figures come from the exact law.")
            compared = text("Fresh shares between 0 and 100% are compared by runs of their own.")
            others = () if self.forecast.shares_by_law else (compared,)
            return self.language.joined(law, self.simulated(), *self.assured(), *others)
        runs = text(
            "No law gives these figures: they come from simulated runs, of which {runs} were "
            "finished.",
            runs=self.language.number(self.forecast.runs),
        )
        if self.forecast.law_name == "simulation":
            return self.language.joined(runs, *self.assured())
        exact = text("Only the root mean square is exact.")
        return self.language.joined(runs, *self.assured(), exact)

    def assured(self) -> tuple[str, ...]:
        """Return how many runs stay within the limit, and from how many that is known."""
        found, text = self.forecast.assurance, self.language.text
        if found is None:
            return ()
        values = {
            "share": self.language.percent(found.confidence),
            "runs": self.language.number(found.runs),
        }
        if found.runs < FEWEST_SHARE_RUNS:
            few = text(
                "Estimated from {runs} runs, {share} of runs stay within the limit in every round.",
                **values,
            )
            return (few,)
        error = self.language.percent(found.standard_error)
        many = text(
            "{share} of {runs} simulated runs stay within the limit in every round (standard error "
            "{error}).",
            error=error,
            **values,
        )
        return (many,)


@dataclass(frozen=True)
class SpreadFindings(SeriesFindings):
    """Sentences on Gaussians, in one dimension or several."""

    @override
    def label(self, name: str) -> str:
        text = self.language.text
        labels = {
            "spread": text("spread left, median"),
            "root_mean_square": text("spread left, root mean square"),
            "rank": text("rank of the covariance"),
        }
        return labels[name]

    @override
    def data(self) -> str:
        forecast, text, model = self.forecast, self.language.text, self.forecast.model
        values: dict[str, Any] = {"name": forecast.name, "column": forecast.source.column or "–"}
        if model.total is None:
            return text("{name} is a law, not fitted to data.", name=forecast.name)
        values["total"] = self.language.number(model.total)
        if forecast.family == "gaussian":
            return text(
                "{name}, column {column}: {total} numbers with mean {mean} and standard deviation "
                "{deviation}.",
                mean=significant(model.mean),
                deviation=significant(model.deviation),
                **values,
            )
        return text("{name}, columns {column}: {total} rows of numbers.", **values)

    @override
    def outcome(self) -> str:
        if self.forecast.singular:
            return self.language.text(
                "{samples} items span {rank} dimensions at most, and the data have {dimensions}: "
                "the rank of the covariance falls in the first round, and with it all of the "
                "generalised variance.",
                rank=self.language.number(self.forecast.samples - 1),
                **self._sizes(),
            )
        main, point = self.forecast.main, self.forecast.main.best.at(-1)
        return self.language.text(
            "After round {round}, half of all courses have no more than {kept} of the real "
            "data's spread left (5 to 95%: {between}). One training on real data alone gives "
            "{baseline} ({alone}).",
            round=self.last,
            kept=self.value(main.quantity, point.middle),
            between=self.between(main.quantity, point),
            baseline=self.language.percent(self.forecast.baseline),
            alone=self.between(main.quantity, main.alone),
        )

    def _sizes(self) -> dict[str, str]:
        number = self.language.number
        return {
            "samples": number(self.forecast.samples),
            "dimensions": number(self.forecast.tracked.dimensions),
        }

    @override
    def verdict(self) -> str:
        if not self.forecast.singular:
            return super().verdict()
        rank = self.language.number(self.forecast.samples - 1)
        return self.language.text("The rank collapses to {rank} at once", rank=rank)

    @override
    def limit(self) -> str:
        if not self.forecast.singular:
            return super().limit()
        return self.language.text("More than {dimensions} items in every round.", **self._sizes())

    @override
    def beyond_fresh(self) -> str:
        if not self.forecast.singular:
            return super().beyond_fresh()
        return self.language.text(
            "Train on more than {dimensions} items in every round, or on fewer columns.",
            **self._sizes(),
        )

    @override
    def sense(self) -> str:
        return self.language.text(
            "Collapse here means that the spread of a round's model is lost. The model is a "
            "Gaussian: of skew, gaps or outliers in the data it says nothing."
        )


@dataclass(frozen=True)
class CountFindings(SpreadFindings):
    """Sentences on a negative binomial law."""

    @override
    def label(self, name: str) -> str:
        text = self.language.text
        labels = {
            "spread": text("spread left, median"),
            "dispersion": text("dispersion"),
            "mean": text("mean"),
            "events": text("chance that not all counts are 0"),
        }
        return labels[name]

    @override
    def data(self) -> str:
        model, text = self.forecast.model, self.language.text
        if model.total is None:
            return text("{name} is a law, not fitted to data.", name=self.forecast.name)
        return text(
            "{name}, column {column}: {total} counts with mean {mean}. The law fitted to them has "
            "dispersion {dispersion} and standard deviation {deviation}: its variance is {ratio} "
            "times its mean.",
            name=self.forecast.name,
            column=self.forecast.source.column or "–",
            total=self.language.number(model.total),
            mean=significant(model.mean),
            deviation=significant(model.deviation),
            dispersion=significant(model.dispersion),
            ratio=significant(1.0 + model.dispersion * model.mean),
        )

    @override
    def sense(self) -> str:
        return self.language.text(
            "Collapse here means that the spread of a round's model is lost: large counts become "
            "rarer. A dispersion of 0 is the Poisson law, whose variance is its mean; a mean of 0 "
            "stays 0 unless real data are mixed in."
        )


@dataclass(frozen=True)
class ChanceFindings(SeriesFindings):
    """Sentences on a Poisson rate."""

    @override
    def label(self, name: str) -> str:
        text = self.language.text
        return {"chance": text("chance that the rate is not 0"), "rate": text("rate")}[name]

    @override
    def data(self) -> str:
        model, text = self.forecast.model, self.language.text
        if model.total is None:
            return text("{name} is a law, not fitted to data.", name=self.forecast.name)
        return text(
            "{name}, column {column}: {total} counts with mean {mean}.",
            name=self.forecast.name,
            column=self.forecast.source.column or "–",
            total=self.language.number(model.total),
            mean=significant(model.rate),
        )

    @override
    def outcome(self) -> str:
        percent = self.language.percent
        return self.language.text(
            "After round {round}, the rate is not 0 with a chance of {kept}; after one training "
            "on real data alone, {baseline}. At 0 it stays 0 unless real data are mixed in.",
            round=self.last,
            kept=percent(self.forecast.kept),
            baseline=percent(self.forecast.baseline),
        )

    @override
    def figure(self) -> str:
        return self.language.text("chance after round {round}", round=self.last)

    @override
    def sense(self) -> str:
        return self.language.text(
            "Collapse here means that the rate is 0: a round in which not one event is drawn. "
            "Until then the rate wanders; its mean stays."
        )


@dataclass(frozen=True)
class TextFindings(SeriesFindings):
    """Sentences on an n-gram model."""

    @property
    def nouns(self) -> str:
        """The word for symbols."""
        return self.language.text("words")

    @override
    def label(self, name: str) -> str:
        text = self.language.text
        labels = {
            "words": text("share of words left"),
            "contexts": text("share of contexts left"),
            "sentence_length": text("words per sentence"),
        }
        return labels[name]

    @override
    def data(self) -> str:
        model, number = self.forecast.model, self.language.number
        return self.language.text(
            "{name} holds {total} words in all, different ones: {types}. The model has order "
            "{order}: a word depends on the words before it, {memory} at most.",
            name=self.forecast.name,
            total=number(model.total),
            types=number(model.types),
            order=number(model.order),
            memory=number(model.order - 1),
        )

    @override
    def outcome(self) -> str:
        percent, (_, contexts, length) = self.language.percent, self.forecast.series
        return self.language.text(
            "After round {round}, {kept} of the words are left, and {contexts} of the contexts. "
            "One training on real data alone would keep {baseline} and {alone}. Words per "
            "sentence: {length}, with real data alone {real_length}.",
            round=self.last,
            kept=percent(self.forecast.kept),
            contexts=percent(contexts.best.at(-1).middle),
            baseline=percent(self.forecast.baseline),
            alone=percent(contexts.alone.middle),
            length=significant(length.best.at(-1).middle),
            real_length=significant(length.alone.middle),
        )

    @override
    def sense(self) -> str:
        return self.language.text(
            "Collapse here means that words are missing from a round's text, or the contexts in "
            "which they stood. It says nothing about the quality of what is left."
        )


_FINDINGS: dict[str, type[SeriesFindings]] = {
    "gaussian": SpreadFindings,
    "multivariate-gaussian": SpreadFindings,
    "poisson": ChanceFindings,
    "negative-binomial": CountFindings,
    "ngram": TextFindings,
}


def series_findings(forecast: SeriesForecast, language: Language) -> SeriesFindings:
    """Return the sentences of a forecast of numbers or running text."""
    return _FINDINGS[forecast.family](forecast, language)
