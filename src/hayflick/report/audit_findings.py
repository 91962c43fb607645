"""What the page of an audit says: its verdict, tiles, and the rows of its tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hayflick.auditing.audit_result import ThresholdVerdict
from hayflick.core.notes import Note
from hayflick.report.language import Language
from hayflick.report.rendering import shortened, significant

if TYPE_CHECKING:
    from hayflick.auditing.audit_result import AuditResult, CommonPhrase, MixPart, ThresholdCheck
    from hayflick.auditing.duplicates import DuplicateCluster
    from hayflick.auditing.synthetic_share import SyntheticShare, WordGap

_STATES = {
    ThresholdVerdict.PASSED: "healthy",
    ThresholdVerdict.FAILED: "alarm",
    ThresholdVerdict.UNKNOWN: "no-reading",
}


@dataclass(frozen=True)
class AuditTile:
    """A number of an audit as a tile: its name, value, interval or detail, and its threshold.

    Parameters
    ----------
    name, value, detail
        As they are shown.
    state
        Class of the stylesheet.
    verdict
        What the threshold says; empty where none was given.
    """

    name: str
    value: str
    detail: str
    state: str = "no-reading"
    verdict: str = ""


@dataclass(frozen=True)
class AuditFindings:
    """An audit in words.

    Parameters
    ----------
    result
        The numbers.
    language
        Of the words.
    """

    result: AuditResult
    language: Language

    def title(self) -> str:
        """Return the heading of the page."""
        return self.language.text("Audit: {name}", name=self.result.name)

    def verdict(self) -> tuple[str, str] | None:
        """Return what the thresholds say together, and its class; None if none was given."""
        text, result = self.language.text, self.result
        if result.failed:
            names = [self._subject(one) for one in result.failed]
            return text("Failed: {names}", names=names), "alarm"
        if result.unknown:
            names = [self._subject(one) for one in result.unknown]
            return text("Not measured, so not decided: {names}", names=names), "no-reading"
        if result.thresholds:
            return text("The data set passes all thresholds."), "healthy"
        return None

    def sentences(self) -> list[str]:
        """Return how the data set stands, the most important first."""
        text, number, result = self.language.text, self.language.number, self.result
        sentences = self._numbers()
        if (clean := result.clean) is not None:
            sentences.append(
                text(
                    "{kept} items are in {file}; {dropped} are left out, listed in {list}.",
                    kept=number(clean.kept),
                    file=clean.file,
                    dropped=number(sum(clean.dropped.values())),
                    list=clean.dropped_file,
                )
            )
        return sentences

    def _numbers(self) -> list[str]:
        """Return how many items there are, and how many are like others."""
        text, number, result = self.language.text, self.language.number, self.result
        if result.items - result.duplicates.blank == 1:
            return [
                text(
                    "{name}: only one item has text; there is none to compare it with.",
                    name=result.name,
                )
            ]
        effective = result.effective_items
        values = {"value": effective.value, "low": effective.low, "high": effective.high}
        return [
            text(
                "{name}: {items} items, of which {redundant} ({share}) are copies or near copies "
                "of others.",
                name=result.name,
                items=number(result.items),
                redundant=number(result.duplicates.redundant),
                share=self._percent(result.redundant_share),
            ),
            text(
                "They are as diverse as {value} items that are all unlike each other ({low} to "
                "{high}).",
                **{name: number(one) for name, one in values.items()},
            ),
        ]

    def notes(self) -> list[str]:
        """Return what there is to know of the numbers, as sentences."""
        end = "。" if self.language.code == "ja" else "."
        told = [self.language.text(one.message, **one.values) for one in self._notes()]
        return [f"{one[0].upper()}{one[1:]}".rstrip(".。") + end for one in told if one]

    def _notes(self) -> Iterator[Note]:
        yield from self.result.duplicates.notes
        for share in (self.result.words_share, self.result.detector_share):
            if share is not None:
                yield from share.notes

    def tiles(self) -> list[AuditTile]:
        """Return the numbers of the first screen."""
        text, number, result = self.language.text, self.language.number, self.result
        found, effective = result.duplicates, result.effective_items
        blank = text("{number} without text", number=number(found.blank)) if found.blank else ""
        tiles = [
            AuditTile(text("items"), number(result.items), blank),
            self._tile(
                text("copies and near copies"),
                self._percent(result.redundant_share),
                text(
                    "{redundant} of {items}, {exact} exact",
                    redundant=number(found.redundant),
                    items=number(result.items),
                    exact=number(found.exact),
                ),
                "max-duplicates",
            ),
            self._tile(
                text("effective items"),
                number(effective.value),
                self._interval(number(effective.low), number(effective.high), effective.confidence),
                "min-effective",
            ),
        ]
        for name, share in (
            (text("generated, by words"), result.words_share),
            (text("generated, by scores"), result.detector_share),
        ):
            if share is not None:
                tiles.append(self._share_tile(name, share))
        if (leakage := result.leakage) is not None:
            leaked = text(
                "{leaked} of {items} items",
                leaked=number(int(leakage.leaked.sum())),
                items=number(leakage.items),
            )
            value = self._percent(leakage.share)
            tiles.append(self._tile(text("leaked evaluation items"), value, leaked, "max-leakage"))
        return tiles

    def _share_tile(self, name: str, share: SyntheticShare) -> AuditTile:
        # The threshold is about one of the two shares.
        option = "max-synthetic" if share is self.result.synthetic_share else ""
        low, high = self._percent(share.low), self._percent(share.high)
        detail = self._interval(low, high, share.confidence)
        return self._tile(name, self._percent(share.value), detail, option)

    def _tile(self, name: str, value: str, detail: str, option: str) -> AuditTile:
        for one in self.result.thresholds:
            if one.name == option:
                return AuditTile(name, value, detail, _STATES[one.verdict], self._verdict(one))
        return AuditTile(name, value, detail)

    def _interval(self, low: str, high: str, confidence: float) -> str:
        """Return an interval with its level."""
        level = self.language.percent(confidence, digits=0)
        return self.language.text("{low} to {high} ({level})", low=low, high=high, level=level)

    def _percent(self, share: float | None) -> str:
        if share is None or math.isnan(share):
            return self.language.text("not measured")
        return self.language.percent(share)

    def _verdict(self, check: ThresholdCheck) -> str:
        text = self.language.text
        return {
            ThresholdVerdict.PASSED: text("passes"),
            ThresholdVerdict.FAILED: text("fails"),
            ThresholdVerdict.UNKNOWN: text("not measured"),
        }[check.verdict]

    def thresholds(self) -> list[tuple[str, str, str, str, str, str]]:
        """Return a row for each threshold: subject, option, value, limit, verdict and class."""
        return [
            (
                self._subject(one),
                f"--{one.name}",
                self._value(one),
                self._limit(one),
                self._verdict(one),
                _STATES[one.verdict],
            )
            for one in self.result.thresholds
        ]

    def _subject(self, check: ThresholdCheck) -> str:
        text = self.language.text
        subjects: Mapping[str, str] = {
            "max-duplicates": text("copies and near copies"),
            "max-cluster": text("items of the largest cluster"),
            "max-synthetic": text("generated texts"),
            "max-leakage": text("leaked evaluation items"),
            "max-phrase": text("items with the most frequent phrase"),
            "min-effective": text("effective items"),
        }
        return subjects[check.name]

    def _value(self, check: ThresholdCheck) -> str:
        if check.value is None:
            return "–"
        if check.name == "max-phrase" and not self.result.phrases:
            # Rarer phrases than those that are listed were not counted.
            return self.language.text("none is listed")
        return self._amount(check, check.value)

    def _limit(self, check: ThresholdCheck) -> str:
        limit = self._amount(check, check.limit)
        if check.is_least:
            return self.language.text("at least {limit}", limit=limit)
        return self.language.text("at most {limit}", limit=limit)

    def _amount(self, check: ThresholdCheck, value: float) -> str:
        """Return a number or a share, as its threshold is; one at a limit keeps its digits."""
        if math.isnan(value):
            return self.language.text("not measured")
        is_number = check.name == "max-cluster" or (check.is_least and check.limit > 1)
        return significant(value) if is_number else f"{significant(100 * value)}%"

    def cluster_heading(self, cluster: DuplicateCluster) -> str:
        """Return how large a cluster is."""
        text, number = self.language.text, self.language.number
        if cluster.texts == 1:
            return text("{items} items with the same text", items=number(cluster.size))
        return text(
            "{items} items with {texts} different texts",
            items=number(cluster.size),
            texts=number(cluster.texts),
        )

    def clusters_note(self, listed: int) -> str:
        """Return how clusters were found, and how many are listed."""
        found, text = self.result.duplicates, self.language.text
        how = text(
            "Two texts are near copies if at least {similarity} of the word pairs of both are "
            "common to both; at least {recall} of such pairs are found, and none that is not one.",
            similarity=self.language.percent(found.similarity, digits=0),
            recall=self.language.percent(found.recall, digits=0),
        )
        click = text("A click shows the whole text and further examples.")
        if listed == found.sizes.size:
            return self.language.joined(how, click)
        more = text(
            "The largest {listed} of {clusters} clusters are listed.",
            listed=self.language.number(listed),
            clusters=self.language.number(found.sizes.size),
        )
        return self.language.joined(how, more, click)

    def phrase_groups(self) -> list[tuple[str, Sequence[CommonPhrase]]]:
        """Return phrases and templates under their headings, those that were found."""
        text = self.language.text
        groups = (
            (text("Phrases in many items"), self.result.phrases),
            (text("Templates of many items"), self.result.templates),
        )
        return [(title, phrases) for title, phrases in groups if phrases]

    def searched(self) -> str:
        """Return in how many items phrases were searched."""
        return self.language.text(
            "Searched in {searched} of {items} items; a phrase counts once in each.",
            searched=self.language.number(self.result.searched),
            items=self.language.number(self.result.items),
        )

    def rare_classes(self) -> str | None:
        """Return which classes are rare, in a sentence; None without classes."""
        classes, text = self.result.classes, self.language.text
        if classes is None:
            return None
        share = self.language.percent(classes.rare_share)
        if not classes.rare:
            return text("No class has less than {share} of the items.", share=share)
        return text(
            "Classes with less than {share} of the items: {number} ({names}).",
            number=self.language.number(len(classes.rare)),
            share=share,
            names=[
                f"{shortened(one.name or '')}: {self.language.number(one.items)}"
                for one in classes.rare[:10]
            ]
            + (["…"] if len(classes.rare) > 10 else []),
        )

    def scripts(self) -> list[MixPart]:
        """Return the items by script, with what the scripts are called."""
        text = self.language.text
        names: Mapping[str | None, str] = {
            "Latin": text("Latin"),
            "Han": text("Han"),
            "Japanese": text("Japanese"),
            "Hangul": text("Hangul"),
            "Cyrillic": text("Cyrillic"),
            "Arabic": text("Arabic"),
            "Devanagari": text("Devanagari"),
            "Greek": text("Greek"),
            "Hebrew": text("Hebrew"),
            "Thai": text("Thai"),
            "Bengali": text("Bengali"),
            "Tamil": text("Tamil"),
            "Telugu": text("Telugu"),
            "Georgian": text("Georgian"),
            "Armenian": text("Armenian"),
            "Ethiopic": text("Ethiopic"),
            "Khmer": text("Khmer"),
            "Myanmar": text("Myanmar"),
            "other": text("another script"),
            None: text("without letters"),
        }
        return [replace(one, name=names.get(one.name, one.name)) for one in self.result.scripts]

    def misfits(self) -> Sequence[WordGap]:
        """Return words whose frequency the share of generated texts does not explain."""
        return () if self.result.words_share is None else self.result.words_share.misfits

    def dropped(self) -> list[tuple[str, str]]:
        """Return the rows that the clean copy lacks, by reason."""
        if self.result.clean is None:
            return []
        text = self.language.text
        reasons = self.result.clean.dropped.items()
        return [(text(reason), self.language.number(rows)) for reason, rows in reasons]
