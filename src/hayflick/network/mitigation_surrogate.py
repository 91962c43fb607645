"""What keeps interacting mixtures diverse, at what cost in real points: the grid in seconds.

The mixtures stand in for language models that post one text a round, as in the paper: 20 points
of all components in equal parts are in the pool at the start, and each agent posts one point a
round and reads half of what it may read. Components are the words: 30 of them, 10 standard
deviations apart.

*Kept* is the expected share of components among 120 points of a round, the same number for all
cases: with n agents of weights π_i that is mean_b [1 - Π_i (1 - π_ib)^(120/n)], exact given the
weights. *Apart* is ‖D‖ over the floor of agents that all read the same pool.

The surrogate has neither prompts nor irrelevant texts: a point that no component explains moves
no weight.

References
----------
Wang et al., arXiv:2506.15690, Algorithms 2 and 3. The two measures are of this project.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.progress import Progress, silent
from hayflick.laws.surrogate import distance_floor
from hayflick.network.mitigated import Mitigated, marked
from hayflick.network.mitigation import LAST, check_axes
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate
from hayflick.network.topology import parse_topology

if TYPE_CHECKING:
    import xarray

_MEANS = tuple(10.0 * place for place in range(30))
_ORIGINALS, _SHARE, _ROUNDS, _POINTS = 20, 0.5, 60, 120


def surrogate_mitigation(
    *,
    injections: Sequence[int] = (0, 1, 3, 9),
    topologies: Sequence[str] = ("complete", "ring:1"),
    models: Sequence[int] = (4, 8),
    replicates: int = 20,
    seed: int = 1,
    progress: Progress = silent,
) -> tuple[Mitigated, ...]:
    """Return all cases of the grid, in order, those on the frontier marked.

    Parameters
    ----------
    injections
        Real points that join in every round.
    topologies, models
        Who may read whom, and how many agents there are.
    replicates
        Independent runs, over which is averaged.
    seed
        Of the simulations.
    progress
        Told the cases done.

    Raises
    ------
    ArgumentError
        If a value is out of its range.

    Examples
    --------
    >>> cases = surrogate_mitigation(topologies=["complete"], models=[4], injections=[0, 9])
    >>> cases[0].kept < cases[1].kept, cases[1].texts
    (True, 540)
    """
    check_axes(injections=injections, topologies=topologies, models=models)
    grid = list(itertools.product(models, topologies, injections))
    found = []
    for done, (agents, topology, injected) in enumerate(grid):
        progress("mixtures", done, len(grid))
        system = Surrogate(
            means=_MEANS,
            agents=agents,
            draws=1,
            share_read=_SHARE,
            originals=_ORIGINALS,
            injected=injected,
            topology=parse_topology(topology, agents=agents),
        )
        runs = simulate_surrogate(system, rounds=_ROUNDS, replicates=replicates, seed=seed)
        found.append(
            Mitigated(
                injected=injected,
                topology=topology,
                models=agents,
                kept=shown_components(runs["weights"].to_numpy()[:, _late()], points=_POINTS),
                apart=_apart(runs, agents=agents),
                texts=injected * _ROUNDS,
            )
        )
    progress("mixtures", len(grid), len(grid))
    return marked(found)


def shown_components(weights: Floats, *, points: int) -> float:
    """Return the expected share of components among points that agents post in equal parts.

    Parameters
    ----------
    weights
        Shape ``(..., agents, components)``; the mean over what comes before is returned.
    points
        How many in all; not a multiple of the agents is read as an average.

    Examples
    --------
    >>> shown_components(np.array([[0.5, 0.5], [1.0, 0.0]]), points=4)
    0.875
    """
    each = points / weights.shape[-2]
    missed = np.prod((1.0 - weights) ** each, axis=-2)
    return float(1.0 - missed.mean())


def _late() -> slice:
    return slice(_ROUNDS + 1 - round(LAST * _ROUNDS), None)


def _apart(runs: xarray.Dataset, *, agents: int) -> float | None:
    """Return ‖D‖ over its floor; None of a single agent."""
    if agents == 1:
        return None
    read = runs["read"].to_numpy().mean(axis=1)
    floors = [
        distance_floor(seen, agents=agents, read=read, share_read=_SHARE)
        for seen in runs["seen"].to_numpy()
    ]
    # Round t is generation t, and the floors begin with round 1.
    late = slice(_late().start - 1, None)
    found = runs["squared_distance"].to_numpy()[:, _late()].mean()
    return float(np.sqrt(found / np.mean(np.array(floors)[:, late])))
