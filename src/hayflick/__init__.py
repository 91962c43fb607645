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
    from hayflick.chains.stages.degradation import (
        AdditiveNoise,
        Confusion,
        Contamination,
        GaussianContamination,
        LabelNoise,
    )
    from hayflick.chains.stages.record import Stages
    from hayflick.chains.stages.rounding import Grid
    from hayflick.chains.stages.samplers import Temperature, TopK, TopP
    from hayflick.chains.stages.selection import Interval, Quality, Verifier
    from hayflick.chains.symmetric_mixture import SymmetricMixture
    from hayflick.core.errors import HayflickError
    from hayflick.core.progress import progress_bar
    from hayflick.corpus.counts import Counts
    from hayflick.laws.diversity import expected_diversity
    from hayflick.laws.gaussian_scale import gaussian_scale
    from hayflick.laws.loss_time import loss_time
    from hayflick.laws.survival import survival
    from hayflick.planning.cost import CostModel
    from hayflick.planning.expressivity import compare_estimators
    from hayflick.planning.forecast import Forecast
    from hayflick.planning.fresh_share import fresh_share
    from hayflick.planning.inspection import inspection
    from hayflick.planning.period import period
    from hayflick.planning.planned import Plan
    from hayflick.planning.recovery import recovery
    from hayflick.planning.reserve import Reserve
    from hayflick.planning.reserving import build_reserve
    from hayflick.planning.sample_size import sample_size
    from hayflick.planning.series_forecast import SeriesForecast
    from hayflick.regimes.accumulate import Accumulate
    from hayflick.regimes.accumulate_subsample import AccumulateSubsample
    from hayflick.regimes.anchor import Anchor
    from hayflick.regimes.fresh import Fresh
    from hayflick.regimes.periodic import Periodic
    from hayflick.regimes.replace import Replace
    from hayflick.regimes.scheduled import Scheduled
    from hayflick.regimes.threshold import Threshold
    from hayflick.regimes.triggered import Triggered
    from hayflick.report.planning import plan
    from hayflick.report.publishing import forecast
    from hayflick.simulate.simulation import simulate

# Loaded on first use: `import hayflick` itself costs next to nothing.
_PUBLIC = {
    "Accumulate": "hayflick.regimes.accumulate",
    "AccumulateSubsample": "hayflick.regimes.accumulate_subsample",
    "AddDelta": "hayflick.chains.smoothing",
    "AdditiveNoise": "hayflick.chains.stages.degradation",
    "Anchor": "hayflick.regimes.anchor",
    "Bernoulli": "hayflick.chains.bernoulli",
    "Confusion": "hayflick.chains.stages.degradation",
    "Contamination": "hayflick.chains.stages.degradation",
    "CostModel": "hayflick.planning.cost",
    "Counts": "hayflick.corpus.counts",
    "Discrete": "hayflick.chains.discrete",
    "Forecast": "hayflick.planning.forecast",
    "Fresh": "hayflick.regimes.fresh",
    "Gaussian": "hayflick.chains.gaussian",
    "GaussianContamination": "hayflick.chains.stages.degradation",
    "GoodTuring": "hayflick.chains.good_turing",
    "Grid": "hayflick.chains.stages.rounding",
    "HayflickError": "hayflick.core.errors",
    "Interval": "hayflick.chains.stages.selection",
    "LabelNoise": "hayflick.chains.stages.degradation",
    "MultivariateGaussian": "hayflick.chains.multivariate_gaussian",
    "NGram": "hayflick.chains.ngram",
    "Periodic": "hayflick.regimes.periodic",
    "Plan": "hayflick.planning.planned",
    "Poisson": "hayflick.chains.poisson",
    "Quality": "hayflick.chains.stages.selection",
    "Replace": "hayflick.regimes.replace",
    "Reserve": "hayflick.planning.reserve",
    "Scheduled": "hayflick.regimes.scheduled",
    "SeriesForecast": "hayflick.planning.series_forecast",
    "Stages": "hayflick.chains.stages.record",
    "SymmetricMixture": "hayflick.chains.symmetric_mixture",
    "Temperature": "hayflick.chains.stages.samplers",
    "Threshold": "hayflick.regimes.threshold",
    "TopK": "hayflick.chains.stages.samplers",
    "TopP": "hayflick.chains.stages.samplers",
    "Triggered": "hayflick.regimes.triggered",
    "Verifier": "hayflick.chains.stages.selection",
    "build_reserve": "hayflick.planning.reserving",
    "compare_estimators": "hayflick.planning.expressivity",
    "expected_diversity": "hayflick.laws.diversity",
    "forecast": "hayflick.report.publishing",
    "fresh_share": "hayflick.planning.fresh_share",
    "gaussian_scale": "hayflick.laws.gaussian_scale",
    "inspection": "hayflick.planning.inspection",
    "loss_time": "hayflick.laws.loss_time",
    "period": "hayflick.planning.period",
    "plan": "hayflick.report.planning",
    "progress_bar": "hayflick.core.progress",
    "recovery": "hayflick.planning.recovery",
    "sample_size": "hayflick.planning.sample_size",
    "simulate": "hayflick.simulate.simulation",
    "survival": "hayflick.laws.survival",
}

__all__ = [
    "Accumulate",
    "AccumulateSubsample",
    "AddDelta",
    "AdditiveNoise",
    "Anchor",
    "Bernoulli",
    "Confusion",
    "Contamination",
    "CostModel",
    "Counts",
    "Discrete",
    "Forecast",
    "Fresh",
    "Gaussian",
    "GaussianContamination",
    "GoodTuring",
    "Grid",
    "HayflickError",
    "Interval",
    "LabelNoise",
    "MultivariateGaussian",
    "NGram",
    "Periodic",
    "Plan",
    "Poisson",
    "Quality",
    "Replace",
    "Reserve",
    "Scheduled",
    "SeriesForecast",
    "Stages",
    "SymmetricMixture",
    "Temperature",
    "Threshold",
    "TopK",
    "TopP",
    "Triggered",
    "Verifier",
    "__version__",
    "build_reserve",
    "compare_estimators",
    "expected_diversity",
    "forecast",
    "fresh_share",
    "gaussian_scale",
    "inspection",
    "loss_time",
    "period",
    "plan",
    "progress_bar",
    "recovery",
    "sample_size",
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
register_renderer("hayflick.planning.planned:Plan", renderer="hayflick.report.plan_page:plan_html")
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
