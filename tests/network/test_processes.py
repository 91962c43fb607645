"""Agents in processes of their own: a run is the same to the last bit, and survives their loss."""

import json
import multiprocessing
import os
import signal
from contextlib import contextmanager

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError, ExecutorError
from hayflick.network.agents.processes import AgentProcess
from hayflick.network.run_results import open_run
from hayflick.simulation.executors import process_executor
from hayflick.storage.runs import RunStore

from .conftest import REAL, village

PLACE = "hayflick.network.agents.processes"
NAMES = ("anna", "bert", "cleo", "dora", "emil")
AGENTS = [
    {
        "name": name,
        "kind": "ngram",
        "texts": REAL[start::2],
        "order": 2 + start % 2,
        "most_tokens": 12,
        "learning": 0.2 * (start % 3),
        "tokenizer": "characters:2" if name == "dora" else "auto",
    }
    for start, name in enumerate(NAMES)
]


class Lasting:
    """A process that outlives the run that it is opened for."""

    def __init__(self, executor):
        self.executor = executor

    def submit(self, *task):
        return self.executor.submit(*task)

    def shutdown(self, **_):
        pass


@pytest.fixture(scope="module")
def two():
    with process_executor(1) as one, process_executor(1) as other:
        yield [Lasting(one), Lasting(other)]


@pytest.fixture
def processes(two, monkeypatch):
    """Open the same two processes for every run, as starting one takes seconds."""
    left = []

    @contextmanager
    def opened(_):
        yield left.pop()

    def renewed():
        left[:] = two

    monkeypatch.setattr(f"{PLACE}.process_executor", opened)
    return renewed


def same(one, other):
    return json.dumps(one.to_dict()) == json.dumps(other.to_dict())


EXPERIMENTS = {
    "plain": {},
    "queries, a ring and the nearest texts": {
        "query": None,
        "queries": [{"text": "Tell me of the rain"}, {"text": "The snow"}],
        "topology": "ring:1",
        "retrieval": "nearest:k=5+own:k=2",
        "pool": {"texts": REAL, "owners": "split", "policy": "add-all"},
    },
    "real texts put in": {
        "pool": {"texts": REAL, "inject": 3},
        "reserve": {"texts": ["A fresh apple.", "新しい雨。"]},
    },
}


