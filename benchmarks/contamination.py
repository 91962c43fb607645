"""Simulated stores that fill up with answers: preferences of retrieval and copying, recovered."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import polars as pl

from hayflick.auditing.contamination import find_contamination
from hayflick.auditing.preference import Preference
from hayflick.auditing.retrieval_log import ANSWERS, DOCUMENTS, READS, REQUESTS, RetrievalLog
from pairs import Result

LOGS, ROUNDS, REQUESTS_A_ROUND, JOINING, REAL, READ = 200, 12, 15, 8, 80, 5
SETTINGS = ((1.0, 1.0, 0.0), (3.0, 1.0, 0.0), (3.0, 2.0, 0.7), (0.5, 0.5, 0.7))


def simulated(seed: int, *, retrieval: float, copying: float, spread: float) -> RetrievalLog:
    """Return a log in which generated texts are retrieved and copied with known weights.

    Parameters
    ----------
    seed
        Of every draw.
    retrieval, copying
        How many times as likely a generated text is to be retrieved, and to be copied.
    spread
        Standard deviation of the log of each text's own weight in retrieval.
    """
    rng = np.random.default_rng(seed)

    def words(number: int) -> list[str]:
        return [f"w{number}" for number in rng.integers(0, 4000, number)]

    texts = [words(20) for _ in range(REAL)]
    generated, liked = [False] * REAL, list(np.exp(spread * rng.standard_normal(REAL)))
    requests, reads, answers, pools = [], [], [], []
    for number in range(1, ROUNDS + 1):
        pools.append(np.arange(len(texts)))
        weights = np.array(liked) * np.where(generated, retrieval, 1.0)
        new = []
        for _ in range(REQUESTS_A_ROUND):
            keys = rng.random(len(texts)) ** (1.0 / weights)
            read = np.argsort(-keys)[:READ]
            rates = np.where(np.array(generated)[read], copying, 1.0)
            copied = rng.random(READ) < 0.25 * rates
            # An answer begins with words of its own, which those copy that read it later.
            answer = [*words(8), *(word for one in read[copied] for word in texts[one][:7])]
            request = len(requests)
            requests.append((number, "agent", None, number - 1))
            reads += [(request, int(one)) for one in read]
            answers.append((request, " ".join(answer)))
            new.append(answer)
        texts += new[:JOINING]
        generated += [True] * JOINING
        liked += list(np.exp(spread * rng.standard_normal(JOINING)))
    documents = [
        (" ".join(text), flag, None, None, None)
        for text, flag in zip(texts, generated, strict=True)
    ]
    return RetrievalLog(
        rounds=tuple(map(str, range(1, ROUNDS + 1))),
        documents=pl.DataFrame(documents, schema=DOCUMENTS, orient="row"),
        requests=pl.DataFrame(requests, schema=REQUESTS, orient="row"),
        reads=pl.DataFrame(reads, schema=READS, orient="row"),
        answers=pl.DataFrame(answers, schema=ANSWERS, orient="row"),
        pools=pools,
    )


def results() -> Iterator[Result]:
    """Recover the weights of each setting from its logs."""
    for retrieval, copying, spread in SETTINGS:
        found = [
            find_contamination(simulated(seed, retrieval=retrieval, copying=copying, spread=spread))
            for seed in range(LOGS)
        ]
        naive = [_odds(one.retrieved.value) / _odds(one.pool) for one in found]
        own = ", texts differ by a factor of 2" if spread else ""
        yield _result(
            f"retrieval, weight {retrieval:g}{own}: {LOGS} logs of a store that fills up",
            [one.retrieval for one in found],
            retrieval,
            f"ratio of odds to the mean pool: {_mean(naive):.2f}",
            within=0.05,
        )
        yield _result(
            f"the same: copying, {copying:g} times as likely",
            [one.copying for one in found],
            copying,
            "",
            # A text that repeats what was copied counts as copied too.
            within=0.1,
        )


def _result(
    name: str, found: list[Preference], truth: float, alternative: str, *, within: float
) -> Result:
    held = np.mean([one.low <= truth <= one.high for one in found])
    mean = _mean([one.value for one in found])
    return Result(
        name=name,
        ours="`find_contamination`",
        alternative=alternative,
        figure=f"{mean:.2f} on average; the 95 % interval holds it in {held:.3f}",
        target=f"within {within:.0%}, ≥ 0.93",
        met=bool(held >= 0.93 and abs(math.log(mean / truth)) < within),
    )


def _odds(share: float | None) -> float:
    return 0.0 if share is None else share / (1.0 - share)


def _mean(values: list[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))
