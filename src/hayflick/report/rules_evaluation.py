"""A tried rules file in words, as a table and as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hayflick.monitor.evaluate_rules import RulesEvaluation, RunSummary
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, tables_page
from hayflick.report.tables import printable, table

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
    """Return the evaluation as one self-contained HTML page."""
    language = Language(lang)
    title = language.text("Rules: {name}", name=evaluation.name)
    parts = tables(evaluation, lang=lang)
    return tables_page(title, parts, language, provenance=evaluation.provenance())


def fragment(evaluation: RulesEvaluation) -> str:
    """Return what a notebook shows of the evaluation."""
    heading, *rest = _sentences(evaluation, Language("en"))
    return notebook(heading, rest)


def _sentences(evaluation: RulesEvaluation, language: Language) -> tuple[str, ...]:
    text, number = language.text, language.number
    tried = text(
        "{rules}, tried on {name}: {runs} runs of {rounds} rounds.",
        rules=printable(evaluation.name),
        name=printable(evaluation.source),
        runs=number(evaluation.runs),
        rounds=number(evaluation.rounds),
    )
    false = text(
        "False alarms: {found} in 1,000 healthy rounds (at most {most}, with 95% confidence); "
        "stated: {stated}.",
        found=number(evaluation.false_alarms_per_thousand),
        most=number(evaluation.upper_false_alarms_per_thousand),
        stated=number(1000.0 * evaluation.stated_false_alarms),
    )
    always = text(
        "The limit lies above what healthy rounds leave: real data go into every round, as a fixed "
        "share does."
    )
    steady = [always] if evaluation.false_alarms == evaluation.healthy_rounds else []
    unread = [
        text("The simulation has no number for: {watch}.", watch=printable(watch))
        for watch in evaluation.unmeasured
    ]
    delay, ratio = _delay(evaluation, language), _ratio(evaluation, language)
    return (tried, false, *steady, delay, *ratio, *unread)


def _delay(evaluation: RulesEvaluation, language: Language) -> str:
    if evaluation.median_delay is None:
        return language.text(
            "Most runs collapse without a decision: {missed} of {runs}.",
            missed=language.number(evaluation.missed_runs),
            runs=language.number(evaluation.runs),
        )
    return language.text(
        "First decision after the beginning of the collapse: round {round} (median); runs "
        "without any: {missed}.",
        round=language.number(evaluation.median_delay),
        missed=language.number(evaluation.missed_runs),
    )


def _ratio(evaluation: RulesEvaluation, language: Language) -> tuple[str, ...]:
    ratio = evaluation.cost_ratio
    if ratio is None:
        return ()
    said = language.text(
        "The rule uses {share} of the real items of the best fixed plan.",
        share=language.difference(ratio),
    )
    return (said,)


def _table(evaluation: RulesEvaluation, language: Language) -> Table:
    text, keep = language.text, evaluation.keep
    held = () if keep is None else (text("runs that keep {keep}", keep=language.percent(keep)),)
    shown = table("", text("lowest share, mean"), *held, text("real items a round"))
    courses = [
        (text("with the rule"), evaluation.with_rule),
        (text("without"), evaluation.without_rule),
    ]
    if evaluation.fixed_plan is not None and evaluation.fixed_share is not None:
        share = language.percent(evaluation.fixed_share)
        fixed = text("{share} fresh real data in every round", share=share)
        courses.append((fixed, evaluation.fixed_plan))
    for name, course in courses:
        reached = () if keep is None else (language.percent(course.success_rate(keep)),)
        lowest, real = language.percent(course.mean_minimum), language.number(course.real_per_round)
        shown.add_row(name, lowest, *reached, real)
    return shown
