"""A Gaussian's forecast in plain words: how much of the spread is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hayflick.report.series_findings import SeriesFindings
from hayflick.report.tables import significant


@dataclass(frozen=True)
class SpreadFindings(SeriesFindings):
    """What is said of Gaussians, in one dimension or several."""

    def label(self, name: str) -> str:
        """Return what a quantity is called on an axis and in a heading."""
        text = self.language.text
        labels = {
            "spread": text("spread left, median"),
            "root_mean_square": text("spread left, root mean square"),
            "rank": text("rank of the covariance"),
        }
        return labels[name]

    def data(self) -> str:
        """Return what the data are."""
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

    def outcome(self) -> str:
        """Return what is left, and what real data alone would leave."""
        if self.forecast.singular:
            return self.language.text(
                "{samples} items span {rank} dimensions at most, and the data have {dimensions}: "
                "the rank of the covariance falls in the first round, and with it all of the "
                "generalised variance.",
                rank=self.language.number(self.forecast.samples - 1),
                **self._sizes(),
            )
        main, spot = self.forecast.main, self.forecast.main.best.at(-1)
        return self.language.text(
            "After round {round}, half of all courses have no more than {kept} of the real "
            "data's spread left (5 to 95%: {between}). One training on real data alone gives "
            "{baseline} ({alone}).",
            round=self.last,
            kept=self.value(main.quantity, spot.middle),
            between=self.between(main.quantity, spot),
            baseline=self.language.percent(self.forecast.baseline),
            alone=self.between(main.quantity, main.alone),
        )

    def _sizes(self) -> dict[str, str]:
        number = self.language.number
        return {
            "samples": number(self.forecast.samples),
            "dimensions": number(self.forecast.subject.dimensions),
        }

    def below(self, first: str) -> str:
        """Return the verdict on a plan that falls below the limit."""
        if not self.forecast.singular:
            return super().below(first)
        rank = self.language.number(self.forecast.samples - 1)
        return self.language.text("The rank collapses to {rank} at once", rank=rank)

    def limit(self) -> str:
        """Return the limit, and where it comes from."""
        if not self.forecast.singular:
            return super().limit()
        return self.language.text("More than {dimensions} items in every round.", **self._sizes())

    def number_to_watch(self) -> str:
        """Return the number to watch, and where it is heading."""
        return self.language.text(
            "The spread (standard deviation) of a round's model, as a share of the real data's: "
            "heading for {kept} in the median after round {round}.",
            kept=self.language.percent(self.forecast.kept),
            round=self.last,
        )

    def beyond_fresh(self) -> str:
        """Return what to do where no share of fresh data is enough."""
        if not self.forecast.singular:
            return super().beyond_fresh()
        return self.language.text(
            "Train on more than {dimensions} items in every round, or on fewer columns.",
            **self._sizes(),
        )

    def spoken_within(self) -> str:
        """Return what to say aloud of a plan that stays within the limit."""
        percent = self.language.percent
        return self.language.text(
            "If we go on as planned, our data should still have {kept} of their spread after round "
            "{round}; real data alone would leave {baseline}.",
            kept=percent(self.forecast.kept, digits=0),
            round=self.last,
            baseline=percent(self.forecast.baseline, digits=0),
        )

    def spoken_below(self) -> str:
        """Return what to say aloud of a plan that falls below the limit."""
        if self.forecast.singular:
            return self.language.text(
                "With {samples} items for {dimensions} columns, the first round already loses a "
                "whole direction of our data.",
                **self._sizes(),
            )
        return self.language.text(
            "If we go on as planned, our data shrink towards their middle: after round {round} we "
            "can expect {kept} of the spread.",
            round=self.last,
            kept=self.language.percent(self.forecast.kept, digits=0),
        )

    def spoken_beyond_fresh(self) -> str:
        """Return what to say aloud where no share of fresh data is enough."""
        return self.beyond_fresh() if self.forecast.singular else super().spoken_beyond_fresh()

    def sense(self) -> str:
        """Return which sense of collapse is measured."""
        return self.language.text(
            "Collapse here means that the spread of a round's model is lost. The model is a "
            "Gaussian: of skew, gaps or outliers in the data it says nothing."
        )

    def term(self) -> tuple[str, str]:
        """Return the quantity that decides as a term of the glossary, and its meaning."""
        text = self.language.text
        return text("Spread left"), text(
            "The standard deviation of a round's model over that of the real data. In several "
            "dimensions the root of the generalised variance (the determinant of the "
            "covariance) that is on the scale of one standard deviation."
        )
