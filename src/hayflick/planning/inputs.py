"""Which family a file is read as, its model, and the resampler that an argument names.

Whole numbers are labels unless told otherwise.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from hayflick.calibration.calibration_file import AnyResampler, Calibrated, resampler_of
from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import AddDelta
from hayflick.chains.fit_checks import label_checks
from hayflick.chains.trained import retrained_by
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model
from hayflick.core.source import Source
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.frames import Table, as_table, holds_counts, input_path, is_in_memory
from hayflick.corpus.numbers import holds_fractions
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import is_table

ResamplerGiven: TypeAlias = AnyResampler | Calibrated | str | os.PathLike[str]
"""What the argument takes."""


def trained_by(model: Any, resampler: ResamplerGiven | None) -> Any:
    """Return a model as a calibrated trainer retrains it; as it is where there is none.

    Errors are those of `hayflick.chains.trained.retrained_by` and
    `hayflick.calibration.calibration_file.resampler_of`.
    """
    return model if resampler is None else retrained_by(model, resampler_of(resampler))


FAMILIES = (
    *("discrete", "gaussian", "multivariate-gaussian", "poisson", "negative-binomial", "ngram"),
)
"""Families that can be forecast."""

_NUMERIC = ("gaussian", "multivariate-gaussian", "poisson", "negative-binomial")
_DEFAULT_ORDER = 2


@dataclass(frozen=True, slots=True)
class InputOptions:
    """The options that decide how a file is read.

    Parameters
    ----------
    family
        One of `FAMILIES`; None leaves the choice to `chosen_family`.
    columns
        Names of a table's columns.
    order
        Of an n-gram model; 2 where None.
    tokenizer, encoding, normalize, table
        See `hayflick.corpus.reading.read_corpus`.
    delta, law
        Smoothing and law of the discrete family.

    Raises
    ------
    ArgumentError
        If there is no such family, or a column is named twice or has no name.
    """

    family: str | None = None
    columns: tuple[str, ...] = ()
    order: int | None = None
    tokenizer: str | None = None
    encoding: str = "utf-8"
    delta: float = 0.0
    law: str = "auto"
    normalize: str = "nfc"
    table: TableFormat | None = None

    def __post_init__(self) -> None:
        if self.family is not None and self.family not in FAMILIES:
            takes = f"one of {', '.join(FAMILIES)}"
            raise ArgumentError("family", got=self.family, takes=takes)
        if not all(self.columns) or len(set(self.columns)) < len(self.columns):
            takes = "different names, separated by commas"
            raise ArgumentError("columns", got=",".join(self.columns), takes=takes)

    @property
    def column(self) -> str | None:
        """The only column that was named; None for none.

        Raises
        ------
        ArgumentError
            If there are several.
        """
        if len(self.columns) > 1:
            takes = "one column; several are for the family multivariate-gaussian"
            raise ArgumentError("columns", got=",".join(self.columns), takes=takes)
        return self.columns[0] if self.columns else None


def chosen_family(source: str | os.PathLike[str] | Model, options: InputOptions) -> str:
    """Return the family of a source: the one that was named, or the one that its cells show.

    Several columns are a multivariate Gaussian. A table's column of numbers of which one at
    least is not whole is a Gaussian. All else is discrete; whole numbers may be labels.

    Raises
    ------
    ArgumentError
        If options do not fit together, or do not fit the source.
    DataError
        If a table cannot be read, or has no such column.
    """
    if not isinstance(source, str | os.PathLike) and not is_in_memory(source):
        return _family_of_model(source, options)
    path, family = _table_or_path(source), options.family
    if family is None and len(options.columns) > 1:
        family = "multivariate-gaussian"
    _check_options(family, path, options)
    if family is not None:
        return family
    is_labels = options.tokenizer is not None or path is None
    if path is None or is_labels or (isinstance(path, Path) and not is_table(path)):
        return "discrete"
    numbers = holds_fractions(
        path, column=options.column, given=options.table, encoding=options.encoding
    )
    family = "gaussian" if numbers else "discrete"
    _check_options(family, path, options)
    return family


def _family_of_model(model: Model, options: InputOptions) -> str:
    """Return a model's family; refuse options of reading, as there is nothing to read."""
    if not hasattr(model, "describe"):
        takes = "a file, a table or a model, such as hayflick.Gaussian"
        raise ArgumentError("source", got=model, takes=takes)
    family = str(model.describe()["family"])
    given = {
        "family": options.family if options.family != family else None,
        "column": ",".join(options.columns) or None,
        "order": options.order,
        "tokenizer": options.tokenizer,
    }
    for name, option in given.items():
        if option is not None:
            raise ArgumentError(name, got=option, takes="nothing where the source is a law")
    if family != "discrete":
        _refuse("delta", options.delta, default=0.0, family=family)
        _refuse("law", options.law, default="auto", family=family)
    return family


