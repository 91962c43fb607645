import asyncio
import json
import math
import threading
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError, BudgetExhausted, EndpointError
from hayflick.core.records import Action, ActionKind
from hayflick.embed.hashing import HashingEmbedder
from hayflick.network.agents.protocol import Answer
from hayflick.network.interventions import ReviewPending
from hayflick.network.rounds import measure_round
from hayflick.network.run_results import report_network

from .conftest import REAL, WORDS, Runner, Scripted, village

NAMES = ("anna", "bert", "cleo")


ANNA = [{"name": "anna", "kind": "ngram", "texts": REAL}]


@dataclass
class Slow(Scripted):
    """Takes a while."""

    seconds: float = 0.0

    async def answer(self, query, context, *, seed):
        said = self.say(seed) if callable(self.say) else self.say
        await asyncio.sleep(self.seconds)
        return Answer(said)


def speaker(name):
    """Return an agent that says three words that follow from the place of the answer."""

    def say(seed):
        return " ".join(WORDS[(seed.number >> (5 * place)) % 20] for place in range(3))

    return Scripted(name, say)


def test_the_pool_and_what_is_read_are_the_papers_at_every_round(runner):
    experiment = village(rounds=61, answers=40, retrieval="uniform:0.5")
    agents = [speaker(name) for name in NAMES]
    run = runner.run(experiment, agents)
    after = range(1, 62)
    assert run.series("pool_size") == [20 + 3 * t for t in after]
    assert run.series("synthetic_share") == [3 * t / (20 + 3 * t) for t in after]
    assert run.series("pool_read") == [20 + 3 * (t - 1) for t in after]
    assert run.series("texts_read") == [math.floor(0.5 * (20 + 3 * (t - 1))) for t in after]
    # |A_60| = 200, of which 100 are read and nine tenths are synthetic.
    assert run.series("pool_size")[59] == 200
    assert run.series("texts_read")[60] == 100
    assert run.series("synthetic_share")[59] == 0.9
    assert len(run.answers) == 61 * 3 * 40
    for agent in agents:
        assert [len(context) for _, context, _ in agent.asked[::40]] == run.series("texts_read")


def test_the_norm_is_that_of_the_matrix_of_distances(runner):
    run = runner.run(village(rounds=4, answers=5), [speaker(name) for name in NAMES])
    embedder = HashingEmbedder(dimensions=64)
    for number, found in enumerate(run.series("group_frobenius_norm"), start=1):
        means = [
            embedder.embed([a.text for a in run.answers if (a.round, a.agent) == (number, name)])
            .astype(np.float64)
            .mean(axis=0)
            for name in NAMES
        ]
        matrix = [[np.linalg.norm(one - other) for other in means] for one in means]
        assert found == pytest.approx(np.linalg.norm(matrix), abs=1e-10)
        assert_allclose(run.means[number - 1, :, 0], means, atol=1e-12)


def test_first_answers_join_in_the_order_of_the_agents(runner):
    run = runner.run(village(rounds=2), [speaker(name) for name in NAMES])
    assert [one.text for one in run.texts[:20]] == REAL
    joined = [(one.round, one.author, one.text) for one in run.texts[20:]]
    first = [(a.round, a.agent, a.text) for a in run.answers if a.place == 0]
    assert joined == first
    assert all(one.synthetic == (one.number >= 20) for one in run.texts)


def test_every_agent_has_a_stream_of_its_own(runner):
    few = [speaker(name) for name in NAMES]
    run = runner.run(village(rounds=1), few)
    read = {one.agent: one.texts for one in run.reads}
    assert len(set(read.values())) == 3
    assert {len(set(np.frombuffer(texts, "<i4"))) for texts in read.values()} == {10}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"seed": 8}, None),
        ({"retrieval": "fixed:3"}, None),
        ({"topology": "ring:1", "retrieval": "own"}, None),
        ({"query": "Sing of the sea"}, None),
        ({"answers": 5}, None),
        ({"pool": {"texts": REAL, "size": 10}}, None),
        ({"pool": {"texts": REAL, "owners": "split"}, "retrieval": "own"}, None),
        ({"pool": {"texts": REAL, "policy": "add-all"}}, None),
        ({"pool": {"texts": REAL, "policy": "replace"}}, None),
    ],
)
def test_every_setting_changes_the_run(tmp_path, changes, path):
    records = []
    for place, experiment in enumerate((village(), village(**changes))):
        folder = tmp_path / str(place)
        folder.mkdir()
        run = Runner(folder).run(experiment)
        records.append((run.to_dict()["answers"], run.to_dict()["read"]))
    assert records[0] != records[1]


