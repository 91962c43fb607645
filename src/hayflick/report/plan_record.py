"""A plan as plain values, ready for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hayflick.core.arrays import Floats
from hayflick.planning.designs import Design, DesignPoint
from hayflick.planning.plan import HistoryComparison, Plan
from hayflick.planning.search import reaches
from hayflick.planning.sensitivity import Sensitivity
from hayflick.planning.sizing import FreshShare

FORMAT_VERSION = 1


def plan_record(plan: Plan) -> dict[str, Any]:
    """Return a plan as a dictionary of plain values; what is undefined is None.

    Lists named by a generation begin with 0: the real data, or the end of a history.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.plan import plan
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> record = plan_record(plan(words, keep=0.8, generations=3, replicates=0))
    >>> record["feasible"], record["designs"][0]["regime"], record["designs"][0]["law"]
    (True, 'replace', 'exact')
    """
    source = plan.goal.source
    return {
        "format_version": FORMAT_VERSION,
        "input": source.name,
        "tokenizer": source.tokenizer,
        "column": source.column,
        "encoding": source.encoding,
        **plan.goal.describe(),
        "of": plan.goal.kind,
        "keep": plan.keep,
        "generations": plan.setting.generations,
        "samples": plan.setting.samples,
        "feasible": plan.feasible,
        "reason": plan.reason,
        "designs": [_design(plan, design) for design in plan.designs],
        "left_out": list(plan.left_out),
        "fresh_draws": None if plan.fresh is None else _fresh_draws(plan.fresh),
        "margin": None if plan.margin is None else asdict(plan.margin),
        "break_even": plan.break_even,
        "cheapest_up_to": [{"kind": kind, "keep": keep} for kind, keep in plan.other_targets],
        "step_in": plan.step_in,
        "ways_back": [
            {"waited": way.waited, "share": way.share, "rounds": way.rounds, "items": way.items}
            for way in plan.ways_back
        ],
        "look_every": None if plan.inspection is None else plan.inspection.every,
        "sensitivity": [_knob(knob) for knob in plan.knobs],
        "frontier": [_point(point) for point in plan.frontier.best],
        "simulated": _simulated(plan),
        "history": None if plan.comparison is None else _history(plan.comparison),
        "costs": None if plan.costs is None else asdict(plan.costs),
        "interrupted": plan.interrupted,
        "provenance": plan.provenance(),
    }


def _design(plan: Plan, design: Design) -> dict[str, Any]:
    costs, cost = plan.costs, design.cost_per_round
    known = costs is not None and cost is not None
    return {
        "kind": design.kind,
        "regime": design.regime.describe(),
        "enough": reaches(design.retention.assured, plan.keep),
        "samples": design.samples,
        "real_per_round": design.real_per_round,
        "acquired_per_round": design.usage.real,
        "generated_per_round": design.usage.generated,
        "stored_up_to_count": design.stored_up_to,
        "retention": design.retention.expected.tolist(),
        "lowest": design.lowest,
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


def _listed(values: Floats | None) -> list[float] | None:
    return None if values is None else values.tolist()


def _fresh_draws(fresh: FreshShare) -> dict[str, Any]:
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
            "stored": anchor.types,
            "stored_up_to_count": anchor.highest_count,
            "lowest": anchor.retention.lowest,
        },
    }


def _knob(knob: Sensitivity) -> dict[str, Any]:
    return {**asdict(knob), "elasticity": knob.elasticity}


def _point(point: DesignPoint) -> dict[str, Any]:
    return {
        "kind": point.kind,
        "samples": point.samples,
        "real_per_round": point.real_per_round,
        "cost_per_round": point.cost_per_round,
        "lowest": point.retention.lowest,
        "law": point.retention.law,
    }


def _simulated(plan: Plan) -> dict[str, Any] | None:
    if plan.simulated is None:
        return None
    return {
        "replicates": plan.simulated.replicates,
        plan.goal.summary: plan.simulated.kept.tolist(),
        "standard_error": plan.simulated.standard_error.tolist(),
        "distance": plan.simulated_distance(),
    }


def _history(compared: HistoryComparison) -> dict[str, Any]:
    history, error = compared.history, compared.history.standard_error
    return {
        "name": history.name,
        "rounds": history.rounds,
        "regime": history.recorded_regime,
        "left": history.left.tolist(),
        "standard_error": _listed(error),
        "planned": _listed(compared.planned),
        "state": {"regime": compared.past.regime.describe(), "rounds": compared.past.rounds},
    }
