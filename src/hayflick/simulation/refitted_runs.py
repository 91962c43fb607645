"""How many symbols survive where a law is fitted and rounded anew in every round: many runs, fast.

It draws what `hayflick.simulation.simulate.simulate` draws, keeps the number of survivors alone,
and makes many rounds in one compiled call.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.chains.discrete_chains import StagedDiscreteChain
from hayflick.chains.estimators import AddDelta
from hayflick.chains.stages import Grid, Stages
from hayflick.core.arrays import Floats
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import logical_blocks, stream

_DRAWS_AT_ONCE = 2_000_000


def surviving_shares_of_runs(
    model: Discrete,
    *,
    samples: int,
    generations: int,
    replicates: int,
    rounding: Grid | None,
    seed: int,
    threads: int,
    progress: Progress = silent,
) -> Floats:
    """Return the share of symbols in every training set, shape ``(replicates, K + 1)``.

    Parameters
    ----------
    model
        The real data's law and the estimator.
    samples, generations, replicates
        Size of a training set, rounds, and runs.
    rounding
        Grid of the probabilities; None for none.
    seed, threads
        Of the simulation; the runs are the same whatever the threads.
    progress
        Called with the number of rounds that are done.
    """
    from hayflick.chains.law_kernels import TURING, refitted_rounds

    chain = StagedDiscreteChain(model, samples, Stages(rounding=rounding))
    law, estimator = chain.start(1).law[0], model.estimator
    delta = estimator.delta if isinstance(estimator, AddDelta) else TURING
    step = 0.0 if rounding is None else rounding.step_for(1.0)
    blocks = [
        (stream(seed, block=block), law[None].repeat(size, 0))
        for block, size in logical_blocks(replicates)
    ]
    together = max(1, _DRAWS_AT_ONCE // (model.types * replicates))
    shares = [np.ones((replicates, 1))]
    with ThreadPoolExecutor(threads) as executor:
        for first in range(0, generations, together):
            rounds = min(together, generations - first)
            work = [
                executor.submit(refitted_rounds, rng, laws, samples, rounds, delta, step)
                for rng, laws in blocks
            ]
            found = np.concatenate([one.result() for one in work])
            shares.append(found / model.types)
            progress("simulating", first + rounds, generations)
    return np.concatenate(shares, axis=1)
