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
    from hayflick.chains.bernoulli import Bernoulli
    from hayflick.chains.discrete import Discrete
    from hayflick.chains.gaussian import Gaussian
    from hayflick.chains.good_turing import GoodTuring
    from hayflick.chains.multivariate_gaussian import MultivariateGaussian
    from hayflick.chains.ngram import NGram
    from hayflick.chains.poisson import Poisson
    from hayflick.chains.smoothing import AddDelta
    from hayflick.chains.stages.degradation import LabelNoise
    from hayflick.chains.stages.record import Stages
    from hayflick.chains.stages.rounding import Grid
    from hayflick.chains.stages.samplers import Temperature, TopK, TopP
    from hayflick.chains.stages.selection import Verifier
    from hayflick.chains.symmetric_mixture import SymmetricMixture
    from hayflick.core.errors import HayflickError
    from hayflick.core.progress import progress_bar
    from hayflick.corpus.counts import Counts
    from hayflick.laws.diversity import expected_diversity
    from hayflick.laws.gaussian_scale import gaussian_scale
    from hayflick.laws.loss_time import loss_time
    from hayflick.laws.survival import survival
    from hayflick.planning.expressivity import compare_estimators
    from hayflick.planning.forecast import Forecast
    from hayflick.planning.series_forecast import SeriesForecast
    from hayflick.regimes.anchor import Anchor
    from hayflick.regimes.fresh import Fresh
    from hayflick.regimes.replace import Replace
    from hayflick.report.publishing import forecast
    from hayflick.simulate.simulation import simulate

# Loaded on first use: `import hayflick` itself costs next to nothing.
_PUBLIC = {
    "AddDelta": "hayflick.chains.smoothing",
    "Anchor": "hayflick.regimes.anchor",
    "Bernoulli": "hayflick.chains.bernoulli",
    "Counts": "hayflick.corpus.counts",
    "Discrete": "hayflick.chains.discrete",
    "Forecast": "hayflick.planning.forecast",
    "Fresh": "hayflick.regimes.fresh",
    "Gaussian": "hayflick.chains.gaussian",
    "GoodTuring": "hayflick.chains.good_turing",
    "Grid": "hayflick.chains.stages.rounding",
    "HayflickError": "hayflick.core.errors",
    "LabelNoise": "hayflick.chains.stages.degradation",
    "MultivariateGaussian": "hayflick.chains.multivariate_gaussian",
    "NGram": "hayflick.chains.ngram",
    "Poisson": "hayflick.chains.poisson",
    "Replace": "hayflick.regimes.replace",
    "SeriesForecast": "hayflick.planning.series_forecast",
    "Stages": "hayflick.chains.stages.record",
    "SymmetricMixture": "hayflick.chains.symmetric_mixture",
    "Temperature": "hayflick.chains.stages.samplers",
    "TopK": "hayflick.chains.stages.samplers",
    "TopP": "hayflick.chains.stages.samplers",
    "Verifier": "hayflick.chains.stages.selection",
    "compare_estimators": "hayflick.planning.expressivity",
    "expected_diversity": "hayflick.laws.diversity",
    "forecast": "hayflick.report.publishing",
    "gaussian_scale": "hayflick.laws.gaussian_scale",
    "loss_time": "hayflick.laws.loss_time",
    "progress_bar": "hayflick.core.progress",
    "simulate": "hayflick.simulate.simulation",
    "survival": "hayflick.laws.survival",
}

__all__ = [
    "AddDelta",
    "Anchor",
    "Bernoulli",
    "Counts",
    "Discrete",
    "Forecast",
    "Fresh",
    "Gaussian",
    "GoodTuring",
    "Grid",
    "HayflickError",
    "LabelNoise",
    "MultivariateGaussian",
    "NGram",
    "Poisson",
    "Replace",
    "SeriesForecast",
    "Stages",
    "SymmetricMixture",
    "Temperature",
    "TopK",
    "TopP",
    "Verifier",
    "__version__",
    "compare_estimators",
    "expected_diversity",
    "forecast",
    "gaussian_scale",
    "loss_time",
    "progress_bar",
    "simulate",
    "survival",
]

# The room `simulate` and the function share a name. Loading the room, which is empty, and
# dropping it leaves the name to the function: an import sets it only once.
import_module("hayflick.simulate")
del globals()["simulate"]

for _result in ("forecast:Forecast", "series_forecast:SeriesForecast"):
    register_renderer(
        f"hayflick.planning.{_result}", renderer="hayflick.report.notebook:forecast_html"
    )
register_renderer(
    "hayflick.planning.expressivity:Expressivity",
    renderer="hayflick.report.expressivity:expressivity_html",
)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hayflick' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
