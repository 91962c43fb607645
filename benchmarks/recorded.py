"""Recorded streams of language models through the default panel, and through Evidently 0.7.

The streams are research data and no part of the project: `shared/data/streams` beside its folder,
50 generations of 100 chains each. Three lose a quarter of their words or more, three lose nothing.
Evidently is no dependency; in an environment that has it and hayflick's libraries,

    PYTHONPATH=src python benchmarks recorded

runs it too: its four methods of embedding drift on our vectors, and its text descriptors that need
no download (length, words, sentences, share of non-letters). Both compare the answers of one
generation with all of the first ten. *Defaults* are Evidently's thresholds; for the descriptors
those of its dataset drift, half of the columns. *Calibrated* is the most extreme score of 200
random tenths of the baseline against the rest of it.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import hayflick as hf
from hayflick.embed.embedder import embed_all, parse_embedder
from pairs import Result

STREAMS = Path(__file__).parents[2] / "shared" / "data" / "streams"
COLLAPSING = ("a-inspiration", "a-continue", "b-rephrase")
HEALTHY = ("a-rephrase", "c-rephrase", "d-rephrase")
BASELINE, LATEST, SPLITS = 10, 28, 200
HEADER = (
    "| method | collapsing streams: generation of the first alarm | healthy streams: generations"
    " that alarm | right | target | met |"
)

Score = Callable[[Any, Any], tuple[float, bool]]
"""Score, the larger the more drift, and verdict of an answers' table against a reference."""


@dataclass(frozen=True)
class Alarms:
    """Verdicts on the generations behind the baseline of one stream."""

    stream: str
    verdicts: tuple[bool, ...]

    @property
    def first(self) -> int | None:
        """Generation of the first alarm; None for none."""
        return BASELINE + self.verdicts.index(True) if any(self.verdicts) else None

    @property
    def right(self) -> bool:
        """Whether a collapse is found in time, and a healthy stream never alarms."""
        if self.stream in HEALTHY:
            return self.first is None
        return self.first is not None and self.first <= LATEST


def results() -> Iterator[Result]:
    if not STREAMS.is_dir():
        print(f"left out, for {STREAMS} is not there", flush=True)
        return
    for prompt in (None, "prompt"):
        name = f"`hayflick watch`, defaults{', `--prompt`' if prompt else ''}"
        yield _row(name, partial(_watched, prompt), ours=True)
    if importlib.util.find_spec("evidently") is None:
        print("left out: Evidently is not installed here", flush=True)
        return
    warnings.simplefilter("ignore")
    for name, (table, score) in _methods().items():
        for kind in ("defaults", "calibrated"):
            judged = partial(_judged, table, score, calibrated=kind == "calibrated")
            yield _row(f"Evidently, {name}, {kind}", judged, ours=False)


def _row(name: str, judged: Callable[[str], Alarms], *, ours: bool) -> Result:
    found, quiet = ([judged(stream) for stream in kind] for kind in (COLLAPSING, HEALTHY))
    right = sum(one.right for one in (*found, *quiet))
    firsts = (f"{one.stream} {'none' if one.first is None else one.first}" for one in found)
    return Result(
        name=name,
        ours=", ".join(firsts),
        alternative=", ".join(
            f"{one.stream} {sum(one.verdicts)} of {len(one.verdicts)}" for one in quiet
        ),
        figure=f"{right} of 6 streams",
        target=f"found by generation {LATEST}, none healthy" if ours else "compared",
        met=right == 6 or not ours,
    )


def _watched(prompt: str | None, stream: str) -> Alarms:
    watched = hf.watch(STREAMS / f"{stream}.jsonl", by="generation", text="answer", prompt=prompt)
    rounds = len(watched.rounds) - BASELINE
    alarms = np.zeros(rounds, bool)
    for chart in watched.charts:
        verdicts = chart.verdicts[-rounds:]
        alarms[-len(verdicts) :] |= [verdict.alarm for verdict in verdicts]
    return Alarms(stream, tuple(alarms.tolist()))


def _judged(
    table: Callable[[str], list[Any]], score: Score, stream: str, *, calibrated: bool
) -> Alarms:
    import pandas

    generations = table(stream)
    healthy = pandas.concat(generations[:BASELINE], ignore_index=True)
    found = [score(one.copy(), healthy.copy()) for one in generations[BASELINE:]]
    if not calibrated:
        return Alarms(stream, tuple(drifted for _, drifted in found))
    rng = np.random.default_rng(1)
    size, scores = len(healthy) // BASELINE, []
    for _ in range(SPLITS):
        order = rng.permutation(len(healthy))
        parts = (healthy.iloc[places].copy() for places in (order[:size], order[size:]))
        scores.append(score(*parts)[0])
    return Alarms(stream, tuple(value > max(scores) for value, _ in found))


@cache
def _texts(stream: str) -> list[list[str]]:
    """Return the answers by generation."""
    texts: dict[int, list[str]] = {}
    with open(STREAMS / f"{stream}.jsonl", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            texts.setdefault(row["generation"], []).append(row["answer"] or "")
    return [texts[number] for number in sorted(texts)]


@cache
def _vectors(stream: str) -> list[Any]:
    """Return a table of vectors by generation; empty answers have none and are left out."""
    import pandas

    embedder = parse_embedder("hashing")
    tables = []
    for texts in _texts(stream):
        rows = np.concatenate(list(embed_all(embedder, texts)))
        rows = rows[np.isfinite(rows).all(axis=1)]
        tables.append(pandas.DataFrame(rows, columns=[f"v{k}" for k in range(rows.shape[1])]))
    return tables


@cache
def _descriptors(stream: str) -> list[Any]:
    """Return a table of Evidently's text descriptors by generation; it divides by the length."""
    import pandas
    from evidently import DataDefinition, Dataset
    from evidently.descriptors import (
        NonLetterCharacterPercentage,
        SentenceCount,
        TextLength,
        WordCount,
    )

    kinds = (TextLength, WordCount, SentenceCount, NonLetterCharacterPercentage)
    tables = []
    for texts in _texts(stream):
        read = Dataset.from_pandas(
            pandas.DataFrame({"answer": [text for text in texts if text.strip()]}),
            data_definition=DataDefinition(text_columns=["answer"]),
            descriptors=[kind("answer", alias=kind.__name__) for kind in kinds],
        )
        tables.append(read.as_dataframe().drop(columns="answer").astype(float))
    return tables


def _methods() -> dict[str, tuple[Callable[[str], list[Any]], Score]]:
    from evidently.legacy.metrics.data_drift import embedding_drift_methods as evidently

    def wrapped(method: Callable[..., tuple[float, bool, str]]) -> Score:
        def score(current: Any, reference: Any) -> tuple[float, bool]:
            value, drifted, _ = method(current, reference)
            return float(value), bool(drifted)

        return score

    kinds = (evidently.model, evidently.ratio, evidently.distance, evidently.mmd)
    return {
        **{f"embeddings: {kind.__name__}": (_vectors, wrapped(kind())) for kind in kinds},
        "text descriptors": (_descriptors, _descriptor_drift),
    }


def _descriptor_drift(current: Any, reference: Any) -> tuple[float, bool]:
    """Return how small the smallest p-value is, and whether half of the columns drift."""
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    numerical = ColumnType.Numerical
    drifted, smallest = 0, 1.0
    for name in reference.columns:
        test = get_stattest(reference[name], current[name], numerical, "ks")
        found = test(reference[name], current[name], numerical, threshold=None)
        drifted += bool(found.drifted)
        smallest = min(smallest, float(found.drift_score))
    return -smallest, 2 * drifted >= len(reference.columns)
