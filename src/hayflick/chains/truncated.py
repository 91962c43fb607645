"""Gaussian draws that a verifier of an interval lets in."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from hayflick.chains.stages.selection import Interval
from hayflick.core.arrays import Floats


def interval_draws(
    rng: np.random.Generator, mean: Floats, deviation: Floats, draws: int, interval: Interval
) -> Floats:
    """Draw accepted numbers, each from inside or outside of the interval by inversion.

    A model with nothing that would be accepted is not selected from.

    Parameters
    ----------
    rng
        The block's stream.
    mean, deviation
        Of every replicate, shape ``(replicates,)``, in the data's units.
    draws
        Accepted numbers per replicate.
    interval
        What is accepted.

    Returns
    -------
    Shape ``(replicates, draws)``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> one = np.ones(1)
    >>> drawn = interval_draws(rng, 0.0 * one, one, 1000, Interval(0.0, 1.0))
    >>> bool((drawn >= 0.0).all() and (drawn <= 1.0).all())
    True
    """
    # A tail's probability is accurate below the mean: where the interval lies above it, draw
    # its mirror image.
    mirrored = np.where(interval.low > mean, -1.0, 1.0)
    spread = np.where(deviation > 0.0, deviation, np.finfo(np.float64).tiny)
    ends = np.sort(mirrored * (np.array([[interval.low], [interval.high]]) - mean), axis=0)
    with np.errstate(over="ignore"):
        low, high = (ndtr(end / spread)[:, None] for end in ends)
    inside = interval.true_accept * (high - low)
    outside = interval.false_accept * (1.0 - (high - low))
    nothing = inside + outside <= 0.0
    chance = np.where(nothing, high - low, inside / np.where(nothing, 1.0, inside + outside))
    uniform = rng.random((mean.size, draws))
    is_inside = rng.random((mean.size, draws)) < chance
    within = low + uniform * (high - low)
    # Outside, the two tails joined: what is left of the interval comes first.
    beyond = uniform * (1.0 - (high - low))
    beyond = np.where(beyond < low, beyond, beyond + (high - low))
    scale = (mirrored * deviation)[:, None]
    drawn = mean[:, None] + scale * ndtri(np.where(is_inside, within, beyond))
    bounded = np.clip(drawn, interval.low, interval.high)
    accepted: Floats = np.where(is_inside & ~nothing, bounded, drawn)
    return accepted
