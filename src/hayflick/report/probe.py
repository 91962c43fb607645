"""A finished round of a probe: as plain values, a sentence and a page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hayflick.core.display_text import display_text
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
        "missing": [asdict(one) for one in probed.missing],
        "closed": probed.closed,
    }


def tables(probed: ProbeRound, *, lang: str = "en") -> list[str]:
    """Return what the terminal shows of a round."""
    text = Language(lang).text
    lines = [
        text(
            "round {round}: {answers} answers, {empty} of them empty",
            round=probed.round,
            answers=probed.answers,
            empty=probed.empty,
        )
    ]
    lines += [
        text(
            "{agent}: {number} answers missing: {reason}",
            agent=display_text(one.agent),
            number=one.number,
            reason=display_text(one.reason),
        )
        for one in probed.missing
    ]
    if probed.closed is not None:
        lines.append(
            text("round {round} was cut off; it was closed with what it had", round=probed.closed)
        )
    return lines


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
