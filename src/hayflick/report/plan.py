"""A plan as plain values, as tables, as a page and as a notebook shows it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from hayflick.core.arrays import Floats
from hayflick.planning.confidence import Assurance
from hayflick.planning.designs import Design, Sensitivity
from hayflick.planning.history import HistoryComparison
from hayflick.planning.plan_result import Plan
from hayflick.planning.questions import PlanAnswer
from hayflick.planning.robust import StressTest
from hayflick.planning.sizing import FreshShare
from hayflick.regimes.anchor import Anchor
from hayflick.report.class_outlooks import by_risk, classes_chart, classes_table
from hayflick.report.class_outlooks import cells as class_cells
from hayflick.report.class_outlooks import headings as class_headings
from hayflick.report.class_outlooks import record as class_record
from hayflick.report.drawing import RenderedChart
from hayflick.report.language import Language
from hayflick.report.plan_answers import PlanAnswers
from hayflick.report.plan_charts import plan_charts, plan_retention_chart
from hayflick.report.plan_findings import PlanFindings, sensitivity_label
from hayflick.report.rendering import notebook, render, shown_record, significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

FORMAT_VERSION = 1
_SHOWN_DESIGNS = 5
# A share of runs and its error, such as 95.3% ± 0.31%, stand on one line.
_NUMBER_WIDTH, _WIDE = 13, 6


def record(plan: Plan) -> dict[str, Any]:
    """Return a plan as a dictionary of plain values; what is undefined is None.

    Lists named by a generation begin with 0: the real data, or the end of a history.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.plan import plan
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> record = record(plan(words, keep=0.8, generations=3, replicates=0))
    >>> record["feasible"], record["designs"][0]["regime"], record["designs"][0]["law"]
    (True, 'anchor:{"here": 1}', 'exact')
    """
    source = plan.target.source
    return {
        "format_version": FORMAT_VERSION,
        "input": source.name,
        "tokenizer": source.tokenizer,
        "column": source.column,
        "encoding": source.encoding,
        **plan.target.describe(),
        "of": plan.target.kind,
        "keep": plan.keep,
        "confidence": plan.confidence,
        "generations": plan.problem.generations,
        "samples": plan.problem.samples,
        "feasible": plan.feasible,
        "reason": plan.reason,
        "designs": [_design_record(plan, design) for design in plan.designs],
        "left_out": list(plan.left_out),
        "fresh_draws": None if plan.fresh is None else _fresh_record(plan.fresh),
        "margin": None if plan.margin is None else asdict(plan.margin),
        "break_even": plan.break_even,
        "cheapest_up_to": [{"kind": kind, "keep": keep} for kind, keep in plan.other_targets],
        "step_in": plan.step_in,
        "ways_back": [
            {
                "waited": strategy.waited,
                "share": strategy.share,
                "rounds": strategy.rounds,
                "items": strategy.items,
            }
            for strategy in plan.recoveries
        ],
        "look_every": None if plan.inspection is None else plan.inspection.every,
        "trials": _robustness_record(plan),
        "questions": [_answer_record(answer) for answer in plan.answers],
        "classes": [class_record(one) for one in plan.classes],
        "classes_at_risk": [one.symbol for one in plan.classes_at_risk],
        "sensitivity": [_sensitivity_record(sensitivity) for sensitivity in plan.sensitivities],
        "frontier": [_point_record(point) for point in plan.frontier.efficient],
        "simulated": _simulated_record(plan),
        "history": None if plan.comparison is None else _history_record(plan.comparison),
        "costs": None if plan.costs is None else asdict(plan.costs),
        "interrupted": plan.interrupted,
        "provenance": plan.provenance(),
    }


def _design_record(plan: Plan, design: Design) -> dict[str, Any]:
    costs, cost = plan.costs, design.cost_per_round
    known = costs is not None and cost is not None
    return {
        "kind": design.kind,
        "regime": _regime(plan, design),
        "enough": design.is_sufficient,
        "confidence": None if design.assurance is None else design.assurance.confidence,
        "confidence_law": None if design.assurance is None else design.assurance.law,
        "confidence_error": None if design.assurance is None else design.assurance.standard_error,
        "confidence_runs": 0 if design.assurance is None else design.assurance.runs,
        "real_items": design.real_items,
        "samples": design.samples,
        "real_per_round": design.real_per_round,
        "acquired_per_round": design.usage.real,
        "generated_per_round": design.usage.generated,
        "stored_up_to_count": design.stored_up_to,
        "retention": design.retention.expected.tolist(),
        "lowest": design.lowest,
        "mass_lost": design.mass_lost,
        "checks_per_round": design.usage.check,
        "look_every": None if design.inspection is None else design.inspection.every,
        "real_data_alone": float(design.retention.baseline[-1]),
        "law": design.retention.law,
        "law_error": design.retention.error,
        "standard_error": _listed(design.retention.standard_error),
        "runs": design.retention.runs,
        "expected": _listed(design.expected),
        "cost_per_round": cost,
        "cost_per_month": costs.per_month(cost) if known else None,  # type: ignore[union-attr, arg-type]
        "cost_per_year": costs.per_year(cost) if known else None,  # type: ignore[union-attr, arg-type]
    }


def _assured_record(found: Assurance | None) -> dict[str, Any]:
    return {
        "confidence": None if found is None else found.confidence,
        "confidence_law": None if found is None else found.law,
        "confidence_error": None if found is None else found.standard_error,
        "confidence_runs": 0 if found is None else found.runs,
    }


def _robustness_record(plan: Plan) -> dict[str, Any] | None:
    found = plan.robustness
    if found is None:
        return None
    robust = found.design
    return {
        "recommended": [_trial_record(trial) for trial in found.trials],
        "not_tried": list(found.not_tried),
        "robust": None
        if robust is None
        else {
            "kind": robust.kind,
            "regime": _regime(plan, robust),
            "samples": robust.samples,
            "real_items": robust.real_items,
            "cost_per_round": robust.cost_per_round,
            "trials": [_trial_record(trial) for trial in found.design_trials],
        },
    }


def _trial_record(trial: StressTest) -> dict[str, Any]:
    known = _assured_record(trial.assurance)
    return {"name": trial.name, "value": trial.value, "holds": trial.holds, **known}


def _answer_record(answer: PlanAnswer) -> dict[str, Any]:
    return {
        "question": answer.question,
        "regime": answer.regime.describe(),
        "samples": answer.samples,
        "lowest": answer.lowest,
        **_assured_record(answer.assurance),
        "real_items": answer.real_items,
        "cost_per_round": answer.cost_per_round,
        "saved_per_unit_spent": answer.saved,
    }


def _regime(plan: Plan, design: Design) -> str:
    """Return a design's regime as `hayflick simulate` takes it."""
    regime = design.regime
    if not isinstance(regime, Anchor):
        return regime.describe()
    if plan.reserve_file is not None and design is plan.best:
        return f"anchor:{plan.reserve_file}"
    return regime.in_full()


