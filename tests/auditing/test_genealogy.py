"""Who started a phrase: rates and sources of logs whose genealogy is known."""

import numpy as np
import polars as pl
import pytest

from hayflick.auditing.genealogy import find_genealogy
from hayflick.auditing.retrieval_log import ANSWERS, DOCUMENTS, READS, REQUESTS, RetrievalLog
from hayflick.core.errors import ArgumentError

PHRASE = "the purple heron sang all night"
PLAIN = "it rained on the mill"


def log_of(documents, requests, reads, answers, rounds):
    def frame(rows, schema):
        return pl.DataFrame(rows, schema=schema, orient="row")

    return RetrievalLog(
        rounds=tuple(map(str, range(1, rounds + 1))),
        documents=frame(documents, DOCUMENTS),
        requests=frame(requests, REQUESTS),
        reads=frame(reads, READS),
        answers=frame(answers, ANSWERS),
    )


def simulated(seed, *, copying, writing, planted="text", rounds=10, answers=20, read=4, writers=5):
    """Return a log in which a text, or writer w0, starts the phrase; and how many copied it."""
    rng = np.random.default_rng(seed)
    documents = [(f"{PLAIN} {k}", False, f"s{k}", None, None) for k in range(12)]
    if planted == "text":
        documents[3] = (f"once {PHRASE}", False, "s3", None, None)
    rates = np.full(writers, writing)
    if planted == "writer":
        rates[0] = 0.3
    requests, reads, given, copied = [], [], [], 0
    for number in range(1, rounds + 1):
        new = []
        for _ in range(answers):
            who, request = int(rng.integers(writers)), len(requests)
            requests.append((number, f"w{who}", None, None))
            chosen = rng.choice(len(documents), size=read, replace=False).tolist()
            reads += [(request, one) for one in chosen]
            share = np.mean([PHRASE in documents[one][0] for one in chosen])
            wrote = rng.random() < rates[who]
            copies = rng.random() < -np.expm1(-copying * share)
            copied += copies and not wrote
            text = f"{PHRASE if wrote or copies else PLAIN} {request}"
            given.append((request, text))
            new.append((text, True, f"w{who}", f"w{who}", number))
        kept = rng.choice(answers, size=4, replace=False)
        documents += [new[one] for one in kept]
    return log_of(documents, requests, reads, given, rounds), copied


@pytest.mark.parametrize("planted", ["text", "writer"])
def test_the_planted_source_is_named(planted):
    source = ("text", "s3") if planted == "text" else ("writer", "w0")
    named = 0
    for seed in range(10):
        log, _ = simulated(seed, copying=0.9, writing=0.002, planted=planted)
        first = find_genealogy(log, PHRASE).origins[0]
        named += (first.kind, first.name) == source
    assert named >= 9


def test_rates_are_recovered():
    inside = []
    for seed in range(8):
        log, _ = simulated(seed, copying=1.2, writing=0.02, answers=30)
        found = find_genealogy(log, PHRASE)
        assert found.copying.low < found.copying.value < found.copying.high
        inside.append(found.writing.low < -np.expm1(-0.02) < found.writing.high)
    assert sum(inside) >= 6


def test_a_tree_by_hand():
    told = f"once {PHRASE}"
    documents = [
        (told, False, "news", None, None),
        (PLAIN, False, "news", None, None),
        (f"they say {PHRASE}", True, "x", "x", 1),
    ]
    requests = [(1, "x", None, None), (1, "y", None, None), (2, "z", None, None)]
    answers = [(0, f"they say {PHRASE}"), (1, PLAIN), (2, f"and they say {PHRASE}")]
    log = log_of(documents, requests, [(0, 0), (1, 1), (2, 1), (2, 2)], answers, 2)
    found = find_genealogy(log, PHRASE)
    tree = [(one.kind, one.name, one.round, one.parent, one.descendants) for one in found.carriers]
    assert tree == [
        ("text", "news", None, None, 2),
        ("answer", "x", 1, 0, 1),
        ("answer", "z", 2, 1, 0),
    ]
    assert (found.by_round, found.answers_by_round, found.documents) == ((1, 1), (2, 1), 1)
    first = found.origins[0]
    assert (first.kind, first.document, first.text) == ("text", 0, told)
    assert 0.5 < first.probability <= 1.0
    assert first.low <= first.share <= first.high


