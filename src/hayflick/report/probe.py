"""A finished round of a probe: as plain values, a sentence and a page."""

from __future__ import annotations

from typing import Any

from hayflick.network.probe import ProbeRound
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, tables_page

FORMAT_VERSION = 1


def record(probed: ProbeRound) -> dict[str, Any]:
    """Return a round as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "file": str(probed.file),
        "round": probed.round,
        "answers": probed.answers,
        "empty_answers": probed.empty,
    }


def tables(probed: ProbeRound, *, lang: str = "en") -> list[str]:
    """Return what the terminal shows of a round."""
    return [
        Language(lang).text(
            "round {round}: {answers} answers, {empty} of them empty",
            round=probed.round,
            answers=probed.answers,
            empty=probed.empty,
        )
    ]


def page(probed: ProbeRound, *, lang: str = "en") -> str:
    """Return a round as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    title = language.text("Probe: {file}", file=probed.file)
    return tables_page(
        title,
        tables(probed, lang=lang),
        language,
        sources=probed.sources,
        provenance=probed.provenance(),
    )


def fragment(probed: ProbeRound) -> str:
    """Return what a notebook shows of a round."""
    return notebook(tables(probed)[0], (), sources=probed.sources)
