import asyncio
import json

import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.network.agents.protocol import Answer, AnswerSeed
from hayflick.network.agents.replay import ReplayAgent, record_line

FULL = Answer("雨 \n“yes”", 3, 4, 0.25, 0.125, attempts=2, finish="length", model="m")
SEEDS = [
    AnswerSeed(7, name, turn, query, index)
    for name in ("anna", "bert")
    for turn in (1, 2)
    for query in (0, 1)
    for index in (0, 1)
]


def ask(agent, seed):
    return asyncio.run(agent.answer("What?", [], seed=seed))


def written(tmp_path, *lines):
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_a_run_is_replayed_exactly(tmp_path):
    agents = [
        hf.NGramAgent.of_texts(name, ["It rains. It snows in May."]) for name in ("anna", "bert")
    ]
    by_name = {agent.name: agent for agent in agents}
    answers = {seed: ask(by_name[seed.agent], seed) for seed in SEEDS}
    path = written(tmp_path, *(record_line(answers[seed], seed=seed) for seed in SEEDS))
    for name in by_name:
        replay = ReplayAgent.from_file(name, path)
        for seed in SEEDS:
            if seed.agent == name:
                assert ask(replay, seed) == answers[seed]


def test_all_that_an_answer_has_is_kept(tmp_path):
    seed = SEEDS[0]
    replay = ReplayAgent.from_file("anna", written(tmp_path, record_line(FULL, seed=seed)))
    assert ask(replay, seed) == FULL


def test_records_by_hand_need_little_and_may_hold_more(tmp_path):
    line = json.dumps({"agent": "anna", "round": 3, "text": "Yes.", "mood": "good"})
    replay = ReplayAgent.from_file("anna", written(tmp_path, line))
    assert ask(replay, AnswerSeed(1, "anna", 3)) == Answer("Yes.")


def test_what_is_missing_is_named(tmp_path):
    path = written(tmp_path, record_line(FULL, seed=SEEDS[0]))
    replay = ReplayAgent.from_file("anna", path)
    with pytest.raises(
        DataError, match=r"answers.jsonl: lacks answer 1 of anna to query 0 in round 2"
    ):
        ask(replay, AnswerSeed(7, "anna", round=2, index=1))
    assert replay.missing([(1, 0, 0), (1, 0, 1)]) == [(1, 0, 1)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 is no JSON"),
        ('{"agent": "anna", "text": "x"}', "line 2: round: "),
        ('{"agent": "anna", "round": 0, "text": "x"}', "line 2: round: "),
        ('{"agent": "anna", "round": "1", "text": "x"}', "line 2: round: "),
        ('{"agent": "anna", "round": 1, "text": 7}', "line 2: text: "),
        (record_line(FULL, seed=SEEDS[0]), "line 2 repeats answer 0 of anna to query 0 in round 1"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    path = written(tmp_path, record_line(FULL, seed=SEEDS[0]), line)
    with pytest.raises(DataError, match=message):
        ReplayAgent.from_file("anna", path)


def test_an_agent_without_answers_is_refused(tmp_path):
    path = written(tmp_path, record_line(FULL, seed=SEEDS[0]))
    with pytest.raises(DataError, match="holds no answer of carl, but of 'anna'"):
        ReplayAgent.from_file("carl", path)
    with pytest.raises(DataError):
        ReplayAgent.from_file("anna", tmp_path / "nothing.jsonl")
