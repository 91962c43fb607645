"""A gallery as a short table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hayflick.papers.figure import Figure
from hayflick.report.figure_texts import figure_texts
from hayflick.report.language import Language
from hayflick.report.tables import table

if TYPE_CHECKING:
    from rich.table import Table


def gallery_table(figures: Sequence[Figure], language: Language) -> Table:
    """Return figures with their agreement, in standard errors."""
    text = language.text
    shown = table(text("figure"), text("largest distance from the law, standard errors"))
    for figure in figures:
        agreement = "–" if figure.agreement is None else f"{figure.agreement:.1f}"
        shown.add_row(figure_texts(language)[figure.name][0], agreement)
    return shown
