"""The chance that a Poisson rate is not 0; at 0 no round draws another event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.laws.poisson import poisson_law
from hayflick.planning.quantities import Band

if TYPE_CHECKING:
    import xarray


def rate_laws(*, samples: int, fresh: int, generations: int, rate: float) -> Mapping[str, Band]:
    """Return what is known exactly, by quantity: the chance, with fresh data or without.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    """
    law = poisson_law(rate, samples=samples, fresh=fresh, generations=generations)
    return {"chance": Band(law.present)}


def is_alive(runs: xarray.Dataset) -> Floats:
    """Return 1 where the rate of a run is above 0, else 0; shape ``(replicate, K + 1)``."""
    return (runs["rate"].to_numpy() > 0.0).astype(np.float64)
