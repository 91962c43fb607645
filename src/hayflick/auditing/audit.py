"""How one data set is audited: what repeats itself in it, and what it is made of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from hayflick.auditing import clean_copy
from hayflick.auditing.audit_result import AuditResult, ThresholdCheck
from hayflick.auditing.clean_copy import check_clean
from hayflick.auditing.composition import (
    FEWEST,
    class_mix,
    common_phrases,
    common_templates,
    length_mix,
    mix_of,
    script_mix,
    searched_texts,
    word_numbers,
)
from hayflick.auditing.dataset import Reference, read_dataset, read_reference
from hayflick.auditing.duplicates import find_duplicates
from hayflick.auditing.effective_items import effective_items
from hayflick.auditing.leakage import find_leakage
from hayflick.auditing.synthetic_share import (
    ConfusionCounts,
    SyntheticShare,
    detector_share,
    deviations,
)
from hayflick.auditing.word_share import word_share
from hayflick.core.checks import finite_number, number_between, share, whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import sources_of
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import Answers
from hayflick.corpus.files import input_files
from hayflick.corpus.table_format import TableFormat

_Path: TypeAlias = str | os.PathLike[str]


def audit(
    source: Any,
    *,
    text: str | None = None,
    label: str | None = None,
    language: str | None = None,
    log: str | None = None,
    human: Any = None,
    model: Any = None,
    score: str | None = None,
    score_threshold: float = 0.5,
    confusion: ConfusionCounts | Sequence[int] | None = None,
    holdout: Any = None,
    reference_text: str | None = None,
    similarity: float = 0.5,
    clusters: int = 100_000,
    phrase_share: float = 0.05,
    rare_share: float = 0.01,
    max_duplicates: float | None = None,
    max_cluster: int | None = None,
    max_synthetic: float | None = None,
    max_leakage: float | None = None,
    max_phrase: float | None = None,
    min_effective: float | None = None,
    write_clean: _Path | None = None,
    max_copies: int = 1,
    force: bool = False,
    confidence: float = 0.95,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    seed: int = 1,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> AuditResult:
    """Audit one data set: what repeats itself in it, and how much a model wrote.

    Parameters
    ----------
    source
        The data set: what `hayflick.corpus.answers.read_answers` takes, or a ``.txt`` with a text
        in every line.
    text
        The column of the texts; None to find the answers of a log.
    label, language
        The columns of the class and of the language of each item; None for none.
    log
        The tool that wrote a log; None to see it from the first records.
    human, model
        References for the share of generated texts: texts of people and of the model, as files
        (of a ``.txt``, every line is a text), tables or lists of texts.
    score
        The column of a detector's scores, higher for generated texts.
    score_threshold
        Texts with at least this score are called generated.
    confusion
        The detector's answers about texts of known origin: true positives, false negatives, false
        positives and true negatives.
    holdout
        An evaluation set that must not stand in the data; as `human`.
    reference_text
        The column of the texts in `human`, `model` and `holdout`; None for that of `text`.
    similarity
        Of near duplicates, see `hayflick.auditing.duplicates.find_duplicates`.
    clusters
        The largest number of clusters of near duplicates that are listed with examples.
    phrase_share
        Phrases and templates are listed that stand in at least this share of the items.
    rare_share
        Classes are rare that have a smaller share of the items.
    max_duplicates
        Threshold: the largest share of items that are copies or near copies of others.
    max_cluster
        Threshold: the largest number of items in a cluster of near duplicates.
    max_synthetic, max_leakage, max_phrase
        Thresholds: the largest share of generated texts, of evaluation items in the data, and of
        items with the most frequent phrase; the last is at least `phrase_share`.
    min_effective
        Threshold: the least effective number of items; up to 1, as a share of the items.
    write_clean
        A file to write the data set to without near duplicates, in its own format; the rows that
        it lacks are listed beside, in ``NAME.dropped.csv``. Of several files, a folder in which
        they have the same names. None to write nothing.
    max_copies
        How many rows of each cluster of near duplicates are written, of different texts.
    force
        Whether files that exist are replaced by `write_clean`.
    confidence
        Of all intervals, each by itself.
    skip_bad
        Whether rows that cannot be used are counted and skipped instead of refused.
    encoding
        Encoding of CSV, TSV, JSON lines and text.
    normalize
        Unicode normalization of labels and texts. Duplicates are found whatever the case.
    table
        What is known of the format of a table; None to see it from the file.
    seed
        Of the samples in which phrases and similarities are searched.
    executor
        Where files are read, each by itself; see
        `hayflick.simulation.executors.open_executor`. None to read them here.
    progress
        Called with how far the work has come.

    Raises
    ------
    DataError
        If an input cannot be read, or has no text.
    ArgumentError
        If an argument is out of its range, or needs another one.
    EffortError
        If the work takes more memory than the machine has.
    OutputError
        If `write_clean` is an input, exists and `force` is not set, or cannot be written.

    Examples
    --------
    >>> texts = ["The cat sat.", "the cat sat", "A dog ran.", "Some birds fly."]
    >>> result = audit({"text": texts}, text="text", max_duplicates=0.2)
    >>> result.items, result.duplicates.redundant, [one.name for one in result.failed]
    (4, 1, ['max-duplicates'])
    """
    _check_references(human, model)
    limits = _Limits(max_duplicates, max_cluster, max_synthetic, max_leakage, max_phrase,
                     min_effective)  # fmt: skip
    limits.check(
        has_share=human is not None or score is not None,
        has_holdout=holdout is not None,
        phrase_share=share("phrase_share", phrase_share),
    )
    scores = () if score is None else (score,)
    wanted = _Wanted(
        columns=AnswerColumns(by=None, text=text, group=label, prompt=language, values=scores),
        score_threshold=score_threshold,
        confusion=_confusion(confusion, score),
        similarity=similarity,
        clusters=clusters,
        phrase_share=phrase_share,
        rare_share=rare_share,
        confidence=confidence,
        seed=seed,
    )
    if write_clean is not None:
        source = _as_files(source)
    target = None if write_clean is None else check_clean(write_clean, source, force=force)
    max_copies = whole_number("max_copies", max_copies, at_least=1)
    how: dict[str, Any] = {"encoding": encoding, "normalize": normalize, "progress": progress}
    by_file = target is not None and target.is_folder
    how_table = {"log": log, "skip_bad": skip_bad, "table": table}
    read = read_dataset(
        source, wanted.columns, executor=executor, by_file=by_file, **how_table, **how
    )
    if target is not None and read.log is not None:
        takes = "a table, whose rows are items (name the column with text), not a log"
        raise ArgumentError("write_clean", got=str(target.place), takes=takes)
    column = reference_text if reference_text is not None else text
    given = {"human": human, "model": model, "holdout": holdout}
    others = {
        name: read_reference(name, one, column, **how)
        for name, one in given.items()
        if one is not None
    }
    result = wanted.result(read, others, progress)
    if target is not None:
        clean = clean_copy.write_clean(
            target,
            read.frame,
            result.duplicates,
            most=max_copies,
            table=table,
            encoding=encoding,
            force=force,
        )
        result = replace(result, clean=clean)
    settings = {
        **result.settings,
        "thresholds": limits.given,
        "max_copies": None if target is None else max_copies,
    }
    return replace(result, thresholds=limits.checks(result), settings=settings)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Wanted:
    """What is to be measured, whatever the data set."""

    columns: AnswerColumns
    score_threshold: float
    confusion: ConfusionCounts | None
    similarity: float
    clusters: int
    phrase_share: float
    rare_share: float
    confidence: float
    seed: int

    def __post_init__(self) -> None:
        whole_number("seed", self.seed, at_least=0)
        finite_number("score_threshold", self.score_threshold)
        share("phrase_share", self.phrase_share)
        share("rare_share", self.rare_share)
        whole_number("clusters", self.clusters, at_least=0, at_most=1_000_000)
        deviations(self.confidence)

    def result(
        self, read: Answers, others: Mapping[str, Reference], progress: Progress
    ) -> AuditResult:
        """Measure a data set."""
        frame, texts, columns = read.frame, read.frame["text"], self.columns
        duplicates = find_duplicates(
            texts, similarity=self.similarity, listed=self.clusters, progress=progress
        )
        if duplicates.blank == duplicates.items:
            raise DataError(f"{read.name}: none of its {duplicates.items:,} items has a text")
        searched = searched_texts(texts, seed=self.seed)
        holdout = others.get("holdout")
        return AuditResult(
            name=read.name,
            duplicates=duplicates,
            effective_items=effective_items(
                texts, duplicates, confidence=self.confidence, seed=self.seed, progress=progress
            ),
            words_share=self._words_share(texts, others, progress),
            detector_share=self._detector_share(frame),
            phrases=common_phrases(searched, share=self.phrase_share),
            templates=common_templates(searched, share=self.phrase_share),
            searched=len(searched),
            scripts=script_mix(texts, duplicates),
            languages=None if columns.prompt is None else mix_of(frame["prompt"], duplicates),
            lengths=length_mix(word_numbers(texts)),
            classes=None
            if columns.group is None
            else class_mix(
                frame["group"], duplicates, column=columns.group, rare_share=self.rare_share
            ),
            leakage=None
            if holdout is None
            else find_leakage(texts, holdout.texts, progress=progress),
            rows=frame["row"].to_numpy(),
            sources=sources_of(read, *others.values()),
            settings=self._settings(read, others),
            seed=self.seed,
        )

    def _words_share(
        self, texts: pl.Series, others: Mapping[str, Reference], progress: Progress
    ) -> SyntheticShare | None:
        if "human" not in others:
            return None
        return word_share(
            texts,
            human=others["human"].texts,
            model=others["model"].texts,
            confidence=self.confidence,
            progress=progress,
        )

    def _detector_share(self, frame: pl.DataFrame) -> SyntheticShare | None:
        if self.confusion is None:
            return None
        scores = frame[f"value {self.columns.values[0]}"].fill_null(np.nan).to_numpy()
        return detector_share(
            scores,
            threshold=self.score_threshold,
            confusion=self.confusion,
            confidence=self.confidence,
        )

    def _settings(self, read: Answers, others: Mapping[str, Reference]) -> dict[str, Any]:
        """Return what reproduces the result."""
        columns, counts = self.columns, self.confusion
        return {
            "dataset": read.name,
            "text": columns.text,
            "label": columns.group,
            "language": columns.prompt,
            "log": read.log,
            **{
                name: others[name].name if name in others else None
                for name in ("human", "model", "holdout")
            },
            "score": None if counts is None else columns.values[0],
            "score_threshold": None if counts is None else self.score_threshold,
            "confusion": None if counts is None else list(vars(counts).values()),
            "similarity": self.similarity,
            "clusters": self.clusters,
            "phrase_share": self.phrase_share,
            "rare_share": self.rare_share,
            "confidence": self.confidence,
        }


def _as_files(source: Any) -> Any:
    """Return several files, or a folder, as the files that they are; another source as it is."""
    if isinstance(source, (str, os.PathLike)):
        return (
            source if os.path.exists(source) and not os.path.isdir(source) else input_files(source)
        )
    several = isinstance(source, (list, tuple)) and len(source) > 0
    paths = several and all(isinstance(one, (str, os.PathLike)) for one in source)
    return input_files(source) if paths else source


def _check_references(human: Any, model: Any) -> None:
    """Refuse one reference without the other."""
    if (human is None) != (model is None):
        missing = "model" if model is None else "human"
        takes = "both references or none: texts of people, and texts of the model"
        raise ArgumentError(missing, got="nothing", takes=takes)


def _confusion(
    given: ConfusionCounts | Sequence[int] | None, score: str | None
) -> ConfusionCounts | None:
    """Return the detector's answers; refuse a score without them, and them without a score."""
    takes = (
        "four numbers: true positives, false negatives, false positives and true negatives of the "
        "detector, counted on texts of known origin"
    )
    if (given is None) != (score is None):
        if given is None:
            raise ArgumentError("confusion", got="nothing", takes=takes)
        raise ArgumentError("score", got="nothing", takes="the column of the detector's scores")
    if given is None or isinstance(given, ConfusionCounts):
        return given
    numbers = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    if len(numbers) != 4:
        raise ArgumentError("confusion", got=given, takes=takes)
    return ConfusionCounts(*numbers)


