"""What a gate admitted, quarantined and rejected: plain values, tables, page, notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.core.display_text import display_text
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, table, tables_page

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from hayflick.auditing.admission_summary import AdmissionExample, AdmissionSummary

FORMAT_VERSION = 1
_LONGEST_TEXT, _LONGEST_NAME = 100, 30


def record(summary: AdmissionSummary) -> dict[str, Any]:
    """Return a summary as plain values, ready for JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "name": summary.name,
        "texts": summary.texts,
        "decisions": dict(summary.decisions),
        "reasons": [
            {**asdict(one), "examples": [asdict(example) for example in one.examples]}
            for one in summary.reasons
        ],
        "admitted": [asdict(one) for one in summary.admitted],
        "pool": {"before": summary.pool_before, "after": summary.pool_after},
        "provenance": summary.provenance(),
    }


def tables(summary: AdmissionSummary, *, lang: str = "en") -> Sequence[RenderableType]:
    """Return what the terminal shows: sentences, decisions, reasons and examples."""
    return _parts(summary, Language(lang))


def page(summary: AdmissionSummary, *, lang: str = "en") -> str:
    """Return a summary as one self-contained HTML page.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    return tables_page(
        language.text("Admission of {name}", name=summary.name),
        _parts(summary, language),
        language,
        sources=summary.sources,
        provenance=summary.provenance(),
    )


def fragment(summary: AdmissionSummary) -> str:
    """Return what a notebook shows of a summary."""
    first, *rest = _sentences(summary, Language("en"))
    return notebook(first, rest, [], sources=summary.sources)


def _parts(summary: AdmissionSummary, language: Language) -> list[RenderableType]:
    parts: list[RenderableType] = [*_sentences(summary, language)]
    if not summary.texts:
        return parts
    parts.append(_decisions(summary, language))
    if summary.reasons:
        parts += [_reasons(summary, language), _examples(summary, language)]
    if summary.admitted:
        parts.append(_admitted(summary.admitted, language))
    return parts


def _sentences(summary: AdmissionSummary, language: Language) -> list[str]:
    text, number = language.text, language.number
    if not summary.texts:
        return [text("No text was decided about.")]
    done = summary.decisions
    sentences = [
        text(
            "Of {texts} texts, {admitted} were admitted, {quarantined} quarantined and {rejected} "
            "rejected.",
            texts=number(summary.texts),
            admitted=number(done["admit"]),
            quarantined=number(done["quarantine"]),
            rejected=number(done["reject"]),
        )
    ]
    before, after = number(summary.pool_before), number(summary.pool_after)
    if summary.pool_after > summary.pool_before:
        sentences.append(
            text("The pool had {before} texts and has {after} now.", before=before, after=after)
        )
    else:
        sentences.append(text("They were compared with {before} texts.", before=before))
    return sentences


def _decisions(summary: AdmissionSummary, language: Language) -> Table:
    text = language.text
    shown = table(text("decision"), text("texts"), text("share"))
    for decision, number in summary.decisions.items():
        share = language.percent(number / summary.texts)
        shown.add_row(text(decision), language.number(number), share)
    return shown


def _reasons(summary: AdmissionSummary, language: Language) -> Table:
    text, number = language.text, language.number
    shown = table(text("reason"), text("decision"), text("texts"), text("decided by it"))
    for one in summary.reasons:
        shown.add_row(one.reason, text(one.action), number(one.texts), number(one.decisive))
    return shown


def _examples(summary: AdmissionSummary, language: Language) -> Table:
    text = language.text
    shown = table(text("example"), text("number"), text("reason"), text("what it is about"))
    for one in summary.reasons:
        for example in one.examples:
            about = ", ".join(f"{name} {_value(value)}" for name, value in example.details.items())
            about = display_text(about, longest=_LONGEST_TEXT)
            shown.add_row(_said(example, language), _place(example, language), one.reason, about)
    return shown


def _admitted(examples: Sequence[AdmissionExample], language: Language) -> Table:
    shown = table(language.text("admitted, an example"), language.text("number"))
    for one in examples:
        shown.add_row(_said(one, language), _place(one, language))
    return shown


def _said(example: AdmissionExample, language: Language) -> str:
    if example.text is None:
        return language.text("cannot be read")
    return display_text(" ".join(example.text.split()), longest=_LONGEST_TEXT)


def _place(example: AdmissionExample, language: Language) -> str:
    """Return the place of a text, with its name where it has one."""
    place = language.number(example.number)
    if example.id is None:
        return place
    return f"{place} ({display_text(example.id, longest=_LONGEST_NAME)})"


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
