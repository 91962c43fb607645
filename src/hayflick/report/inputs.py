"""What was read, as a report says it: a line for the terminal, a table for a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hayflick.core.fit_check import FitCheck
from hayflick.core.source import LeftOut, Source
from hayflick.report.language import Language

_SHORT_HASH = 16


def input_lines(sources: Sequence[Source], language: Language, *, notes: bool = True) -> list[str]:
    """Return a line per input: file, rows, what was left out, columns, how it was read.

    Parameters
    ----------
    sources
        The inputs.
    language
        Of the lines.
    notes
        Whether the notes are in them.
    """
    return [_line(source, language, notes=notes) for source in sources]


def _line(source: Source, language: Language, *, notes: bool) -> str:
    facts = "; ".join(_facts(source, language, notes=notes))
    name = input_name(source, language)
    if not facts:
        return language.text("Read {name}.", name=name)
    return language.text("Read {name}: {facts}.", name=name, facts=facts)


def input_name(source: Source, language: Language) -> str:
    """Return the name of an input, with its sheet and what it is to the result."""
    text = language.text
    name = source.name
    if source.sheet is not None:
        name = text("{name} (sheet {sheet})", name=name, sheet=source.sheet)
    if source.role != "data":
        role = _roles(language).get(source.role) or text(source.role)
        name = text("{name} ({role})", name=name, role=role)
    return name


def _roles(language: Language) -> dict[str, str]:
    text = language.text
    return {
        "answers": text("answers"),
        "answers of earlier rounds": text("answers of earlier rounds"),
        "baseline": text("baseline"),
        "corpus": text("real data"),
        "curve": text("curve"),
        "experiment": text("experiment"),
        "history": text("history"),
        "must-keep list": text("must-keep list"),
        "panel": text("panel"),
        "plan": text("plan of the trial"),
        "pool": text("first pool"),
        "prompts": text("prompts"),
        "reserve": text("reserve"),
        "round": text("round"),
        "rules": text("rules"),
        "schedule": text("schedule"),
        "state": text("state"),
        "texts of an agent": text("texts of an agent"),
        "topology": text("topology"),
        "vectors": text("vectors"),
    }


def _facts(source: Source, language: Language, *, notes: bool) -> list[str]:
    text = language.text
    facts = [] if source.rows is None else [_amount(source, source.rows, language)]
    facts += [_left_out(one, language) for one in source.left_out]
    if source.column is not None:
        facts.append(_columns(source.column, language))
    if source.tokenizer is not None:
        facts.append(text("tokenizer {tokenizer}", tokenizer=source.tokenizer))
    if source.encoding not in ("utf-8", "utf-8-sig"):
        facts.append(text("encoding {encoding}", encoding=source.encoding))
    if source.normalization != "nfc":
        facts.append(text("normalization {form}", form=source.normalization))
    if notes:
        facts += [text(note.message, **note.values) for note in source.notes]
    if source.sha256 is not None:
        facts.append(f"SHA-256 {source.sha256[:_SHORT_HASH]}…")
    return facts


def _amount(source: Source, rows: int, language: Language) -> str:
    text, number = language.text, language.number(rows)
    if source.tokenizer is not None and source.column is None:
        return text("one line") if rows == 1 else text("{lines} lines", lines=number)
    return text("one row") if rows == 1 else text("{rows} rows", rows=number)


def _columns(names: str, language: Language) -> str:
    if ", " in names:
        return language.text("columns {columns}", columns=names)
    return language.text("column {column}", column=names)


def _left_out(one: LeftOut, language: Language) -> str:
    return language.text(
        "{number} left out ({reason})",
        number=language.number(one.number),
        reason=language.text(one.reason),
    )


class FitLine(NamedTuple):
    """A fit check in the reader's language: what it means, what to do, what was measured."""

    meaning: str
    remedy: str
    evidence: str


def fit_lines(sources: Sequence[Source], language: Language) -> list[FitLine]:
    """Return where the inputs do not look like what they are taken for."""
    found = dict.fromkeys(check for source in sources for check in source.fit_checks)
    return [_fit_line(check, language) for check in found]


def _fit_line(check: FitCheck, language: Language) -> FitLine:
    text = language.text
    meaning = text(check.meaning.message, **check.meaning.values)
    if check.others:
        others = text("The same is true of {columns}.", columns=", ".join(check.others))
        meaning = language.joined(meaning, others)
    measured = [f"{text(check.statistic)} {check.value:.3g}"]
    if check.low is not None and check.high is not None:
        measured.append(
            text("95% interval {low} to {high}", low=_short(check.low), high=_short(check.high))
        )
    if check.p is not None:
        measured.append("p < 0.001" if check.p < 0.001 else f"p = {check.p:.3f}")
    remedy = text(check.remedy.message, **check.remedy.values)
    return FitLine(meaning, remedy, "; ".join(measured))


def _short(value: float) -> str:
    return f"{value:.3g}"


def input_rows(source: Source, language: Language) -> list[tuple[str, str]]:
    """Return what is known of an input as pairs of a label and a text, for a page."""
    text = language.text
    left_out = "; ".join(
        f"{language.number(one.number)} ({text(one.reason)})" for one in source.left_out
    )
    rows = [
        (text("Column"), source.column),
        (text("Rows or lines"), None if source.rows is None else language.number(source.rows)),
        (text("Left out"), left_out or text("none") if source.rows is not None else left_out),
        (text("How it was read"), _notes(source, language)),
        (text("Tokenizer"), source.tokenizer),
        (text("Encoding, normalization"), f"{source.encoding}, {source.normalization}"),
        ("SHA-256", source.sha256),
    ]
    return [(label, value) for label, value in rows if value]


def _notes(source: Source, language: Language) -> str:
    return "; ".join(language.text(note.message, **note.values) for note in source.notes)
