"""Families and estimators in the grammar of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import AddDelta, GoodTuring
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.multivariate_gaussian import (
    MOST_DIMENSIONS,
    MultivariateGaussian,
)
from hayflick.chains.ngram import NGram
from hayflick.chains.poisson import Poisson
from hayflick.chains.symmetric_mixture import ESTIMATORS, SymmetricMixture
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import (
    Entry,
    number,
    parse,
    whole,
)
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model

_FITTED = ("discrete", "ngram", "poisson", "gaussian", "multivariate-gaussian")


@dataclass(frozen=True, slots=True)
class FamilyData:
    """The file that a family is fitted to, and how it is read.

    Parameters
    ----------
    path
        The file or folder; None where parameters are given instead.
    columns
        Of a table.
    tokenizer, encoding
        See `hayflick.corpus.reading.read_corpus`.
    progress
        Told the bytes read.
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


def families(data: FamilyData) -> Mapping[str, Entry[Model]]:
    """Return all families by name, fitted to `data` where no parameters are given."""
    numeric = {"encoding": data.encoding}
    return {
        "discrete": Entry(lambda: _discrete(data)),
        "zipf": Entry(_zipf, ("types",), ("exponent", "offset")),
        "ngram": Entry(lambda order="2": _ngram(data, order), (), ("order",)),
        "bernoulli": Entry(
            lambda probability: Bernoulli(number("probability", probability)), ("probability",)
        ),
        "poisson": Entry(lambda rate=None: _poisson(data, numeric, rate), (), ("rate",)),
        "gaussian": Entry(
            lambda mean="0", deviation="1": _gaussian(data, numeric, mean, deviation),
            (),
            ("mean", "deviation"),
        ),
        "multivariate-gaussian": Entry(
            lambda dimensions="2": _vectors(data, dimensions), (), ("dimensions",)
        ),
        "symmetric-mixture": Entry(
            lambda mean="1", deviation="1": SymmetricMixture(
                number("mean", mean), number("deviation", deviation)
            ),
            (),
            ("mean", "deviation"),
        ),
    }


def parse_family(
    text: str, *, data: FamilyData = FamilyData(), estimator: str | None = None
) -> Model:
    """Return the model that `text` names, fitted to `data` where it is given.

    Raises
    ------
    ArgumentError
        If a text is not understood, or a value out of its range.
    DataError
        If the data cannot be read, or not so.

    Examples
    --------
    >>> parse_family("gaussian:mean=2,deviation=3", estimator="ml")
    Gaussian(mean=2.0, deviation=3.0, total=None, ddof=0)
    """
    if len(set(data.columns)) < len(data.columns):
        raise ArgumentError("columns", got=", ".join(data.columns), takes="different names")
    _check_data(text, data)
    model = parse("family", text, families(data))
    return model if estimator is None else with_estimator(model, estimator)


def _check_data(text: str, data: FamilyData) -> None:
    """Refuse data for a family without, or beside parameters."""
    name, _, parameters = text.partition(":")
    if data.path is None or name not in families(FamilyData()):
        return
    if name not in _FITTED:
        raise ArgumentError("corpus", got=data.path, takes=f"nothing with the family {name}")
    if parameters and name != "ngram":
        raise ArgumentError("family", got=text, takes=f"{name} alone where it is fitted to data")


def with_estimator(model: Model, text: str) -> Any:
    """Return a model under the estimator that `text` names.

    Raises
    ------
    ArgumentError
        If its family has no such estimator.
    """
    return parse("estimator", text, _estimators(model))


def _estimators(model: Any) -> Mapping[str, Entry[Any]]:
    match model:
        case Discrete():
            return {**_smoothings(model), "good-turing": Entry(lambda: _with(model, GoodTuring()))}
        case Bernoulli():
            return _smoothings(model)
        case Gaussian() | MultivariateGaussian():
            return {
                "ml": Entry(lambda: replace(model, ddof=0)),
                "unbiased": Entry(lambda: replace(model, ddof=1)),
            }
        case SymmetricMixture():
            return {name: Entry(lambda name=name: _with(model, name)) for name in ESTIMATORS}
        case _:
            return {"ml": Entry(lambda: model)}


def _smoothings(model: Any) -> Mapping[str, Entry[Any]]:
    return {
        "ml": Entry(lambda: _with(model, AddDelta(0.0))),
        "add": Entry(lambda delta: _with(model, AddDelta(number("delta", delta))), ("delta",)),
    }


def _with(model: Any, estimator: Any) -> Any:
    return replace(model, estimator=estimator)


def _discrete(data: FamilyData) -> Discrete:
    return Discrete.from_file(
        data.require("discrete"),
        column=data.column,
        tokenizer=data.tokenizer,
        encoding=data.encoding,
        progress=data.progress,
    )


def _zipf(types: str, exponent: str = "1", offset: str = "0") -> Discrete:
    return Discrete.zipf_mandelbrot(
        whole("types", types),
        exponent=number("exponent", exponent),
        offset=number("offset", offset),
    )


def _ngram(data: FamilyData, order: str) -> NGram:
    path, tokenizer = data.require("ngram"), data.tokenizer or "auto"
    return NGram.from_text(
        path, order=whole("order", order), tokenizer=tokenizer, encoding=data.encoding
    )


def _poisson(data: FamilyData, numeric: dict[str, Any], rate: str | None) -> Poisson:
    if data.path is not None:
        return Poisson.from_file(data.path, column=data.column, **numeric)
    return Poisson(1.0 if rate is None else number("rate", rate))


def _gaussian(data: FamilyData, numeric: dict[str, Any], mean: str, deviation: str) -> Gaussian:
    if data.path is not None:
        return Gaussian.from_file(data.path, column=data.column, **numeric)
    return Gaussian(number("mean", mean), number("deviation", deviation))


def _vectors(data: FamilyData, dimensions: str) -> MultivariateGaussian:
    if data.path is not None:
        columns: Sequence[str] = data.columns
        return MultivariateGaussian.from_file(data.path, columns=columns, encoding=data.encoding)
    size = whole("dimensions", dimensions)
    if not 1 <= size <= MOST_DIMENSIONS:
        takes = f"a whole number from 1 to {MOST_DIMENSIONS}"
        raise ArgumentError("dimensions", got=size, takes=takes)
    return MultivariateGaussian(np.zeros(size), np.eye(size))
