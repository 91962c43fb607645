"""What was checked of a stored run: as plain values, a table and a page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hayflick.network.verify import NetworkVerification, RunCheck
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, table, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1


def record(found: NetworkVerification) -> dict[str, Any]:
    """Return what was checked as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "sound": found.sound,
        "rounds": found.run.rounds,
        "checks": [asdict(one) | {"differences": list(one.differences)} for one in found.checks],
        "rules": [
            {"from_round": one.from_round, "name": Path(one.name).name, "sha256": one.sha256}
            for one in found.run.rules
        ],
    }


def tables(found: NetworkVerification, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows: the verdict, each check, and what differs."""
    language = Language(lang)
    text = language.text
    shown = table(text("checked"), text("found"))
    for one in found.checks:
        shown.add_row(text(one.name), _state(one, language))
    differences = [line for one in found.checks for line in one.differences]
    skipped = [one.skipped for one in found.checks if one.skipped]
    return [_verdict(found, language), shown, *differences, *dict.fromkeys(skipped)]


def page(found: NetworkVerification, *, lang: str = "en") -> str:
    """Return what was checked as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    title = language.text("Check of a run")
    parts = tables(found, lang=lang)
    return tables_page(title, parts, language, sources=found.sources, provenance=found.provenance())


def fragment(found: NetworkVerification) -> str:
    """Return what a notebook shows of the check."""
    differences = [line for one in found.checks for line in one.differences]
    return notebook(_verdict(found, Language("en")), differences, sources=found.sources)


def _verdict(found: NetworkVerification, language: Language) -> str:
    text, rounds = language.text, found.run.rounds
    if not found.sound:
        return text("The run differs from what it must be ({rounds} rounds).", rounds=rounds)
    if any(one.skipped for one in found.checks):
        return text("Nothing differs in what could be checked ({rounds} rounds).", rounds=rounds)
    return text("Nothing differs ({rounds} rounds).", rounds=rounds)


def _state(check: RunCheck, language: Language) -> str:
    text = language.text
    if check.skipped:
        return text("not checked")
    if not check.differences:
        return text("as it must be")
    return text("differs: {number}", number=len(check.differences))
