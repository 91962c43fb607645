"""Predict, measure and slow the collapse of models that are trained on models' output.

>>> import hayflick as hf
>>> words = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
>>> law = hf.survival(words, generations=50, regime=hf.Fresh(share=0.05))
>>> law.name
'exact'
"""

from __future__ import annotations

import warnings
from typing import Any

import lazy_loader

from hayflick.core.display import register_renderer, register_report

# The public names stand in `__init__.pyi`. Each is loaded on first use: `import hayflick` itself
# costs next to nothing.
_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Old public names, kept for one release.
_RENAMED: dict[str, str] = {}

for _result in ("forecast_result:Forecast", "series_forecast:SeriesForecast"):
    register_renderer(
        f"hayflick.planning.{_result}", renderer="hayflick.report.notebook:forecast_html"
    )
register_renderer(
    "hayflick.planning.plan_result:Plan", renderer="hayflick.report.plan_page:plan_html"
)
register_report("hayflick.monitor.watch_result:WatchResult", report="hayflick.report.watch")
register_renderer(
    "hayflick.monitor.pilot_analysis:PilotResult",
    renderer="hayflick.report.pilot_page:pilot_html",
)
register_renderer(
    "hayflick.planning.expressivity:Expressivity",
    renderer="hayflick.report.expressivity:expressivity_html",
)
register_report("hayflick.papers.reproduce:Gallery", report="hayflick.report.gallery")
register_report("hayflick.papers.reproduce:Gallery", report="hayflick.report.gallery")


def __getattr__(name: str) -> Any:
    new = _RENAMED.get(name)
    if new is not None:
        message = f"hayflick.{name} is hayflick.{new} now; the old name goes with release 0.3"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        name = new
    try:
        return _load(name)
    except AttributeError:
        if name in __all__:
            raise
        raise AttributeError(f"module 'hayflick' has no attribute {name!r}") from None