def test_empty_answers_are_counted_and_in_no_mean(runner):
    def half(seed):
        return "  " if seed.index < 2 else f"{seed.agent} says {WORDS[seed.index]}"

    run = runner.run(village(rounds=2), [Scripted(name, half) for name in NAMES])
    assert run.series("empty_answers") == [6.0, 6.0]
    assert run.series("answers") == [12.0, 12.0]
    said = [f"anna says {WORDS[place]}" for place in (2, 3)]
    mean = HashingEmbedder(dimensions=64).embed(said).astype(np.float64).mean(axis=0)
    assert_allclose(run.means[0, 0, 0], mean, atol=1e-12)
    # The first answer that says something joins.
    assert run.texts[20].text == said[0]


def test_an_agent_that_says_nothing_adds_nothing(runner):
    agents = [speaker("anna"), speaker("bert"), Scripted("cleo", lambda _: "")]
    run = runner.run(village(rounds=2), agents)
    assert run.series("pool_size") == [22.0, 24.0]
    assert np.isnan(run.means[:, 2]).all()
    assert not np.isnan(run.means[:, :2]).any()
    assert run.series("empty_answers", group="cleo") == [4.0, 4.0]
    assert run.series("within", group="cleo") == [None, None]


def test_several_queries_add_their_first_answers(runner):
    queries = [{"text": "How is the sea?"}, {"text": "How is the road?"}]
    agents = [speaker(name) for name in NAMES]
    run = runner.run(village(query=None, queries=queries, rounds=2), agents)
    assert run.series("pool_size") == [26.0, 32.0]
    assert run.means.shape == (2, 3, 2, 64)
    assert {query for query, _, _ in agents[0].asked} == {"How is the sea?", "How is the road?"}


def test_a_share_that_reads_nothing_is_refused_before_anyone_is_asked(runner):
    agents = [speaker(name) for name in NAMES]
    with pytest.raises(ArgumentError, match=r"agent anna a text in round 1; beta: got 0.01"):
        runner.run(village(retrieval="uniform:0.01"), agents)
    assert not any(agent.asked for agent in agents)


def test_who_reads_whom_changes_from_the_round_that_was_said(runner):
    later = [
        {"from_round": 1, "topology": "complete"},
        {"from_round": 3, "topology": "blocks:count=3"},
    ]
    run = runner.run(village(rounds=4, topologies=later, retrieval="uniform:1.0"))
    authors = {one.number: one.author for one in run.texts}
    others = dict.fromkeys(range(1, 5), 0)
    for one in run.reads:
        seen = {authors[number] for number in np.frombuffer(one.texts, "<i4").tolist()}
        others[one.round] += len(seen - {"", one.agent})
    # In the first round there are no answers to read; later everyone reads two others, or none.
    assert others == {1: 0, 2: 6, 3: 0, 4: 0}


def test_windows_and_replacement_read_late_texts_alone(runner):
    run = runner.run(village(rounds=4, pool={"texts": REAL, "policy": "window:2"}))
    assert run.series("pool_size") == [23.0, 6.0, 6.0, 6.0]
    assert run.series("synthetic_share") == [3 / 23, 1.0, 1.0, 1.0]
    assert len(run.texts) == 20 + 12


