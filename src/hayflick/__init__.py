"""Predict, measure and slow the collapse of models that are trained on models' output.

>>> import hayflick as hf
>>> words = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
>>> law = hf.survival(words, generations=50, regime=hf.Fresh(share=0.05))
>>> law.name
'exact'
"""

from __future__ import annotations

import warnings
from importlib import import_module
from operator import attrgetter
from typing import Any

import lazy_loader

from hayflick.core.display import register_report

# The public names stand in `__init__.pyi`. Each is loaded on first use: `import hayflick` itself
# costs next to nothing.
_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Old public names, kept for one release, and the new ones.
_RENAMED: dict[str, str] = {
    "build_reserve": "reserve",
    "compare_estimators": "expressivity",
    "draw_answers": "draw_review",
    "read_run": "report_network",
}
# Old public functions without a new one of the same kind: where they are, and what replaces them.
_REPLACED: dict[str, tuple[str, str]] = {
    "design_pilot": ("hayflick.monitor.pilot_design:design_pilot", "pilot"),
    "read_review": ("hayflick.monitor.review:read_review", "judge_review"),
    "write_review": ("hayflick.monitor.review_sample:ReviewSample.save", "ReviewSample.save"),
}

# The module of `report` that presents each result.
for _result, _report in {
    "auditing.admission_summary:AdmissionSummary": "admission",
    "auditing.audit_result:AuditResult": "audit",
    "calibration.calibration_result:Calibration": "calibration",
    "calibration.curve_calibration:CurveCalibration": "curve_calibration",
    "calibration.loop_result:LoopRun": "loop",
    "planning.forecast_result:Forecast": "forecast",
    "planning.series_forecast:SeriesForecast": "series",
    "planning.expressivity:Expressivity": "expressivity",
    "planning.plan_result:Plan": "plan",
    "planning.reserve:Reserve": "reserve",
    "monitor.compare_result:Comparison": "compare",
    "monitor.review:ReviewResult": "review",
    "monitor.review_sample:ReviewSample": "review_sample",
    "monitor.watch_result:WatchResult": "watch",
    "rules.from_plan:PlannedRules": "kpi_sheet",
    "monitor.check_rules:RulesCheck": "rules_check",
    "monitor.evaluate_rules:RulesEvaluation": "rules_evaluation",
    "monitor.pilot_design:PilotDesign": "pilot_design",
    "monitor.pilot_analysis:PilotResult": "pilot_result",
    "calibration.numbers:NumbersFit": "number_calibration",
    "sweeps.results:SweepResult": "sweep",
    "papers.reproduce:Gallery": "gallery",
    "network.run_results:NetworkRun": "network",
    "network.estimate:NetworkEstimate": "network_estimate",
    "network.verify:NetworkVerification": "network_verification",
    "network.trace:PhraseTrace": "trace",
    "network.mitigation:MitigationStudy": "mitigation",
    "network.probe:ProbeRound": "probe",
}.items():
    register_report(f"hayflick.{_result}", report=f"hayflick.report.{_report}")


def __getattr__(name: str) -> Any:
    old, new = _REPLACED.get(name, (None, _RENAMED.get(name)))
    if new is not None:
        message = f"hayflick.{name} is hayflick.{new} now; the old name goes with release 0.3"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        name = new
    if old is not None:
        module, _, path = old.partition(":")
        return attrgetter(path)(import_module(module))
    try:
        return _load(name)
    except AttributeError:
        if name in __all__:
            raise
        raise AttributeError(f"module 'hayflick' has no attribute {name!r}") from None
