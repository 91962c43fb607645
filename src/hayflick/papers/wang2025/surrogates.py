"""Interacting mixtures with their floor law, and silos of nearest neighbours."""

from __future__ import annotations

import numpy as np
import polars as pl

from hayflick.core.arrays import Floats
from hayflick.laws.surrogate import distance_floor
from hayflick.network.silo import simulate_silos
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate, timed_work
from hayflick.papers.figure import Figure, curves, single_runs

_ROUNDS, _RUNS, _SHARE = 200, 20, 0.5
_NOTHING = 1e-20
_NEIGHBOURS = (1, 2, 5, 10, 20)
_ELEVEN = tuple(10.0 * place for place in range(-5, 6))
"""As far from one another as the two of the paper; it says only that they are even."""

MIXTURES = {
    name: Surrogate(means=means, agents=3, draws=3, share_read=_SHARE)
    for name, means in {"surrogate-two": (-5.0, 5.0), "surrogate-eleven": _ELEVEN}.items()
}
"""The systems of the figures of mixtures, by name."""


def cost(name: str) -> str:
    """Return what the figure of a system costs on this machine, in words."""
    work = timed_work(MIXTURES[name], _ROUNDS, replicates=_RUNS)
    return f"{name}: {work.evaluations:,} evaluations, about {work.seconds:.1f} s on this machine"


def mixtures(name: str, seed: int) -> Figure:
    """Return |D|_F of interacting mixtures: n = 3, L = 3, β = .5, 200 rounds, 20 runs.

    The simulated curve is the root of the mean of |D|_F², as the law is of its expectation.
    """
    runs = simulate_surrogate(MIXTURES[name], rounds=_ROUNDS, replicates=_RUNS, seed=seed)
    squares = runs["squared_distance"].to_numpy()
    read = runs["read"].to_numpy()[:, 0]
    floors = [
        distance_floor(seen, agents=3, read=read, share_read=_SHARE)
        for seen in runs["seen"].to_numpy()
    ]
    # A floor belongs to a round, and there is none before the first.
    floor: Floats = np.concatenate([[np.nan], np.sqrt(np.mean(floors, axis=0))])
    named = curves(simulated=np.sqrt(squares.mean(axis=0)), floor=floor)
    # Agents that have all lost the same components differ by rounding alone.
    distances = np.where(squares < _NOTHING, 0.0, np.sqrt(squares))
    shown: pl.DataFrame = single_runs(distances).vstack(named.drop_nans("value"))
    return Figure(
        name=name,
        quantity="distance",
        curves=shown,
        runs=runs,
        agreement=None,
        logarithmic=True,
        paper="wang2025",
    )


def silos(seed: int) -> Figure:
    """Return the mean number of silos over 80 rounds and 40 runs, for several k."""
    made = {k: simulate_silos(k, rounds=80, replicates=40, seed=seed) for k in _NEIGHBOURS}
    means = {f"nearest_{k}": runs["silos"].mean("replicate").to_numpy() for k, runs in made.items()}
    import xarray

    joined = xarray.concat(list(made.values()), dim="neighbours").assign_coords(
        neighbours=list(_NEIGHBOURS)
    )
    joined.attrs = made[_NEIGHBOURS[0]].attrs
    return Figure(
        name="silos",
        quantity="silos",
        curves=curves(**means),
        runs=joined,
        agreement=None,
        paper="wang2025",
    )
