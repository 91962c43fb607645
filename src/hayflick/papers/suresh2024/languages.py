"""Symbols that are left: words of a text, Zipf laws, and a bigram language model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.discrete import Discrete
from hayflick.chains.ngram import NGram
from hayflick.laws.bounds.suresh2024 import corollary_1
from hayflick.laws.survival import Survival, survival
from hayflick.papers.figure import Figure, curves
from hayflick.simulation.simulate import simulate

_GENERATIONS = 10


def zipf(name: str, exponent: float, offset: float, seed: int) -> Figure:
    """Return a Zipf-Mandelbrot law: m = n = 1000, 10 rounds, 200 runs."""
    model = Discrete.zipf_mandelbrot(1000, exponent=exponent, offset=offset)
    return _surviving(name, model, samples=1000, replicates=200, seed=seed)


def unigrams(text: str, seed: int) -> Figure:
    """Return the words of a text: 10 rounds, 5 runs."""
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

    Five runs say too little of their own spread: symbols that survive hinder one another,
    so a sum of independent ones has an error at least as large.
    """
    chances, types = np.unique(model.probabilities, return_counts=True)
    survival = law.of_probabilities(chances)
    error = np.sqrt(types @ (survival * (1.0 - survival)) / len(values))
    gap = np.abs(values.mean(axis=0) - types @ survival)
    return float(np.max(gap[error > 0.0] / error[error > 0.0], initial=0.0))


def bigrams(text: str, seed: int) -> Figure:
    """Return a bigram language model of a text: 10 rounds, 5 runs, beside its unigrams."""
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
