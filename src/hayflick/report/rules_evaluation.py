"""A tried rules file: verdict and sentences, a table, plain values, and a page with charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hayflick.monitor.evaluate_rules import RulesEvaluation
from hayflick.report import drawing
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, render, sentences, shown_record, table
from hayflick.rules.trial import RunSummary, kept_counts

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 2
_TEMPLATE = "rules_evaluation.jinja"
_LOW = 0.05
"""One run in twenty keeps less than what is drawn."""


def record(evaluation: RulesEvaluation) -> dict[str, Any]:
    """Return a tried rules file as plain values, ready for JSON; what is undefined is None."""
    return {
        "format_version": FORMAT_VERSION,
        "rules": evaluation.name,
        "input": evaluation.source,
        "keep": evaluation.keep,
        "confidence": evaluation.confidence,
        "at_least": evaluation.at_least,
        "holds": evaluation.holds,
        "held": evaluation.success_rate,
        "standard_error": evaluation.standard_error,
        "rounds": evaluation.rounds,
        "runs": evaluation.runs,
        "healthy_rounds_before": evaluation.onset,
        "false_alarms": {
            "rounds": evaluation.healthy_rounds,
            "alarms": evaluation.false_alarms,
            "per_thousand": evaluation.false_alarms_per_thousand,
            "at_most_per_thousand": evaluation.upper_false_alarms_per_thousand,
            "stated_per_thousand": 1000.0 * evaluation.stated_false_alarms,
        },
        "delay": {"median": evaluation.median_delay, "missed_runs": evaluation.missed_runs},
        "never_fires": evaluation.never_fires,
        "with_rule": _course(evaluation.with_rule, evaluation),
        "without": _course(evaluation.without_rule, evaluation),
        "fixed": None
        if evaluation.fixed_plan is None
        else {"share": evaluation.fixed_share, **_course(evaluation.fixed_plan, evaluation)},
        "cost_ratio": evaluation.cost_ratio,
        "not_read": list(evaluation.unmeasured),
        "provenance": evaluation.provenance(),
    }


def _course(course: RunSummary, evaluation: RulesEvaluation) -> dict[str, float | None]:
    keep = evaluation.keep
    return {
        "lowest": course.mean_minimum,
        "held": None if keep is None else course.success_rate(keep),
        "standard_error": None if keep is None else course.standard_error(keep),
        "real_per_round": course.real_per_round,
        "real_in_all": course.real_in_all,
    }


def tables(evaluation: RulesEvaluation, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows: the verdict, what was kept, and the sentences."""
    language = Language(lang)
    return [
        *_verdict(evaluation, language),
        _table(evaluation, language),
        *_summary(evaluation, language),
    ]


def page(evaluation: RulesEvaluation, *, lang: str = "en") -> str:
    """Return an evaluation as one self-contained HTML page."""
    language = Language(lang)
    values = {"evaluation": evaluation, "provenance": shown_record(evaluation.provenance())}
    return render(
        "rules_evaluation.html.jinja",
        "style.css",
        language,
        sources=evaluation.sources,
        title=language.text("Rules: {name}", name=evaluation.name),
        verdict=language.joined(*_verdict(evaluation, language)),
        summary=_summary(evaluation, language),
        rows=_rows(evaluation, language),
        charts=_charts(evaluation, language),
        **values,
    )


def fragment(evaluation: RulesEvaluation) -> str:
    """Return what a notebook shows of an evaluation."""
    language = Language("en")
    heading = " ".join(_verdict(evaluation, language))
    return notebook(heading, _summary(evaluation, language), sources=evaluation.sources)


def _said(evaluation: RulesEvaluation, language: Language) -> dict[str, str]:
    keep, rate = evaluation.keep or 0.0, evaluation.success_rate or 0.0
    return {
        "share": language.percent(rate),
        "runs": language.number(evaluation.runs),
        "keep": language.percent(keep),
        "confidence": language.percent(evaluation.confidence),
    }


def _verdict(evaluation: RulesEvaluation, language: Language) -> list[str]:
    values: dict[str, Any] = {"evaluation": evaluation, "said": _said(evaluation, language)}
    return sentences(_TEMPLATE, "verdict", language, **values)


def _summary(evaluation: RulesEvaluation, language: Language) -> list[str]:
    return sentences(_TEMPLATE, "summary", language, evaluation=evaluation)


