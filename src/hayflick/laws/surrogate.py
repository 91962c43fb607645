r"""Contraction and noise floor of interacting Gaussian mixtures; approximate.

An agent's weights π are updated by k points of a pool, one by one, each with gain α = 1/k:
after a round they are (1 - α)^k π plus α Σ_s (1 - α)^(k-s) o_s, o_s the responsibilities of the
s-th point. Of two agents that read the same pool,

    E[π_i - π_j]' = (1 - α)^k E[π_i - π_j],   (1 - 1/k)^k → 1/e

The points are drawn without replacement, a share β of the pool, so with w_s = α (1 - α)^(k-s)
the sum has variance (Σ w_s² - β (Σ w_s)²/k) v per component, v the variance of its
responsibilities in the pool. Two agents draw independently of one another, and so do rounds:

    E |D|_F² = n (n - 1) · 2 κ Σ_b v_b / k,   κ = [k Σ w_s² - β (1 - (1-α)^k)²] / (1 - (1-α)^2k)
             → [(1 - e⁻²)/2 - β (1 - e⁻¹)²] / (1 - e⁻²)  for large k

Both take responsibilities to be the same for every agent, v_b = p_b (1 - p_b), and leave out
the small push c of the update: right where components stand well apart.

References
----------
Wang et al., arXiv:2506.15690, Algorithms 2 and 3 (the system); Zivkovic and van der Heijden,
*Recursive unsupervised learning of finite mixture models*, IEEE TPAMI 26 (2004) (the update).
The floor was derived for this project.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hayflick.core.arrays import Floats
from hayflick.core.checks import share, whole_number
from hayflick.core.errors import ArgumentError


def contraction(read: int) -> float:
    """Return the factor by which a round of reading brings two agents together in the mean.

    Parameters
    ----------
    read
        Points read, k, at least 2.

    Raises
    ------
    ArgumentError
        If `read` is below 2.

    Examples
    --------
    >>> round(contraction(1000), 4)
    0.3677
    """
    k = whole_number("read", read, at_least=2)
    return float((1.0 - 1.0 / k) ** k)


def floor_constant(share_read: float, *, read: int | None = None) -> float:
    """Return κ.

    Parameters
    ----------
    share_read
        Points read as a share of the pool, β.
    read
        Their number k, at least 2; the limit of large k where None.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> round(floor_constant(0.5), 4), round(floor_constant(0.5, read=1000), 4)
    (0.2689, 0.2691)
    """
    beta = share("share_read", share_read)
    if read is None:
        left, squares = float(np.exp(-1.0)), (1.0 - np.exp(-2.0)) / 2.0
    else:
        left = contraction(read)
        # k Σ w_s², with 1 - (1 - α)² = α (2 - α).
        squares = (1.0 - left**2) / (2.0 - 1.0 / read)
    return float((squares - beta * (1.0 - left) ** 2) / (1.0 - left**2))


def distance_floor(
    responsibilities: ArrayLike, *, agents: int, read: ArrayLike, share_read: float
) -> Floats:
    """Return E |D|_F² of agents that read the same pool, once they have forgotten their start.

    Parameters
    ----------
    responsibilities
        p, the mean of the responsibilities over the pool, shape ``(rounds, components)``.
    agents
        How many, n.
    read
        Points read in each round, shape ``(rounds,)``, or one number for all.
    share_read
        Points read as a share of the pool, β.

    Returns
    -------
    Shape ``(rounds,)``.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> distance_floor([[0.5, 0.5]], agents=3, read=1000, share_read=0.5).round(6).tolist()
    [0.001614]
    """
    mean = np.asarray(responsibilities, dtype=np.float64)
    if mean.ndim != 2 or not ((mean >= 0.0) & (mean <= 1.0)).all():
        takes = "numbers from 0 to 1, in the shape (rounds, components)"
        raise ArgumentError("responsibilities", got=f"an array of shape {mean.shape}", takes=takes)
    n = whole_number("agents", agents, at_least=1)
    sizes = np.broadcast_to(np.asarray(read), len(mean)).astype(np.float64)
    if not (sizes >= 1.0).all():
        raise ArgumentError("read", got=f"{sizes.min():g}", takes="whole numbers of at least 1")
    variance = np.sum(mean * (1.0 - mean), axis=1)
    floor: Floats = n * (n - 1.0) * 2.0 * floor_constant(share_read) * variance / sizes
    return floor
