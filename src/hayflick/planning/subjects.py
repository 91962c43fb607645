"""What a forecast follows in each family: its quantities, its laws and its limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from hayflick.chains.gaussian import Gaussian
from hayflick.chains.multivariate_gaussian import MultivariateGaussian
from hayflick.chains.ngram import NGram
from hayflick.chains.poisson import Poisson
from hayflick.core.errors import ArgumentError
from hayflick.planning.outlook import KEPT_OF_BASELINE
from hayflick.planning.quantities import (
    Band,
    Quantity,
    mean,
    root_mean_square,
    variable,
)
from hayflick.planning.rate_laws import is_alive, rate_laws
from hayflick.planning.spread_laws import (
    spread_laws,
    spread_of_one,
    spread_of_several,
)

SPREAD_OF_BASELINE = 0.5
"""The limit of a spread: half of what one training on real data alone would leave.

A convention, as `KEPT_OF_BASELINE` is one: a Gaussian of half the width reaches the values
beyond two standard deviations of the real one in 1 of 16,000 draws instead of 1 of 22.
"""

_NUMBER_RUNS, _VECTOR_RUNS, _TEXT_RUNS = 4096, 256, 8

Laws: TypeAlias = Callable[..., Mapping[str, Band]]


@dataclass(frozen=True)
class Subject:
    """What a forecast follows.

    Parameters
    ----------
    family
        The family's name.
    quantities
        What is measured; the first decides.
    part
        The limit, as a part of what real data alone would leave of the first quantity.
    laws
        From ``samples``, ``fresh`` (real items of every round) and ``generations`` to the
        laws that are known, by quantity.
    compared_runs
        Simulated runs for each fresh share that is compared, where no law gives it.
    dimensions
        Numbers that an item has.
    """

    family: str
    quantities: tuple[Quantity, ...]
    part: float
    laws: Laws
    compared_runs: int = _NUMBER_RUNS
    dimensions: int = 1


def subject_of(model: Any) -> Subject:
    """Return what a forecast follows in a model's family.

    Raises
    ------
    ArgumentError
        If there is no forecast of its family.

    Examples
    --------
    >>> subject_of(Poisson(2.0)).quantities[0].name
    'chance'
    """
    match model:
        case Gaussian():
            return _of_gaussian(model)
        case MultivariateGaussian():
            return _of_vectors(model)
        case Poisson():
            return _of_poisson(model)
        case NGram():
            return _of_text()
        case _:
            takes = "a Gaussian, a multivariate Gaussian, a Poisson rate or an n-gram model"
            raise ArgumentError("model", got=type(model).__name__, takes=takes)


def _of_gaussian(model: Gaussian) -> Subject:
    spread = partial(spread_of_one, deviation=model.deviation)
    squares = Quantity("root_mean_square", spread, root_mean_square, needs_law=True)
    laws = partial(spread_laws, ddof=model.ddof)
    return Subject("gaussian", (Quantity("spread", spread), squares), SPREAD_OF_BASELINE, laws)


def _of_vectors(model: MultivariateGaussian) -> Subject:
    dimensions = model.mean.size
    spread = Quantity("spread", partial(spread_of_several, dimensions=dimensions))
    rank = Quantity("rank", variable("rank"), is_share=False)
    laws = partial(spread_laws, ddof=model.ddof, dimensions=dimensions)
    quantities, part = (spread, rank), SPREAD_OF_BASELINE
    return Subject("multivariate-gaussian", quantities, part, laws, _VECTOR_RUNS, dimensions)


def _of_poisson(model: Poisson) -> Subject:
    chance = Quantity("chance", is_alive, mean)
    rate = Quantity("rate", variable("rate"), is_share=False)
    laws = partial(rate_laws, rate=model.rate)
    return Subject("poisson", (chance, rate), KEPT_OF_BASELINE, laws)


def _of_text() -> Subject:
    words = Quantity("words", variable("surviving_fraction"))
    contexts = Quantity("contexts", variable("surviving_contexts"))
    length = Quantity("sentence_length", variable("sentence_length"), is_share=False)
    quantities = (words, contexts, length)
    return Subject("ngram", quantities, KEPT_OF_BASELINE, lambda **_: {}, _TEXT_RUNS)
