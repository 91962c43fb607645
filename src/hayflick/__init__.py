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
    from hayflick.core.records import Reading
    from hayflick.corpus.counts import Counts
    from hayflick.diversity.lexical import NgramCounts
    from hayflick.diversity.scatter import Scatter
    from hayflick.diversity.vendi import vendi_score
    from hayflick.embed.batching import embed_all
    from hayflick.embed.endpoint import EndpointEmbedder
    from hayflick.embed.hashing import HashingEmbedder
    from hayflick.embed.sentence import SentenceEmbedder
    from hayflick.laws.diversity import expected_diversity
    from hayflick.laws.gaussian_scale import gaussian_scale
    from hayflick.laws.injection_share import injection_share
    from hayflick.laws.loss_time import loss_time
    from hayflick.laws.network import network_law
    from hayflick.laws.survival import survival
    from hayflick.monitor.charts.cusum import CusumChart
    from hayflick.monitor.charts.ewma import EwmaChart
    from hayflick.monitor.charts.guaranteed import GuaranteedChart
    from hayflick.monitor.charts.shewhart import ShewhartChart
    from hayflick.monitor.early_warning import early_warning
    from hayflick.monitor.review.drawing import draw_answers
    from hayflick.monitor.review.reading import read_review
    from hayflick.monitor.review.writing import write_review
    from hayflick.monitor.rules.rule_set import RuleSet
    from hayflick.network.agents.ngram import NGramAgent
    from hayflick.network.run_results import read_run
    from hayflick.network.running import resume_network, run_network
    from hayflick.planning.cost import CostModel
    from hayflick.planning.expressivity import compare_estimators
    from hayflick.planning.forecast import Forecast
    from hayflick.planning.fresh_share import fresh_share
    from hayflick.planning.inspection import inspection
    from hayflick.planning.period import period
    from hayflick.planning.pilot.designing import design_pilot
    from hayflick.planning.pilot.pilot_design import Aim, PilotDesign
    from hayflick.planning.pilot.variation import Variation
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
    from hayflick.report.pilots import analyse_pilot
    from hayflick.report.planning import plan
    from hayflick.report.publishing import forecast
    from hayflick.report.rules_writing import write_rules
    from hayflick.report.watching import watch
    from hayflick.simulate.simulation import simulate
    from hayflick.storage.database import Database
    from hayflick.storage.embedding_cache import EmbeddingCache
    from hayflick.workflows.rules_evaluation import evaluate_rules

