"""Who started it: planted sources in runs of built-in agents, and in simulated logs with rivals."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import hayflick as hf
from hayflick.auditing.genealogy import find_genealogy
from hayflick.auditing.retrieval_log import ANSWERS, DOCUMENTS, READS, REQUESTS, RetrievalLog
from pairs import Result

RUNS, LOGS = 100, 200
WORDS = [
    *("rain", "snow", "wind", "river", "stone", "bread", "salt", "lamp", "road", "field"),
    *("horse", "apple", "winter", "morning", "bell", "boat", "letter", "window", "garden"),
    "candle",
]
PLANTED = "The purple heron sang all night beneath two crooked pines."


def _sentence(draw: random.Random) -> str:
    one, two, three, four = draw.choices(WORDS, k=4)
    return f"The {one} and the {two} met a {three} by the {four}."


def planted_run(seed: int, out: Path) -> tuple[hf.NetworkRun, str, str]:
    """Return a run with a planted source, the kind of that source, and its name or number."""
    draw = random.Random(seed)
    agents = [f"agent{number}" for number in range(draw.choice([4, 6, 8]))]
    corpora = {name: [_sentence(draw) for _ in range(30)] for name in agents}
    pool = [_sentence(draw) for _ in range(6)]
    if draw.random() < 0.5:
        kind, source = "writer", draw.choice(agents)
        corpora[source] += [PLANTED] * 30
    else:
        kind, source = "text", str(draw.randrange(6))
        pool[int(source)] = PLANTED
    shared: dict[str, Any] = {
        "kind": "ngram",
        "trust": draw.choice([0.5, 0.7]),
        "order": 3,
        "most_tokens": 30,
    }
    experiment = hf.Experiment.of(
        {
            "format_version": 1,
            "seed": seed,
            "rounds": 8,
            "answers": 10,
            "query": "Tell me of the village",
            "retrieval": "uniform:0.4",
            "topology": draw.choice(["complete", "ring:1"]),
            "embedder": "hashing:dimensions=32",
            "pool": {"texts": pool},
            "agents": [{"name": name, "texts": corpora[name], **shared} for name in agents],
        }
    )
    return hf.run_network(experiment, out=out), kind, source


def log_with_rivals(seed: int) -> tuple[RetrievalLog, Counter[tuple[str, str]]]:
    """Return a log of two texts and some authors who have a phrase, and what goes back to each."""
    rng = np.random.default_rng(seed)
    copying = rng.uniform(0.3, 1.5)
    writing = np.where(rng.random(5) < 0.4, rng.uniform(0.01, 0.15, 5), 0.002)
    documents: list[tuple[Any, ...]] = [
        (PLANTED if number in (3, 7) else f"it rained {number}", False, f"s{number}", None, None)
        for number in range(12)
    ]
    origins: list[tuple[str, str] | None] = [
        ("text", f"s{number}") if number in (3, 7) else None for number in range(12)
    ]
    requests, reads, answers = [], [], []
    found: Counter[tuple[str, str]] = Counter()
    for turn in range(1, 9):
        new = []
        for _ in range(15):
            author, request = int(rng.integers(5)), len(requests)
            requests.append((turn, f"w{author}", None, None))
            read = rng.choice(len(documents), 4, replace=False).tolist()
            reads += [(request, one) for one in read]
            moments = [(rng.exponential(1 / writing[author]), ("writer", f"w{author}"))]
            moments += [
                (rng.exponential(4 / copying), origin) for one in read if (origin := origins[one])
            ]
            moment, first = min(moments)
            origin = first if moment < 1 else None
            text = f"{PLANTED if origin else 'it rained'} {request}"
            answers.append((request, text))
            found.update([origin] if origin else [])
            new.append(((text, True, f"w{author}", f"w{author}", turn), origin))
        for one in rng.choice(15, 4, replace=False):
            documents.append(new[one][0])
            origins.append(new[one][1])
    log = RetrievalLog(
        rounds=tuple(map(str, range(1, 9))),
        documents=pl.DataFrame(documents, schema=DOCUMENTS, orient="row"),
        requests=pl.DataFrame(requests, schema=REQUESTS, orient="row"),
        reads=pl.DataFrame(reads, schema=READS, orient="row"),
        answers=pl.DataFrame(answers, schema=ANSWERS, orient="row"),
    )
    return log, found


def _calibration() -> list[Result]:
    """Return whether posterior probabilities and intervals of shares hold."""
    probabilities, right, held = [], [], []
    for seed in range(LOGS):
        log, true = log_with_rivals(seed)
        if not true:
            continue
        origins = find_genealogy(log, PLANTED, seed=seed).origins
        first = true[origins[0].kind, origins[0].name]
        probabilities.append(origins[0].probability)
        right.append(first == max(true.values()))
        held += [
            one.low - 1e-9 <= true[one.kind, one.name] / true.total() <= one.high + 1e-9
            for one in origins
            if one.share > 0.05
        ]
    said, correct, coverage = np.mean(probabilities), np.mean(right), np.mean(held)
    return [
        Result(
            f"{len(right)} simulated logs, two texts and some of 5 authors have the phrase",
            "`find_genealogy`",
            "",
            f"the source of most answers is named in {correct:.3f}, with a probability of "
            f"{said:.3f} on average; the 95 % interval of a share holds it in {coverage:.3f}",
            "equal within 0.07, ≥ 0.93",
            bool(abs(said - correct) < 0.07 and coverage >= 0.93),
        )
    ]


def results() -> list[Result]:
    """Return how often the planted source is the most probable one, and how sure that was."""
    named: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    silent, probability, seconds = 0, 0.0, 0.0
    for seed in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            run, kind, source = planted_run(seed, Path(folder) / "run")
            start = time.perf_counter()
            origins = hf.trace(run, "purple heron sang").genealogy.origins
            seconds += time.perf_counter() - start
        runs[kind] += 1
        silent += not origins
        chosen = [one for one in origins if one.kind == kind]
        true = [one for one in chosen if source in (one.name, str(one.document))]
        named[kind] += bool(true) and true[0] is origins[0]
        probability += true[0].probability if true else 0.0
    total = sum(named.values())
    return [
        *_calibration(),
        Result(
            f"{RUNS} runs of 4 to 8 agents, a planted text or author: the source is named",
            "`trace`",
            f"in {silent} runs no answer has the phrase",
            f"in {total} of {RUNS}: texts {named['text']} of {runs['text']}, authors "
            f"{named['writer']} of {runs['writer']}; its probability is {probability / RUNS:.2f} "
            f"on average, {1000 * seconds / RUNS:.0f} ms a run",
            "≥ 90",
            total >= 90,
        ),
    ]