class Decides:
    """Asks for what it was given, after given rounds of all; remembers what it read of all."""

    def __init__(self, **by_round):
        self.by_round = {int(key[1:]): action for key, action in by_round.items()}
        self.read = []

    def decide(self, reading):
        if reading.group:
            return []
        self.read.append(reading)
        action = self.by_round.get(reading.round)
        return [] if action is None else [action]


def test_readings_are_the_same_whether_or_not_they_are_waited_for(tmp_path):
    runs = []
    for name, rule in (("put-off", None), ("waited-for", Decides())):
        (tmp_path / name).mkdir()
        agents = [speaker("anna"), speaker("bert")]
        experiment = village(
            agents=[{"name": n, "kind": "ngram", "texts": REAL} for n in ("anna", "bert")]
        )
        runs.append(Runner(tmp_path / name).run(experiment, agents, rule=rule).to_dict())
    assert runs[0]["readings"] == runs[1]["readings"]
    assert runs[0] == runs[1]


def test_a_round_is_measured_while_the_next_is_asked(runner, monkeypatch):
    order, meanwhile = [], threading.Event()

    def slow(said, *, observer):
        order.append(f"measures {said.number}")
        # Set by the second question; where nobody is asked meanwhile, it never is.
        assert meanwhile.wait(timeout=30.0)
        order.append(f"measured {said.number}")
        return measure_round(said, observer=observer)

    def say(seed):
        order.append(f"asks {seed.round}")
        if (seed.round, seed.index) == (2, 1):
            meanwhile.set()
        return "It rains."

    monkeypatch.setattr("hayflick.network.rounds.measure_round", slow)
    agents = [Slow("anna", say, seconds=0.05)]
    run = runner.run(village(rounds=2, answers=2, concurrency=1, agents=ANNA), agents)
    assert run.finished
    # The first question is out before, the second is asked meanwhile.
    assert order == [
        *("asks 1", "asks 1", "asks 2"),
        *("measures 1", "asks 2", "measured 1", "measures 2", "measured 2"),
    ]


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_no_answer_is_stored_before_the_round_before_it(runner, seconds):
    rounds = runner.start(
        village(rounds=3, agents=ANNA), [Slow("anna", "It rains.", seconds=seconds)]
    )
    order, store = [], rounds.store
    add, finish = store.add_answers, store.finish_round

    def adds(answers, *, spent):
        order.extend(("answer", one.round) for one in answers)
        add(answers, spent=spent)

    def finishes(done, **parts):
        order.append(("finished", done.number))
        finish(done, **parts)

    store.add_answers, store.finish_round = adds, finishes
    asyncio.run(rounds.run())
    runner.database.close()
    # Every round after all of its answers, and before the first of the next.
    assert list(dict.fromkeys(order)) == [
        (what, number) for number in (1, 2, 3) for what in ("answer", "finished")
    ]
    assert [number for what, number in order if what == "answer"] == [1] * 4 + [2] * 4 + [3] * 4
    assert report_network(runner.folder).finished


def test_a_round_that_could_not_be_stored_is_finished_when_the_run_goes_on(runner, tmp_path):
    def say(seed):
        return f"Rain {seed.number % 97}."

    experiment = village(rounds=3, agents=ANNA)
    rounds = runner.start(experiment, [Slow("anna", say, seconds=0.01)])
    finish = rounds.store.finish_round

    def fails(done, **parts):
        if done.number == 2:
            raise OSError("no space")
        finish(done, **parts)

    rounds.store.finish_round = fails
    with pytest.raises(OSError, match="no space"):
        asyncio.run(rounds.run())
    assert rounds.store.finished == 1
    assert {one.round for one in rounds.store.answers()} == {1, 2}
    runner.database.close()
    resumed = runner.run(experiment, [Slow("anna", say, seconds=0.01)])
    (tmp_path / "whole").mkdir()
    whole = Runner(tmp_path / "whole").run(experiment, [Scripted("anna", say)])
    assert resumed.to_dict()["readings"] == whole.to_dict()["readings"]


