"""What the terminal shows of an audit: sentences, then tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hayflick.core.display_text import display_text
from hayflick.report.audit_findings import AuditFindings
from hayflick.report.language import Language
from hayflick.report.rendering import significant, table

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from hayflick.auditing.audit_result import AuditResult, CommonPhrase, MixPart
    from hayflick.auditing.leakage import Leakage
    from hayflick.auditing.synthetic_share import SyntheticShare

_ROWS = 8
_LONGEST_EXAMPLE = 80


def headline(result: AuditResult, language: Language) -> list[str]:
    """Return the sentences that say how the data set stands, the most important one first."""
    sentences = AuditFindings(result, language).sentences()
    if result.failed:
        names = [f"--{one.name}" for one in result.failed]
        sentences.insert(0, language.text("The data set fails {names}.", names=names))
    return sentences


def audit_tables(result: AuditResult, language: Language) -> list[RenderableType]:
    """Return the headline and all tables."""
    parts: list[RenderableType] = [*headline(result, language), _numbers(result, language)]
    parts += AuditFindings(result, language).notes()
    if result.thresholds:
        parts.append(_thresholds(result, language))
    if result.duplicates.clusters:
        parts.append(_clusters(result, language))
    if result.words_share is not None and result.words_share.misfits:
        parts.append(_misfits(result.words_share, language))
    if result.leakage is not None and result.leakage.examples:
        parts.append(_leaked(result.leakage, language))
    text = language.text
    for title, phrases in (
        (text("phrases in many items"), result.phrases),
        (text("templates of many items"), result.templates),
    ):
        if phrases:
            parts.append(_phrases(title, phrases, language))
    for title, mix in (
        (text("script"), AuditFindings(result, language).scripts()),
        (text("language"), result.languages or ()),
        (text("class"), () if result.classes is None else result.classes.classes),
        (text("rare class"), () if result.classes is None else result.classes.rare),
    ):
        if mix:
            parts.append(_mix(title, mix, language))
    return parts


def _numbers(result: AuditResult, language: Language) -> Table:
    text, number = language.text, language.number
    shown = table(text("number"), text("value"), text("low"), text("high"))
    found, effective = result.duplicates, result.effective_items
    shown.add_row(text("items"), number(result.items), "", "")
    if found.blank:
        shown.add_row(text("items without text"), number(found.blank), "", "")
    shown.add_row(text("exact copies"), number(found.exact), "", "")
    shown.add_row(text("copies and near copies"), number(found.redundant), "", "")
    shown.add_row(text("clusters"), number(found.sizes.size), "", "")
    limits = (effective.value, effective.low, effective.high)
    shown.add_row(text("effective items"), *map(number, limits))
    for title, share in (
        (text("generated, by words"), result.words_share),
        (text("generated, by scores"), result.detector_share),
    ):
        if share is not None:
            shown.add_row(title, *_share(share, language))
    if result.leakage is not None:
        share_of = result.leakage.share
        value = text("not measured") if share_of is None else language.percent(share_of)
        shown.add_row(text("leaked evaluation items"), value, "", "")
    shown.add_row(text("words of an item"), significant(result.lengths.mean), "", "")
    return shown


def _share(share: SyntheticShare, language: Language) -> tuple[str, str, str]:
    if share.value is None:
        return language.text("not measured"), "", ""
    percent = language.percent
    return percent(share.value), percent(share.low), percent(share.high)


def _misfits(share: SyntheticShare, language: Language) -> Table:
    text, percent = language.text, language.percent
    shown = table(
        text("word that no mixture explains"), text("data"), text("people"), text("model")
    )
    for one in share.misfits[:_ROWS]:
        shown.add_row(one.word, percent(one.target), percent(one.human), percent(one.model))
    return shown


def _leaked(leakage: Leakage, language: Language) -> Table:
    text = language.text
    shown = table(text("leaked evaluation item"), text("share"), text("item"))
    for one in leakage.examples[:_ROWS]:
        example = display_text(one.text, longest=_LONGEST_EXAMPLE)
        shown.add_row(example, language.percent(one.share), language.number(one.item + 1))
    return shown


def _thresholds(result: AuditResult, language: Language) -> Table:
    text = language.text
    shown = table(text("threshold"), text("limit"), text("value"), text("verdict"))
    for one in result.thresholds:
        value = "" if one.value is None else significant(one.value)
        shown.add_row(f"--{one.name}", significant(one.limit), value, text(one.verdict.value))
    return shown


def _clusters(result: AuditResult, language: Language) -> Table:
    text, number = language.text, language.number
    shown = table(text("near duplicates, an example"), text("items"), text("texts"))
    for one in result.duplicates.clusters[:_ROWS]:
        example = display_text(one.examples[0], longest=_LONGEST_EXAMPLE)
        shown.add_row(example, number(one.size), number(one.texts))
    return shown


def _phrases(title: str, phrases: Sequence[CommonPhrase], language: Language) -> Table:
    shown = table(title, language.text("items"), language.text("share"))
    for one in phrases[:_ROWS]:
        phrase = display_text(one.phrase, longest=_LONGEST_EXAMPLE)
        shown.add_row(phrase, language.number(one.items), language.percent(one.share))
    return shown


def _mix(title: str, parts: Sequence[MixPart], language: Language) -> Table:
    text, number, percent = language.text, language.number, language.percent
    shown = table(title, text("items"), text("share"), text("copies"))
    for one in parts[:_ROWS]:
        name = text("none") if one.name is None else one.name
        shown.add_row(name, number(one.items), percent(one.share), percent(one.redundant))
    if len(parts) > _ROWS:
        rest = sum(one.items for one in parts[_ROWS:])
        more = text("{number} more", number=number(len(parts) - _ROWS))
        shown.add_row(more, number(rest), "", "")
    return shown
