"""What a calibrated trainer does, in sentences."""

from __future__ import annotations

from hayflick.chains.discrete import Discrete
from hayflick.chains.resampler import Resampler
from hayflick.report.language import Language

_COUNT = 10


def trainer(resampler: Resampler, language: Language) -> str:
    """Return what a calibrated trainer does, in a sentence."""
    return language.text(
        "The trainer is the calibrated one: sharpening {sharpening}; at {count} occurrences its "
        "effective sample size is {share} of the items; an absent one weighs {weight} of one that "
        "occurs once.",
        sharpening=f"{resampler.sharpening:.3g}",
        count=language.number(_COUNT),
        share=language.percent(resampler.effective_share(_COUNT), digits=0),
        weight=f"{resampler.return_weight:.2g}",
    )


def resampler_in(model: object) -> Resampler | None:
    """Return the calibrated trainer of a model of symbols; None for any other model."""
    estimator = model.estimator if isinstance(model, Discrete) else None
    return estimator if isinstance(estimator, Resampler) else None


def designs_simulated(resampler: Resampler, language: Language, *, runs: int) -> str:
    """Return where the figures of a plan for a trained model come from."""
    source = language.text(
        "Every design was simulated with the calibrated resampler, because no law of a trained "
        "model is known; all share their random numbers. Runs that give the averages: {runs}. "
        "Later recoveries, and what is lost as a share of the real data, are left out: only a law "
        "gives them.",
        runs=language.number(runs),
    )
    return language.joined(source, trainer(resampler, language))
