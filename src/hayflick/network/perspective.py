"""Perspective space: models as points, close to one another if their answers are similar.

With X_i the mean-response matrix of model i (one row per query: the mean of its embedded
answers), M_ij = |X_i - X_j|_F / √(queries) is a distance of models, and classical
multidimensional scaling places them in a plane. Over time, all pairs of model and round are
scaled together, so that all rounds share one plane.

References
----------
Helm, Duderstadt, Park and Priebe, arXiv:2406.11938 (data kernel perspective space); Torgerson,
*Multidimensional scaling: I. Theory and method*, Psychometrika 17 (1952).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError

# Eigenvalues that differ by less than this share of the largest count as equal.
_ALIKE = 1e-9

# Points whose distances differ by less than this share count as equally far out.
_AS_FAR = 1e-6


@dataclass(frozen=True, eq=False)
class Perspective:
    """Models in a space of few dimensions.

    Parameters
    ----------
    coordinates
        Shape ``(models, dimensions)``, over time ``(rounds, models, dimensions)``; centred.
    explained
        Share of the squared distances that the space represents, 1 if nothing is lost; None if
        all models coincide.
    distances
        M, shape ``(points, points)``; over time a point is a pair, round by round.
    """

    coordinates: Floats
    explained: float | None
    distances: Floats


def perspective(responses: ArrayLike, *, dimensions: int = 2) -> Perspective:
    """Return models in perspective space.

    Parameters
    ----------
    responses
        Mean-response matrices, shape ``(models, queries, features)``.
    dimensions
        Of the space, at most the number of models.

    Raises
    ------
    ArgumentError
        If the shape is wrong, a number is not finite, or there are too many dimensions.

    Examples
    --------
    Three models and one query; the third answers far from the others:

    >>> space = perspective([[[0.0]], [[1.0]], [[8.0]]], dimensions=1)
    >>> space.coordinates.round(6).tolist(), round(space.explained, 6)
    ([[-3.0], [-2.0], [5.0]], 1.0)
    """
    matrices = _finite(responses, axes=("models", "queries", "features"))
    return _scaled(matrices, dimensions=dimensions)


def perspective_over_time(responses: ArrayLike, *, dimensions: int = 2) -> Perspective:
    """Return models in one perspective space for all rounds.

    Parameters
    ----------
    responses
        Mean-response matrices, shape ``(rounds, models, queries, features)``.
    dimensions
        Of the space.

    Raises
    ------
    ArgumentError
        As `perspective`.

    Examples
    --------
    Two models that approach each other:

    >>> space = perspective_over_time([[[[0.0]], [[6.0]]], [[[2.0]], [[4.0]]]], dimensions=1)
    >>> space.coordinates[:, :, 0].round(6).tolist()
    [[3.0, -3.0], [1.0, -1.0]]
    """
    matrices = _finite(responses, axes=("rounds", "models", "queries", "features"))
    rounds, models, *rest = matrices.shape
    joint = _scaled(matrices.reshape(rounds * models, *rest), dimensions=dimensions)
    coordinates = joint.coordinates.reshape(rounds, models, -1)
    return Perspective(coordinates, joint.explained, joint.distances)


def classical_scaling(distances: ArrayLike, *, dimensions: int) -> tuple[Floats, Floats]:
    """Return coordinates that approximate distances by classical scaling, and all eigenvalues.

    Signs and, for equal eigenvalues, rotations are fixed by the points themselves, so the same
    distances give the same coordinates: the point that is farthest out along the axes of equal
    eigenvalues is on the positive side of the first, and so on.

    Parameters
    ----------
    distances
        Shape ``(points, points)``, symmetric, 0 on the diagonal.
    dimensions
        Number of axes.

    Returns
    -------
    Coordinates, shape ``(points, dimensions)``, and the eigenvalues of the doubly centred matrix,
    shape ``(points,)``, both by decreasing eigenvalue; some are negative if no points have these
    distances.

    Raises
    ------
    ArgumentError
        If the matrix is no distance matrix, or there are too many dimensions.

    Examples
    --------
    >>> coordinates, _ = classical_scaling([[0, 3], [3, 0]], dimensions=1)
    >>> coordinates.round(6).tolist()
    [[1.5], [-1.5]]
    """
    matrix = np.asarray(distances, dtype=np.float64)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and matrix.size > 0
    if not square or not (np.isfinite(matrix).all() and (matrix >= 0.0).all()):
        takes = "a square matrix of finite distances"
        raise ArgumentError("distances", got=f"an array of shape {matrix.shape}", takes=takes)
    if np.diag(matrix).any() or not np.allclose(matrix, matrix.T):
        takes = "a symmetric matrix with 0 on its diagonal"
        raise ArgumentError("distances", got="another one", takes=takes)
    whole_number("dimensions", dimensions, at_least=1, at_most=len(matrix))
    squares = matrix**2
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean()
    # Two threads take up to eight times as long as one where they do not have a core each.
    with threadpool_limits(1, "blas"):
        values, vectors = np.linalg.eigh(-0.5 * centred)
    values, vectors = values[::-1], vectors[:, ::-1]
    coordinates = np.zeros((len(matrix), dimensions))
    for own in _eigenspaces(values, dimensions):
        turned = _canonical_basis(vectors[:, own])[:, : dimensions - own[0]]
        lengths = np.sqrt(values[own[: turned.shape[1]]])
        coordinates[:, own[0] : own[0] + turned.shape[1]] = turned * lengths
    return coordinates, values


def _eigenspaces(values: Floats, dimensions: int) -> list[Integers]:
    """Return the groups of equal eigenvalues above 0 that the first dimensions need."""
    nothing = _ALIKE * abs(values[0])
    edges = np.flatnonzero(values[:-1] - values[1:] > nothing) + 1
    groups = np.split(np.arange(len(values)), edges)
    return [own for own in groups if own[0] < dimensions and values[own[-1]] > nothing]


def _canonical_basis(vectors: Floats) -> Floats:
    """Return a basis of the same space that does not depend on the solver.

    Its first axis points to the point that is farthest out, the second to the one that is
    farthest from that axis, and so on; of points equally far out, the first one counts.
    """
    axes, rest = np.empty((vectors.shape[1], vectors.shape[1])), vectors.copy()
    for place in range(len(axes)):
        lengths = np.linalg.norm(rest, axis=1)
        first = int(np.argmax(lengths >= (1.0 - _AS_FAR) * lengths.max()))
        axes[place] = rest[first] / lengths[first]
        rest -= np.outer(rest @ axes[place], axes[place])
    return vectors @ axes.T


def _scaled(matrices: Floats, *, dimensions: int) -> Perspective:
    models, queries, _ = matrices.shape
    rows = matrices.reshape(models, -1)
    # Relative to their mean, since differences of large numbers lose digits.
    rows = rows - rows.mean(axis=0)
    squares = np.sum(rows**2, axis=1)
    gaps = np.maximum(squares[:, None] + squares - 2.0 * rows @ rows.T, 0.0)
    np.fill_diagonal(gaps, 0.0)
    distances = np.sqrt((gaps + gaps.T) / (2.0 * queries))
    coordinates, values = classical_scaling(distances, dimensions=dimensions)
    total = float(np.maximum(values, 0.0).sum())
    kept = float(np.maximum(values[:dimensions], 0.0).sum())
    return Perspective(coordinates, kept / total if total > 0.0 else None, distances)


def _finite(responses: ArrayLike, *, axes: tuple[str, ...]) -> Floats:
    matrices = np.asarray(responses, dtype=np.float64)
    takes = f"finite numbers in the shape ({', '.join(axes)})"
    if matrices.ndim != len(axes) or not matrices.size:
        raise ArgumentError("responses", got=f"an array of shape {matrices.shape}", takes=takes)
    if not np.isfinite(matrices).all():
        remedy = "leave out models without an answer"
        raise ArgumentError("responses", got="nan or inf", takes=takes, remedy=remedy)
    return matrices
