"""How much of a Gaussian's spread is left: its laws, and the same from simulated runs.

In d dimensions the spread is the generalised variance to the power 1/(2d), on the scale of
one standard deviation; always as a share of the real data's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.laws.gaussian_moments import fresh_moments
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.planning.quantities import Band

if TYPE_CHECKING:
    import xarray


def spread_laws(
    *, samples: int, fresh: int, generations: int, ddof: int, dimensions: int = 1
) -> Mapping[str, Band]:
    """Return what is known exactly, by quantity.

    Medians and quantiles (``spread``) are known without fresh data, and where all is fresh;
    with any, in one dimension and for ddof = 1, the root mean square.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> spread_laws(samples=10, fresh=0, generations=41, ddof=1)["spread"].at(41).middle < 0.1
    True
    """
    laws: dict[str, Band] = {}
    if fresh in (0, samples):
        # Where all is fresh, every round is the first one over again.
        rounds = 1 if fresh else generations
        law = _quantiles(samples, rounds, ddof=ddof, dimensions=dimensions)
        laws["spread"] = law.held(generations) if fresh else law
    if fresh and dimensions == ddof == 1:
        moments = fresh_moments(samples, fresh=fresh, generations=generations)
        laws["root_mean_square"] = Band(np.sqrt(moments.variance))
    return laws


def _quantiles(samples: int, generations: int, *, ddof: int, dimensions: int) -> Band:
    law = gaussian_scale(samples, generations=generations, dimensions=dimensions, ddof=ddof)
    low, middle, high = (
        np.exp(law.quantile(level) / (2 * dimensions)) for level in (0.05, 0.5, 0.95)
    )
    return Band(middle, low, high)


def spread_of_one(runs: xarray.Dataset, *, deviation: float) -> Floats:
    """Return the spread of runs of a Gaussian, shape ``(replicate, K + 1)``."""
    spread: Floats = runs["deviation"].to_numpy() / deviation
    return spread


def spread_of_several(runs: xarray.Dataset, *, dimensions: int) -> Floats:
    """Return the spread of runs of a multivariate Gaussian, shape ``(replicate, K + 1)``.

    It is 0 once the first round's items do not span all dimensions.
    """
    spread: Floats = np.exp(runs["log_variance_ratio"].to_numpy() / (2 * dimensions))
    # Rounding leaves a trace of a volume where there is none.
    flat = runs["rank"].to_numpy()[:, 1] < dimensions
    spread[flat, 1:] = 0.0
    return spread
