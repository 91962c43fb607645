"""Generated texts in pools, retrieval and answers: plain values, sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from hayflick.report.language import Language
from hayflick.report.rendering import table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hayflick.auditing.contamination import DominantItem, RetrievalContamination
    from hayflick.auditing.preference import Preference, TakenShare

_ROWS = 10


def contamination_record(found: RetrievalContamination | None) -> dict[str, Any] | None:
    """Return what was found as plain values, ready for JSON; None where nothing was looked for."""
    if found is None:
        return None
    return {
        "requests": found.requests,
        "answers": found.answers,
        "documents": found.documents,
        "shares": {
            "pool": found.pool,
            "retrieved": _plain(found.retrieved),
            "copied": _plain(found.copied),
        },
        "amplification": {
            "retrieval": None if found.retrieval is None else _plain(found.retrieval),
            "copying": _plain(found.copying),
        },
        "copied_rate": found.copied_rate,
        "copied_by_chance": found.by_chance,
        "dominance": {
            "documents": None if found.by_document is None else _plain(found.by_document),
            "sources": None if found.by_source is None else _plain(found.by_source),
        },
        "echo": None if found.echo is None else {**_plain(found.echo), "share": found.echo.share},
        "rounds": [_plain(one) for one in found.rounds],
        "run": found.run,
        "confidence": found.confidence,
        "notes": [str(note) for note in found.notes],
    }


def _plain(part: Any) -> dict[str, Any]:
    """Return a dataclass as JSON has it."""
    return {
        name: [_plain(one) if is_dataclass(one) else one for one in value]
        if isinstance(value, tuple)
        else value
        for name, value in ((one.name, getattr(part, one.name)) for one in fields(part))
    }


@dataclass(frozen=True)
class ContaminationFindings:
    """Contamination in words.

    Parameters
    ----------
    found
        The numbers.
    language
        Of the words.
    """

    found: RetrievalContamination
    language: Language

    def lead(self) -> str:
        """Return how far generated texts go, in one sentence."""
        text, found = self.language.text, self.found
        retrieved, copied = (self._share(one.value) for one in (found.retrieved, found.copied))
        if found.pool is None:
            return text(
                "Generated texts: {retrieved} of what is retrieved, {copied} of what answers copy.",
                retrieved=retrieved,
                copied=copied,
            )
        return text(
            "Generated texts: {pool} of the pool, {retrieved} of what is retrieved, {copied} of "
            "what answers copy.",
            pool=self._share(found.pool),
            retrieved=retrieved,
            copied=copied,
        )

    def sentences(self) -> list[str]:
        """Return what the shares, their amplification, dominance and echo say."""
        return [*self._amplification(), *self._copying(), *self._dominance(), *self._echo()]

    def notes(self) -> list[str]:
        """Return what has to be known of the input."""
        end = "。" if self.language.code == "ja" else "."
        told = [self.language.text(one.message, **one.values) for one in self.found.notes]
        return [f"{one[0].upper()}{one[1:]}{end}" for one in told]

    def stage_headings(self) -> tuple[str, str, str, str]:
        """Return the headings of the stages."""
        text = self.language.text
        return text("texts"), text("generated"), text("interval"), text("of so many")

    def stages(self) -> list[tuple[str, str, str, str]]:
        """Return a row for each stage: what, generated share, interval, how many."""
        text, found = self.language.text, self.found
        rows = []
        if found.pool is not None:
            rows.append((text("in the pool"), self._share(found.pool), "–", "–"))
        for name, share in (
            (text("retrieved"), found.retrieved),
            (text("copied by answers"), found.copied),
        ):
            number = self.language.number(share.taken)
            rows.append((name, self._share(share.value), self._interval(share), number))
        return rows

    def documents(self) -> list[tuple[str, str, str]]:
        """Return the documents that are retrieved most: text, share, whether generated."""
        found = self.found.by_document
        return [] if found is None else [self._document(one) for one in found.top[:_ROWS]]

    def sources(self) -> list[tuple[str, str]]:
        """Return the sources that are retrieved most, and their share."""
        found = self.found.by_source
        return [] if found is None else [(one.name, self._share(one.share)) for one in found.top]

    def links(self) -> list[tuple[str, str, str, str]]:
        """Return who repeats whom: reader, author, copies, how often it was read."""
        found, number = self.found.echo, self.language.number
        if found is None:
            return []
        return [
            (one.reader or "–", one.author or "–", number(one.copies), number(one.reads))
            for one in found.links[:_ROWS]
        ]

    def tables(self) -> list[RenderableType]:
        """Return what the terminal shows."""
        stages = table(*self.stage_headings())
        for row in self.stages():
            stages.add_row(*row)
        return [stages, *self.sentences(), *self.notes()]

    def _document(self, item: DominantItem) -> tuple[str, str, str]:
        text = self.language.text
        generated = {True: text("yes"), False: text("no"), None: text("unknown")}[item.generated]
        return item.name or text("(only its name is known)"), self._share(item.share), generated

    def _share(self, value: float | None) -> str:
        return "–" if value is None else self.language.percent(value)

    def _interval(self, share: TakenShare) -> str:
        if share.low is None or share.high is None:
            return "–"
        return f"{self._share(share.low)} – {self._share(share.high)}"

    def _amplification(self) -> list[str]:
        text, found = self.language.text, self.found
        sentences = []
        if found.retrieval is not None:
            sentences += self._preference(
                found.retrieval,
                text(
                    "A generated text is {value} times as likely to be retrieved as another one of "
                    "the same pool ({low} to {high})."
                ),
                text("Whether generated texts are retrieved more often cannot be told: {reason}."),
            )
        sentences += self._preference(
            found.copying,
            text(
                "Of texts that are retrieved together, a generated one is {value} times as likely "
                "to be copied as another one ({low} to {high})."
            ),
            text("Whether generated texts are copied more often cannot be told: {reason}."),
        )
        return sentences

    def _preference(self, found: Preference, told: str, untold: str) -> list[str]:
        if found.value is None or found.low is None or found.high is None:
            return [untold.format(reason=self.language.text(found.reason))]
        values = {
            name: f"{value:.3g}"
            for name, value in (("value", found.value), ("low", found.low), ("high", found.high))
        }
        sentence = told.format(**values)
        if found.is_clear:
            return [sentence]
        return [self.language.joined(sentence, self.language.text("That can be chance."))]

    def _copying(self) -> list[str]:
        found, percent = self.found, self.language.percent
        if found.copied_rate is None:
            return []
        sentence = self.language.text(
            "Answers copy {run} words in a row or more from {rate} of the texts that are retrieved "
            "for them.",
            run=found.run,
            rate=percent(found.copied_rate),
        )
        if found.by_chance is None:
            return [sentence]
        chance = self.language.text(
            "With texts that were not retrieved, {chance} have as much in common.",
            chance=percent(found.by_chance),
        )
        return [self.language.joined(sentence, chance)]

    def _dominance(self) -> list[str]:
        text, found = self.language.text, self.found
        number, percent = self.language.number, self.language.percent
        sentences = []
        if found.by_document is not None:
            sentences.append(
                text(
                    "The text that is retrieved most is {share} of all that is retrieved; "
                    "different texts: {number}, as diverse as {effective} equally frequent ones.",
                    share=percent(found.by_document.largest),
                    number=number(found.by_document.number),
                    effective=number(found.by_document.effective),
                )
            )
        if found.by_source is not None:
            sentences.append(
                text(
                    "The source that is retrieved most, {name}, is {share} of all that is "
                    "retrieved; sources: {number}, as diverse as {effective} equally frequent "
                    "ones.",
                    name=found.by_source.top[0].name,
                    share=percent(found.by_source.largest),
                    number=number(found.by_source.number),
                    effective=number(found.by_source.effective),
                )
            )
        return sentences

    def _echo(self) -> list[str]:
        echo, text = self.found.echo, self.language.text
        if echo is None or echo.share is None:
            return []
        return [
            text(
                "Echo: {share} of the answers copy from an earlier answer, {own} from one of their "
                "own author.",
                share=self.language.percent(echo.share),
                own=self.language.percent(echo.own / echo.answers),
            )
        ]


def terminal(found: RetrievalContamination | None, language: Language) -> Sequence[RenderableType]:
    """Return what the terminal shows of contamination, nothing where none was looked for."""
    if found is None:
        return []
    findings = ContaminationFindings(found, language)
    return [findings.lead(), *findings.tables()]
