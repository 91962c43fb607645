"""One call from an input to a finished forecast and its pages."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import AddDelta
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import values
from hayflick.core.output import check_page, write_text
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model, Regime
from hayflick.corpus.source import Source
from hayflick.planning.forecast import forecast_law
from hayflick.planning.forecast_result import Forecast
from hayflick.planning.inputs import InputOptions, chosen_family, read_model
from hayflick.planning.series_forecast import (
    SeriesForecast,
    forecast_series,
    unfit_regime,
)
from hayflick.regimes.parsing import parse_regime
from hayflick.report.language import Language
from hayflick.report.pages import brief_page, forecast_page

_Path: TypeAlias = str | os.PathLike[str]


def forecast(
    source: _Path | Model,
    *,
    family: str | None = None,
    column: str | None = None,
    columns: Sequence[str] | None = None,
    order: int | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    delta: float = 0.0,
    regime: str | Regime = "replace",
    generations: int = 50,
    samples: int | None = None,
    law: str = "auto",
    replicates: int = 64,
    seed: int = 1,
    threads: int | None = None,
    out: _Path | None = None,
    brief: _Path | None = None,
    lang: str = "en",
    force: bool = False,
    progress: Progress = silent,
) -> Forecast | SeriesForecast:
    """Forecast recursive training on a file or a law, and write its pages if asked to.

    Parameters
    ----------
    source
        A text, a folder of texts, a table, a JSON object of symbol: count, or a model such as
        `hayflick.Gaussian`.
    family
        ``discrete``, ``gaussian``, ``multivariate-gaussian``, ``poisson`` or ``ngram``; None
        leaves the choice to `hayflick.planning.inputs.chosen_family`.
    column, columns
        A table's column, or the names of several for a multivariate Gaussian.
    order
        Of an n-gram model; 2 where None.
    tokenizer, encoding
        How a file is read; see `hayflick.corpus.reading.read_corpus`.
    delta
        Pseudo-count of the discrete estimator; 0 is maximum likelihood.
    regime
        A regime, or its name in the grammar of the command line: ``"fresh:0.05"``.
    generations, samples, law, replicates, seed, threads
        See `hayflick.planning.forecast.forecast_law`.
    out, brief
        Files to write the report and the one-page brief to; None for neither.
    lang
        Language of the pages, ``en`` or ``ja``.
    force
        Whether files that exist are replaced.
    progress
        Told how far reading and simulating have come.

    Returns
    -------
    The forecast, which a notebook shows as charts and tables: a `Forecast` of the discrete
    family, else a `SeriesForecast`.

    Raises
    ------
    DataError
        If the input cannot be used.
    ArgumentError
        If an argument is out of its range, or does not fit another.
    OutputError
        If a page cannot be written where it was asked for; nothing is computed then.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> forecast(words, regime="fresh:0.2", generations=10, replicates=0).kept > 0.8
    True
    """
    Language(lang)
    inputs = [source, *(values(regime) if isinstance(regime, str) else ())]
    pages = _pages(inputs, out, brief, force=force)
    named = _named(column, columns)
    reading = InputOptions(family, named, order, tokenizer, encoding, delta, law)
    subject = _subject(source, reading, regime, progress)
    settings: dict[str, Any] = {
        "generations": generations,
        "regime": subject.regime,
        "samples": samples,
        "replicates": replicates,
        "seed": seed,
        "threads": threads,
        "progress": progress,
    }
    result: Forecast | SeriesForecast
    if isinstance(subject.model, Discrete):
        result = forecast_law(subject.model, law=law, **settings)
    else:
        result = forecast_series(subject.model, source=subject.source, **settings)
    # All pages are drawn before the first is written.
    drawn = [(path, page(result, lang=lang)) for path, page in pages]
    for path, text in drawn:
        write_text(path, text, force=force)
    return result


def _pages(
    inputs: Sequence[Any], out: _Path | None, brief: _Path | None, *, force: bool
) -> list[tuple[Path, Callable[..., str]]]:
    """Return what is to be written where, refused before any work starts."""
    chosen = ((out, forecast_page), (brief, brief_page))
    pages = [(Path(path), page) for path, page in chosen if path is not None]
    if len({path.resolve() for path, _ in pages}) < len(pages):
        raise ArgumentError("brief", got=str(brief), takes="another file than out")
    read = [one for one in inputs if isinstance(one, str | os.PathLike)]
    for name, path in (("out", out), ("brief", brief)):
        if path is not None:
            check_page(path, name=name, inputs=read, force=force)
    return pages


def _named(column: str | None, columns: Sequence[str] | None) -> tuple[str, ...]:
    if columns is None:
        return () if column is None else (column,)
    if column is not None:
        raise ArgumentError("columns", got=",".join(columns), takes="nothing beside a column")
    return tuple(columns)


@dataclass(frozen=True)
class _Subject:
    """What is retrained, and on what."""

    model: Any
    source: Source
    regime: Regime


def _subject(
    source: _Path | Model, reading: InputOptions, regime: str | Regime, progress: Progress
) -> _Subject:
    if isinstance(source, Discrete):
        model = _smoothed(source, reading)
        return _Subject(model, model.source, _regime(regime, like=model.source))
    if not isinstance(source, str | os.PathLike):
        _check_nothing_to_read(reading)
        return _Subject(source, Source(source.describe()["family"]), _regime_of(source, regime))
    path = Path(source)
    family = chosen_family(path, reading)
    if family == "discrete":
        model = Discrete.from_file(
            path,
            column=reading.column,
            tokenizer=reading.tokenizer,
            encoding=reading.encoding,
            estimator=AddDelta(reading.delta),
            progress=progress,
        )
        return _Subject(model, model.source, _regime(regime, like=model.source))
    if isinstance(regime, str) and regime.partition(":")[0] == "anchor":
        raise unfit_regime(regime, family=family)
    chosen = _regime(regime, like=Source.of(path))
    numbers, where = read_model(path, reading, family=family, progress=progress)
    return _Subject(numbers, where, chosen)


def _regime(regime: str | Regime, *, like: Source) -> Regime:
    return parse_regime(regime, like=like) if isinstance(regime, str) else regime


def _regime_of(model: Any, regime: str | Regime) -> Regime:
    return _regime(regime, like=Source(model.describe()["family"]))


def _check_nothing_to_read(reading: InputOptions) -> None:
    """Refuse options of reading where the source is a law."""
    asked = {
        "family": reading.family if reading.family != "discrete" else None,
        "column": ",".join(reading.columns) or None,
        "order": reading.order,
        "tokenizer": reading.tokenizer,
    }
    for name, option in asked.items():
        if option is not None:
            raise ArgumentError(name, got=option, takes="nothing where the source is a law")


def _smoothed(model: Discrete, reading: InputOptions) -> Discrete:
    """Return a law as the estimator asks for; a law has nothing to read."""
    _check_nothing_to_read(reading)
    return model if reading.delta == 0.0 else model.with_estimator(AddDelta(reading.delta))
