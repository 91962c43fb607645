"""A trial and its result as plain values, ready for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hayflick.monitor.pilot_analysis import Arm, PilotResult, TreatmentEffect
from hayflick.monitor.pilot_design import PilotDesign, plan_fields

FORMAT_VERSION = 1


def design_record(trial: PilotDesign) -> dict[str, Any]:
    """Return a trial as plain values: its plan file, and what follows from it."""
    return {
        **plan_fields(trial),
        "level_per_comparison": trial.level,
        "power": trial.power,
        "detectable": trial.detectable,
        "answers_per_arm": trial.answers_per_arm,
        "cost_per_arm": trial.cost_per_arm,
        "design_effect": None
        if trial.variation.correlation is None or trial.answers is None
        else trial.variation.design_effect(trial.answers),
    }


def result_record(result: PilotResult) -> dict[str, Any]:
    """Return what came of a trial as plain values; changes are shares on the relative scale."""
    return {
        "format_version": FORMAT_VERSION,
        "source": result.source,
        "scale": result.trial.aim.scale,
        "control": result.trial.control,
        "confidence": result.confidence,
        "smallest": result.trial.aim.matters,
        "arms": [_arm(arm) for arm in result.arms],
        "comparisons": [_comparison(one) for one in result.comparisons],
        "succession": result.succession,
        "passed_over": result.passed_over,
        "provenance": result.provenance(),
    }


def _arm(arm: Arm) -> dict[str, Any]:
    return {
        "name": arm.name,
        "rounds": arm.rounds,
        "values": arm.values,
        "mean": arm.mean,
        "sd_of_rounds": arm.variance**0.5,
    }


def _comparison(compared: TreatmentEffect) -> dict[str, Any]:
    return {**asdict(compared), "outcome": compared.outcome.value}