def _listed(values: Floats | None) -> list[float] | None:
    return None if values is None else values.tolist()


def _fresh_record(fresh: FreshShare) -> dict[str, Any]:
    anchor = fresh.anchor
    return {
        "feasible": fresh.feasible,
        "share": fresh.share,
        "items": fresh.items,
        "highest": None if fresh.feasible else fresh.retention.lowest,
        "reason": fresh.reason,
        "anchor": None
        if anchor is None
        else {
            "regime": anchor.regime.describe(),
            "stored": anchor.number,
            "stored_up_to_count": anchor.stored_up_to,
            "lowest": anchor.retention.lowest,
        },
    }


def _sensitivity_record(sensitivity: Sensitivity) -> dict[str, Any]:
    return {**asdict(sensitivity), "elasticity": sensitivity.elasticity}


def _point_record(point: Design) -> dict[str, Any]:
    return {
        "kind": point.kind,
        "samples": point.samples,
        "real_per_round": point.real_per_round,
        "cost_per_round": point.cost_per_round,
        "lowest": point.retention.lowest,
        "law": point.retention.law,
    }


def _simulated_record(plan: Plan) -> dict[str, Any] | None:
    if plan.simulated is None:
        return None
    return {
        "replicates": plan.simulated.replicates,
        plan.target.statistic: plan.simulated.kept.tolist(),
        "standard_error": plan.simulated.standard_error.tolist(),
        "distance": plan.simulated_distance(),
    }


def _history_record(compared: HistoryComparison) -> dict[str, Any]:
    history, error = compared.history, compared.history.standard_error
    return {
        "name": history.name,
        "rounds": history.rounds,
        "regime": history.recorded_regime,
        "left": history.left.tolist(),
        "standard_error": _listed(error),
        "planned": _listed(compared.planned),
        "state": {"regime": compared.elapsed.regime.describe(), "rounds": compared.elapsed.rounds},
    }