def _table_or_path(source: Any) -> Table | None:
    """Return the path of a file, or data in memory as a table; None for counts."""
    if not is_in_memory(source):
        return input_path(source)
    return None if holds_counts(source) else as_table(source)


def _check_options(family: str | None, path: Table | None, options: InputOptions) -> None:
    """Refuse options that a family does not take."""
    if options.order is not None and family != "ngram":
        raise ArgumentError("order", got=options.order, takes="nothing but with the family ngram")
    if family is None:
        return
    if family != "multivariate-gaussian":
        _ = options.column
    elif not options.columns:
        raise ArgumentError("columns", got=None, takes="names of columns, separated by commas")
    if family != "discrete":
        _refuse("delta", options.delta, default=0.0, family=family)
        _refuse("law", options.law, default="auto", family=family)
    if family in _NUMERIC:
        _refuse("tokenizer", options.tokenizer, default=None, family=family)
    if family == "ngram":
        _refuse("column", options.column, default=None, family=family)
        running = isinstance(path, Path) and not is_table(path) and content_suffix(path) != ".json"
        if not running:
            takes = "the family ngram takes a text or a folder of texts"
            name = path if isinstance(path, Path) else "the table"
            raise DataError(f"{name}: is no running text; {takes}")


def _refuse(option: str, value: object, *, default: object, family: str) -> None:
    if value != default:
        takes = f"nothing for the family {family}"
        remedy = "--family discrete takes it"
        raise ArgumentError(option, got=value, takes=takes, remedy=remedy)


def read_model(
    source: str | os.PathLike[str] | Model,
    options: InputOptions,
    *,
    family: str,
    progress: Progress = silent,
) -> tuple[Any, Source]:
    """Return the model of a source, and where its data come from.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.Discrete.from_file` and `hayflick.chains.family.parse_family`.
    """
    if isinstance(source, Discrete):
        smoothing = AddDelta(options.delta)
        return (source.with_estimator(smoothing) if smoothing.delta else source), source.source
    if not isinstance(source, str | os.PathLike) and not is_in_memory(source):
        return source, Source(family)
    if family == "discrete":
        model = Discrete.from_file(
            source,
            column=options.column,
            tokenizer=options.tokenizer,
            encoding=options.encoding,
            normalize=options.normalize,
            table=options.table,
            estimator=AddDelta(options.delta),
            progress=progress,
        )
        checked = _checked_labels(model, options)
        return checked, checked.source
    return _read_series(_table_or_path(source), options, family=family, progress=progress)


def _checked_labels(model: Discrete, options: InputOptions) -> Discrete:
    """Return labels with a note if they look like numbers, and nobody has called them labels."""
    source = model.source
    if options.family is not None or source.tokenizer is not None or source.column is None:
        return model
    checks = label_checks(model.symbols, model.weights, source.column)
    return replace(model, source=replace(source, checks=checks)) if checks else model


def _read_series(
    path: Table | None, options: InputOptions, *, family: str, progress: Progress
) -> tuple[Any, Source]:
    """Return the model of numbers or running text, and where its data come from."""
    from hayflick.chains.family import FamilyData, parse_family

    order = _DEFAULT_ORDER if options.order is None else options.order
    text = f"ngram:{order}" if family == "ngram" else family
    data = FamilyData(
        path,
        options.columns,
        options.tokenizer,
        options.encoding,
        options.normalize,
        options.table,
        progress,
    )
    model: Any = parse_family(text, data=data)
    return model, model.sentences.source if family == "ngram" else model.source
