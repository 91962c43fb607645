"""A model under the trainer that was calibrated: how the argument ``resampler`` is read."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

from hayflick.calibration.calibration_file import AnyResampler, Calibrated, resampler_of
from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.gaussian_resampler import GaussianResampler
from hayflick.chains.resampler import Resampler
from hayflick.core.errors import ArgumentError

ResamplerGiven: TypeAlias = AnyResampler | Calibrated | str | os.PathLike[str]
"""What the argument takes: a calibration, its file, or a resampler."""


def trained_by(model: Any, resampler: ResamplerGiven | None) -> Any:
    """Return a model as it is retrained by a calibrated trainer.

    Parameters
    ----------
    model
        A model of symbols or numbers.
    resampler
        The trainer; None for the model as it is.

    Raises
    ------
    ArgumentError
        If the family takes no resampler, or another one, or the model smooths its counts.
    DataError
        If a file holds no resampler.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> trained_by(words, Resampler(sharpening=1.1)).estimator.sharpening
    1.1
    """
    if resampler is None:
        return model
    found = resampler_of(resampler)
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
