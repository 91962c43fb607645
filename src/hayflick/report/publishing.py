"""One call from an input to a finished forecast and its pages."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.chains.smoothing import AddDelta
from hayflick.core.errors import ArgumentError, OutputError
from hayflick.core.output import check_writable, write_text
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.planning.forecast import Forecast
from hayflick.planning.forecasting import forecast_law
from hayflick.regimes.parsing import parse_regime
from hayflick.report.language import Language
from hayflick.report.rendering import brief_page, forecast_page

_Path: TypeAlias = str | os.PathLike[str]


def forecast(
    source: _Path | Discrete,
    *,
    column: str | None = None,
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
) -> Forecast:
    """Forecast recursive training on a file or a law, and write its pages if asked to.

    Parameters
    ----------
    source
        A text, a folder of texts, a table, a JSON object of symbol: count, or a law.
    column, tokenizer, encoding
        How a file is read; see `hayflick.corpus.reading.read_corpus`.
    delta
        Pseudo-count of the estimator; 0 is maximum likelihood.
    regime
        A regime, or its name in the grammar of the command line: ``"fresh:0.05"``.
    generations, samples, law, replicates, seed, threads
        See `hayflick.planning.forecasting.forecast_law`.
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
    The forecast, which a notebook shows as charts and tables.

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
    pages = _pages(source, out, brief, force=force)
    model = _model(source, column, tokenizer, encoding, delta, progress)
    if isinstance(regime, str):
        regime = parse_regime(regime, like=model.source)
    result = forecast_law(
        model,
        generations=generations,
        regime=regime,
        samples=samples,
        law=law,
        replicates=replicates,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    # All pages are drawn before the first is written.
    drawn = [(path, page(result, lang=lang)) for path, page in pages]
    for path, text in drawn:
        write_text(path, text, force=force)
    return result


def _pages(
    source: _Path | Discrete, out: _Path | None, brief: _Path | None, *, force: bool
) -> list[tuple[Path, Callable[..., str]]]:
    """Return what is to be written where, refused before any work starts."""
    chosen = ((out, forecast_page), (brief, brief_page))
    pages = [(Path(path), page) for path, page in chosen if path is not None]
    if len({path.resolve() for path, _ in pages}) < len(pages):
        raise ArgumentError("brief", got=str(brief), takes="another file than out")
    for path, _ in pages:
        if not isinstance(source, Discrete) and path.resolve() == Path(source).resolve():
            raise OutputError(f"{path}: is the input; choose another name")
        check_writable(path, force=force)
    return pages


def _model(
    source: _Path | Discrete,
    column: str | None,
    tokenizer: str | None,
    encoding: str,
    delta: float,
    progress: Progress,
) -> Discrete:
    estimator = AddDelta(delta)
    if not isinstance(source, Discrete):
        return Discrete.from_file(
            source,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            estimator=estimator,
            progress=progress,
        )
    for name, option in (("column", column), ("tokenizer", tokenizer)):
        if option is not None:
            raise ArgumentError(name, got=option, takes="nothing where the source is a law")
    return source if delta == 0.0 else source.with_estimator(estimator)
