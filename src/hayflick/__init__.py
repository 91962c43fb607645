"""Predict, measure and slow the collapse of models that are trained on models' output.

>>> import hayflick as hf
>>> words = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
>>> law = hf.survival(words, generations=50, regime=hf.Fresh(share=0.05))
>>> law.name
'exact'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hayflick.core.display import register_renderer
from hayflick.core.version import __version__

if TYPE_CHECKING:
    from hayflick.chains.discrete import Discrete
    from hayflick.chains.smoothing import AddDelta
    from hayflick.core.errors import HayflickError
    from hayflick.core.progress import progress_bar
    from hayflick.corpus.counts import Counts
    from hayflick.laws.diversity import expected_diversity
    from hayflick.laws.loss_time import loss_time
    from hayflick.laws.survival import survival
    from hayflick.planning.forecast import Forecast
    from hayflick.regimes.anchor import Anchor
    from hayflick.regimes.fresh import Fresh
    from hayflick.regimes.replace import Replace
    from hayflick.report.publishing import forecast
    from hayflick.simulate.simulation import simulate

# Loaded on first use: `import hayflick` itself costs next to nothing.
_PUBLIC = {
    "AddDelta": "hayflick.chains.smoothing",
    "Anchor": "hayflick.regimes.anchor",
    "Counts": "hayflick.corpus.counts",
    "Discrete": "hayflick.chains.discrete",
    "Forecast": "hayflick.planning.forecast",
    "Fresh": "hayflick.regimes.fresh",
    "HayflickError": "hayflick.core.errors",
    "Replace": "hayflick.regimes.replace",
    "expected_diversity": "hayflick.laws.diversity",
    "forecast": "hayflick.report.publishing",
    "loss_time": "hayflick.laws.loss_time",
    "progress_bar": "hayflick.core.progress",
    "simulate": "hayflick.simulate.simulation",
    "survival": "hayflick.laws.survival",
}

__all__ = [
    "AddDelta",
    "Anchor",
    "Counts",
    "Discrete",
    "Forecast",
    "Fresh",
    "HayflickError",
    "Replace",
    "__version__",
    "expected_diversity",
    "forecast",
    "loss_time",
    "progress_bar",
    "simulate",
    "survival",
]

# The room `simulate` and the function share a name. Loading the room, which is empty, and
# dropping it leaves the name to the function: an import sets it only once.
import_module("hayflick.simulate")
del globals()["simulate"]

register_renderer(
    "hayflick.planning.forecast:Forecast", renderer="hayflick.report.notebook:forecast_html"
)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hayflick' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
