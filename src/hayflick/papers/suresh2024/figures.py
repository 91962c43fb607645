"""The figures of *Rate of Model Collapse in Recursive Training*, computed one after the other."""

from __future__ import annotations

import ast
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.ngram import NGram
from hayflick.chains.poisson import Poisson
from hayflick.chains.symmetric_mixture import SymmetricMixture
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.reading import read_text
from hayflick.laws.bernoulli import bernoulli_law
from hayflick.laws.bounds import (
    chernoff_scale,
    corollary_1,
    theorem_1,
    theorem_2,
    theorem_3,
    theorem_3_sharp,
    theorem_4,
)
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.laws.poisson import poisson_law
from hayflick.laws.survival import Survival, survival
from hayflick.papers.figure import Figure, curves, mean_agreement, share_agreement, single_runs
from hayflick.simulation.simulate import simulate

if TYPE_CHECKING:
    import xarray

_GENERATIONS = 10


def zipf(name: str, exponent: float, offset: float, seed: int) -> Figure:
    """Return the figure of a Zipf-Mandelbrot law: m = n = 1000, 10 rounds, 200 runs."""
    model = Discrete.zipf_mandelbrot(1000, exponent=exponent, offset=offset)
    return _surviving(name, model, samples=1000, replicates=200, seed=seed)


def unigrams(text: str, seed: int) -> Figure:
    """Return the figure of the words of a text: 10 rounds, 5 runs."""
    model = Discrete.from_text(text, tokenizer="words")
    return _surviving("unigrams", model, samples=model.training_size(None), replicates=5, seed=seed)


def _surviving(name: str, model: Discrete, *, samples: int, replicates: int, seed: int) -> Figure:
    settings: dict[str, Any] = {"samples": samples, "generations": _GENERATIONS}
    runs = simulate(model, replicates=replicates, seed=seed, **settings)
    values = runs["surviving_types"].to_numpy().astype(float)
    law = survival(model, **settings)
    expected = model.types * law.surviving_fraction
    bounds = corollary_1(model.probabilities, **settings)
    return Figure(
        name=name,
        quantity="surviving_types",
        curves=curves(
            simulated=values.mean(axis=0),
            lower=bounds.lower,
            upper=bounds.upper,
            **{law.name: expected},
        ),
        runs=runs,
        agreement=_agreement(model, law, values),
        text=model.source.name if model.source.tokenizer else None,
    )


def _agreement(model: Discrete, law: Survival, values: NDArray[np.float64]) -> float:
    """Return the largest distance of mean counts from the law, in standard errors.

    Five runs are too few to estimate their spread. The survival of symbols is negatively
    correlated, so the error of a sum of independent ones is an upper bound.
    """
    chances, types = np.unique(model.probabilities, return_counts=True)
    survival = law.of_probabilities(chances)
    error = np.sqrt(types @ (survival * (1.0 - survival)) / len(values))
    gap = np.abs(values.mean(axis=0) - types @ survival)
    return float(np.max(gap[error > 0.0] / error[error > 0.0], initial=0.0))


def bigrams(text: str, seed: int) -> Figure:
    """Return the figure of a text's bigram language model and its unigrams: 10 rounds, 5 runs."""
    model = NGram.from_text(text, order=2, tokenizer="words")
    runs = simulate(model, generations=_GENERATIONS, replicates=5, seed=seed)
    words = Discrete.from_text(text, tokenizer="words")
    law = survival(words, generations=_GENERATIONS, samples=model.total)
    return Figure(
        name="bigrams",
        quantity="surviving_types",
        curves=curves(
            simulated=runs["surviving_types"].mean("replicate").to_numpy(),
            unigrams=words.types * law.surviving_fraction,
        ),
        runs=runs,
        agreement=None,
        text=words.source.name,
    )


_RUNS = 25


def bernoulli_runs(seed: int) -> Figure:
    """Return 25 runs of a probability: n = 100, p_0 = .2, 600 rounds."""
    settings: dict[str, Any] = {"samples": 100, "generations": 600}
    runs = simulate(Bernoulli(0.2), replicates=_RUNS, seed=seed, **settings)
    values = runs["probability"].to_numpy()
    law = bernoulli_law(0.2, **settings)
    undecided = ((values > 0.0) & (values < 1.0)).mean(axis=0)
    return Figure(
        name="bernoulli-runs",
        quantity="probability",
        curves=single_runs(values),
        runs=runs,
        agreement=share_agreement(undecided, law.polymorphic, replicates=_RUNS),
    )


