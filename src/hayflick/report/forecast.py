"""A forecast of words or labels: record, tables, charts, report and brief."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hayflick.core.display_text import LONGEST_TEXT, distinct_names
from hayflick.planning.confidence import Assurance
from hayflick.planning.forecast_result import FRESH_SHARES, AtRisk, Forecast
from hayflick.report import drawing
from hayflick.report.base_forecast import fresh_shares_chart, fresh_shares_table, opening
from hayflick.report.class_outlooks import by_risk, cells, classes_chart, classes_table, headings
from hayflick.report.class_outlooks import record as class_record
from hayflick.report.forecast_findings import DiscreteFindings
from hayflick.report.language import Language
from hayflick.report.rendering import landmarks, notebook, render, shown_record, table

if TYPE_CHECKING:
    import xarray
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1
_SYMBOLS_SHOWN = 5
_IN_BRIEF = 8
_MOST_MEANS = 11
_MOST_COLUMNS = 60
# The legend stands beside the map and needs as much.
_LEAST_HEIGHT = 240
_LABELS_SHOWN = 25
_LABEL_PIXELS = 200
# The reader's font may be wider than the one that the drawing was laid out with.
_PADDING = {"left": 50, "right": 20, "top": 5, "bottom": 5}


def record(forecast: Forecast) -> dict[str, Any]:
    """Return a forecast as a dictionary of plain values.

    What is undefined or infinite is None. Lists named by a generation begin with 0.

    Examples
    --------
    >>> import hayflick as hf
    >>> words = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> numbers = record(hf.forecast(words, generations=3, replicates=0))
    >>> numbers["law"], numbers["generations"], numbers["simulated"]
    ('exact', [0, 1, 2, 3], None)
    """
    model, source = forecast.model, forecast.source
    return {
        "format_version": FORMAT_VERSION,
        "input": source.name,
        "tokenizer": source.tokenizer,
        "column": source.column,
        "encoding": source.encoding,
        "missing": source.missing,
        "delta": forecast.delta,
        "tokens": model.total,
        "types": model.types,
        "samples": forecast.samples,
        "regime": forecast.regime.describe(),
        "law": forecast.law.name,
        "law_error": None if forecast.ideal else forecast.law.error,
        "resampler": None if forecast.resampler is None else forecast.resampler.to_dict(),
        "ideal_law": _ideal(forecast),
        "generations": list(range(forecast.generations + 1)),
        "surviving_fraction": forecast.law.surviving_fraction.tolist(),
        "real_data_alone": forecast.law.baseline.tolist(),
        "excess_loss": forecast.law.excess_loss.tolist(),
        "simulated": _simulated(forecast),
        "diversity": [_finite(value) for value in forecast.diversity.expected.tolist()],
        "diversity_half_life": forecast.diversity.half_life,
        "mass_lost": forecast.mass_lost.tolist(),
        "at_least": forecast.at_least,
        "kept_fraction": forecast.kept_fraction.tolist(),
        "kept_real_data_alone": forecast.kept_alone.tolist(),
        "limit": forecast.limit,
        "required": forecast.required,
        "first_below_limit": forecast.first_below,
        "runs_below_limit": forecast.runs_below,
        "confidence": forecast.confidence,
        "within_limit": forecast.within,
        "runs_within_limit": _assurance(forecast.assurance),
        "fresh_shares": _fresh_shares(forecast),
        "classes": [class_record(one) for one in forecast.classes],
        "most_at_risk": [_at_risk(risk) for risk in forecast.most_at_risk],
        "interrupted": forecast.interrupted,
        "provenance": forecast.provenance(),
    }


def _ideal(forecast: Forecast) -> dict[str, Any] | None:
    """Return what an ideal trainer would keep, where a calibrated one was simulated."""
    if forecast.ideal is None:
        return None
    ideal = forecast.ideal
    return {"law": ideal.law, "law_error": ideal.error, "kept_fraction": ideal.expected.tolist()}


def _assurance(found: Assurance | None) -> dict[str, Any] | None:
    """Return the share of runs that keep enough in every round, as a dictionary."""
    if found is None:
        return None
    return {
        "share": found.confidence,
        "law": found.law,
        "standard_error": found.standard_error,
        "runs": found.runs,
    }


def _fresh_shares(forecast: Forecast) -> list[dict[str, Any]]:
    rows = zip(FRESH_SHARES, forecast.fresh_shares, forecast.fresh_assurances, strict=True)
    return [
        {"share": share, "surviving_fraction": kept, "runs_within_limit": _assurance(found)}
        for share, kept, found in rows
    ]


def _simulated(forecast: Forecast) -> dict[str, Any] | None:
    band = forecast.simulated_band()
    if band is None:
        return None
    lists = {name: [_finite(value) for value in values.tolist()] for name, values in band.items()}
    return {"replicates": forecast.runs, **lists}


def _at_risk(risk: AtRisk) -> dict[str, Any]:
    return {
        "symbol": risk.symbol,
        "count": risk.count,
        "survival": risk.survival,
        "real_data_alone": risk.baseline,
        "median_loss_round": risk.median_loss,
        "mean_loss_round": None if risk.mean_loss is None else _finite(risk.mean_loss),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def tables(forecast: Forecast, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: the verdict, the rounds, what goes first, what helps.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = DiscreteFindings(forecast, language)
    risks: tuple[Table, ...] = ()
    if findings.by_class:
        risks = (classes_table(forecast.classes, language, noun=findings.nouns),)
    elif forecast.most_at_risk:
        risks = (_risks_table(forecast, language),)
    return (
        *opening(findings),
        _rounds_table(forecast, findings),
        *risks,
        fresh_shares_table(findings),
        findings.method(),
    )


def _rounds_table(forecast: Forecast, findings: DiscreteFindings) -> Table:
    language = findings.language
    text, percent = language.text, language.percent
    enough = text("{nouns} with enough examples", nouns=findings.nouns)
    shown = table(
        text("round"),
        enough if forecast.at_least > 1 else text("{nouns} left", nouns=findings.nouns),
        text("simulated, 5 to 95%"),
        *([text("by the ideal law")] if forecast.ideal else []),
        text("real data alone"),
        text("share of the {whole} lost", whole=findings.whole),
    )
    band = forecast.simulated_band()
    for k in landmarks(forecast.generations):
        spread = f"{percent(band['low'][k])} – {percent(band['high'][k])}" if band else "–"
        left, baseline = float(forecast.left[k]), float(forecast.kept_alone[k])
        ideal = [percent(float(forecast.ideal.expected[k]))] if forecast.ideal else []
        lost = percent(float(forecast.mass_lost[k]))
        shown.add_row(language.number(k), percent(left), spread, *ideal, percent(baseline), lost)
    return shown


def _risks_table(forecast: Forecast, language: Language) -> Table:
    text, number, percent = language.text, language.number, language.percent
    shown = table(
        text("first to go"),
        text("count"),
        text("chance after round {round}", round=number(forecast.generations)),
        text("real data alone"),
        text("lost by round (median)"),
    )
    # Every second one, where they stand for many counts.
    step = 1 if forecast.source.tokenizer is None else 2
    for risk in forecast.most_at_risk[::step][:_SYMBOLS_SHOWN]:
        median = "–" if risk.median_loss is None else number(risk.median_loss)
        cells = number(risk.count), percent(risk.survival), percent(risk.baseline), median
        shown.add_row(risk.symbol, *cells)
    return shown


def forecast_charts(findings: DiscreteFindings) -> tuple[drawing.RenderedChart, ...]:
    """Return the charts of a forecast, in the order of the page."""
    forecast, language = findings.forecast, findings.language
    charts = [surviving_chart(findings), by_count_chart(forecast, language)]
    # Labels are few and have names that mean something to the reader.
    if findings.by_class:
        charts = [classes_chart(forecast.classes, language), surviving_chart(findings)]
    elif forecast.source.holds_labels:
        charts.insert(1, by_label_chart(forecast, language))
    if forecast.simulated is not None:
        charts.append(rank_frequency_chart(forecast, forecast.simulated, language))
    return (*charts, fresh_shares_chart(findings))


def surviving_chart(findings: DiscreteFindings) -> drawing.RenderedChart:
    """Return the chart of the surviving share over generations."""
    forecast, nouns = findings.forecast, findings.nouns
    text, numbers = findings.language.text, forecast.to_frame()
    return drawing.RenderedChart(
        name="surviving",
        title=text("How many {nouns} are left, round by round", nouns=nouns),
        caption=_curves_caption(findings),
        svg=drawing.to_svg(_surviving_layers(drawing.thinned(numbers), findings)),
        numbers=numbers,
    )


def _curves_caption(findings: DiscreteFindings) -> str:
    if findings.forecast.ideal is None:
        return findings.language.text(
            "The expected share by the law, mean and spread of the simulated runs, and what one "
            "training on real data alone would keep."
        )
    return findings.language.text(
        "Mean and spread of the runs simulated with the calibrated resampler, what the law of an "
        "ideal trainer would promise, and what one training on real data alone would keep."
    )


def _curves(findings: DiscreteFindings) -> dict[str, tuple[str, str]]:
    """Return name and colour of the curves, by their column."""
    forecast, text = findings.forecast, findings.language.text
    real = {"real_data_alone": (text("real data alone"), drawing.REAL)}
    if forecast.ideal is not None:
        return {
            "calibrated": (text("your trainer"), drawing.LAW),
            "ideal_law": (text("ideal law"), drawing.IDEAL),
            **real,
        }
    exact = forecast.law.name == "exact"
    return {"law": (text("exact law") if exact else text("branching law"), drawing.LAW), **real}


def _surviving_layers(numbers: pl.DataFrame, findings: DiscreteFindings) -> Any:
    import altair as alt

    forecast, text = findings.forecast, findings.language.text
    limit, curves = text("limit"), _curves(findings)
    spread = text("simulated: mean, 5 to 95%")
    colours = {**dict(curves.values()), limit: drawing.LIMIT}
    simulated = "simulated_mean" in numbers.columns
    if simulated:
        colours = {**colours, spread: drawing.SIMULATED}
    colour = drawing.colour_legend(colours)
    axis = alt.Axis(format="%")
    x = alt.X("generation:Q", title=text("round"), axis=drawing.rounds_axis())
    y = alt.Y("share:Q", title=findings.axis(), axis=axis, scale=alt.Scale(domain=[0, 1]))
    lines = pl.concat(
        numbers.select("generation", share=pl.col(column), series=pl.lit(label))
        for column, (label, _) in curves.items()
    )
    rule = pl.DataFrame({"share": [forecast.limit], "series": [limit]})
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    layers = [
        base.properties(data=rule).mark_rule(strokeDash=[5, 4]).encode(y=y, color=colour),
        base.properties(data=lines).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour),
    ]
    if simulated:
        area = numbers.with_columns(share=pl.col("simulated_low"), series=pl.lit(spread))
        band = base.properties(data=area).mark_area(opacity=0.45)
        layers.insert(0, band.encode(x=x, y=y, y2="simulated_high:Q", color=colour))
        # Where the band is narrower than the line, its means still show.
        step = -(-area.height // _MOST_MEANS)
        means = area.gather_every(step).with_columns(share=pl.col("simulated_mean"))
        dots = base.properties(data=means).mark_circle(size=60, opacity=1)
        layers.append(dots.encode(x=x, y=y, color=colour))
    return alt.layer(*layers)


def by_count_chart(forecast: Forecast, language: Language) -> drawing.RenderedChart:
    """Return the chart of survival by original count."""
    import altair as alt

    text, counts = language.text, forecast.by_count.counts
    numbers = _survival_by_count(forecast)
    step = -(-(forecast.generations + 1) // _MOST_COLUMNS)
    names = [language.number(count) for count in counts]
    labels = pl.DataFrame({"count": counts, "label": names})
    labelled = numbers.filter(pl.col("generation") % step == 0).join(labels, on="count")
    legend = alt.Legend(format="%", gradientLength=220, orient="right")
    shade = alt.Scale(scheme="viridis", domain=[0, 1])
    every = alt.Axis(tickMinStep=1, labelAngle=0, labelOverlap=True)
    chart = (
        alt.Chart(labelled, width=drawing.WIDTH - 60, height=max(_LEAST_HEIGHT, 20 * counts.size))
        .mark_rect()
        .encode(
            x=alt.X("generation:O", title=text("round"), axis=every),
            y=alt.Y("label:O", title=text("count in the real data"), sort=names[::-1]),
            color=alt.Color("survival:Q", title=text("survival"), scale=shade, legend=legend),
        )
    )
    return drawing.RenderedChart(
        name="by-count",
        title=text("What was rare goes first"),
        caption=text(
            "The probability that a symbol outside of any reserve is still there, by how often "
            "the real data hold it."
        ),
        svg=drawing.to_svg(chart),
        numbers=numbers,
    )


def _survival_by_count(forecast: Forecast) -> pl.DataFrame:
    by_count, generations = forecast.by_count, np.arange(forecast.generations + 1)
    return pl.DataFrame(
        {
            "count": np.repeat(by_count.counts, generations.size),
            "generation": np.tile(generations, by_count.counts.size),
            "survival": by_count.survival.ravel(),
            "real_data_alone": np.repeat(by_count.baseline, generations.size),
        }
    )


def by_label_chart(forecast: Forecast, language: Language) -> drawing.RenderedChart:
    """Return the chart of survival after the last round for the rarest labels."""
    import altair as alt

    text, numbers = language.text, _rarest_labels(forecast)
    symbols = drawing.axis_names(numbers["label"].to_list(), pixels=_LABEL_PIXELS)
    left = [language.percent(share) for share in numbers["survival"]]
    shown = numbers.with_columns(pl.Series("left", left), pl.Series("label", symbols))
    x = alt.X(
        "survival:Q",
        title=text("probability of being left after the last round"),
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1]),
    )
    names = alt.Axis(labelLimit=_LABEL_PIXELS, title=None)
    y = alt.Y("label:N", sort=symbols, axis=names)
    width = drawing.WIDTH - _LABEL_PIXELS - _PADDING["left"]
    base = alt.Chart(shown, width=width, height=22 * len(symbols) + 10)
    bars = base.mark_bar(color=drawing.LAW).encode(x=x, y=y)
    figures = base.mark_text(align="left", dx=5).encode(x=x, y=y, text="left:N")
    return drawing.RenderedChart(
        name="by-label",
        title=text("Which labels go first"),
        caption=text(
            "The labels least likely to be left, at most {shown} of them.", shown=_LABELS_SHOWN
        ),
        svg=drawing.to_svg((bars + figures).properties(padding=_PADDING)),
        numbers=numbers,
    )


def _rarest_labels(forecast: Forecast) -> pl.DataFrame:
    """Return the labels least likely to be left: those in a reserve come last."""
    model, reserve = forecast.model, forecast.law.rounds.reserve
    order = np.lexsort((model.weights, reserve > 0))[:_LABELS_SHOWN]
    symbols = [model.symbols[place] for place in order]
    return pl.DataFrame(
        {
            "label": distinct_names(symbols, longest=LONGEST_TEXT),
            "count": model.weights[order],
            "survival": forecast.law.of_symbols(symbols)[:, -1],
            "real_data_alone": forecast.law.baseline_of(model.probabilities[order]),
        }
    )


def rank_frequency_chart(
    forecast: Forecast, simulated: xarray.Dataset, language: Language
) -> drawing.RenderedChart:
    """Return the Zipf plot of the real data and of the last round's training sets."""
    import altair as alt

    text = language.text
    before, after = text("real data"), text("last round, simulated")
    numbers = _counts_by_rank(forecast, simulated)
    tall = pl.concat(
        numbers.select("rank", count=pl.col(column), series=pl.lit(label))
        for column, label in (("before", before), ("after", after))
    ).filter(pl.col("count") > 0)
    log = alt.Scale(type="log", nice=False)
    axis = alt.Axis(format="~s", tickCount=6, labelOverlap=True)
    colours = {before: drawing.REAL, after: drawing.LAW}
    chart = (
        alt.Chart(tall, width=drawing.WIDTH, height=drawing.HEIGHT)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("rank:Q", title=text("rank"), scale=log, axis=axis),
            y=alt.Y("count:Q", title=text("count"), scale=log, axis=axis),
            color=drawing.colour_legend(colours),
        )
    )
    return drawing.RenderedChart(
        name="rank-frequency",
        title=text("The long tail, before and after"),
        caption=text(
            "Counts by rank on logarithmic axes: the real data, scaled to the size of a training "
            "set, and the median of the simulated runs after the last round."
        ),
        svg=drawing.to_svg(chart),
        numbers=numbers,
    )