# Loaded on first use: `import hayflick` itself costs next to nothing.
_PUBLIC = {
    "Accumulate": "hayflick.regimes.accumulate",
    "AccumulateSubsample": "hayflick.regimes.accumulate_subsample",
    "AddDelta": "hayflick.chains.smoothing",
    "AdditiveNoise": "hayflick.chains.stages.degradation",
    "Aim": "hayflick.planning.pilot.pilot_design",
    "Anchor": "hayflick.regimes.anchor",
    "Bernoulli": "hayflick.chains.bernoulli",
    "Confusion": "hayflick.chains.stages.degradation",
    "Contamination": "hayflick.chains.stages.degradation",
    "CostModel": "hayflick.planning.cost",
    "Counts": "hayflick.corpus.counts",
    "CusumChart": "hayflick.monitor.charts.cusum",
    "Database": "hayflick.storage.database",
    "Discrete": "hayflick.chains.discrete",
    "EmbeddingCache": "hayflick.storage.embedding_cache",
    "EndpointEmbedder": "hayflick.embed.endpoint",
    "EwmaChart": "hayflick.monitor.charts.ewma",
    "Forecast": "hayflick.planning.forecast",
    "Fresh": "hayflick.regimes.fresh",
    "Gaussian": "hayflick.chains.gaussian",
    "GaussianContamination": "hayflick.chains.stages.degradation",
    "GoodTuring": "hayflick.chains.good_turing",
    "Grid": "hayflick.chains.stages.rounding",
    "GuaranteedChart": "hayflick.monitor.charts.guaranteed",
    "HashingEmbedder": "hayflick.embed.hashing",
    "HayflickError": "hayflick.core.errors",
    "Interval": "hayflick.chains.stages.selection",
    "LabelNoise": "hayflick.chains.stages.degradation",
    "MultivariateGaussian": "hayflick.chains.multivariate_gaussian",
    "NGram": "hayflick.chains.ngram",
    "NGramAgent": "hayflick.network.agents.ngram",
    "NgramCounts": "hayflick.diversity.lexical",
    "Periodic": "hayflick.regimes.periodic",
    "PilotDesign": "hayflick.planning.pilot.pilot_design",
    "Plan": "hayflick.planning.planned",
    "Poisson": "hayflick.chains.poisson",
    "Quality": "hayflick.chains.stages.selection",
    "Reading": "hayflick.core.records",
    "Replace": "hayflick.regimes.replace",
    "Reserve": "hayflick.planning.reserve",
    "RuleSet": "hayflick.monitor.rules.rule_set",
    "Scatter": "hayflick.diversity.scatter",
    "Scheduled": "hayflick.regimes.scheduled",
    "SentenceEmbedder": "hayflick.embed.sentence",
    "SeriesForecast": "hayflick.planning.series_forecast",
    "ShewhartChart": "hayflick.monitor.charts.shewhart",
    "Stages": "hayflick.chains.stages.record",
    "SymmetricMixture": "hayflick.chains.symmetric_mixture",
    "Temperature": "hayflick.chains.stages.samplers",
    "Threshold": "hayflick.regimes.threshold",
    "TopK": "hayflick.chains.stages.samplers",
    "TopP": "hayflick.chains.stages.samplers",
    "Triggered": "hayflick.regimes.triggered",
    "Variation": "hayflick.planning.pilot.variation",
    "Verifier": "hayflick.chains.stages.selection",
    "analyse_pilot": "hayflick.report.pilots",
    "build_reserve": "hayflick.planning.reserving",
    "compare_estimators": "hayflick.planning.expressivity",
    "design_pilot": "hayflick.planning.pilot.designing",
    "draw_answers": "hayflick.monitor.review.drawing",
    "early_warning": "hayflick.monitor.early_warning",
    "embed_all": "hayflick.embed.batching",
    "evaluate_rules": "hayflick.workflows.rules_evaluation",
    "expected_diversity": "hayflick.laws.diversity",
    "forecast": "hayflick.report.publishing",
    "fresh_share": "hayflick.planning.fresh_share",
    "gaussian_scale": "hayflick.laws.gaussian_scale",
    "injection_share": "hayflick.laws.injection_share",
    "inspection": "hayflick.planning.inspection",
    "loss_time": "hayflick.laws.loss_time",
    "network_law": "hayflick.laws.network",
    "period": "hayflick.planning.period",
    "plan": "hayflick.report.planning",
    "progress_bar": "hayflick.core.progress",
    "read_review": "hayflick.monitor.review.reading",
    "read_run": "hayflick.network.run_results",
    "recovery": "hayflick.planning.recovery",
    "resume_network": "hayflick.network.running",
    "run_network": "hayflick.network.running",
    "sample_size": "hayflick.planning.sample_size",
    "simulate": "hayflick.simulate.simulation",
    "survival": "hayflick.laws.survival",
    "vendi_score": "hayflick.diversity.vendi",
    "watch": "hayflick.report.watching",
    "write_review": "hayflick.monitor.review.writing",
    "write_rules": "hayflick.report.rules_writing",
}

__all__ = [
    "Accumulate",
    "AccumulateSubsample",
    "AddDelta",
    "AdditiveNoise",
    "Aim",
    "Anchor",
    "Bernoulli",
    "Confusion",
    "Contamination",
    "CostModel",
    "Counts",
    "CusumChart",
    "Database",
    "Discrete",
    "EmbeddingCache",
    "EndpointEmbedder",
    "EwmaChart",
    "Forecast",
    "Fresh",
    "Gaussian",
    "GaussianContamination",
    "GoodTuring",
    "Grid",
    "GuaranteedChart",
    "HashingEmbedder",
    "HayflickError",
    "Interval",
    "LabelNoise",
    "MultivariateGaussian",
    "NGram",
    "NGramAgent",
    "NgramCounts",
    "Periodic",
    "PilotDesign",
    "Plan",
    "Poisson",
    "Quality",
    "Reading",
    "Replace",
    "Reserve",
    "RuleSet",
    "Scatter",
    "Scheduled",
    "SentenceEmbedder",
    "SeriesForecast",
    "ShewhartChart",
    "Stages",
    "SymmetricMixture",
    "Temperature",
    "Threshold",
    "TopK",
    "TopP",
    "Triggered",
    "Variation",
    "Verifier",
    "__version__",
    "analyse_pilot",
    "build_reserve",
    "compare_estimators",
    "design_pilot",
    "draw_answers",
    "early_warning",
    "embed_all",
    "evaluate_rules",
    "expected_diversity",
    "forecast",
    "fresh_share",
    "gaussian_scale",
    "injection_share",
    "inspection",
    "loss_time",
    "network_law",
    "period",
    "plan",
    "progress_bar",
    "read_review",
    "read_run",
    "recovery",
    "resume_network",
    "run_network",
    "sample_size",
    "simulate",
    "survival",
    "vendi_score",
    "watch",
    "write_review",
    "write_rules",
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
    "hayflick.workflows.watching.watched:Watched", renderer="hayflick.report.watch_page:watch_html"
)
register_renderer(
    "hayflick.planning.pilot.pilot_result:PilotResult",
    renderer="hayflick.report.pilot_page:pilot_html",
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
