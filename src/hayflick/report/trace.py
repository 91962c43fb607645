"""Where a phrase began: as plain values, sentences, tables, a page with the tree, a notebook."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hayflick.auditing.genealogy import PhraseOrigin, PhraseRate
from hayflick.core.display_text import display_text
from hayflick.network.trace import PhraseTrace
from hayflick.report.language import Language
from hayflick.report.rendering import notebook, table, tables_page
from hayflick.report.trace_tree import tree_chart, tree_lines

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMAT_VERSION = 1
_ROWS, _LINES, _LONGEST_TEXT = 10, 30, 60


def record(found: PhraseTrace) -> dict[str, Any]:
    """Return a genealogy as plain values, ready for JSON."""
    tree = found.genealogy
    return {
        "format_version": FORMAT_VERSION,
        "name": found.name,
        "phrase": found.phrase,
        "run": tree.run,
        "confidence": tree.confidence,
        "carrying": tree.carrying,
        "documents": tree.documents,
        "rates": {
            "copying": None if tree.copying is None else asdict(tree.copying),
            "writing": None if tree.writing is None else asdict(tree.writing),
        },
        "origins": [asdict(one) for one in tree.origins],
        "rounds": [
            {"round": name, "answers": answers, "carrying": carrying}
            for name, answers, carrying in zip(
                tree.rounds, tree.answers_by_round, tree.by_round, strict=True
            )
        ],
        "tree": [asdict(one) for one in tree.carriers],
        "more": tree.more_carriers,
        "notes": [str(note) for note in tree.notes],
        "provenance": found.provenance(),
    }


def tables(found: PhraseTrace, *, lang: str = "en") -> list[RenderableType]:
    """Return what the terminal shows: who started it, how sure that is, and the tree."""
    language = Language(lang)
    return [*_parts(found, language), *tree_lines(found.genealogy, language, most=_LINES)]


def page(found: PhraseTrace, *, lang: str = "en") -> str:
    """Return a genealogy as one self-contained HTML page, its tree as a picture.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    language = Language(lang)
    chart = tree_chart(found.genealogy, language)
    return tables_page(
        language.text("Who started it: {phrase}", phrase=found.phrase),
        _parts(found, language),
        language,
        charts=[] if chart is None else [chart],
        sources=found.sources,
        provenance=found.provenance(),
    )


def fragment(found: PhraseTrace) -> str:
    """Return what a notebook shows of a genealogy."""
    language = Language("en")
    chart = tree_chart(found.genealogy, language)
    first, *rest = _sentences(found, language)
    return notebook(first, rest, [] if chart is None else [chart], sources=found.sources)


def _parts(found: PhraseTrace, language: Language) -> list[RenderableType]:
    text = language.text
    parts: list[RenderableType] = [*_sentences(found, language)]
    if not found.genealogy.origins:
        return parts
    shown = table(
        text("may have begun with"),
        text("probability"),
        text("share of the answers"),
        text("interval"),
    )
    for one in found.genealogy.origins[:_ROWS]:
        shown.add_row(
            _origin(one, found, language),
            _probability(one.probability, language),
            language.percent(one.share),
            f"{language.percent(one.low)} – {language.percent(one.high)}",
        )
    return [*parts, shown]


def _sentences(found: PhraseTrace, language: Language) -> list[str]:
    text, tree = language.text, found.genealogy
    notes = [text(note.message, **note.values) for note in tree.notes]
    if not tree.origins:
        nothing = text(
            "No answer has “{phrase}”; texts that have it: {documents}.",
            phrase=found.phrase,
            documents=tree.documents,
        )
        return [nothing]
    first = tree.origins[0]
    if tree.carrying == 1:
        verdict = text(
            "“{phrase}” most probably began with {origin} ({probability}); one answer has it.",
            phrase=found.phrase,
            origin=origin_name(first, language),
            probability=_probability(first.probability, language),
        )
        return [verdict, *_rates(found, language), *notes]
    verdict = text(
        "“{phrase}” most probably began with {origin} ({probability}): {share} of the {carrying} "
        "answers with it go back to that.",
        phrase=found.phrase,
        origin=origin_name(first, language),
        probability=_probability(first.probability, language),
        share=language.percent(first.share),
        carrying=tree.carrying,
    )
    return [verdict, *_rates(found, language), *notes]


def _rates(found: PhraseTrace, language: Language) -> list[str]:
    text, tree = language.text, found.genealogy
    sentences = []
    if tree.copying is not None:
        sentences.append(
            text(
                "An answer that read a text with it copies it with the probability {value} "
                "({low} to {high}).",
                **_rate(tree.copying, language),
            )
        )
    if tree.writing is not None:
        sentences.append(
            text(
                "An answer has it without having copied it with the probability {value} "
                "({low} to {high}).",
                **_rate(tree.writing, language),
            )
        )
    return sentences


def _probability(value: float, language: Language) -> str:
    """Return a posterior probability; some hundred draws tell none from below 1 %."""
    return language.percent(min(max(value, 0.001), 0.999), digits=0)


def _rate(rate: PhraseRate, language: Language) -> dict[str, str]:
    return {name: language.percent(value) for name, value in asdict(rate).items()}


def _origin(origin: PhraseOrigin, found: PhraseTrace, language: Language) -> str:
    """Return what an origin is called, with what the text says or when it was written."""
    name = origin_name(origin, language)
    if origin.round is None:
        said = display_text(" ".join(origin.text.split()), longest=_LONGEST_TEXT)
        return language.text("{name}: {said}", name=name, said=said)
    first = found.genealogy.rounds[origin.round - 1]
    return language.text("{name} (round {round})", name=name, round=first)


def origin_name(origin: PhraseOrigin, language: Language) -> str:
    """Return what an origin is called."""
    text = language.text
    if origin.kind == "prompt":
        return text("the prompts")
    if origin.kind == "writer":
        return text("{name}, who wrote it", name=origin.name or text("the answers"))
    if origin.name:
        return text("text {number} of {source}", number=origin.document or 0, source=origin.name)
    return text("text {number}", number=origin.document or 0)