def _counts_by_rank(forecast: Forecast, simulated: xarray.Dataset) -> pl.DataFrame:
    ranks = simulated["rank"].to_numpy()
    law = np.sort(forecast.model.probabilities)[::-1]
    after = simulated["count_by_rank"].median("replicate").to_numpy()
    return pl.DataFrame(
        {"rank": ranks, "before": np.round(law[ranks - 1] * forecast.samples, 6), "after": after}
    )


def page(forecast: Forecast, *, lang: str = "en") -> str:
    """Return a forecast as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = DiscreteFindings(forecast, Language(lang))
    return render(
        "forecast.html.jinja",
        "style.css",
        findings.language,
        sources=forecast.sources,
        forecast=forecast,
        findings=findings,
        classes=_class_rows(findings),
        charts=forecast_charts(findings),
        provenance=shown_record(forecast.provenance()),
    )


def _class_rows(findings: DiscreteFindings) -> list[tuple[str, ...]]:
    """Return the table of classes, its headings first; nothing where symbols have no names."""
    if not findings.by_class:
        return []
    language = findings.language
    rows = [cells(one, language) for one in by_risk(findings.forecast.classes)]
    return [headings(language, findings.nouns), *rows]


def brief(forecast: Forecast, *, lang: str = "en") -> str:
    """Return a forecast as one printable A4 page for a meeting.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = DiscreteFindings(forecast, Language(lang))
    return render(
        "brief.html.jinja",
        "brief.css",
        findings.language,
        sources=forecast.sources,
        forecast=forecast,
        findings=findings,
        chart=classes_chart(forecast.classes, findings.language, most=_IN_BRIEF)
        if findings.by_class
        else surviving_chart(findings),
    )


def fragment(forecast: Forecast) -> str:
    """Return a forecast as a notebook shows it."""
    findings = DiscreteFindings(forecast, Language("en"))
    return notebook(
        findings.verdict(), findings.summary(), forecast_charts(findings), sources=forecast.sources
    )
