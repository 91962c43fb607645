from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.storage.runs import RunStore, StoredAnswer, StoredRead, StoredRound, StoredText

TEXT = StoredText(
    0, "", 0, synthetic=False, origin="first", text="It rains.", embedding=b"\x00\x00\x80\x3f"
)
ANSWER = StoredAnswer(1, "anna", 0, 0, "Yes.", tokens_in=3, cost=0.25, latency_s=0.1)


@pytest.fixture
def store():
    with hf.Database("sqlite://") as database:
        store = RunStore(database)
        store.begin({"rounds": 3, "query": "雨?"}, seed=7, texts=[TEXT])
        yield store


def test_what_is_kept_comes_back(store):
    store.add_answers([replace(ANSWER, place=1), ANSWER], spent=(5, 0.5))
    done = StoredRound(1, [{"round": 1, "values": {"a": 0.1 + 0.2}}], [{"kind": "inject"}])
    more = replace(TEXT, number=1, author="anna", round=1, synthetic=True, origin="answer")
    read = StoredRead(1, "anna", 0, b"\x00\x00\x00\x00", None)
    store.finish_round(done, texts=[more], reads=[read])
    assert (store.config, store.seed, store.begun) == ({"rounds": 3, "query": "雨?"}, 7, True)
    assert store.answers() == store.answers(round=1) == [ANSWER, replace(ANSWER, place=1)]
    assert store.answers(round=2) == []
    assert (store.texts(), store.reads(), store.rounds()) == ([TEXT, more], [read], [done])
    assert (store.spent, store.finished) == ((5, 0.5), 1)


def test_an_answer_is_not_kept_twice(store):
    store.add_answers([ANSWER], spent=(5, 0.5))
    with pytest.raises((DataError, IntegrityError)):
        store.add_answers([replace(ANSWER, place=2), ANSWER], spent=(10, 1.0))
    assert store.answers() == [ANSWER]
    assert store.spent == (5, 0.5)


def test_a_round_is_kept_whole_or_not_at_all(store):
    with pytest.raises((DataError, IntegrityError)):
        store.finish_round(StoredRound(1, [], []), texts=[TEXT], reads=[])
    assert (store.finished, store.texts()) == (0, [TEXT])


def test_reviews_change_nothing_but_what_is_in_force(store):
    store.review(admitted=[], withdrawn=[0], after=4)
    assert store.texts() == [replace(TEXT, withdrawn=4)]
    store.review(admitted=[0], withdrawn=[], after=5)
    assert store.texts() == [replace(TEXT, withdrawn=4, admitted=5)]


def test_a_database_without_a_run_is_refused():
    with hf.Database("sqlite://") as database:
        store = RunStore(database)
        assert not store.begun
        with pytest.raises(DataError, match="holds no run; begin one with"):
            store.check()
