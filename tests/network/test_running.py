import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.network.agents.ngram_model import Vocabulary
from hayflick.network.run_results import open_run

from .conftest import REAL, village

_RUN = (
    "import sys, hayflick as hf; from pathlib import Path; out = Path(sys.argv[2]); "
    "again = (out / 'run.db').exists(); "
    "hf.resume_network(out) if again else hf.run_network(sys.argv[1], out=out)"
)


def written(folder: Path, **changes) -> Path:
    """Write an experiment as a file and return its path."""
    values = village(**changes).model_dump(exclude_none=True, exclude={"agents", "pool"})
    lines = [
        f"{key} = {json.dumps(value)}"
        for key, value in values.items()
        if value and not isinstance(value, dict)
    ]
    (folder / "real.txt").write_text("\n".join(REAL), encoding="utf-8")
    lines += ["[pool]", 'file = "real.txt"']
    for name in ("anna", "bert", "cleo"):
        lines += ["[[agents]]", f'name = "{name}"', 'kind = "ngram"', 'corpus = "real.txt"']
        lines += ["learning = 0.2"]
    path = folder / "experiment.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def record(folder: Path) -> str:
    return json.dumps(hf.report_network(folder).to_dict())


def test_a_file_is_run_and_a_finished_run_is_left_alone(tmp_path):
    run = hf.run_network(written(tmp_path), out=tmp_path / "run")
    assert run.folder == tmp_path / "run"
    assert run.finished
    assert run.agents == ("anna", "bert", "cleo")
    assert run.to_dict() == hf.report_network(run.folder).to_dict()
    assert hf.resume_network(run.folder).to_dict() == run.to_dict()


def test_the_same_seed_gives_the_same_run(tmp_path):
    path = written(tmp_path)
    one, other = (hf.run_network(path, out=tmp_path / name).to_dict() for name in "ab")
    assert one == other


def test_what_an_agent_reads_is_indexed_once_for_all_its_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("hayflick.network.agents.ngram_model._CONTEXTS_CACHED", 1)
    indexed = []
    index = Vocabulary._indexed
    monkeypatch.setattr(
        Vocabulary,
        "_indexed",
        lambda vocabulary, texts: indexed.append(texts) or index(vocabulary, texts),
    )
    run = hf.run_network(village(rounds=2, answers=4), out=tmp_path / "run")
    assert len(indexed) == 2 * len(run.agents)


def test_killed_at_any_moment_a_run_goes_on_as_if_it_had_not_been(tmp_path):
    path = written(tmp_path, rounds=24, answers=6)
    hf.run_network(path, out=tmp_path / "whole")
    whole = record(tmp_path / "whole")
    rng = random.Random(11)
    place = tmp_path / "killed"
    finished = []
    for _ in range(3):
        _killed(path, place, after=rng.uniform(0.0, 0.2), answers=sum(finished))
        finished.append(len(hf.report_network(place).answers) - sum(finished))
    assert 0 < sum(finished) < 24 * 6 * 3
    hf.resume_network(place)
    assert record(place) == whole


def test_a_round_that_was_not_measured_yet_is_measured_when_the_run_goes_on(tmp_path):
    hf.run_network(written(tmp_path), out=tmp_path / "run")
    whole = record(tmp_path / "run")
    with closing(sqlite3.connect(tmp_path / "run" / "run.db")) as database:
        database.execute("UPDATE run_rounds SET readings = '[]' WHERE number = 3")
        database.commit()
    stopped = hf.report_network(tmp_path / "run")
    assert (stopped.rounds, stopped.finished) == (2, False)
    assert stopped.means.shape[0] == 2
    hf.resume_network(tmp_path / "run")
    assert record(tmp_path / "run") == whole


