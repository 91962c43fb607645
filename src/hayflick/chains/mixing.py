"""What each model of a network is trained on: whom it reads, and how much is real.

Model i is trained on draws from q_i = Σ_j A_ij p_j + f_i p_0 with A = (1 - f) W: W says how it
divides what it reads among the models, f_i is the share of real data, and A 1 + f = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import LARGEST_NUMBER, whole_number
from hayflick.core.errors import ArgumentError, listed

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
