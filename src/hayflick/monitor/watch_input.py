"""What `watch` is given: answers to be read, or summaries of answers that were, and a reference."""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import Answers, read_answers
from hayflick.corpus.continuing import ReadPart
from hayflick.corpus.log_inputs import fetched_once, log_of
from hayflick.embed.embedder import Embedder, parse_embedder
from hayflick.monitor.reference import read_reference
from hayflick.monitor.summaries import AnswerSummary, check_settled, summary_of
from hayflick.monitor.summary_places import SUFFIX
from hayflick.monitor.watch_result import WatchResult


@dataclass(frozen=True, eq=False, kw_only=True)
class WatchInput:
    """A stream and its reference, and how both are read."""

    source: Any
    baseline_from: Any
    columns: Callable[[], AnswerColumns]
    log: str | None
    start: str | None
    every: str | None
    time_zone: str | None
    normalize: str
    how: Mapping[str, Any]
    pool: Any = None
    summary: AnswerSummary | None = None
    reference_summary: AnswerSummary | None = None

    def summarised(
        self,
        *,
        executor: Executor | None,
        capacity: int | None,
        state: object,
        embedder: str | Embedder,
        cache: object,
    ) -> WatchInput:
        """Return what to watch: of summaries, or of files to be summarised, the sampled answers."""
        reference = summary_of(self.baseline_from)
        given = (
            self
            if reference is None
            else replace(self, baseline_from=reference.to_answers(), reference_summary=reference)
        )
        summary = summary_of(self.source)
        if summary is not None:
            given._check_settled(executor=executor, capacity=capacity)
            _check_same_embedder(embedder, summary.settings.embedder)
        elif executor is not None or capacity is not None:
            summary = self._summary(executor, capacity, embedder, cache)
        if summary is None:
            return given
        if state is not None:
            takes = "none beside summaries, which are what is kept between calls"
            remedy = "summarise new files alone, then watch all summaries: hayflick watch *.summary"
            raise ArgumentError("state", got=str(state), takes=takes, remedy=remedy)
        settings = summary.settings
        return replace(
            given,
            source=summary.to_answers(start=self.start),
            summary=summary,
            columns=lambda: settings.columns,
            log=settings.log,
            every=settings.every,
            time_zone=settings.time_zone,
            normalize=settings.normalize,
        )

    def _check_settled(self, *, executor: Executor | None, capacity: int | None) -> None:
        """Refuse options for reading files where there is none to be read."""
        columns = self.columns()
        check_settled(
            {
                "by": columns.by,
                "text": columns.text,
                "log": self.log,
                "group": columns.group,
                "prompt": columns.prompt,
                "value": columns.values,
                "vectors": columns.vectors,
                "every": self.every,
                "time_zone": self.time_zone,
                "normalize": self.normalize if self.normalize != "nfc" else None,
                "capacity": capacity,
                "scheduler": executor and "an executor",
            }
        )
        if self.baseline_from is None or self.reference_summary is not None:
            encoding = self.how["encoding"]
            check_settled(
                {
                    "encoding": encoding if encoding != "utf-8" else None,
                    "table": self.how["table"],
                    "skip_bad": self.how["skip_bad"],
                }
            )

    def _summary(
        self,
        executor: Executor | None,
        capacity: int | None,
        embedder: str | Embedder,
        cache: object,
    ) -> AnswerSummary:
        from hayflick.monitor.summarise import CAPACITY, summarise

        columns = self.columns()
        # What takes less time than reading is done where the answers are measured.
        there = executor is not None and columns.vectors is None and not _is_hashing(embedder)
        if there and cache is not None:
            takes = "none where vectors are made by the workers, as they have no file in common"
            raise ArgumentError("cache", got=str(cache), takes=takes)
        return summarise(
            self.source,
            by=columns.by,
            text=columns.text,
            log=self.log,
            group=columns.group,
            prompt=columns.prompt,
            values=columns.values,
            vectors=columns.vectors,
            every=self.every,
            time_zone=self.time_zone,
            normalize=self.normalize,
            capacity=CAPACITY if capacity is None else capacity,
            embedder=embedder if there else None,
            executor=executor,
            **self.how,
        )

    def complete(self, result: WatchResult) -> WatchResult:
        """Return a result with what summaries know beside the answers that were measured."""
        known = [one for one in (self.summary, self.reference_summary) if one is not None]
        if not known:
            return result
        more = 0 if self.summary is None else self.summary.unmeasured(start=self.start)
        if self.reference_summary is not None:
            more += self.reference_summary.unmeasured()
        settings = dict(result.settings)
        if self.summary is not None:
            made = self.summary.settings
            settings |= {"capacity": made.capacity}
            settings |= {} if made.embedder is None else {"embedder": made.embedder}
        return replace(
            result,
            settings=settings,
            answers=result.answers + more,
            measured_answers=result.answers,
            failed={name: why for one in known for name, why in one.failed.items()},
        )

    def answers(self, after: ReadPart | None) -> Answers:
        """Return the answers, or those behind what was read before."""
        if isinstance(self.source, Answers):
            return self.source
        columns = self.columns()
        return read_answers(
            self.source,
            columns=columns,
            log=self.log,
            find_rounds=columns.by is None,
            every=self.every,
            time_zone=self.time_zone,
            start=self.start,
            normalize=self.normalize,
            after=after,
            **self.how,
        )

    def reference(self, log: str | None, stream: Answers) -> Answers:
        """Return the answers of the reference: another tool may have written it than the log."""
        baseline = fetched_once(self.baseline_from)
        if log is not None and self.log is None and not isinstance(baseline, Answers):
            how = {name: self.how[name] for name in ("encoding", "table")}
            log = log_of(baseline, **how) or log
        # A reference is what the answers are compared with: what was retrieved for it is not asked.
        columns = replace(self.columns(), retrieved=None)
        if log is not None and columns.by is not None:
            # Of a log, columns that differ little are left out unless they are named.
            group, prompt = (one if one in stream.frame else None for one in ("group", "prompt"))
            columns = replace(
                columns, group=columns.group or group, prompt=columns.prompt or prompt
            )
        return read_reference(
            baseline,
            columns=lambda: columns,
            log=log,
            every=self.every,
            time_zone=self.time_zone,
            normalize=self.normalize,
            **self.how,
        )

    def kept(self) -> dict[str, Any]:
        """Return what a state keeps of it, by the name of the option."""
        columns = self.columns()
        return {
            "by": columns.by,
            "text": columns.text,
            "log": self.log,
            "group": columns.group,
            "prompt": columns.prompt,
            "value": list(columns.values),
            "vectors": columns.vectors if columns.vector_file is None else "a file",
            "every": self.every,
            "time-zone": self.time_zone,
            "from": self.start,
            "normalize": self.normalize,
        }


