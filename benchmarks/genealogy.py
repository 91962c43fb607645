"""Who started it: the planted source of a phrase in runs of built-in agents."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import hayflick as hf
from pairs import Result

RUNS = 100
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
        Result(
            f"{RUNS} runs of 4 to 8 agents, a planted text or author: the source is named",
            "`trace`",
            f"in {silent} runs no answer has the phrase",
            f"in {total} of {RUNS}: texts {named['text']} of {runs['text']}, authors "
            f"{named['writer']} of {runs['writer']}; its probability is {probability / RUNS:.2f} "
            f"on average, {1000 * seconds / RUNS:.0f} ms a run",
            "≥ 90",
            total >= 90,
        )
    ]
