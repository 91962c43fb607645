"""What the reports of all forecasts share: sentences, the fresh shares' table and chart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from hayflick.planning.forecast_result import FRESH_SHARES, BaseForecast
from hayflick.regimes.anchor import Anchor
from hayflick.report import drawing
from hayflick.report.language import Language
from hayflick.report.tables import table
from hayflick.report.training_sets import training_sets

if TYPE_CHECKING:
    from rich.table import Table

_NOTICEABLE = 0.005


@dataclass(frozen=True)
class ForecastFindings(ABC):
    """The sentences of a forecast in one language."""

    forecast: BaseForecast
    language: Language

    @abstractmethod
    def data(self) -> str:
        """Return a description of the data."""

    @abstractmethod
    def outcome(self) -> str:
        """Return the sentence on what is left, and on real data alone."""

    @abstractmethod
    def method(self) -> str:
        """Return the law that gives the figures, and its error."""

    @abstractmethod
    def sense(self) -> str:
        """Return the sense in which collapse is measured."""

    @abstractmethod
    def limit(self) -> str:
        """Return the limit, and how it is derived."""

    @abstractmethod
    def axis(self) -> str:
        """Return the title of an axis of what is left."""

    @abstractmethod
    def verdict(self) -> str:
        """Return whether the plan stays within the limit, in a few words."""

    @abstractmethod
    def beyond_fresh(self) -> str:
        """Return what to do where no share of fresh data is enough."""

    @property
    def last(self) -> str:
        """The last round's number."""
        return self.language.number(self.forecast.generations)

    def figure(self) -> str:
        """Return the caption of the figure that decides."""
        return self.language.text("left after round {round}", round=self.last)

    def regime(self) -> str:
        """Return what each round is trained on."""
        forecast = self.forecast
        return training_sets(forecast.regime, samples=forecast.samples, language=self.language)

    def first_to_go(self) -> str:
        """Return what is lost first; empty for families without symbols."""
        return ""

    def spread(self) -> str:
        """Return how many simulated runs end below the limit; empty without simulation."""
        share = self.forecast.runs_below
        if share is None:
            return ""
        return self.language.text(
            "Of the simulated runs, {share} end below the limit.",
            share=self.language.percent(share, digits=0),
        )

    def summary(self) -> tuple[str, ...]:
        """Return the executive summary, a sentence or two per entry."""
        sentences = (
            self.language.joined(self.outcome(), self.spread()),
            self.first_to_go(),
            self.fresh_data(),
            self.data(),
            self.regime(),
            self.method(),
            self.sense(),
        )
        return tuple(filter(None, sentences))

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
        """Return the heading of the comparison of fresh shares."""
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

    def action(self) -> str:
        """Return what to do."""
        text, share = self.language.text, self.forecast.smallest_holding_share
        if self.forecast.first_below is None:
            return text("Go on as planned, and watch the number.")
        if share is None:
            return self.beyond_fresh()
        return text(
            "Put {share} fresh real data into every round: of the shares compared, it is the "
            "smallest that stays within the limit.",
            share=self.language.percent(share, digits=0),
        )


def opening(findings: ForecastFindings) -> tuple[str, ...]:
    """Return the lines above the tables: data, verdict, limit and action."""
    text = findings.language.text
    return (
        findings.data(),
        findings.verdict(),
        f"{text('The limit')}: {findings.limit()}",
        f"{text('Action')}: {findings.action()}",
    )


def fresh_shares_table(findings: ForecastFindings) -> Table:
    """Return what is left after the last round, by fresh share."""
    forecast, language = findings.forecast, findings.language
    shown = table(findings.fresh_heading(), findings.figure())
    for share, kept in zip(FRESH_SHARES, forecast.fresh_shares, strict=True):
        shown.add_row(language.percent(share, digits=0), language.percent(kept))
    return shown


def fresh_shares_chart(findings: ForecastFindings) -> drawing.RenderedChart:
    """Return the chart of what is left after the last round, by fresh share."""
    import altair as alt

    forecast, language, text = findings.forecast, findings.language, findings.language.text
    numbers = pl.DataFrame({"fresh_share": FRESH_SHARES, "left": forecast.fresh_shares})
    shares = [language.percent(share, digits=0) for share in FRESH_SHARES]
    left = [language.percent(kept) for kept in forecast.fresh_shares]
    labelled = numbers.with_columns(pl.Series("share", shares), pl.Series("label", left))
    x = alt.X("share:O", title=findings.fresh_heading(), sort=shares)
    y = alt.Y(
        "left:Q",
        title=findings.axis(),
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, max(1.0, *forecast.fresh_shares)]),
    )
    base = alt.Chart(labelled, width=drawing.WIDTH, height=drawing.HEIGHT - 60)
    bars = base.mark_bar(color=drawing.LAW, size=46).encode(x=x.axis(labelAngle=0), y=y)
    names = base.mark_text(dy=-8, fontSize=12).encode(x=x, y=y, text="label:N")
    # A white rim keeps the limit from striking a figure through.
    rims = base.mark_text(dy=-8, fontSize=12, stroke="white", strokeWidth=4)
    rule = pl.DataFrame({"left": [forecast.limit]})
    limit = base.properties(data=rule).mark_rule(strokeDash=[5, 4], color=drawing.LIMIT)
    return drawing.RenderedChart(
        name="fresh-shares",
        title=text("What fresh real data changes"),
        caption=text(
            "Share left after the last round if that share of every training set is newly "
            "drawn real data. The dashed line is the limit."
        ),
        svg=drawing.to_svg(
            alt.layer(bars, limit.encode(y=y), rims.encode(x=x, y=y, text="label:N"), names)
        ),
        numbers=numbers,
    )