def _is_hashing(embedder: str | Embedder) -> bool:
    text = embedder if isinstance(embedder, str) else embedder.id
    return text.partition(":")[0] == "hashing"


def _check_same_embedder(embedder: str | Embedder, made: str | None) -> None:
    """Refuse another embedder than the one that a summary's vectors were made by."""
    if made is None or embedder == "hashing":
        return
    found = parse_embedder(embedder) if isinstance(embedder, str) else embedder
    if found.id != made:
        takes = f"the one that the vectors of the summary were made by, {made}"
        raise ArgumentError("embedder", got=found.id, takes=takes)


def fitting_summaries(patterns: Sequence[str]) -> list[str]:
    """Return the paths of the summaries that fit patterns, of which there is at least one each.

    Raises
    ------
    DataError
        If nothing fits one of them.
    ArgumentError
        If other files would be read beside summaries.
    """
    found: list[str] = []
    for pattern in patterns:
        if not pattern.endswith(SUFFIX):
            takes = "summaries alone, or answers alone"
            raise ArgumentError("glob", got=f"{pattern} beside summaries", takes=takes)
        fitting = sorted(glob.glob(pattern, recursive=True))
        if not fitting:
            raise DataError(f"{pattern!r}: the pattern fits no summary; check it, and the folder")
        found += fitting
    return found
