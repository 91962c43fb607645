r"""Diversity within and between the models of a network of discrete chains; exact.

N models, each trained every round on n_i draws from q_i = Σ_j A_ij p_j + f_i p_0. With
Q_ij = Σ_x E p_i p_j, c_i = Σ_x E p_i p_0 and h = Σ p_0²,

    R = A Q Aᵀ + (A c) fᵀ + f (A c)ᵀ + h f fᵀ,   Q'_ij = R_ij (i ≠ j),
    Q'_ii = (1 - 1/n_i) R_ii + 1/n_i,            c' = A c + h f

Every model starts at p_0, so c = h throughout, and H_ij = 1 - Q_ij, the chance that a draw of
model i and one of model j differ, follows a recursion of terms that are all positive:

    S = A H Aᵀ + (1 - h) (f 1ᵀ + 1 fᵀ - f fᵀ),   H'_ij = S_ij (i ≠ j),   H'_ii = (1 - 1/n_i) S_ii

It starts at 1 - h everywhere, and is in proportion to it. With D_ij = |p_i - p_j|,
E |D|_F² = Σ_ij (2 H_ij - H_ii - H_jj). Of one model it is H_k = H_0 (1 - 1/n)^k.

References
----------
Wang et al., arXiv:2506.15690 (the trace of \|D\|_F); Suresh et al., arXiv:2412.17646, section 2
(one chain). The recursion follows from the moments of the multinomial law.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import LARGEST_NUMBER, MOST_GENERATIONS, number_between, whole_number
from hayflick.core.errors import ArgumentError, listed
from hayflick.core.progress import Progress, silent

Matrix: TypeAlias = "Floats | sparse.csr_array"

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Mixing:
    """Who reads whom, and the real share.

    Parameters
    ----------
    matrix
        A, shape ``(models, models)``, dense or sparse rows; row i adds up to 1 - f_i.
    real_shares
        f, shape ``(models,)``.
    """

    matrix: Matrix
    real_shares: Floats

    def __repr__(self) -> str:
        kind = "sparse" if sparse.issparse(self.matrix) else "dense"
        low, high = self.real_shares.min(), self.real_shares.max()
        return f"Mixing(models={self.models}, {kind}, real_shares={low:g} … {high:g})"

    @property
    def models(self) -> int:
        """Number of models, N."""
        return self.real_shares.size


def mixing(reading: ArrayLike | sparse.sparray, *, real_shares: ArrayLike = 0.0) -> Mixing:
    """Return what the models are trained on.

    Parameters
    ----------
    reading
        W, shape ``(models, models)``: row i is how model i divides what it reads among the
        models, itself included, and adds up to 1. A numpy array, or a scipy sparse one,
        which stays sparse. A model whose data are all real may have a row of zeros.
    real_shares
        f, one number from 0 to 1 for all, or one per model.

    Raises
    ------
    ArgumentError
        If a shape does not fit, an entry is negative or not finite, a row adds up to
        something else, or a model reads nobody and has no real data only.

    Examples
    --------
    >>> mix = mixing([[0.5, 0.5], [0.0, 1.0]], real_shares=[0.1, 0.0])
    >>> mix.matrix.tolist(), mix.real_shares.tolist()
    ([[0.45, 0.45], [0.0, 1.0]], [0.1, 0.0])
    """
    weights = _square(reading)
    models = weights.shape[0]
    real = per_model("real_shares", real_shares, models=models)
    if not ((real >= 0.0) & (real <= 1.0)).all():
        raise ArgumentError("real_shares", got=_outside(real), takes="numbers from 0 to 1")
    _check_rows(np.asarray(weights.sum(axis=1)).ravel(), real)
    matrix: Matrix
    if sparse.issparse(weights):
        matrix = sparse.csr_array(sparse.diags_array(1.0 - real) @ weights)
    else:
        matrix = (1.0 - real)[:, None] * weights
    return Mixing(matrix, real)


def sample_sizes(samples: ArrayLike, *, models: int) -> Integers:
    """Return the training-set size of each model, from one for all or one per model.

    Raises
    ------
    ArgumentError
        If one is no whole number of at least 1.

    Examples
    --------
    >>> sample_sizes(50, models=3).tolist()
    [50, 50, 50]
    """
    sizes = np.asarray(samples)
    if sizes.shape not in ((), (models,)):
        takes = f"one whole number, or {models}: one per model"
        raise ArgumentError("samples", got=f"an array of shape {sizes.shape}", takes=takes)
    for size in np.unique(sizes).tolist():
        whole_number("samples", size, at_least=1, at_most=LARGEST_NUMBER)
    return np.broadcast_to(sizes, models).astype(np.int64)


def per_model(argument: str, values: ArrayLike, *, models: int) -> Floats:
    """Return one number per model, from one for all or one per model.

    Raises
    ------
    ArgumentError
        If the shape is neither.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape not in ((), (models,)):
        takes = f"one number, or {models}: one per model"
        raise ArgumentError(argument, got=f"an array of shape {numbers.shape}", takes=takes)
    return np.broadcast_to(numbers, models).copy()