def test_what_is_asked_is_kept_where_measuring_fails(runner, monkeypatch):
    def fails(said, *, observer):
        raise OSError("no memory")

    monkeypatch.setattr("hayflick.network.rounds.measure_round", fails)
    rounds = runner.start(village(rounds=3, agents=ANNA), [Slow("anna", "It rains.", seconds=0.03)])
    with pytest.raises(OSError, match="no memory"):
        asyncio.run(rounds.run())
    assert [one.round for one in rounds.store.answers()] == [1] * 4 + [2] * 4
    runner.database.close()


def test_a_reading_knows_nothing_of_the_review_of_its_round(runner, tmp_path):
    changes = {
        "rounds": 3,
        "agents": ANNA,
        "pool": {"texts": REAL, "policy": "admit"},
        "review": "continue",
    }
    rounds = runner.start(
        village(**changes), [Scripted("anna", lambda seed: f"Rain {seed.round}.")]
    )
    take = rounds._apply_reviews

    def reviewed(*, after):
        for path in tmp_path.glob("review-*.jsonl"):
            fill_in(path, lambda row: True)
        take(after=after)

    rounds._apply_reviews = reviewed
    asyncio.run(rounds.run())
    runner.database.close()
    run = report_network(tmp_path)
    assert run.series("pool_size") == [20.0, 21.0, 22.0]


def test_injected_texts_join_for_as_many_rounds_as_decided(runner):
    rule = Decides(r1=Action(kind=ActionKind.INJECT, reason="narrow", items=2, rounds=2))
    reserve = [f"A fresh {word}." for word in WORDS]
    run = runner.run(village(rounds=4, reserve={"texts": reserve}), rule=rule)
    injected = [one for one in run.texts if one.origin == "injected"]
    assert [one.round for one in injected] == [1, 1, 2, 2]
    assert {one.text for one in injected} <= set(reserve)
    assert not any(one.synthetic for one in injected)
    assert run.series("pool_read") == [20.0, 25.0, 30.0, 33.0]
    assert [one.reason for one in run.decisions] == ["narrow"]


def test_a_steady_injection_needs_no_rule(runner):
    run = runner.run(village(pool={"texts": REAL, "inject": 3}, reserve={"texts": ["a b", "c d"]}))
    # The reserve holds two texts: no more can be put in at once.
    assert run.series("pool_size") == [25.0, 30.0, 35.0]


def test_prompts_are_varied_while_it_is_decided(runner):
    rule = Decides(r1=Action(kind=ActionKind.VARY_PROMPTS, reason="alike", rounds=1))
    agents = [speaker(name) for name in NAMES]
    variations = ["In short: {query}", "At length: {query}"]
    experiment = village(prompt_variations=variations)
    runner.run(experiment, agents, rule=rule)
    asked = [{query for query, _, seed in agents[0].asked if seed.round == t} for t in (1, 2, 3)]
    plain = "Tell me of the village"
    assert asked == [{plain}, {f"In short: {plain}"}, {plain}]
    assert agents[1].asked[4][0] == f"At length: {plain}"


def test_a_notice_is_said(runner):
    said = []
    rule = Decides(r2=Action(kind=ActionKind.NOTIFY, reason="look here"))
    runner.run(village(), rule=rule, say=said.append)
    assert said == ["round 2: notify: look here"]


def fill_in(path, keep):
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps({**row, "keep": keep(row)}) + "\n" for row in rows))


def test_a_review_holds_the_run_and_withdraws_what_a_person_refuses(runner, tmp_path):
    rule = Decides(r1=Action(kind=ActionKind.REVIEW, reason="odd", items=2))
    with pytest.raises(ReviewPending, match=r"review-1.jsonl: waits for a review"):
        runner.run(village(), rule=rule)
    with pytest.raises(ReviewPending):
        runner.run(village(), rule=Decides())
    path = tmp_path / "review-1.jsonl"
    shown = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(shown) == 2
    refused = shown[0]["number"]
    fill_in(path, lambda row: row["number"] != refused)
    again = Decides()
    run = runner.run(village(), rule=again)
    assert run.series("pool_read") == [20.0, 22.0, 25.0]
    assert [one.number for one in run.texts if one.withdrawn == 1] == [refused]
    assert [reading.round for reading in again.read] == [1, 2, 3]
    assert len(run.texts) == 29


