r"""Cumulants of ln Γ_a, the logarithm of a gamma variable of shape a, without cancellation.

The logarithm of a chi-squared variable of ν degrees of freedom is ln 2 + ln Γ_{ν/2}, and
E exp(w ln Γ_a) = Γ(a + w) / Γ(a). For large a the two log-gamma functions agree in most of
their digits, so their difference is taken term by term in Stirling's series, after both
arguments have been shifted by 8 with Γ(z + 1) = z Γ(z).

References
----------
NIST Digital Library of Mathematical Functions, equations 5.5.1 (recurrence), 5.11.1 and
5.11.2 (asymptotic series of ln Γ and ψ).
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = TypeVar("Numbers", NDArray[np.float64], NDArray[np.complex128])

# From a shape of 8 on, eight terms of Stirling's series leave an error of about 1e-16.
_SHIFT = 8
_ORDERS = 2 * np.arange(1, 9)
_SMALL = 0.1
_SERIES = np.array([(-1.0) ** order / ((order + 1) * (order + 2)) for order in range(16)])
_BERNOULLI = np.array([1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510])


def centred_cumulant(shape: float, argument: Numbers) -> Numbers:
    """Return ln E exp(w (ln Γ_a - E ln Γ_a)) = ln Γ(a + w) - ln Γ(a) - w ψ(a).

    Exact but for rounding, which is relative to the result; continuous from 0.

    Parameters
    ----------
    shape
        a, above 0.
    argument
        w of any array shape, with real part above -a; real or complex.

    Returns
    -------
    An array shaped like `argument`.

    Examples
    --------
    >>> centred_cumulant(1.0, np.array([0.0, 1.0])).round(6).tolist()
    [0.0, 0.577216]

    References
    ----------
    NIST Digital Library of Mathematical Functions, equations 5.5.1, 5.11.1 and 5.11.2.
    """
    shifted = shape + _SHIFT
    ratio = argument / shifted
    lag = 1.0 / (2.0 * shifted) + _digamma_tail(shifted)
    total = shifted * _log_excess(ratio) - 0.5 * _log1p(ratio) + argument * lag
    total = total + _stirling_tail(shifted + argument) - _stirling_tail(np.array([shifted]))
    for step in range(_SHIFT):
        small = argument / (shape + step)
        total = total - (_log1p(small) - small)
    return total


def log_mean_excess(shape: float) -> float:
    """Return E ln(Γ_a / a) = ψ(a) - ln a, always below 0.

    Parameters
    ----------
    shape
        a, above 0.

    Examples
    --------
    >>> round(log_mean_excess(4.5), 6)
    -0.115206
    """
    shifted = shape + _SHIFT
    steps = np.arange(_SHIFT)
    # ψ(a) = ψ(a + 8) - Σ 1/(a + j), and ln a = ln(a + 8) - Σ ln(1 + 1/(a + j)).
    shift = np.sum(np.log1p(1.0 / (shape + steps)) - 1.0 / (shape + steps))
    return float(shift - 1.0 / (2.0 * shifted) - _digamma_tail(shifted))


def _log_excess(number: Numbers) -> Numbers:
    """Return (1 + z) ln(1 + z) - z, by its power series where z is small."""
    small = np.abs(number) < _SMALL
    near = np.where(small, number, 0.0)
    series = near * near * np.polynomial.polynomial.polyval(near, _SERIES)
    excess: Numbers = np.where(small, series, (1.0 + number) * _log1p(number) - number)
    return excess


def _log1p(number: NDArray[Any]) -> NDArray[Any]:
    """Return ln(1 + z); NumPy's own loses the real part of a small imaginary number."""
    if np.isrealobj(number):
        logarithm: NDArray[Any] = np.log1p(number)
        return logarithm
    real, imaginary = number.real, number.imag
    length: NDArray[Any] = 0.5 * np.log1p(real * (2.0 + real) + imaginary**2)
    angle: NDArray[Any] = np.arctan2(imaginary, 1.0 + real)
    return length + 1j * angle


def _digamma_tail(shape: float) -> float:
    """Return ln a - 1/(2a) - ψ(a)."""
    return float(np.sum(_BERNOULLI / (_ORDERS * shape**_ORDERS)))


def _stirling_tail(shape: Numbers) -> Numbers:
    """Return ln Γ(z) - (z - 1/2) ln z + z - ln(2π)/2."""
    inverse = 1.0 / shape
    square = inverse * inverse
    total = np.zeros_like(shape)
    for number, order in zip(_BERNOULLI[::-1], _ORDERS[::-1], strict=True):
        total = total * square + number / (order * (order - 1))
    return total * inverse
