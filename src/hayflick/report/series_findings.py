"""A forecast of numbers or running text in plain words: what its families share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from hayflick.planning.forecast_result import FRESH_SHARES
from hayflick.planning.quantities import BandPoint, Quantity
from hayflick.planning.series_forecast import SeriesForecast
from hayflick.report.outlook_findings import OutlookFindings
from hayflick.report.tables import significant


@dataclass(frozen=True)
class SeriesFindings(OutlookFindings):
    """What a forecast says, sentence by sentence, in one language."""

    forecast: SeriesForecast

    @abstractmethod
    def label(self, name: str) -> str:
        """Return what a quantity is called on an axis and in a heading."""

    @abstractmethod
    def outcome(self) -> str:
        """Return what is left, and what real data alone would leave."""

    @abstractmethod
    def sense(self) -> str:
        """Return which sense of collapse is measured."""

    @abstractmethod
    def term(self) -> tuple[str, str]:
        """Return the quantity that decides as a term of the glossary, and its meaning."""

    def axis(self) -> str:
        """Return what an axis of what is left is called."""
        return self.label(self.forecast.main.name)

    def value(self, quantity: Quantity, value: float | None) -> str:
        """Return a value of a quantity; a dash where there is none."""
        if value is None:
            return "–"
        return self.language.percent(value) if quantity.is_share else significant(value)

    def between(self, quantity: Quantity, spot: BandPoint) -> str:
        """Return the 5 and the 95 % quantile; a dash where there are none."""
        if spot.low is None:
            return "–"
        return f"{self.value(quantity, spot.low)} – {self.value(quantity, spot.high)}"

    def limit(self) -> str:
        """Return the limit, and where it comes from."""
        percent = self.language.percent
        return self.language.text(
            "{limit}: {part} of the {baseline} that one training on real data alone would give.",
            limit=percent(self.forecast.limit),
            part=percent(self.forecast.part, digits=0),
            baseline=percent(self.forecast.baseline),
        )

    def within(self, last: str) -> str:
        """Return the verdict on a plan that stays within the limit."""
        return self.language.text("Within the limit up to round {last}", last=last)

    def below(self, first: str) -> str:
        """Return the verdict on a plan that falls below the limit."""
        return self.language.text("Below the limit from round {first}", first=first)

    def beyond_fresh(self) -> str:
        """Return what to do where no share of fresh data is enough."""
        return self.language.text(
            "No share of fresh real data up to {half} stays within the limit. Train on more "
            "items in every round, or on real data alone.",
            half=self.language.percent(FRESH_SHARES[-2], digits=0),
        )

    def spoken_beyond_fresh(self) -> str:
        """Return what to say aloud where no share of fresh data is enough."""
        return self.language.text(
            "Mixing in fresh data is not enough: we should train on more items every time, or on "
            "real data alone."
        )

    def method(self) -> str:
        """Return where the figures come from."""
        text = self.language.text
        if self.forecast.law_name == "exact":
            law = text("The figures come from the exact law.")
            return self.language.joined(law, self.simulated(), *self._comparison())
        runs = text(
            "No law gives these figures: they come from simulated runs, of which {runs} were "
            "finished.",
            runs=self.language.number(self.forecast.runs),
        )
        if self.forecast.law_name == "simulation":
            return runs
        return self.language.joined(runs, text("Only the root mean square is exact."))

    def _comparison(self) -> tuple[str, ...]:
        if self.forecast.shares_by_law:
            return ()
        text = self.language.text
        return (text("Fresh shares between 0 and 100% are compared by runs of their own."),)

    def summary(self) -> tuple[str, ...]:
        """Return the executive summary, a sentence or two per entry."""
        sentences = (
            self.language.joined(self.outcome(), self.spread()),
            self.fresh_data(),
            self.data(),
            self.regime(),
            self.method(),
            self.sense(),
        )
        return tuple(filter(None, sentences))
