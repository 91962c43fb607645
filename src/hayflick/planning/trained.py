"""How the argument ``resampler`` of the verbs is read: a calibration, its file, or a resampler."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

from hayflick.calibration.calibration_file import AnyResampler, Calibrated, resampler_of
from hayflick.chains.trained import retrained_by

ResamplerGiven: TypeAlias = AnyResampler | Calibrated | str | os.PathLike[str]
"""What the argument takes."""


def trained_by(model: Any, resampler: ResamplerGiven | None) -> Any:
    """Return a model as a calibrated trainer retrains it; as it is where there is none.

    Errors are those of `hayflick.chains.trained.retrained_by` and
    `hayflick.calibration.calibration_file.resampler_of`.
    """
    return model if resampler is None else retrained_by(model, resampler_of(resampler))
