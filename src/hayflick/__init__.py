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

register_report("hayflick.planning.forecast_result:Forecast", report="hayflick.report.forecast")
register_report("hayflick.planning.series_forecast:SeriesForecast", report="hayflick.report.series")
register_report(
    "hayflick.planning.expressivity:Expressivity", report="hayflick.report.expressivity"
)
register_report("hayflick.planning.plan:Plan", report="hayflick.report.plan")
register_report("hayflick.planning.reserve:Reserve", report="hayflick.report.reserve")
register_report("hayflick.monitor.review:ReviewResult", report="hayflick.report.review")
register_report(
    "hayflick.monitor.review_sample:ReviewSample", report="hayflick.report.review_sample"
)
register_report("hayflick.monitor.watch_result:WatchResult", report="hayflick.report.watch")
register_report("hayflick.rules.from_plan:PlannedRules", report="hayflick.report.kpi_sheet")
register_report("hayflick.monitor.check_rules:RulesCheck", report="hayflick.report.rules_check")
register_report(
    "hayflick.monitor.evaluate_rules:RulesEvaluation", report="hayflick.report.rules_evaluation"
)
register_report("hayflick.monitor.pilot_design:PilotDesign", report="hayflick.report.pilot_design")
register_report(
    "hayflick.monitor.pilot_analysis:PilotResult", report="hayflick.report.pilot_result"
)
register_report("hayflick.papers.reproduce:Gallery", report="hayflick.report.gallery")
register_report("hayflick.network.run_results:NetworkRun", report="hayflick.report.network")
register_report(
    "hayflick.network.estimate:NetworkEstimate", report="hayflick.report.network_estimate"
)
register_report("hayflick.network.mitigation:MitigationStudy", report="hayflick.report.mitigation")
register_report("hayflick.network.probe:ProbeRound", report="hayflick.report.probe")


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
