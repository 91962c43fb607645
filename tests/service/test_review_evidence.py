"""What the decisions about a stream's answers prove."""

from __future__ import annotations

from hayflick.monitor.acceptance import AcceptanceDecision, Stratum, acceptance
from hayflick.service.review_evidence import MOST_ROUNDS, review_evidence
from hayflick.storage.reviews import ReviewedRound


def _round(number: int, *states: str, size: int = 500) -> ReviewedRound:
    return ReviewedRound(round=number, name=str(number), size=size, states=states)


def test_nothing_is_proven_before_a_decision_counts() -> None:
    assert review_evidence([]) is None
    assert review_evidence([_round(1, "pending", "accepted")]) is None


def test_the_bounds_are_those_of_a_review_file() -> None:
    rounds = [
        _round(3, *["accepted"] * 30, "rejected", "pending", "accepted"),
        _round(4, *["accepted"] * 40, size=900),
    ]
    found = review_evidence(rounds, limit=0.05)
    assert found is not None
    strata = [Stratum([False] * 30 + [True], 500, "3"), Stratum([False] * 40, 900, "4")]
    expected = acceptance(strata, limit=0.05)
    assert (found.acceptance.low, found.acceptance.high) == (expected.low, expected.high)
    assert found.acceptance.share == expected.share
    assert (found.rounds, found.answers, found.waiting) == (2, 1400, 1)
    assert (found.first, found.last) == ("3", "4")


def test_unsure_counts_as_bad_above_and_as_good_below() -> None:
    sure = review_evidence([_round(1, *["accepted"] * 50, "rejected", size=60)])
    unsure = review_evidence([_round(1, *["accepted"] * 50, "unsure", size=60)])
    good = review_evidence([_round(1, *["accepted"] * 51, size=60)])
    assert sure is not None
    assert unsure is not None
    assert good is not None
    assert unsure.acceptance.high == sure.acceptance.high
    assert unsure.acceptance.low == good.acceptance.low == 0.0
    assert (unsure.acceptance.bad, unsure.unsure) == (0, 1)


def test_a_stream_is_accepted_and_rejected() -> None:
    good = review_evidence([_round(k, *["accepted"] * 20, size=200) for k in range(1, 9)])
    bad = review_evidence([_round(k, *["rejected"] * 4, size=200) for k in range(1, 9)])
    assert good is not None
    assert bad is not None
    assert good.acceptance.decision is AcceptanceDecision.ACCEPT
    assert bad.acceptance.decision is AcceptanceDecision.REJECT


def test_the_last_decisions_are_judged() -> None:
    many = review_evidence([_round(k, *["accepted"] * 2, size=50) for k in range(1, 101)])
    long = review_evidence([_round(k, *["accepted"] * 30, size=2000) for k in range(1, 61)])
    one = review_evidence([_round(1, *["accepted"] * 500, size=2000)])
    assert many is not None
    assert long is not None
    assert one is not None
    assert (many.rounds, many.first, many.last) == (MOST_ROUNDS, "61", "100")
    assert (long.rounds, long.acceptance.checked) == (6, 180)
    assert (one.rounds, one.acceptance.checked) == (1, 500)