@pytest.mark.parametrize("changes", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_a_run_is_the_same_however_many_processes_hold_its_agents(processes, tmp_path, changes):
    experiment = village(agents=AGENTS, rounds=4, answers=9, **changes)
    here = hf.run_network(experiment, out=tmp_path / "here")
    for workers in (1, 2):
        processes()
        run = hf.run_network(experiment, out=tmp_path / f"{workers}", workers=workers)
        assert same(run, here)
        assert run.answers == here.answers
        assert run.texts == here.texts


def test_rules_act_on_agents_in_processes(processes, tmp_path):
    changes = {"reserve": {"texts": REAL}, "prompt_variations": ["In short: {query}"]}
    (tmp_path / "rules.toml").write_text(
        'format_version = 1\nmode = "act"\nvalues = ["synthetic_share"]\n'
        '[[watch]]\nname = "w"\nmetric = "synthetic_share"\nabove = 0.1\nhealthy = "lower"\n'
        'actions = ["texts", "prompts"]\n'
        '[[action]]\nname = "texts"\nkind = "inject"\nitems = 2\nrounds = 2\n'
        '[[action]]\nname = "prompts"\nkind = "vary_prompts"\nrounds = 2\n'
        'prompts = ["In short: {query}"]\n'
    )
    experiment = village(agents=AGENTS, rounds=4, rules="rules.toml", **changes)
    here = hf.run_network(experiment, out=tmp_path / "here", folder=tmp_path)
    assert {one.kind.value for one in here.decisions} == {"inject", "vary_prompts"}
    processes()
    run = hf.run_network(experiment, out=tmp_path / "there", folder=tmp_path, workers=2)
    assert same(run, here)


def test_others_than_those_that_compute_stay_where_they_are(processes, tmp_path):
    plain = hf.run_network(village(agents=AGENTS), out=tmp_path / "plain")
    hf.record_network(plain.folder).save(tmp_path / "said.jsonl")
    replay = {"name": "bert", "kind": "replay", "file": str(tmp_path / "said.jsonl")}
    experiment = village(agents=[AGENTS[0], replay, *AGENTS[2:]], concurrency=2)
    processes()
    run = hf.run_network(experiment, out=tmp_path / "run", workers=2)
    assert [one.text for one in run.answers] == [one.text for one in plain.answers]


def test_what_stops_another_agent_loses_no_answer_of_those_in_processes(processes, tmp_path):
    plain = hf.run_network(village(agents=AGENTS), out=tmp_path / "plain")
    hf.record_network(plain.folder).save(tmp_path / "said.jsonl")
    kept = [
        line
        for line in (tmp_path / "said.jsonl").read_text().splitlines(keepends=True)
        if json.loads(line)["round"] < 3
    ]
    (tmp_path / "said.jsonl").write_text("".join(kept))
    replay = {"name": "bert", "kind": "replay", "file": str(tmp_path / "said.jsonl")}
    processes()
    with pytest.raises(DataError, match=r"said\.jsonl: lacks answer 0 of bert"):
        hf.run_network(
            village(agents=[AGENTS[0], replay, *AGENTS[2:]]), out=tmp_path / "run", workers=2
        )
    with open_run(tmp_path / "run") as database:
        stored = {(one.agent, one.place) for one in RunStore(database).answers(round=3)}
    assert stored == {(name, place) for name in NAMES if name != "bert" for place in range(4)}


@contextmanager
def after_messages(monkeypatch, number, do):
    """Do something as the message of this number is to be sent."""
    sent = []
    send = AgentProcess._send

    def counted(process, *message):
        sent.append(1)
        if len(sent) == number:
            do(process)
        return send(process, *message)

    with monkeypatch.context() as patched:
        patched.setattr(AgentProcess, "_send", counted)
        yield


def kill(process):
    os.kill(process._executor.submit(os.getpid).result(), signal.SIGKILL)


def written(folder, **changes):
    """Write an experiment of agents that learn, and return its path."""
    lines = [
        'format_version = 1\nrounds = 5\nanswers = 7\nquery = "The rain"\nembedder = "hashing:64"',
        f"[pool]\ntexts = {json.dumps(REAL)}",
    ]
    for section in AGENTS:
        lines += ["[[agents]]", *(f"{key} = {json.dumps(one)}" for key, one in section.items())]
    path = folder / "village.toml"
    path.write_text("\n".join(lines).replace("hashing:64", "hashing:dimensions=64"))
    return path


def test_a_process_that_is_killed_stops_the_run_which_goes_on(
    processes, tmp_path, monkeypatch, capsys
):
    path, place = written(tmp_path), tmp_path / "run"
    whole = hf.run_network(path, out=tmp_path / "whole")
    with after_messages(monkeypatch, 6, kill), monkeypatch.context() as patched:
        patched.setattr(f"{PLACE}.process_executor", process_executor)
        code = main(["network", "run", str(path), "--out", str(place), "--workers", "1"])
    said = capsys.readouterr().err
    assert code == 3
    assert "stopped: a process that holds agents was killed" in said
    assert f"go on with: hayflick network resume {place}" in said
    stopped = hf.report_network(place)
    assert 0 < stopped.rounds < 5
    processes()
    assert main(["network", "resume", str(place), "--workers", "2"]) == 0
    assert same(hf.report_network(place), whole)
    # Nothing is left to be asked: no process is opened.
    assert main(["network", "resume", str(place), "--workers", "2"]) == 0


def test_a_run_that_is_interrupted_leaves_no_process(tmp_path, monkeypatch, capsys):
    path, place = written(tmp_path), tmp_path / "run"
    before = multiprocessing.active_children()
    with after_messages(monkeypatch, 3, lambda _: signal.raise_signal(signal.SIGINT)):
        code = main(["network", "run", str(path), "--out", str(place), "--workers", "1"])
    assert code == 130
    assert "interrupted; go on with: hayflick network resume" in capsys.readouterr().err
    assert multiprocessing.active_children() == before
    assert hf.report_network(place).rounds < 5
    hf.resume_network(place)
    assert same(hf.report_network(place), hf.run_network(path, out=tmp_path / "whole"))


def test_what_a_process_cannot_make_is_refused_as_here(processes, tmp_path):
    faults = [
        ({"order": 17}, ArgumentError),
        ({"texts": [" "]}, DataError),
        ({"texts": None, "corpus": "nowhere.txt"}, DataError),
        ({"name": "bert"}, ArgumentError),
    ]
    for changes, kind in faults:
        last = {key: one for key, one in {**AGENTS[4], **changes}.items() if one is not None}
        experiment = village(agents=[*AGENTS[:4], last])
        with pytest.raises(kind) as here:
            hf.run_network(experiment, out=tmp_path / "run", folder=tmp_path)
        processes()
        with pytest.raises(kind) as there:
            hf.run_network(experiment, out=tmp_path / "run", folder=tmp_path, workers=2)
        assert str(there.value) == str(here.value)
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("workers", [0, -1, 1.5, 10**9])
def test_a_number_of_processes_that_is_none_is_refused(tmp_path, workers):
    with pytest.raises(ArgumentError, match="workers: got"):
        hf.run_network(village(), out=tmp_path / "run", workers=workers)
    assert not (tmp_path / "run").exists()


def test_processes_are_refused_where_no_agent_computes(tmp_path):
    replay = [{"name": "bert", "kind": "replay", "file": "said.jsonl"}]
    match = "workers: got 2, takes nothing where no agent computes here"
    with pytest.raises(ArgumentError, match=match):
        hf.run_network(village(agents=replay), out=tmp_path / "run", workers=2)


def test_a_process_that_is_lost_before_the_run_begins_leaves_nothing(tmp_path, monkeypatch, capsys):
    def hold(process, sections, *, folder):
        return process._executor.submit(os._exit, 1)

    monkeypatch.setattr(AgentProcess, "hold", hold)
    place = tmp_path / "run"
    command = ["network", "run", str(written(tmp_path)), "--out", str(place), "--workers", "1"]
    assert main(command) == 3
    assert "a process that was to hold agents was killed" in capsys.readouterr().err
    assert not place.exists()
    with pytest.raises(ExecutorError, match="fewer workers"):
        hf.run_network(village(), out=place, workers=1)