@dataclass(frozen=True)
class _Limits:
    """The thresholds that were given."""

    max_duplicates: float | None
    max_cluster: int | None
    max_synthetic: float | None
    max_leakage: float | None
    max_phrase: float | None
    min_effective: float | None

    @property
    def given(self) -> dict[str, float]:
        return {
            name.replace("_", "-"): limit for name, limit in vars(self).items() if limit is not None
        }

    def check(self, *, has_share: bool, has_holdout: bool, phrase_share: float) -> None:
        """Refuse thresholds out of their range, and those on what is not measured."""
        for name in ("max_duplicates", "max_synthetic", "max_leakage", "max_phrase"):
            if (limit := getattr(self, name)) is not None:
                share(name, limit)
        if self.max_cluster is not None:
            whole_number("max_cluster", self.max_cluster, at_least=1)
        if self.min_effective is not None:
            number_between("min_effective", self.min_effective, low=0.0)
        if self.max_synthetic is not None and not has_share:
            takes = "references with it (human and model), or the score of a detector"
            raise ArgumentError("max_synthetic", got=self.max_synthetic, takes=takes)
        if self.max_leakage is not None and not has_holdout:
            takes = "an evaluation set with it (holdout)"
            raise ArgumentError("max_leakage", got=self.max_leakage, takes=takes)
        if self.max_phrase is not None and self.max_phrase < phrase_share:
            takes = f"at least phrase_share, {phrase_share:g}, as rarer phrases are not counted"
            raise ArgumentError("max_phrase", got=self.max_phrase, takes=takes)

    def checks(self, result: AuditResult) -> tuple[ThresholdCheck, ...]:
        """Return the thresholds with the numbers that they are about."""
        synthetic = result.synthetic_share
        effective = result.effective_items.value
        if self.min_effective is not None and self.min_effective <= 1.0:
            effective /= result.items - result.duplicates.blank
        values: Mapping[str, float | None] = {
            "max-duplicates": result.redundant_share,
            "max-cluster": float(result.duplicates.sizes.max(initial=1)),
            "max-synthetic": None if synthetic is None else synthetic.value,
            "max-leakage": None if result.leakage is None else result.leakage.share,
            "max-phrase": self._largest_phrase(result),
            "min-effective": effective,
        }
        return tuple(
            ThresholdCheck(name, float(limit), values[name]) for name, limit in self.given.items()
        )

    def _largest_phrase(self, result: AuditResult) -> float | None:
        """Return the share of the most frequent phrase; None where it can be above the limit."""
        if result.phrases or self.max_phrase is None:
            return max((one.share for one in result.phrases), default=0.0)
        return 0.0 if self.max_phrase * result.searched >= FEWEST - 1 else None