def test_who_read_nothing_with_it_wrote_it():
    documents = [(PLAIN, False, None, None, None)]
    log = log_of(documents, [(1, "x", None, None)], [(0, 0)], [(0, PHRASE)], 1)
    found = find_genealogy(log, PHRASE)
    (only,) = found.origins
    assert (only.kind, only.name, only.probability, only.share) == ("writer", "x", 1.0, 1.0)
    assert found.copying is None


def test_prompts_with_the_phrase_are_a_source_of_their_own():
    documents = [(f"once {PHRASE}", False, None, None, None)]
    requests = [(1, "x", f"Is it true that {PHRASE}?", None), (1, "y", "How is it?", None)]
    log = log_of(documents, requests, [(0, 0), (1, 0)], [(0, PHRASE), (1, PLAIN)], 1)
    found = find_genealogy(log, PHRASE)
    assert [one.kind for one in found.origins] == ["prompt"]
    assert "1 answers were asked for" in str(found.notes[0])


def test_a_phrase_in_no_answer_has_no_origin():
    log, _ = simulated(1, copying=0.5, writing=0.01)
    found = find_genealogy(log, "nobody says so")
    assert found.origins == found.carriers == ()
    assert found.carrying == 0
    empty = log_of([], [], [], [], 1)
    assert find_genealogy(empty, PHRASE).writing is None


def test_five_words_of_a_planted_text_are_enough():
    documents = [(PLAIN, False, None, None, None)]
    log = log_of(
        documents,
        [(1, "x", None, None)] * 2,
        [(0, 0)],
        [(0, "He said that the PURPLE heron sang all day"), (1, "the purple heron sang once")],
        1,
    )
    found = find_genealogy(log, f"As is known {PHRASE} by the river and nobody heard it")
    assert found.run == 5
    assert found.carrying == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [({"phrase": " … "}, "phrase"), ({"confidence": 1.5}, "confidence"), ({"seed": -1}, "seed")],
)
def test_arguments_are_refused(change, message):
    log, _ = simulated(1, copying=0.5, writing=0.01, rounds=1)
    with pytest.raises(ArgumentError, match=message):
        find_genealogy(log, **{"phrase": PHRASE, **change})


def test_the_seed_alone_decides():
    log, _ = simulated(4, copying=0.9, writing=0.01)
    one, two = (find_genealogy(log, PHRASE, seed=3) for _ in range(2))
    assert one.origins == two.origins
    assert one.carriers == two.carriers


def test_rates_that_no_answer_tells_of_are_not_measured():
    documents = [("It rained.", False, "s", None, None)]
    requests = [(1, "x", f"Say: {PHRASE}", None)]
    found = find_genealogy(log_of(documents, requests, [(0, 0)], [(0, PHRASE)], 1), PHRASE)
    assert [(one.kind, one.probability) for one in found.origins] == [("prompt", 1.0)]
    assert found.copying is found.writing is None


def test_texts_that_are_always_read_together_are_equally_probable():
    documents = [(f"{PHRASE} {k}", False, f"s{k}", None, None) for k in "ab"]
    requests = [(1, "x", None, None)] * 30
    reads = [(number, one) for number in range(30) for one in (0, 1)]
    answers = [(number, f"{PHRASE} {number}") for number in range(30)]
    first, second = find_genealogy(log_of(documents, requests, reads, answers, 1), PHRASE).origins[
        :2
    ]
    assert {first.name, second.name} == {"sa", "sb"}
    assert first.probability < 0.7
    assert first.low < 0.5 < first.high


@pytest.mark.parametrize("phrase", ["鷺", "鷺 heron", "the ก"])
def test_a_single_letter_without_spaces_is_refused(phrase):
    documents = [("紫の鷺は夜に歌う", False, "s", None, None)]
    log = log_of(documents, [(1, "x", None, None)], [(0, 0)], [(0, "吾輩は紫の鷺である")], 1)
    with pytest.raises(ArgumentError, match="two letters in a row"):
        find_genealogy(log, phrase)
    found = find_genealogy(log, "紫の鷺")
    assert (found.carrying, found.origins[0].name) == (1, "s")