def gaussian_runs(seed: int) -> Figure:
    """Return 25 runs of a standard deviation: n = 100, 2500 rounds, with its law."""
    settings: dict[str, Any] = {"samples": 100, "generations": 2500}
    runs = simulate(Gaussian(0.0, 1.0), replicates=_RUNS, seed=seed, **settings)
    values = runs["deviation"].to_numpy()
    law = gaussian_scale(100, generations=2500)
    low, median, high = (np.exp(law.quantile(share) / 2.0) for share in (0.05, 0.5, 0.95))
    logs: Floats = 2.0 * np.log(values)
    drift: Floats = law.drift * np.arange(2501.0)
    return Figure(
        name="gaussian-runs",
        quantity="deviation",
        curves=single_runs(values).vstack(curves(median=median, low=low, high=high)),
        runs=runs,
        agreement=mean_agreement(logs, drift),
        logarithmic=True,
    )


_THRESHOLD = 0.1


def bernoulli_theorem(name: str, probability: float, samples: int, seed: int) -> Figure:
    """Return Theorem 1: 50 rounds, 5000 runs."""
    settings: dict[str, Any] = {"samples": samples, "generations": 50}
    law = bernoulli_law(probability, **settings)
    bounds = theorem_1(probability, **settings)
    runs = simulate(Bernoulli(probability), replicates=5000, seed=seed, **settings)
    present = runs["probability"] > 0.0
    series = {"lower": bounds.lower, "upper": bounds.upper, law.name: law.present}
    return _theorem(name, runs, present, law.present, **series)


def poisson_theorem(name: str, rate: float, seed: int) -> Figure:
    """Return Theorem 2: n = 10, 500 rounds, 5000 runs."""
    settings: dict[str, Any] = {"samples": 10, "generations": 500}
    law, bounds = poisson_law(rate, **settings), theorem_2(rate, **settings)
    runs = simulate(Poisson(rate), replicates=5000, seed=seed, **settings)
    present = runs["rate"] > 0.0
    series = {"exact": law.present, "lower": bounds.lower, "upper": bounds.upper}
    return _theorem(name, runs, present, law.present, **series)


def gaussian_theorem(seed: int) -> Figure:
    """Return Theorem 3: n = 10, ε = .1, 200 rounds, 1000 runs."""
    settings: dict[str, Any] = {"samples": 10, "generations": 200}
    runs = simulate(Gaussian(0.0, 1.0), replicates=1000, seed=seed, **settings)
    law = gaussian_scale(10, generations=200).survival(2.0 * np.log(_THRESHOLD))
    return _theorem(
        "theorem-3",
        runs,
        runs["deviation"] > _THRESHOLD,
        law,
        exact=law,
        upper=theorem_3(_THRESHOLD, **settings).upper,
        sharp=theorem_3_sharp(_THRESHOLD, **settings).upper,
        chernoff=chernoff_scale(_THRESHOLD, **settings).upper,
    )


def _theorem(
    name: str, runs: xarray.Dataset, present: xarray.DataArray, law: Floats, **series: Floats | None
) -> Figure:
    """Return the share of runs that have not collapsed, beside series of its law and bounds."""
    observed = present.mean("replicate").to_numpy()
    return Figure(
        name=name,
        quantity="present",
        curves=curves(simulated=observed, **series),
        runs=runs,
        agreement=share_agreement(observed, law, replicates=present.sizes["replicate"]),
    )


