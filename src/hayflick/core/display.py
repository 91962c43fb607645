"""What every verb returns: a result that is saved, read as plain values and shown in a notebook.

The package `report` has one module per result. The package root registers by name which module
presents which class, so that results never import their reports, and a report is loaded on first
use.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from hayflick.core.checks import check_language
from hayflick.core.output import check_page, write_text
from hayflick.core.source import Source

if TYPE_CHECKING:
    from rich.console import RenderableType

_REPORTS: dict[str, str] = {}


class Report(Protocol):
    """The functions of a report module."""

    def record(self, result: Any, /) -> dict[str, Any]:
        """Return the result as plain values, ready for JSON."""

    def tables(self, result: Any, /, *, lang: str) -> Sequence[RenderableType]:
        """Return what the terminal shows."""

    def page(self, result: Any, /, *, lang: str) -> str:
        """Return a self-contained HTML page."""

    def fragment(self, result: Any, /) -> str:
        """Return what a notebook shows, as HTML."""


def register_report(result: str, *, report: str) -> None:
    """Register the module `report` for the class `result` (``module:class``)."""
    _REPORTS[result] = report


def report_of(result: object) -> Report:
    """Return the module that presents a result.

    Raises
    ------
    LookupError
        If none is registered for its class or a base of it.
    """
    for kind in type(result).__mro__:
        name = _REPORTS.get(f"{kind.__module__}:{kind.__name__}")
        if name is not None:
            return cast(Report, import_module(name))
    raise LookupError(f"no report is registered for {type(result).__name__}")


class Result:
    """Base of what a verb returns."""

    __slots__ = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """What was read; empty where all was given in Python, or there is nothing to read."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values: what ``--format json`` prints."""
        inputs = [source.to_dict() for source in self.sources]
        return {**report_of(self).record(self), "inputs": inputs}

    def save(self, path: str | os.PathLike[str], *, lang: str = "en", force: bool = False) -> Path:
        """Write the result as one self-contained HTML page, and return where.

        Parameters
        ----------
        path
            A name that ends in ``.html`` or ``.htm``.
        lang
            Language of the page, ``en`` or ``ja``.
        force
            Whether a file that exists is replaced.

        Raises
        ------
        ArgumentError
            If there is no such language, or the name has another ending.
        OutputError
            If the file exists and `force` is not set, or it cannot be written.
        """
        check_language(lang)
        check_page(path, force=force)
        return write_text(Path(path), report_of(self).page(self, lang=lang), force=force)

    def _repr_html_(self) -> str:
        return report_of(self).fragment(self)