def test_a_review_is_of_a_random_sample_of_the_new_texts(tmp_path):
    chosen = set()
    for seed in range(12):
        folder = tmp_path / str(seed)
        folder.mkdir()
        rule = Decides(r1=Action(kind=ActionKind.REVIEW, reason="odd", items=1))
        runner = Runner(folder)
        runner.run(village(seed=seed, rounds=1, review="continue"), map(speaker, NAMES), rule=rule)
        (row,) = (folder / "review-1.jsonl").read_text(encoding="utf-8").splitlines()
        chosen.add(json.loads(row)["author"])
    assert chosen == set(NAMES)


def test_a_run_may_go_on_without_the_review(runner):
    rule = Decides(r1=Action(kind=ActionKind.REVIEW, reason="odd"))
    run = runner.run(village(review="continue"), rule=rule)
    assert run.series("pool_read") == [20.0, 23.0, 26.0]


def test_texts_wait_until_a_person_admits_them(runner, tmp_path):
    experiment = village(rounds=2, pool={"texts": REAL, "policy": "admit"})
    with pytest.raises(ReviewPending):
        runner.run(experiment)
    fill_in(tmp_path / "review-1.jsonl", lambda row: row["author"] == "bert")
    run = runner.run(experiment)
    assert run.series("pool_size") == [20.0, 21.0]
    assert [one.admitted for one in run.texts[20:23]] == [None, 1, None]


def test_what_fails_leaves_what_was_answered_and_asks_for_the_rest_alone(runner):
    def refuses(seed):
        if (seed.round, seed.index) == (2, 1):
            return EndpointError("it answers 500", agent="bert", url="http://127.0.0.1:9/v1")
        return f"bert {seed.index}"

    experiment = village(concurrency=2)
    agents = [speaker("anna"), Scripted("bert", refuses), speaker("cleo")]
    with pytest.raises(EndpointError, match=r"agent bert, http://127.0.0.1:9/v1"):
        runner.run(experiment, agents)
    stopped = report_network(runner.folder)
    assert stopped.rounds == 1
    kept = {(a.round, a.agent, a.place) for a in stopped.answers}
    assert 12 < len(kept) < 24
    whole = [speaker("anna"), Scripted("bert", lambda s: f"bert {s.index}"), speaker("cleo")]
    run = runner.run(experiment, whole)
    again = {(seed.round, seed.agent, seed.index) for a in whole for _, _, seed in a.asked}
    assert not again & kept
    assert len(again) + len(kept) == len(run.answers) == 36


def test_an_exhausted_budget_stops_cleanly(runner):
    def poor(seed):
        return BudgetExhausted("the budget of 9 tokens is exhausted") if seed.round > 2 else "yes"

    with pytest.raises(BudgetExhausted, match="9 tokens"):
        runner.run(village(), [Scripted(name, poor) for name in NAMES])
    assert report_network(runner.folder).rounds == 2


def test_what_a_rule_reads_is_read_to_it_again(runner):
    first = Decides()
    runner.run(village(rounds=3), rule=first)
    again = Decides()
    runner.start(village(rounds=3), rule=again)
    runner.database.close()
    for one, other in zip(first.read, again.read, strict=True):
        assert one.values == other.values
        assert_allclose(one.scores["spread"], other.scores["spread"], rtol=0)


def test_readings_hold_what_docs_promise(runner):
    run = runner.run(village())
    promised = {
        *("group_frobenius_norm", "noise_floor", "within", "between", "frobenius_norm"),
        *("rms_distance", "spread", "vocabulary_kept", "synthetic_share", "texts_read"),
        *("pool_size", "pool_read", "answers", "empty_answers"),
    }
    assert promised <= set(run.readings[""][0].values)
    assert set(run.readings) == {"", *NAMES}
    assert all(one < other for one, other in pairwise(run.series("pool_size")))
