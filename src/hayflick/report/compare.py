"""How a comparison is presented: plain values, tables, page, notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.core.display_text import LONGEST_NAME, distinct_names
from hayflick.monitor.compare_result import ComparedSide, Comparison
from hayflick.report import drawing
from hayflick.report.compare_findings import CompareFindings
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import notebook, render, shown_record, table

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1
_MOST_PROMPTS, _MOST_PHRASES, _MOST_BARS = 100, 50, 40
_WIDTH, _ROW = 330, 44


def record(result: Comparison) -> dict[str, Any]:
    """Return the result as plain values, ready for JSON; what is undefined is None."""
    return {
        "format_version": FORMAT_VERSION,
        "verdict": result.verdict.value,
        "confidence": result.confidence,
        "old": _side(result.old),
        "new": _side(result.new),
        "differences": [{**asdict(one), "differs": one.differs} for one in result.differences],
        "not_measured": [asdict(one) for one in result.unmeasured],
        "prompts": result.prompts,
        "intervals_for": "prompts like these" if result.draws_prompts else "these prompts",
        "common_size": {"answers": result.common_answers, "words": result.common_words},
        "sampled": result.was_sampled,
        "phrases": [
            {
                "phrase": one.phrase,
                "old_rate": one.baseline_rate,
                "new_rate": one.present_rate,
                "log_odds": one.log_odds,
                "low": one.low,
                "high": one.high,
            }
            for lost in (False, True)
            for one in [one for one in result.phrases if one.lost is lost][:_MOST_PHRASES]
        ],
        "provenance": result.provenance(),
    }


def _side(side: ComparedSide) -> dict[str, Any]:
    return {
        "name": side.name,
        "answers": side.answers,
        "empty_answers": side.empty_answers,
        "compared": side.compared,
        "words_per_answer": side.words_per_answer,
        "other_prompts": {
            "number": len(side.other_prompts),
            "answers": side.unmatched_answers,
            "first": list(side.other_prompts[:_MOST_PROMPTS]),
        },
        "typical": list(side.typical),
    }


def tables(result: Comparison, *, lang: str = "en") -> Sequence[RenderableType]:
    """Return what the terminal shows: verdict, numbers, phrases."""
    language = Language(lang)
    text, findings = language.text, CompareFindings(result, language)
    numbers = table(*findings.headings())
    for row in findings.rows():
        numbers.add_row(*row)
    parts: list[RenderableType] = [findings.data(), findings.verdict(), numbers]
    parts += findings.summary()
    if findings.unmeasured():
        missing = table(text("not compared"), text("reason"))
        missing.columns[1].justify = "left"
        for name, reason in findings.unmeasured():
            missing.add_row(name, reason)
        parts.append(missing)
    for title, rows in findings.phrases():
        phrases = table(title, text("old"), text("new"))
        for phrase in rows[:8]:
            phrases.add_row(*phrase)
        parts.append(phrases)
    return parts


def page(result: Comparison, *, lang: str = "en") -> str:
    """Return the result as one self-contained HTML page."""
    language = Language(lang)
    findings = CompareFindings(result, language)
    chart = interval_chart(findings)
    return render(
        "compare.html.jinja",
        "style.css",
        language,
        sources=result.sources,
        result=result,
        findings=findings,
        intervals=chart,
        charts=[],
        numbers=_numbers(result),
        provenance=shown_record(result.provenance()),
    )


def fragment(result: Comparison) -> str:
    """Return what a notebook shows, as HTML."""
    findings = CompareFindings(result, Language("en"))
    chart = interval_chart(findings)
    charts = [] if chart is None else [chart]
    return notebook(findings.verdict(), findings.summary(), charts, sources=result.sources)


def _numbers(result: Comparison) -> pl.DataFrame:
    kinds = dict.fromkeys(("old", "new", "ratio", "low", "high"), pl.Float64)
    rows = [asdict(one) for one in result.differences]
    return pl.DataFrame(rows, schema={"metric": pl.String, **kinds})


def interval_chart(findings: CompareFindings) -> drawing.RenderedChart | None:
    """Return the picture of all ratios with their intervals; None if there is no ratio."""
    import altair as alt

    language, result = findings.language, findings.result
    text = language.text
    known = [one for one in result.differences if one.ratio is not None][:_MOST_BARS]
    if not known:
        return None
    labels = distinct_names(
        [metric_label(one.metric, language) for one in known], longest=LONGEST_NAME
    )
    states = {"lower": drawing.LIMIT, "higher": drawing.REAL, "same": drawing.GREY}
    rows = pl.DataFrame(
        {
            "row": range(len(known)),
            "label": [drawing.axis_names([label], pixels=_WIDTH)[0] for label in labels],
            "ratio": [one.ratio for one in known],
            "low": [one.low for one in known],
            "high": [one.high for one in known],
            "colour": [
                states["same" if not one.differs else "lower" if one.fell else "higher"]
                for one in known
            ],
        }
    )
    ends = [1.0, *rows["low"], *rows["high"]]
    margin = 0.05 * (max(ends) - min(ends)) or 0.05
    domain = [max(0.0, min(ends) - margin), max(ends) + margin]
    x = alt.Scale(domain=domain, nice=False, zero=False)
    axis = alt.Axis(tickCount=5, format="~g", grid=True)
    at = alt.Y("row:Q", axis=None, scale=alt.Scale(domain=[len(known) - 0.45, -0.65], nice=False))
    base = alt.Chart(rows, width=_WIDTH, height=_ROW * len(known))
    colour = alt.Color("colour:N", scale=None)
    title = text("new / old")
    line = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", scale=x, axis=axis, title=title), x2="high:Q", y=at, color=colour
    )
    dot = base.mark_circle(size=90, opacity=1).encode(
        x=alt.X("ratio:Q", scale=x), y=at, color=colour
    )
    names = base.mark_text(align="left", dy=-15, fontSize=13, color=drawing.INK).encode(
        x=alt.value(0), y=at, text="label:N"
    )
    alone = base.transform_aggregate(n="count()")
    same = alone.mark_rule(color=drawing.INK, strokeDash=[4, 3], aria=False).encode(
        x=alt.datum(1.0, scale=x)
    )
    return drawing.RenderedChart(
        name="ratios",
        title=text("What differs"),
        caption=text(
            "New over old with intervals that hold together; the dashed line is no difference, "
            "red is lower and green is higher."
        ),
        svg=drawing.to_svg(alt.layer(same, line, dot, names), font_size=13),
        numbers=_numbers(result),
    )
