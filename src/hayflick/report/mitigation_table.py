"""What keeps a network diverse, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.report.language import Language
from hayflick.workflows.mitigation import Mitigated

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1


def mitigation_tables(found: Sequence[Mitigated], *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows of a grid; a star marks what nothing beats."""
    from rich.table import Table

    language = Language(lang)
    text = language.text
    headings = (
        text("models"),
        text("topology"),
        text("irrelevant texts"),
        text("real texts a round"),
        text("real words in use"),
        text("‖D‖ over chance"),
        text("nothing beats it"),
    )
    table = Table()
    for heading in headings:
        table.add_column(heading, justify="left" if heading == headings[1] else "right")
    for one in found:
        table.add_row(
            str(one.models),
            one.topology,
            language.percent(one.irrelevant),
            str(one.injected),
            "–" if one.kept is None else language.percent(one.kept),
            "–" if one.apart is None else f"{one.apart:.2f}",
            "*" if one.on_frontier else "",
        )
    return [table]


def mitigation_record(found: Sequence[Mitigated]) -> dict[str, Any]:
    """Return a grid ready for JSON."""
    return {"format_version": FORMAT_VERSION, "cases": [asdict(one) for one in found]}
