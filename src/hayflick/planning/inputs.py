"""Which family a file is forecast as, and its model; nothing about labels is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hayflick.chains.parsing import FamilyData, parse_family
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.source import Source
from hayflick.corpus.tables import TABLE_SUFFIXES, column_name, holds_fractions

FAMILIES = ("discrete", "gaussian", "multivariate-gaussian", "poisson", "ngram")
"""Families that a forecast knows."""

_NUMERIC = ("gaussian", "multivariate-gaussian", "poisson")
_DEFAULT_ORDER = 2


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How a file is to be read, as far as the user has said.

    Parameters
    ----------
    family
        One of `FAMILIES`; None leaves the choice to `chosen_family`.
    columns
        Names of a table's columns.
    order
        Of an n-gram model; None for 2.
    tokenizer, encoding
        See `hayflick.corpus.reading.read_corpus`.
    delta, law
        Smoothing and law of the discrete family; 0 and ``auto`` where nothing was said.
    """

    family: str | None = None
    columns: tuple[str, ...] = ()
    order: int | None = None
    tokenizer: str | None = None
    encoding: str = "utf-8"
    delta: float = 0.0
    law: str = "auto"

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


def chosen_family(path: Path, reading: InputOptions) -> str:
    """Return the family of a file: the one that was named, or the one that its cells show.

    Several columns are a multivariate Gaussian. A table's column of numbers of which one at
    least is not whole is a Gaussian. All else is discrete; whole numbers may be labels.

    Raises
    ------
    ArgumentError
        If what was said does not fit together.
    DataError
        If a table cannot be read, or has no such column.
    """
    family = reading.family
    if family is None:
        family = "multivariate-gaussian" if len(reading.columns) > 1 else None
    _check_options(family, path, reading)
    if family is not None:
        return family
    is_labels = reading.tokenizer is not None or path.suffix.lower() not in TABLE_SUFFIXES
    if is_labels or path.is_dir():
        return "discrete"
    numbers = holds_fractions(path, column=reading.column, encoding=reading.encoding)
    family = "gaussian" if numbers else "discrete"
    _check_options(family, path, reading)
    return family


def _check_options(family: str | None, path: Path, reading: InputOptions) -> None:
    """Refuse options that a family does not take."""
    if reading.order is not None and family != "ngram":
        raise ArgumentError("order", got=reading.order, takes="nothing but with the family ngram")
    if family is None:
        return
    if family != "multivariate-gaussian":
        _ = reading.column
    elif not reading.columns:
        raise ArgumentError("columns", got=None, takes="names of columns, separated by commas")
    if family != "discrete":
        _refuse("delta", reading.delta, default=0.0, family=family)
        _refuse("law", reading.law, default="auto", family=family)
    if family in _NUMERIC:
        _refuse("tokenizer", reading.tokenizer, default=None, family=family)
    if family == "ngram":
        _refuse("column", reading.column, default=None, family=family)
        if path.suffix.lower() in (*TABLE_SUFFIXES, ".json") and not path.is_dir():
            takes = "the family ngram takes a text or a folder of texts"
            raise DataError(f"{path}: is no running text; {takes}")


def _refuse(option: str, value: object, *, default: object, family: str) -> None:
    if value != default:
        takes = f"nothing for the family {family}"
        remedy = "--family discrete takes it"
        raise ArgumentError(option, got=value, takes=takes, remedy=remedy)


def read_model(
    path: Path, reading: InputOptions, *, family: str, progress: Progress = silent
) -> tuple[Any, Source]:
    """Return the model of a family other than the discrete one, and where its data come from.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.chains.parsing.parse_family`.
    """
    order = _DEFAULT_ORDER if reading.order is None else reading.order
    text = f"ngram:{order}" if family == "ngram" else family
    settings = (reading.columns, reading.tokenizer, reading.encoding, progress)
    model: Any = parse_family(text, data=FamilyData(str(path), *settings))
    if family == "ngram":
        return model, model.sentences.source
    columns = reading.columns
    names = columns or (column_name(path, encoding=reading.encoding),)
    return model, Source.of(path, column=", ".join(names), encoding=reading.encoding)
