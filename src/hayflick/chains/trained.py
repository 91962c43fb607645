"""A model as a calibrated trainer retrains it."""

from __future__ import annotations

from typing import Any

from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.gaussian_resampler import GaussianResampler
from hayflick.chains.resampler import Resampler
from hayflick.core.errors import ArgumentError


def retrained_by(model: Any, resampler: Any) -> Any:
    """Return a model as it is retrained by a calibrated trainer.

    Parameters
    ----------
    model
        A model of symbols or numbers.
    resampler
        The trainer, or a result that has one as its ``resampler``.

    Raises
    ------
    ArgumentError
        If it is no resampler, the family takes none or another one, or the model smooths its
        counts.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> retrained_by(words, Resampler(sharpening=1.1)).estimator.sharpening
    1.1
    """
    found = getattr(resampler, "resampler", resampler)
    if not isinstance(found, Resampler | GaussianResampler):
        takes = "a hayflick.Resampler, or what hayflick.calibrate returned"
        raise ArgumentError("resampler", got=resampler, takes=takes)
    if isinstance(model, Discrete):
        if not isinstance(found, Resampler):
            takes = "one that was calibrated on texts or labels"
            raise ArgumentError("resampler", got="a trainer of numbers", takes=takes)
        if model.estimator != MAXIMUM_LIKELIHOOD:
            takes = "nothing beside a resampler, which says how counts become the next ones"
            raise ArgumentError("estimator", got=model.estimator.describe(), takes=takes)
        return model.with_estimator(found)
    if isinstance(model, Gaussian):
        if not isinstance(found, GaussianResampler):
            takes = "one that was calibrated on numbers"
            remedy = "or family=discrete, for numbers that are labels"
            raise ArgumentError("resampler", got="a trainer of symbols", takes=takes, remedy=remedy)
        return model.with_estimator(found)
    family = model.describe()["family"]
    takes = f"nothing for the family {family}; discrete and gaussian take one"
    raise ArgumentError("resampler", got="a calibration", takes=takes)
