"""A Poisson rate's forecast in plain words: the chance that it has not died out."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.report.series_findings import SeriesFindings
from hayflick.report.tables import significant


@dataclass(frozen=True)
class ChanceFindings(SeriesFindings):
    """What is said of a Poisson rate."""

    def label(self, name: str) -> str:
        """Return what a quantity is called on an axis and in a heading."""
        text = self.language.text
        return {"chance": text("chance that the rate is not 0"), "rate": text("rate")}[name]

    def data(self) -> str:
        """Return what the data are."""
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

    def outcome(self) -> str:
        """Return what is left, and what real data alone would leave."""
        percent = self.language.percent
        return self.language.text(
            "After round {round}, the rate is not 0 with a chance of {kept}; after one training "
            "on real data alone, {baseline}. At 0 it stays 0 unless real data are mixed in.",
            round=self.last,
            kept=percent(self.forecast.kept),
            baseline=percent(self.forecast.baseline),
        )

    def figure(self) -> str:
        """Return what stands under the figure that decides."""
        return self.language.text("chance after round {round}", round=self.last)

    def figure_alone(self) -> str:
        """Return what stands under the same figure for real data alone."""
        return self.language.text("real data alone")

    def number_to_watch(self) -> str:
        """Return the number to watch, and where it is heading."""
        return self.language.text(
            "The rate of a round's model: the chance that it is not 0 is heading for {kept} after "
            "round {round}.",
            kept=self.language.percent(self.forecast.kept),
            round=self.last,
        )

    def spoken_within(self) -> str:
        """Return what to say aloud of a plan that stays within the limit."""
        return self.language.text(
            "If we go on as planned, the events we count are still there after round {round} with "
            "a chance of {kept}.",
            round=self.last,
            kept=self.language.percent(self.forecast.kept, digits=0),
        )

    def spoken_below(self) -> str:
        """Return what to say aloud of a plan that falls below the limit."""
        return self.language.text(
            "If we go on as planned, the events we count will have died out by round {round} with "
            "a chance of {lost}.",
            round=self.last,
            lost=self.language.percent(1.0 - self.forecast.kept, digits=0),
        )

    def sense(self) -> str:
        """Return which sense of collapse is measured."""
        return self.language.text(
            "Collapse here means that the rate is 0: a round in which not one event is drawn. "
            "Until then the rate wanders; its mean stays."
        )

    def term(self) -> tuple[str, str]:
        """Return the quantity that decides as a term of the glossary, and its meaning."""
        text = self.language.text
        return text("Chance that the rate is not 0"), text(
            "The probability that a round's training set holds at least one event."
        )