def tables(plan: Plan, *, lang: str = "en") -> tuple[RenderableType, ...]:
    """Return what the terminal shows: recommendation, designs, sensitivities.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = PlanFindings(plan, language)
    parts: list[RenderableType] = [findings.data(), findings.verdict(), *findings.summary()]
    parts.append(designs_table(findings))
    more = len(plan.designs) - _SHOWN_DESIGNS
    if more > 0:
        text = language.text("{more} more in the page and in JSON.", more=language.number(more))
        parts.append(text)
    answers = PlanAnswers(findings)
    if plan.classes:
        parts.append(classes_table(plan.classes, language, noun=language.text("label")))
        parts.extend(filter(None, [findings.classes_kept()]))
    if plan.answers:
        headings, rows = answers.headings(), answers.rows()
        # Of many columns, one is left to the page: the average beside the share of runs.
        spare = 1 if plan.confidence is None else 2
        places = [one for one in range(len(headings)) if len(headings) < _WIDE or one != spare]
        shown = table(*(headings[place] for place in places))
        _narrow(shown)
        for row in rows:
            shown.add_row(*(row[place] for place in places))
        parts.append(shown)
    if plan.sensitivities:
        parts.append(_sensitivities_table(findings))
    return tuple(parts)


def designs_table(findings: PlanFindings) -> Table:
    """Return the first designs, the recommended one at the top."""
    plan, text = findings.plan, findings.language.text
    number = findings.language.number
    headings = [text("design"), text("in runs"), text("on average"), text("real items in all")]
    # Beside prices there is no room for it; page and JSON have both.
    covers = plan.costs is None and any(one.mass_lost is not None for one in plan.designs)
    if covers:
        headings.append(text("share of the data lost"))
    if plan.costs is not None:
        headings.append(text("{currency} a round", currency=plan.costs.currency))
    shown = table(*headings)
    _narrow(shown)
    for design in plan.designs[:_SHOWN_DESIGNS]:
        cells = [
            findings.in_runs(design.assurance),
            findings.share(design),
            number(design.real_items),
        ]
        if covers:
            cells.append(findings.data_lost(design))
        if design.cost_per_round is not None:
            cells.append(significant(design.cost_per_round))
        shown.add_row(findings.label(design), *cells)
    return shown


def _narrow(shown: Table) -> None:
    """Leave the width of a terminal to the names: headings of numbers take several lines."""
    for column in shown.columns[1:]:
        column.max_width = _NUMBER_WIDTH


def _sensitivities_table(findings: PlanFindings) -> Table:
    plan, language, text = findings.plan, findings.language, findings.language.text
    shown = table(
        text("if this changes"), text("to"), text("then kept"), text("elasticity of collapse")
    )
    for sensitivity in plan.sensitivities:
        elasticity = "–" if sensitivity.elasticity is None else f"{sensitivity.elasticity:.1f}"
        kept = language.percent(sensitivity.left_moved)
        if sensitivity.method == "simulation":
            kept += f" ± {language.percent(sensitivity.standard_error, digits=2)}"
        shown.add_row(
            sensitivity_label(sensitivity.name, language),
            _moved(sensitivity.value, sensitivity.moved),
            kept,
            elasticity,
        )
    return shown


def _moved(value: float | None, moved: float) -> str:
    return f"{moved:.4g}" if value is None or moved < 1000 else f"{moved:,.0f}"


def page(plan: Plan, *, lang: str = "en") -> str:
    """Return a plan as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    findings = PlanFindings(plan, language)
    return render(
        "plan.html.jinja",
        "style.css",
        language,
        sources=plan.sources,
        plan=plan,
        findings=findings,
        answers=PlanAnswers(findings),
        classes=_class_rows(findings),
        charts=_charts(findings),
        slide=slide_table(findings),
        provenance=shown_record(plan.provenance()),
    )


def _charts(findings: PlanFindings) -> tuple[RenderedChart, ...]:
    classes, charts = findings.plan.classes, plan_charts(findings)
    return (classes_chart(classes, findings.language), *charts) if classes else charts


def _class_rows(findings: PlanFindings) -> list[tuple[str, ...]]:
    """Return the table of labels, its headings first; nothing for words."""
    language, classes = findings.language, by_risk(findings.plan.classes)
    if not classes:
        return []
    rows = [class_cells(one, language) for one in classes]
    return [class_headings(language, language.text("label")), *rows]


def brief(plan: Plan, *, lang: str = "en") -> str:
    """Return a plan as one printable A4 page for a meeting.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    findings = PlanFindings(plan, Language(lang))
    classes = plan.classes
    return render(
        "plan_brief.html.jinja",
        "brief.css",
        findings.language,
        sources=plan.sources,
        plan=plan,
        findings=findings,
        answers=PlanAnswers(findings),
        chart=classes_chart(classes, findings.language)
        if classes
        else plan_retention_chart(findings),
    )


def slide_table(findings: PlanFindings) -> pl.DataFrame:
    """Return the designs as a table to paste into a slide, named in the reader's language."""
    labels = pl.Series("design", [findings.label(design) for design in findings.plan.designs])
    return findings.plan.to_frame().with_columns(labels)


def fragment(plan: Plan) -> str:
    """Return a plan as an HTML fragment for a notebook."""
    findings = PlanFindings(plan, Language("en"))
    return notebook(
        findings.verdict(), findings.summary(), plan_charts(findings), sources=plan.sources
    )