def _answers(place: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{place}/run.db?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM run_answers").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _killed(path: Path, place: Path, *, after: float, answers: int) -> None:
    """Begin or resume a run, and kill it a while after it has got more answers."""
    process = subprocess.Popen([sys.executable, "-c", _RUN, str(path), str(place)])
    give_up = time.monotonic() + 60
    while process.poll() is None and _answers(place) <= answers:
        assert time.monotonic() < give_up
        time.sleep(0.005)
    time.sleep(after)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_two_processes_do_not_go_on_with_one_run(tmp_path):
    place = hf.run_network(written(tmp_path), out=tmp_path / "run").folder
    with open_run(place), pytest.raises(DataError, match="another process is at work on it"):
        hf.resume_network(place)
    hf.resume_network(place)


def test_a_folder_that_holds_a_run_is_not_begun_again(tmp_path):
    path = written(tmp_path)
    place = hf.run_network(path, out=tmp_path / "run")
    with pytest.raises(OutputError, match="holds a run already; go on with it by"):
        hf.run_network(path, out=place)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        hf.run_network(path, out=tmp_path / "full")


def test_folders_without_a_run_or_of_another_version(tmp_path):
    with pytest.raises(DataError, match="holds no run; begin one with"):
        hf.resume_network(tmp_path)
    place = hf.run_network(written(tmp_path), out=tmp_path / "run").folder
    with closing(sqlite3.connect(place / "run.db")) as connection, connection:
        connection.execute("UPDATE run SET format_version = 9")
    connection.close()
    match = "is a run of format_version 9, this version of hayflick reads 1"
    for command in (hf.resume_network, hf.report_network):
        with pytest.raises(DataError, match=match):
            command(place)


def test_a_file_that_has_changed_is_named(tmp_path):
    place = hf.run_network(written(tmp_path), out=tmp_path / "run").folder
    (tmp_path / "real.txt").write_text("Something else.")
    with pytest.raises(DataError, match=r"real.txt: is not what the run began with"):
        hf.resume_network(place)


def test_nothing_is_made_where_the_experiment_cannot_run(tmp_path):
    path = written(tmp_path, retrieval="uniform:0.001")
    with pytest.raises(ArgumentError, match=r"beta: got 0.001"):
        hf.run_network(path, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_isolated_agent_is_a_warning(tmp_path):
    (tmp_path / "edges.txt").write_text("0 1\n1 0\n")
    path = written(tmp_path, topology="edges:edges.txt", rounds=1)
    said = []
    hf.run_network(path, out=tmp_path / "run", say=said.append)
    assert said[0] == "warning: agents that read nobody else: 2"


def test_a_list_of_edges_that_has_changed_is_named(tmp_path):
    (tmp_path / "edges.txt").write_text("0 1\n1 0\n2 0\n")
    hf.run_network(written(tmp_path, topology="edges:edges.txt", rounds=1), out=tmp_path / "run")
    (tmp_path / "edges.txt").write_text("0 1\n1 0\n2 1\n")
    with pytest.raises(DataError, match=r"edges\.txt: is not what the run began with"):
        hf.resume_network(tmp_path / "run")


def test_a_run_in_a_notebook_has_a_loop_of_its_own(tmp_path):
    async def cell():
        return hf.run_network(written(tmp_path, rounds=1), out=tmp_path / "run")

    assert asyncio.run(cell()).finished


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"observe": {"tokenizer": "bogus"}}, "tokenizer: got bogus"),
        ({"observe": {"must_keep": ["one two three four"]}}, "must_keep"),
        ({"seed": 10**20}, "seed"),
    ],
)
def test_nothing_is_made_where_it_cannot_be_measured(tmp_path, changes, said):
    with pytest.raises(ArgumentError, match=said):
        hf.run_network(village(**changes), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("budget", [{"tokens": -1}, {"money": float("nan")}])
def test_another_budget_is_checked(tmp_path, budget):
    hf.run_network(village(rounds=1), out=tmp_path / "run")
    with pytest.raises(ArgumentError, match=next(iter(budget))):
        hf.resume_network(tmp_path / "run", **budget)


def test_a_folder_that_cannot_be_written_is_not_taken_for_a_locked_one(tmp_path, monkeypatch):
    hf.run_network(village(rounds=1), out=tmp_path / "run")

    class Full:
        def execute(self, _):
            fault = sqlite3.OperationalError("database or disk is full")
            fault.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise fault

        def close(self):
            pass

    monkeypatch.setattr("hayflick.core.locks.sqlite3.connect", lambda *_, **__: Full())
    with pytest.raises(OutputError, match="is the disk full"), open_run(tmp_path / "run"):
        pass
