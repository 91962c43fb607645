"""How rarely fit checks speak of data that fit, and how often they find what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.fit_checks import count_checks, gaussian_checks
from pairs import Result

SAMPLES = 1000
MOST_FALSE, LEAST_FOUND = 0.05, 0.9
ROWS = (20, 60, 200, 1000, 10_000, 100_000)
RATES = (0.01, 0.3, 4.0, 500.0)
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def results() -> Iterator[Result]:
    for rows in ROWS:
        yield _rarely(f"Gaussian numbers, {rows:,} rows", _normal, rows)
    for digits in (1, 0):
        for rows in (20, 200, 2000):
            name = f"Gaussian numbers (σ = 12) rounded to {10.0**-digits:g}, {rows:,} rows"
            yield _rarely(name, _rounded(digits), rows)
    for rate in RATES:
        for rows in (20, 200, 100_000):
            yield _rarely(f"Poisson counts of mean {rate:g}, {rows:,} rows", _poisson(rate), rows)
    for name, rows, kind, draw in DEPARTURES:
        found = np.mean([kind in _names(name, rng, draw, rows) for rng in _streams(name)])
        target = f"≥ {LEAST_FOUND:.0%}"
        met = bool(found >= LEAST_FOUND)
        yield Result(f"{name}, {rows} rows", f"`{kind}`", "", f"found in {found:.1%}", target, met)


def _rarely(name: str, draw: Draw, rows: int) -> Result:
    spoken = np.mean([bool(_names(name, rng, draw, rows)) for rng in _streams(name)])
    met = bool(spoken <= MOST_FALSE)
    figure = f"spoken of in {spoken:.1%} of {SAMPLES:,}"
    return Result(name, "all checks", "", figure, f"≤ {MOST_FALSE:.0%}", met)


def _streams(name: str) -> Iterator[np.random.Generator]:
    rng = np.random.default_rng(list(name.encode()))
    return (rng for _ in range(SAMPLES))


def _names(name: str, rng: np.random.Generator, draw: Draw, rows: int) -> set[str]:
    values = draw(rng, rows).astype(np.float64)
    counts = "counts" in name
    found = count_checks(values, "x") if counts else gaussian_checks(values[:, None], ["x"])
    return {check.name for check in found}


def _normal(rng: np.random.Generator, rows: int) -> NDArray[np.float64]:
    return rng.normal(size=rows)


def _rounded(digits: int) -> Draw:
    return lambda rng, rows: np.round(rng.normal(70.0, 12.0, rows), digits)


def _poisson(rate: float) -> Draw:
    return lambda rng, rows: rng.poisson(rate, rows).astype(np.float64)


def _heaped(rng: np.random.Generator, rows: int, share: float, step: float) -> NDArray[np.float64]:
    values = np.round(rng.normal(70.0, 12.0, rows), 1)
    some = rng.random(rows) < share
    values[some] = np.round(values[some] / step) * step
    return values


def _gamma_poisson(rng: np.random.Generator, rows: int, dispersion: float) -> NDArray[np.float64]:
    rates = rng.gamma(1.0 / dispersion, 3.0 * dispersion, rows)
    return rng.poisson(rates).astype(np.float64)


DEPARTURES: tuple[tuple[str, int, str, Draw], ...] = (
    ("lognormal numbers, σ = 0.5", 200, "skew", lambda rng, n: rng.lognormal(0.0, 0.5, n)),
    ("exponential numbers", 200, "bound", lambda rng, n: rng.exponential(size=n)),
    ("uniform numbers", 200, "bound", lambda rng, n: rng.uniform(size=n)),
    ("beta numbers, 2 and 5", 200, "bound", lambda rng, n: rng.beta(2.0, 5.0, n)),
    ("a ceiling at 1.5 σ", 200, "heaps", lambda rng, n: np.minimum(rng.normal(size=n), 1.5)),
    ("Student's t, 3 degrees", 200, "tails", lambda rng, n: rng.standard_t(3, n)),
    ("Student's t, 3 degrees", 500, "tails", lambda rng, n: rng.standard_t(3, n)),
    ("Student's t, 5 degrees", 500, "tails", lambda rng, n: rng.standard_t(5, n)),
    (
        "30 % of the numbers at multiples of 5, σ = 12",
        200,
        "heaps",
        lambda rng, n: _heaped(rng, n, 0.3, 5.0),
    ),
    (
        "half of the numbers at multiples of 10, σ = 12",
        200,
        "heaps",
        lambda rng, n: _heaped(rng, n, 0.5, 10.0),
    ),
    (
        "negative binomial counts, variance 1.9 means",
        200,
        "variance",
        lambda rng, n: _gamma_poisson(rng, n, 0.3),
    ),
    (
        "negative binomial counts, variance 4 means",
        60,
        "variance",
        lambda rng, n: _gamma_poisson(rng, n, 1.0),
    ),
)