def mixture_theorem(seed: int) -> Figure:
    """Return Theorem 4: n = 10, μ_0 = σ_0 = 1, ε = .1, 200 rounds, 500 runs.

    No law is known; the exact joint maximum is simulated beside the paper's estimator.
    """
    settings: dict[str, Any] = {"samples": 10, "generations": 200}
    runs, joint = (
        simulate(SymmetricMixture(1.0, 1.0, estimator=name), replicates=500, seed=seed, **settings)
        for name in ("approximate-joint-ml", "joint-ml")
    )
    return Figure(
        name="theorem-4",
        quantity="present",
        curves=curves(
            simulated=(runs["deviation"] > _THRESHOLD).mean("replicate").to_numpy(),
            joint=(joint["deviation"] > _THRESHOLD).mean("replicate").to_numpy(),
            upper=theorem_4(_THRESHOLD, **settings).upper,
        ),
        runs=runs,
        agreement=None,
    )


_SKIPPED = {"site-packages", "dist-packages", "test", "tests", "idle_test"}


def write_docstrings(path: Path) -> None:
    """Write the docstrings of Python's standard library: a few hundred thousand words."""
    with warnings.catch_warnings():
        # Invalid escapes in old modules.
        warnings.simplefilter("ignore")
        text = "\n\n".join(_library_docstrings(Path(sysconfig.get_path("stdlib"))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def _library_docstrings(folder: Path) -> Iterator[str]:
    """Yield the docstrings of every module below a folder, without installed packages and tests."""
    for path in sorted(folder.rglob("*.py")):
        if _SKIPPED.isdisjoint(path.parts):
            try:
                yield from _docstrings(path.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError):
                # Templates for other versions of Python.
                continue


def _docstrings(source: str) -> Iterator[str]:
    """Yield the docstrings of a module, its classes and its functions."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield text


_NUMERIC: Mapping[str, Callable[[int], Figure]] = {
    "bernoulli-runs": bernoulli_runs,
    "gaussian-runs": gaussian_runs,
    "theorem-1-rare": partial(bernoulli_theorem, "theorem-1-rare", 0.001, 10_000),
    "theorem-1-common": partial(bernoulli_theorem, "theorem-1-common", 0.01, 100),
    "theorem-2-low": partial(poisson_theorem, "theorem-2-low", 1.0),
    "theorem-2-high": partial(poisson_theorem, "theorem-2-high", 10.0),
    "theorem-3": gaussian_theorem,
    "theorem-4": mixture_theorem,
    "zipf-flat": partial(zipf, "zipf-flat", 1.0, 2.7),
    "zipf-steep": partial(zipf, "zipf-steep", 2.0, 5.0),
}
_TEXTUAL: Mapping[str, Callable[[str, int], Figure]] = {"unigrams": unigrams, "bigrams": bigrams}
FIGURES = (*_NUMERIC, *_TEXTUAL)
"""Names of the figures, in order."""


def figures(
    names: Sequence[str] = FIGURES,
    *,
    corpus: str | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> Iterator[Figure]:
    """Yield the figures of Suresh et al. as they are finished.

    Parameters
    ----------
    names
        Names of figures, from `FIGURES`.
    corpus
        The text of unigrams and bigrams; the docstrings of Python's standard library if None
        (the paper's is 500,000 words of WikiText-2).
    seed
        Seed of the simulations.
    progress
        Called with the number of figures done.

    Raises
    ------
    ArgumentError
        If there is no figure of that name.
    DataError
        If the text cannot be read.

    Examples
    --------
    >>> [figure.agreement < 4.5 for figure in figures(["theorem-3"])]
    [True]
    """
    check_names(names)
    with _text(corpus, needed=any(name in _TEXTUAL for name in names)) as text:
        for done, name in enumerate(names):
            progress("reproducing", done, len(names))
            yield _TEXTUAL[name](text, seed) if name in _TEXTUAL else _NUMERIC[name](seed)
        progress("reproducing", len(names), len(names))


def check_names(names: Sequence[str]) -> None:
    """Check the names of figures.

    Raises
    ------
    ArgumentError
        If there is no figure of that name.
    """
    for name in names:
        if name not in FIGURES:
            raise ArgumentError("figure", got=name, takes=f"one of {', '.join(FIGURES)}")


@contextmanager
def _text(corpus: str | None, *, needed: bool) -> Iterator[str]:
    if corpus is not None or not needed:
        if corpus is not None and needed:
            # An unusable text is an error before any figure is computed.
            read_text(corpus, tokenizer="words")
        yield corpus or ""
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "docstrings of Python's standard library"
        write_docstrings(path)
        yield str(path)