def _square(reading: ArrayLike | sparse.sparray) -> Matrix:
    takes = "a square matrix of numbers of at least 0: who reads whom"
    weights: Matrix
    if sparse.issparse(reading):
        weights = sparse.csr_array(reading, dtype=np.float64)
        entries = weights.data
    else:
        weights = entries = np.array(reading, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not weights.shape[0]:
        raise ArgumentError("reading", got=f"shape {weights.shape}", takes=takes)
    if not (np.isfinite(entries).all() and (entries >= 0.0).all()):
        bad = entries[~(np.isfinite(entries) & (entries >= 0.0))]
        raise ArgumentError("reading", got=f"an entry of {bad[0]:g}", takes=takes)
    return weights


def _check_rows(sums: Floats, real: Floats) -> None:
    alone = np.flatnonzero((sums == 0.0) & (real < 1.0))
    if alone.size:
        raise ArgumentError(
            "reading",
            got=f"models that read nobody: {listed([str(model) for model in alone])}",
            takes="a row that adds up to 1 for every model",
            remedy="let it read itself, or give it a real share of 1",
        )
    wrong = np.flatnonzero((np.abs(sums - 1.0) > _ROUNDING) & (sums > 0.0))
    if wrong.size:
        got = f"a row of model {wrong[0]} that adds up to {sums[wrong[0]]:.10g}"
        takes = "rows that add up to 1; the real share comes on top"
        raise ArgumentError("reading", got=got, takes=takes)


def _outside(real: Floats) -> str:
    return f"{real[~((real >= 0.0) & (real <= 1.0))][0]:g}"


# Sparse products beat dense ones below this share of entries.
_SPARSE_BELOW = 0.1

# Stationary when all entries together change by less than this share.
_STILL = 1e-15

_BAND = 128


@dataclass(frozen=True, eq=False)
class NetworkLaw:
    """Expected diversity in a network over generations 0 … K; diversity is Gini-Simpson's.

    Parameters
    ----------
    real
        Diversity of the real law, 1 - Σ p_0².
    within
        E[1 - Σ p_i²] of every model, shape ``(K + 1, models)``.
    squared_distance
        ``E |D|_F² = Σ_ij E |p_i - p_j|²``, shape ``(K + 1,)``.
    heterozygosity
        H of generation K: the chance that a draw of model i and one of j differ, shape
        ``(models, models)``.
    settled
        First generation that all later ones equal, to fifteen digits; None where it is not
        within K.
    """

    real: float
    within: Floats
    squared_distance: Floats
    heterozygosity: Floats
    settled: int | None
    name: str = "exact"

    @property
    def models(self) -> int:
        """Number of models, N."""
        return int(self.within.shape[1])

    @property
    def within_mean(self) -> Floats:
        """Mean diversity of a model, shape ``(K + 1,)``."""
        return np.asarray(self.within.mean(axis=1))

    @property
    def between(self) -> Floats:
        """Diversity between the models, ``E |D|_F² / (2 N²)``, shape ``(K + 1,)``."""
        return self.squared_distance / (2.0 * self.models**2)

    @property
    def total(self) -> Floats:
        """Diversity of all models' output together, within plus between, ``(K + 1,)``."""
        return self.within_mean + self.between

    @property
    def distance(self) -> Floats | None:
        """Root of the mean squared distance of two models, ``(K + 1,)``; None for one model."""
        if self.models == 1:
            return None
        return np.sqrt(self.squared_distance / (self.models * (self.models - 1.0)))

    @property
    def drift(self) -> Floats:
        """``E |p_i - p_0|²`` of every model, shape ``(K + 1, models)``."""
        return self.real - self.within

    @property
    def squared_distances(self) -> Floats:
        """``E |p_i - p_j|²`` in generation K, shape ``(models, models)``."""
        own = np.diag(self.heterozygosity)
        return 2.0 * self.heterozygosity - own[:, None] - own


def network_law(
    model: Discrete,
    *,
    reading: ArrayLike | sparse.sparray,
    generations: int,
    samples: ArrayLike | None = None,
    real_shares: ArrayLike = 0.0,
    progress: Progress = silent,
) -> NetworkLaw:
    """Return the law of a network in which every model starts at the real law.

    Parameters
    ----------
    model
        The real law, p_0; frequencies are not smoothed.
    reading
        Who reads whom, shape ``(models, models)``, rows that add up to 1; numpy or scipy
        sparse. Row i is how model i divides what it reads among the models.
    generations
        How many rounds, K.
    samples
        Training-set sizes n_i, one for all or one per model; the data's own size where None.
    real_shares
        f, share of real data in what a model is trained on, one for all or one per model.
    progress
        Called with the number of rounds done.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, a model reads nobody, or the estimator smooths.

    Examples
    --------
    Two models that read one another, and real data in one of them:

    >>> coin = Discrete.from_counts({"heads": 50, "tails": 50})
    >>> law = network_law(
    ...     coin, reading=[[0, 1], [1, 0]], samples=10, real_shares=[0.2, 0], generations=30
    ... )
    >>> law.within[[0, 1, 30]].round(4).tolist()
    [[0.5, 0.5], [0.45, 0.45], [0.3364, 0.3028]]
    >>> law.squared_distance[[0, 1, 30]].round(4).tolist()
    [0.0, 0.2, 0.7217]
    """
    mix = mixing(reading, real_shares=real_shares)
    if model.smoothing.delta > 0.0:
        got = model.estimator.describe()
        raise ArgumentError("estimator", got=got, takes="ml: the law of smoothed networks is open")
    given = model.training_size(None) if samples is None else samples
    sizes = sample_sizes(given, models=mix.models)
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    real = 1.0 - float(np.sum(model.probabilities**2))
    return law_of_mixing(mix, samples=sizes, real=real, generations=rounds, progress=progress)


def law_of_mixing(
    mix: Mixing, *, samples: Integers, real: float, generations: int, progress: Progress = silent
) -> NetworkLaw:
    """Return the law of checked arguments; `real` is the diversity of the real law."""
    models, kept = mix.models, 1.0 - 1.0 / samples
    step = _step(mix, real)
    heterozygosity = np.full((models, models), real)
    within = np.full((generations + 1, models), real)
    totals = np.full(generations + 1, models**2 * real)
    settled = None
    for generation in range(1, generations + 1):
        heterozygosity = step(heterozygosity)
        heterozygosity.flat[:: models + 1] *= kept
        within[generation] = heterozygosity.diagonal()
        totals[generation] = heterozygosity.sum()
        progress("computing", generation, generations)
        # Entries only fall, so all of them stand still when their sum does.
        if totals[generation - 1] - totals[generation] <= _STILL * totals[generation]:
            within[generation:], totals[generation:] = within[generation], totals[generation]
            settled = generation - 1
            break
    squared = 2.0 * totals - 2.0 * models * within.sum(axis=1)
    return NetworkLaw(real, within, np.maximum(squared, 0.0), heterozygosity, settled)


def _step(mix: Mixing, real: float) -> Callable[[Floats], Floats]:
    """Return the step from H to S; every call overwrites what the one before returned."""
    shares, matrix = mix.real_shares, mix.matrix
    immigrants = real * (shares[:, None] + shares - np.outer(shares, shares))
    if isinstance(matrix, np.ndarray):
        return _dense_step(matrix, immigrants)
    if matrix.nnz > _SPARSE_BELOW * mix.models**2:
        return _dense_step(matrix.toarray(), immigrants)
    return _sparse_step(matrix, immigrants)


def _sparse_step(matrix: sparse.csr_array, immigrants: Floats) -> Callable[[Floats], Floats]:
    def step(heterozygosity: Floats) -> Floats:
        # H is symmetric: A H Aᵀ = A (A H)ᵀ.
        new: Floats = matrix @ np.ascontiguousarray((matrix @ heterozygosity).T)
        return np.add(new, immigrants, out=new)

    return step


def _dense_step(matrix: Floats, immigrants: Floats) -> Callable[[Floats], Floats]:
    half, new = np.empty_like(immigrants), np.empty_like(immigrants)

    def step(heterozygosity: Floats) -> Floats:
        np.matmul(matrix, heterozygosity, out=half)
        # The product is symmetric: of every band of rows, only what is right of the diagonal.
        for first in range(0, len(matrix), _BAND):
            own = slice(first, first + _BAND)
            new[own, first:] = half[own] @ matrix[first:].T
            new[first:, own] = new[own, first:].T
        return np.add(new, immigrants, out=new)

    return step


QUANTITIES = ("within", "between", "total")

_GRID = (0.0, *np.geomspace(1e-4, 1.0, 41).tolist())
_PRECISION = 1e-4


@dataclass(frozen=True, eq=False)
class InjectionShare:
    """The smallest real share that keeps the required diversity.

    Parameters
    ----------
    share
        Real share of every model, rounded up to at most 1e-4 too much; None where no share
        keeps enough.
    kept
        What is left at that share, as a share of the real law's diversity; the most that was
        found where `share` is None.
    law
        The law behind `kept`.
    reason
        Why, in words.
    """

    share: float | None
    kept: float
    law: NetworkLaw
    reason: str

    @property
    def feasible(self) -> bool:
        """Whether there is such a share."""
        return self.share is not None


def injection_share(
    model: Discrete,
    *,
    reading: ArrayLike | sparse.sparray,
    keep: float,
    generations: int,
    quantity: str = "within",
    samples: ArrayLike | None = None,
) -> InjectionShare:
    """Return the smallest real share, the same for all models, that keeps enough after K rounds.

    What a model reads is scaled to 1 - f, in the proportions of `reading`.

    Parameters
    ----------
    model, reading, generations, samples
        As of `hayflick.laws.network.network_law`.
    keep
        The target in generation K, as a share of the real law's diversity 1 - Σ p_0².
    quantity
        What is to be kept: ``within`` (mean diversity of a model), ``between``
        (``E |D|_F² / (2 N²)``) or ``total`` (the sum of both: diversity of all output together).
        ``between`` is looked for at 42 shares and refined: a narrower stretch is missed.

    Raises
    ------
    ArgumentError
        As `hayflick.laws.network.network_law`, and if the quantity is unknown, `keep` is no
        share, or the real law has no diversity.

    Examples
    --------
    >>> fruit = Discrete.from_counts({"apple": 40, "pear": 30, "fig": 20, "quince": 10})
    >>> found = injection_share(
    ...     fruit, reading=[[0.5, 0.5], [0.5, 0.5]], samples=20, keep=0.8, generations=50
    ... )
    >>> round(found.share, 3), round(found.kept, 3)
    (0.061, 0.8)
    """
    keep = number_between("keep", keep, low=0.0, high=1.0)
    if quantity not in QUANTITIES:
        raise ArgumentError("quantity", got=quantity, takes=f"one of {', '.join(QUANTITIES)}")
    if model.types == 1:
        takes = "a law of at least two symbols: one symbol has no diversity"
        raise ArgumentError("model", got="one symbol", takes=takes)

    def at(share: float) -> InjectionShare:
        law = network_law(
            model, reading=reading, real_shares=share, samples=samples, generations=generations
        )
        paths = {"within": law.within_mean, "between": law.between, "total": law.total}
        kept = float(paths[quantity][-1]) / law.real
        reason = f"a real share of {share:.4g} keeps {kept:.4g} of the real law's diversity"
        return InjectionShare(share, kept, law, reason)

    found, best = _smallest_share(at, keep, grid=_GRID if quantity == "between" else (0.0, 1.0))
    if found is not None:
        return found
    if quantity != "between":
        best = at(1.0)
    reason = (
        f"no real share keeps {keep:g} of the real law's diversity {quantity} "
        f"after {generations} rounds: the most is {best.kept:.4g}, at a share of "
        f"{best.share:.4g}; larger samples keep more within a model, and models that read "
        "fewer others keep more between them"
    )
    return InjectionShare(None, best.kept, best.law, reason)


def _smallest_share(
    at: Callable[[float], InjectionShare], keep: float, *, grid: Sequence[float]
) -> tuple[InjectionShare | None, InjectionShare]:
    """Return the smallest share that is enough, if any, and the best of those that were tried."""
    best = at(grid[0])
    if best.kept >= keep:
        return best, best
    for low, high in itertools.pairwise(grid):
        tried = at(high)
        if tried.kept >= keep:
            return _bisected(at, keep, low, tried), tried
        best = max(best, tried, key=lambda one: one.kept)
    return None, best


def _bisected(
    at: Callable[[float], InjectionShare], keep: float, low: float, found: InjectionShare
) -> InjectionShare:
    """Return the smallest share between one that keeps too little and one that is enough."""
    high = found.share or 0.0
    while high - low > _PRECISION:
        middle = at((low + high) / 2.0)
        if middle.kept >= keep:
            high, found = (low + high) / 2.0, middle
        else:
            low = (low + high) / 2.0
    return found
