"""Families by name: what their models share, and how a text or a file becomes a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from hayflick.core import checks
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, parse
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model

_FAMILIES = (
    "discrete:Discrete",
    "discrete:ZipfMandelbrot",
    "ngram:NGram",
    "bernoulli:Bernoulli",
    "poisson:Poisson",
    "gaussian:Gaussian",
    "multivariate_gaussian:MultivariateGaussian",
    "symmetric_mixture:SymmetricMixture",
)
"""Module and class of every family that the command line knows."""


@dataclass(frozen=True, slots=True)
class FamilyData:
    """The file that a family is fitted to, and how it is read.

    Parameters
    ----------
    path
        The file or folder; None where parameters are given instead.
    columns
        Columns of a table.
    tokenizer, encoding
        See `hayflick.corpus.reading.read_corpus`.
    progress
        Called with the bytes read.
    """

    path: str | None = None
    columns: tuple[str, ...] = ()
    tokenizer: str | None = None
    encoding: str = "utf-8"
    progress: Progress = silent

    @property
    def column(self) -> str | None:
        """The one column; None for none.

        Raises
        ------
        ArgumentError
            If there are several.
        """
        if len(self.columns) > 1:
            takes = "one column; several are for the family multivariate-gaussian"
            raise ArgumentError("columns", got=", ".join(self.columns), takes=takes)
        return self.columns[0] if self.columns else None

    def require(self, family: str) -> str:
        """Return the path.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        if self.path is None:
            raise ArgumentError("corpus", got=None, takes=f"a file to fit the family {family} to")
        return self.path


class NamedModel(Model):
    """Base of the models that the command line knows.

    A model is a frozen dataclass of the parameters fitted to the real data, with the size of
    these data as ``total`` (None for a law that is known).
    """

    family: ClassVar[str]
    fitted_with: ClassVar[tuple[str, ...] | None] = None
    """Parameters that may be given beside a file to fit to; None where no file is taken."""
    described: ClassVar[tuple[str, ...]] = ()
    """Names of the parameters that make the model again."""
    smallest_round: ClassVar[int] = 1
    largest_round: ClassVar[int] = checks.LARGEST_NUMBER

    @classmethod
    def entry(cls, data: FamilyData) -> Entry[Model]:
        """Return the entry of the grammar; where `data` has a file the model is fitted to it."""
        raise NotImplementedError

    def estimators(self) -> Mapping[str, Entry[Model]]:
        """Return the same model under each estimator of the family, by name."""
        return {"ml": Entry(lambda: self)}

    @override
    def training_size(self, samples: int | None) -> int:
        total, least, most = getattr(self, "total", None), self.smallest_round, self.largest_round
        return checks.training_size(samples, total=total, at_least=least, at_most=most)

    @override
    def describe(self) -> dict[str, Any]:
        return {"family": self.family, **{n: _plain(getattr(self, n)) for n in self.described}}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.describe() if hasattr(value, "describe") else value


def divisor_estimators(model: Any) -> Mapping[str, Entry[Model]]:
    """Return a Gaussian model with either divisor of its variance."""
    divisors = {"ml": 0, "unbiased": 1}
    return {name: Entry(lambda d=ddof: replace(model, ddof=d)) for name, ddof in divisors.items()}


def families(data: FamilyData) -> Mapping[str, Entry[Model]]:
    """Return all families by name, fitted to `data` where no parameters are given."""
    return {name: kind.entry(data) for name, kind in _kinds().items()}


def _kinds() -> dict[str, Any]:
    places = [place.partition(":") for place in _FAMILIES]
    kinds = [
        getattr(import_module(f"hayflick.chains.{module}"), name) for module, _, name in places
    ]
    return {kind.family: kind for kind in kinds}


def parse_family(
    text: str, *, data: FamilyData = FamilyData(), estimator: str | None = None
) -> Model:
    """Return the model that `text` names, fitted to `data` where it is given.

    Raises
    ------
    ArgumentError
        If a name, a key or a value is unknown, or a value out of its range.
    DataError
        If the data cannot be read, or do not fit the family.

    Examples
    --------
    >>> parse_family("gaussian:mean=2,deviation=3", estimator="ml")
    Gaussian(mean=2.0, deviation=3.0, total=None, ddof=0)
    """
    if len(set(data.columns)) < len(data.columns):
        raise ArgumentError("columns", got=", ".join(data.columns), takes="different names")
    name, _, parameters = text.partition(":")
    kind = _kinds().get(name)
    if data.path is not None and kind is not None:
        if kind.fitted_with is None:
            raise ArgumentError("corpus", got=data.path, takes=f"nothing with the family {name}")
        if parameters and not kind.fitted_with:
            takes = f"{name} alone where it is fitted to data"
            raise ArgumentError("family", got=text, takes=takes)
    model = parse("family", text, families(data))
    return model if estimator is None else with_estimator(model, estimator)


def with_estimator(model: Any, text: str) -> Any:
    """Return a model under the estimator that `text` names.

    Raises
    ------
    ArgumentError
        If its family has no such estimator.
    """
    return parse("estimator", text, model.estimators())
