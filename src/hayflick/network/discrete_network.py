"""Simulation of a network of discrete chains, the check of its exact law.

Every round, model i draws n_i symbols from q_i = Σ_j A_ij p_j + f_i p_0 and takes their
frequencies as its new law p_i.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import MOST_GENERATIONS, MOST_REPLICATES, whole_number
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import fresh_seed, logical_blocks, provenance, stream
from hayflick.laws.network import Mixing, mixing, sample_sizes

if TYPE_CHECKING:
    import xarray

FORMAT_VERSION = 1
"""Of the Dataset's names and dimensions."""


def simulate_discrete_network(
    model: Discrete,
    *,
    reading: ArrayLike | sparse.sparray,
    generations: int,
    samples: ArrayLike | None = None,
    real_shares: ArrayLike = 0.0,
    replicates: int = 200,
    seed: int | None = None,
    progress: Progress = silent,
) -> xarray.Dataset:
    """Simulate models that are trained on one another's output.

    Parameters
    ----------
    model
        The real law, p_0, with which every model starts.
    reading, real_shares
        As of `hayflick.laws.network.mixing`.
    generations
        Number of rounds, K.
    samples
        Training-set sizes n_i, one for all or one per model; None for the size of the data.
    replicates
        Number of independent runs.
    seed
        Of the random streams, at least 0; None to draw one, which is recorded.
    progress
        Called with the number of runs done.

    Returns
    -------
    A Dataset with dimensions ``replicate``, ``generation`` (0 … K) and ``agent``:
    ``diversity`` of every model (Gini-Simpson, 1 - Σ p²) and ``squared_distance``, |D|_F²
    with D_ij = |p_i - p_j|. Attribute ``provenance`` is JSON.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.

    Examples
    --------
    >>> coin = Discrete.from_counts({"heads": 50, "tails": 50})
    >>> runs = simulate_discrete_network(
    ...     coin, reading=[[0, 1], [1, 0]], samples=10, generations=5, replicates=40, seed=1
    ... )
    >>> dict(runs["diversity"].sizes)
    {'replicate': 40, 'generation': 6, 'agent': 2}
    """
    generations = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    replicates = whole_number("replicates", replicates, at_least=1, at_most=MOST_REPLICATES)
    seed = fresh_seed() if seed is None else whole_number("seed", seed, at_least=0)
    mix = mixing(reading, real_shares=real_shares)
    given = model.training_size(None) if samples is None else samples
    sizes = sample_sizes(given, models=mix.models)
    diversity = np.empty((replicates, generations + 1, mix.models))
    distance = np.empty((replicates, generations + 1))
    done = 0
    for block, number in logical_blocks(replicates):
        own = slice(done, done + number)
        rng = stream(seed, block=block)
        laws = np.tile(model.probabilities, (number, mix.models, 1))
        diversity[own, 0], distance[own, 0] = _measure(laws)
        for generation in range(1, generations + 1):
            laws = _round(rng, laws, mix, sizes, model.probabilities)
            diversity[own, generation], distance[own, generation] = _measure(laws)
        done += number
        progress("simulating", done, replicates)
    parameters = {
        "model": model.describe(),
        "network": repr(mix),
        "samples": sizes.tolist(),
        "generations": generations,
        "replicates": replicates,
    }
    return _dataset(diversity, distance, json.dumps(provenance(parameters, seed=seed)))


def _dataset(diversity: Floats, distance: Floats, record: str) -> xarray.Dataset:
    import xarray

    moments = ("replicate", "generation")
    places = dict(zip((*moments, "agent"), map(np.arange, diversity.shape), strict=True))
    return xarray.Dataset(
        {"diversity": ((*moments, "agent"), diversity), "squared_distance": (moments, distance)},
        coords=places,
        attrs={"format_version": FORMAT_VERSION, "provenance": record},
    )


def _round(
    rng: np.random.Generator, laws: Floats, mix: Mixing, sizes: Integers, real: Floats
) -> Floats:
    """Return the models after a round, shape ``(replicates, models, types)``."""
    replicates, models, types = laws.shape
    by_model = laws.transpose(1, 0, 2).reshape(models, replicates * types)
    read = (mix.matrix @ by_model).reshape(models, replicates, types).transpose(1, 0, 2)
    mixture = read + mix.real_shares[:, None] * real
    mixture /= mixture.sum(axis=-1, keepdims=True)
    counts = rng.multinomial(sizes, mixture)
    new: Floats = counts / sizes[:, None]
    return new


def _measure(laws: Floats) -> tuple[Floats, Floats]:
    """Return diversity, ``(replicates, models)``, and |D|_F², ``(replicates,)``."""
    squares = np.sum(laws**2, axis=-1)
    away = laws - laws.mean(axis=1, keepdims=True)
    return 1.0 - squares, 2.0 * laws.shape[1] * np.sum(away**2, axis=(1, 2))
