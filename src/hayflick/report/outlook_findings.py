"""What the sentences of all forecasts share: training sets, limit, fresh data, what to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from hayflick.planning.forecast_result import FRESH_SHARES, BaseForecast
from hayflick.regimes.anchor import Anchor
from hayflick.report.language import Language
from hayflick.report.training_sets import training_sets

_NOTICEABLE = 0.005


@dataclass(frozen=True)
class OutlookFindings(ABC):
    """What a forecast says, sentence by sentence, in one language."""

    forecast: BaseForecast
    language: Language

    @abstractmethod
    def data(self) -> str:
        """Return what the data are."""

    @abstractmethod
    def summary(self) -> tuple[str, ...]:
        """Return the executive summary, a sentence or two per entry."""

    @abstractmethod
    def method(self) -> str:
        """Return which law the figures come from, and how far off it can be."""

    @abstractmethod
    def limit(self) -> str:
        """Return the limit, and where it comes from."""

    @abstractmethod
    def number_to_watch(self) -> str:
        """Return the number to watch, and where it is heading."""

    @abstractmethod
    def axis(self) -> str:
        """Return what an axis of what is left is called."""

    @abstractmethod
    def within(self, last: str) -> str:
        """Return the verdict on a plan that stays within the limit."""

    @abstractmethod
    def below(self, first: str) -> str:
        """Return the verdict on a plan that falls below the limit."""

    @abstractmethod
    def beyond_fresh(self) -> str:
        """Return what to do where no share of fresh data is enough."""

    @abstractmethod
    def spoken_within(self) -> str:
        """Return what to say aloud of a plan that stays within the limit."""

    @abstractmethod
    def spoken_below(self) -> str:
        """Return what to say aloud of a plan that falls below the limit."""

    @abstractmethod
    def spoken_beyond_fresh(self) -> str:
        """Return what to say aloud where no share of fresh data is enough."""

    @property
    def last(self) -> str:
        """The last round's number."""
        return self.language.number(self.forecast.generations)

    def figure(self) -> str:
        """Return what stands under the figure that decides."""
        return self.language.text("left after round {round}", round=self.last)

    def figure_alone(self) -> str:
        """Return what stands under the same figure for real data alone."""
        return self.language.text("left with real data alone")

    def regime(self) -> str:
        """Return what each round is trained on."""
        forecast = self.forecast
        return training_sets(forecast.regime, samples=forecast.samples, language=self.language)

    def spread(self) -> str:
        """Return how many simulated runs end below the limit; empty without simulation."""
        share = self.forecast.runs_below
        if share is None:
            return ""
        return self.language.text(
            "Of the simulated runs, {share} end below the limit.",
            share=self.language.percent(share, digits=0),
        )

    def fresh_data(self) -> str:
        """Return which shares of fresh real data would help; empty where none would."""
        forecast, text, percent = self.forecast, self.language.text, self.language.percent
        pairs = zip(FRESH_SHARES, forecast.fresh_shares, strict=True)
        better = [(s, kept) for s, kept in pairs if kept > forecast.kept + _NOTICEABLE and s < 1]
        if not better:
            return ""
        (small, small_kept), (large, large_kept) = better[0], better[-1]
        values = {
            "small": percent(small, digits=0),
            "small_kept": percent(small_kept),
            "large": percent(large, digits=0),
            "large_kept": percent(large_kept),
        }
        if isinstance(forecast.regime, Anchor):
            return text(
                "Instead of the reserve, fresh real data in every round would keep more: a "
                "share of {small} {small_kept}, a share of {large} {large_kept}.",
                **values,
            )
        return text(
            "Fresh real data in every round would keep more: a share of {small} {small_kept}, "
            "a share of {large} {large_kept}.",
            **values,
        )

    def fresh_heading(self) -> str:
        """Return what the comparison of fresh shares is called."""
        if isinstance(self.forecast.regime, Anchor):
            return self.language.text("fresh real data in every round, instead of the reserve")
        return self.language.text("fresh real data in every round")

    def simulated(self) -> str:
        """Return how many simulated runs stand beside the figures."""
        forecast, text = self.forecast, self.language.text
        if not forecast.runs:
            return text("No finished simulation stands beside it.")
        runs = self.language.number(forecast.runs)
        if forecast.interrupted:
            return text(
                "The simulation beside it was interrupted; runs finished: {runs}.", runs=runs
            )
        return text("Simulated runs beside it: {runs}.", runs=runs)

    def verdict(self) -> str:
        """Return whether the plan stays within the limit, in a few words."""
        first = self.forecast.first_below
        return self.within(self.last) if first is None else self.below(self.language.number(first))

    def action(self) -> str:
        """Return what to do."""
        text, percent = self.language.text, self.language.percent
        share = self.forecast.smallest_holding_share
        if self.forecast.first_below is None:
            return text("Go on as planned, and watch the number.")
        if share is None:
            return self.beyond_fresh()
        return text(
            "Put {share} fresh real data into every round: of the shares compared, it is the "
            "smallest that stays within the limit.",
            share=percent(share, digits=0),
        )

    def spoken(self) -> tuple[str, str]:
        """Return two sentences to say aloud."""
        text, share = self.language.text, self.forecast.smallest_holding_share
        if self.forecast.first_below is None:
            second = text(
                "We need not change the plan, but should look at this number every round."
            )
            return self.spoken_within(), second
        if share is None:
            return self.spoken_below(), self.spoken_beyond_fresh()
        second = text(
            "With {share} fresh real data in every round we stay within the limit.",
            share=self.language.percent(share, digits=0),
        )
        return self.spoken_below(), second
