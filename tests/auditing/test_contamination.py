"""Contamination: a pool counted by hand, and a preference that is recovered in simulation."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from hayflick.auditing.contamination import find_contamination
from hayflick.auditing.preference import Choices
from hayflick.auditing.retrieval_log import ANSWERS, DOCUMENTS, READS, REQUESTS, RetrievalLog
from hayflick.core.errors import ArgumentError, DataError

STORM = "a storm broke the old bridge by the mill"
FLOOD = "the river rose above its banks in the cold spring"
PRAISE = "all is well in the fair city of ours today"
WISH = "may the sun shine on every street and square"


def hand_log(**changed):
    """Return three requests over a pool of two real and two generated texts."""
    columns = {
        "rounds": ("monday", "tuesday"),
        "documents": pl.DataFrame(
            [
                (STORM, False, None, None, None),
                (FLOOD, False, None, None, None),
                (PRAISE, True, "x", None, None),
                (WISH, True, "y", "y", 1),
            ],
            schema=DOCUMENTS,
            orient="row",
        ),
        "requests": pl.DataFrame(
            [(1, "y", "How is it?", 0), (2, "x", None, 1), (2, "y", None, 1)],
            schema=REQUESTS,
            orient="row",
        ),
        "reads": pl.DataFrame(
            [(0, 0), (0, 2), (1, 2), (1, 3), (2, 0), (2, 3)], schema=READS, orient="row"
        ),
        "answers": pl.DataFrame(
            [
                (0, "They say all is well in the fair city."),
                (1, "Indeed: may the sun shine on every street."),
                (2, "May the SUN shine on every roof, as ever."),
            ],
            schema=ANSWERS,
            orient="row",
        ),
        "pools": (np.array([0, 1, 2]), np.array([0, 1, 2, 3])),
    }
    return RetrievalLog(**columns | changed)


def test_pool_counted_by_hand() -> None:
    found = find_contamination(hand_log())
    assert found.pool == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)
    assert (found.retrieved.generated, found.retrieved.taken) == (4, 6)
    assert found.retrieved.value == pytest.approx(4 / 6)
    assert (found.copied.generated, found.copied.taken, found.copied.value) == (3, 3, 1.0)
    assert found.copied_rate == pytest.approx(3 / 6)
    assert found.copying.value is None
    assert "only generated texts" in found.copying.reason
    one, two = found.rounds
    assert (one.name, one.pool, one.retrieved, one.copied) == ("monday", 1 / 3, 0.5, 1.0)
    assert (two.requests, two.pool, two.retrieved, two.copied) == (2, 0.5, 0.75, 1.0)
    assert (one.echo, two.echo) == (0.0, 1.0)


def test_dominance_and_echo_counted_by_hand() -> None:
    found = find_contamination(hand_log())
    assert (found.by_document.number, found.by_document.effective) == (3, pytest.approx(3.0))
    assert found.by_document.top[0].name == STORM
    assert found.by_document.largest == pytest.approx(2 / 6)
    assert (found.by_source.number, found.by_source.effective) == (2, pytest.approx(2.0))
    # Of all that was retrieved, also of what has no source.
    assert found.by_source.largest == pytest.approx(2 / 6)
    echo = found.echo
    assert (echo.answers, echo.copying, echo.echoing, echo.own) == (3, 3, 2, 1)
    links = {(one.reader, one.author): (one.reads, one.copies, one.by_round) for one in echo.links}
    assert links == {("x", "y"): (1, 1, (0, 1)), ("y", "y"): (1, 1, (0, 1))}


def test_words_of_the_prompt_are_not_copied() -> None:
    prompts = pl.DataFrame(
        [(1, "y", f"Is it true that {PRAISE}?", 0), (2, "x", None, 1), (2, "y", None, 1)],
        schema=REQUESTS,
        orient="row",
    )
    answers = hand_log().answers.with_columns(
        text=pl.when(pl.col("request") == 0).then(pl.lit(f"{PRAISE}!")).otherwise("text")
    )
    assert find_contamination(hand_log(answers=answers)).copied.taken == 3
    found = find_contamination(hand_log(answers=answers, requests=prompts))
    assert found.copied.taken == 2
    assert found.echo.answers == 2
    assert "1 of 3 answers are too short" in str(found.notes[0])


def test_texts_of_unknown_origin_are_left_out_and_counted() -> None:
    log = hand_log()
    unknown = log.documents.with_columns(
        generated=pl.when(pl.col("text") == PRAISE).then(None).otherwise("generated")
    )
    found = find_contamination(hand_log(documents=unknown))
    assert (found.retrieved.generated, found.retrieved.taken, found.retrieved.unknown) == (2, 4, 2)
    assert (found.copied.taken, found.copied.unknown) == (2, 1)
    assert found.pool == pytest.approx((0 + 1 / 3 + 1 / 3) / 3)
    assert "2 of 6 retrieved texts" in str(found.notes[0])


def test_without_pools_and_authors_nothing_is_made_up() -> None:
    log = hand_log()
    found = find_contamination(
        hand_log(
            documents=log.documents.with_columns(
                author=pl.lit(None, pl.String), source=pl.lit(None, pl.String)
            ),
            requests=log.requests.with_columns(pool=pl.lit(None, pl.Int64)),
            pools=(),
        )
    )
    assert (found.pool, found.retrieval, found.echo, found.by_source) == (None, None, None, None)
    assert found.retrieved.value == pytest.approx(4 / 6)


def test_impossible_inputs_are_refused() -> None:
    with pytest.raises(DataError, match="nothing was retrieved"):
        find_contamination(hand_log(reads=pl.DataFrame(schema=READS)))
    with pytest.raises(ArgumentError, match="run"):
        find_contamination(hand_log(), run=0)
    with pytest.raises(DataError, match="of no row"):
        hand_log(pools=())
    with pytest.raises(DataError, match="reads"):
        hand_log(reads=pl.DataFrame({"request": [0]}))


def retrievals(
    seed: int, *, weight: float, taken: int, requests: int = 100, spread: float = 0.0
) -> Choices:
    """Return what is retrieved of four growing pools with a weight for generated texts."""
    rng = np.random.default_rng(seed)
    generated = rng.random(200) < 0.4
    weights = np.where(generated, weight, 1.0) * np.exp(spread * rng.standard_normal(200))
    pools = [np.arange(size) for size in (80, 120, 160, 200)]
    offer = np.arange(requests) % 4
    items = [
        pools[one][np.argsort(-(rng.random(pools[one].size) ** (1 / weights[pools[one]])))[:taken]]
        for one in offer
    ]
    return Choices(
        generated=generated,
        offer=offer,
        cluster=np.arange(requests),
        offered_offer=np.repeat(np.arange(4), [pool.size for pool in pools]),
        offered_item=np.concatenate(pools),
        taken_choice=np.repeat(np.arange(requests), taken),
        taken_item=np.concatenate(items),
    )


@pytest.mark.parametrize(
    ("weight", "taken", "spread"), [(1.0, 5, 0.0), (3.0, 5, 0.0), (3.0, 40, 0.0), (0.5, 10, 0.7)]
)
def test_known_preference_is_recovered(weight: float, taken: int, spread: float) -> None:
    found = [
        retrievals(seed, weight=weight, taken=taken, spread=spread).preference(confidence=0.95)
        for seed in range(1000, 1025)
    ]
    logs = np.log([one.value for one in found])
    # Of single texts that are liked more, only the mean over many pools has the known weight.
    error = logs.std(ddof=1) / math.sqrt(len(logs))
    assert abs(logs.mean() - math.log(weight)) < 4 * error + 0.02
    assert np.mean([one.low <= weight <= one.high for one in found]) >= 0.85
    if weight == 3.0:
        assert all(one.is_clear for one in found)


def test_preference_in_one_pool_is_that_of_manly() -> None:
    generated = np.array([True] * 4 + [False] * 4)
    choices = Choices(
        generated=generated,
        offer=np.array([0, 0]),
        cluster=np.array([0, 1]),
        offered_offer=np.zeros(8, np.int64),
        offered_item=np.arange(8),
        taken_choice=np.repeat([0, 1], 4),
        taken_item=np.array([0, 1, 2, 4, 1, 2, 3, 5]),
    )
    found = choices.preference(confidence=0.95)
    assert found.value == pytest.approx(math.log(1 - 3 / 4) / math.log(1 - 1 / 4))
    assert found.choices == 2


def test_ratio_of_copying_is_that_of_mantel_and_haenszel() -> None:
    choices = Choices(
        generated=np.array([True, True, False, False]),
        offer=np.array([0, 1, 2]),
        cluster=np.array([0, 1, 2]),
        offered_offer=np.repeat([0, 1, 2], [4, 3, 1]),
        offered_item=np.array([0, 1, 2, 3, 0, 2, 3, 0]),
        taken_choice=np.array([0, 0, 0, 1, 2]),
        taken_item=np.array([0, 1, 2, 0, 0]),
    )
    found = choices.ratio(confidence=0.95)
    assert found.value == pytest.approx((2 * 2 / 4 + 1 * 2 / 3) / (1 * 2 / 4))
    assert found.choices == 2


@pytest.mark.parametrize("times", [1.0, 2.0, 0.5])
def test_known_ratio_of_copying_is_recovered(times: float) -> None:
    found = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        generated = rng.random(120) < 0.4
        read = np.array([rng.permutation(120)[:6] for _ in range(250)])
        # Some answers copy everything that they like, others hardly anything.
        rates = rng.uniform(0.05, 0.4, (250, 1)) * np.where(generated[read], times, 1.0)
        copied = rng.random(read.shape) < rates
        answer = np.broadcast_to(np.arange(250)[:, None], read.shape)
        choices = Choices(
            generated=generated,
            offer=np.arange(250),
            cluster=np.arange(250) // 2,
            offered_offer=answer.ravel(),
            offered_item=read.ravel(),
            taken_choice=answer[copied],
            taken_item=read[copied],
        )
        found.append(choices.ratio(confidence=0.95))
    logs = np.log([one.value for one in found])
    error = logs.std(ddof=1) / math.sqrt(len(logs))
    assert abs(logs.mean() - math.log(times)) < 4 * error + 0.02
    assert np.mean([one.low <= times <= one.high for one in found]) >= 0.85


def test_texts_that_are_all_retrieved_tell_no_preference() -> None:
    reads = [(0, 0), (0, 1), (0, 2)]
    log = hand_log(
        requests=pl.DataFrame([(1, "y", None, 0)], schema=REQUESTS, orient="row"),
        reads=pl.DataFrame(reads, schema=READS, orient="row"),
        answers=pl.DataFrame([(0, "So it is.")], schema=ANSWERS, orient="row"),
    )
    found = find_contamination(log).retrieval
    assert (found.value, found.low, found.high) == (None, None, None)
    assert "all or none of them were taken" in found.reason