def _kinds(evaluation: RulesEvaluation, language: Language) -> dict[str, RunSummary]:
    """Return the kinds of runs, by name."""
    text = language.text
    runs = {text("with the rule"): evaluation.with_rule}
    if evaluation.fixed_plan is not None and evaluation.fixed_share is not None:
        share = language.percent(evaluation.fixed_share)
        name = text("{share} fresh real data in every round", share=share)
        runs[name] = evaluation.fixed_plan
    return {**runs, text("without real data"): evaluation.without_rule}


def _table(evaluation: RulesEvaluation, language: Language) -> Table:
    headings, *rows = _rows(evaluation, language)
    shown = table(*headings)
    for row in rows:
        shown.add_row(*row)
    return shown


def _rows(evaluation: RulesEvaluation, language: Language) -> list[tuple[str, ...]]:
    """Return the headings of the table, and its rows."""
    text, percent, keep = language.text, language.percent, evaluation.keep
    target = [] if keep is None else [text("runs that keep {keep}", keep=percent(keep))]
    rows = [("", *target, text("real items in all"), text("lowest share, mean"))]
    for name, one in _kinds(evaluation, language).items():
        rate = [] if keep is None else [percent(one.success_rate(keep))]
        rows.append((name, *rate, language.number(one.real_in_all), percent(one.mean_minimum)))
    return rows


_COLOURS = (drawing.LAW, drawing.REAL, drawing.GREY)


def _colours(series: int) -> tuple[str, ...]:
    """Return a colour for each kind of runs; the last one is always that without real data."""
    return (*_COLOURS[: series - 1], _COLOURS[-1])


def _charts(evaluation: RulesEvaluation, language: Language) -> tuple[drawing.RenderedChart, ...]:
    """Return the charts: runs that still hold the target, and what one run in twenty keeps."""
    text, kinds = language.text, _kinds(evaluation, language)
    low = {name: np.quantile(one.retained, _LOW, axis=0) for name, one in kinds.items()}
    kept = _chart(
        "kept",
        low,
        evaluation.keep,
        language,
        title=text("What is left in the worse runs, round by round"),
        caption=text(
            "One run in twenty keeps less than what is drawn. The dashed line is the target."
        ),
        unit=text("share left"),
    )
    if evaluation.keep is None:
        return (kept,)
    keep = evaluation.keep
    held = {name: kept_counts(one, keep) / one.runs for name, one in kinds.items()}
    runs = _chart(
        "held",
        held,
        evaluation.confidence,
        language,
        title=text("Runs that have held the target so far"),
        caption=text(
            "Share of the simulated runs that have kept {keep} in every round up to this one. The "
            "dashed line is the share that is wanted.",
            keep=language.percent(keep),
        ),
        unit=text("share of runs"),
    )
    return runs, kept


def _chart(
    name: str,
    courses: dict[str, Any],
    limit: float | None,
    language: Language,
    *,
    title: str,
    caption: str,
    unit: str,
) -> drawing.RenderedChart:
    import altair as alt

    numbers = pl.concat(
        pl.DataFrame(
            {
                "generation": np.arange(1, values.size + 1),
                "series": [series] * values.size,
                "kept": np.asarray(values, dtype=np.float64),
            }
        )
        for series, values in courses.items()
    )
    x = alt.X("generation:Q", title=language.text("round"), axis=drawing.rounds_axis())
    scale = alt.Scale(domain=[0, max(1.0, float(numbers["kept"].max()))])  # type: ignore[arg-type]
    y = alt.Y("kept:Q", title=unit, axis=alt.Axis(format="%"), scale=scale)
    colour = drawing.colour_legend(
        dict(zip(courses, _colours(len(courses)), strict=True)), direction="vertical"
    )
    base = alt.Chart(width=drawing.WIDTH, height=drawing.HEIGHT)
    shown = numbers if numbers.height <= 3000 else drawing.thinned(numbers, most=3000)
    lines = base.properties(data=shown).mark_line(strokeWidth=2.5, interpolate="step-after")
    layers = [lines.encode(x=x, y=y, color=colour)]
    if limit is not None:
        rule = base.properties(data=pl.DataFrame({"kept": [limit]}))
        dashed = rule.mark_rule(strokeDash=[5, 4], color=drawing.LIMIT)
        layers.insert(0, dashed.encode(y=y))
    svg = drawing.to_svg(alt.layer(*layers))
    return drawing.RenderedChart(name=name, title=title, caption=caption, svg=svg, numbers=numbers)
