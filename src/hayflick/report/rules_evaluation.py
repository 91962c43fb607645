"""A tried rules file in words, as a table and as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayflick.monitor.evaluate_rules import RulesEvaluation, RunSummary
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, sentences, table, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1


def record(evaluation: RulesEvaluation) -> dict[str, Any]:
    """Return a tried rules file as plain values, ready for JSON; what is undefined is None."""
    return {
        "format_version": FORMAT_VERSION,
        "rules": evaluation.name,
        "input": evaluation.source,
        "keep": evaluation.keep,
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
    return {
        "lowest": course.mean_minimum,
        "held": None if evaluation.keep is None else course.success_rate(evaluation.keep),
        "real_per_round": course.real_per_round,
    }


def tables(evaluation: RulesEvaluation, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows: false alarms, delay, and what was kept."""
    language = Language(lang)
    return [*_sentences(evaluation, language), _table(evaluation, language)]


def page(evaluation: RulesEvaluation, *, lang: str = "en") -> str:
    """Return an evaluation as one self-contained HTML page."""
    title = Language(lang).text("Rules: {name}", name=evaluation.name)
    parts = tables(evaluation, lang=lang)
    return tables_page(
        title, parts, Language(lang), sources=evaluation.sources, provenance=evaluation.provenance()
    )


def fragment(evaluation: RulesEvaluation) -> str:
    """Return what a notebook shows of an evaluation."""
    heading, *rest = _sentences(evaluation, Language("en"))
    return notebook(heading, rest, sources=evaluation.sources)


def _sentences(evaluation: RulesEvaluation, language: Language) -> list[str]:
    values = {"evaluation": evaluation, "difference": language.difference}
    return sentences("rules_evaluation.jinja", "summary", language, **values)


def _table(evaluation: RulesEvaluation, language: Language) -> Table:
    text, percent, keep = language.text, language.percent, evaluation.keep
    runs = {text("with the rule"): evaluation.with_rule, text("without"): evaluation.without_rule}
    if evaluation.fixed_plan is not None and evaluation.fixed_share is not None:
        share = percent(evaluation.fixed_share)
        name = text("{share} fresh real data in every round", share=share)
        runs[name] = evaluation.fixed_plan
    target = [] if keep is None else [text("runs that keep {keep}", keep=percent(keep))]
    shown = table("", text("lowest share, mean"), *target, text("real items a round"))
    for name, one in runs.items():
        rate = [] if keep is None else [percent(one.success_rate(keep))]
        real_items = language.number(one.real_per_round)
        shown.add_row(name, percent(one.mean_minimum), *rate, real_items)
    return shown
