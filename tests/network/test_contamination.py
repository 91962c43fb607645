"""Generated texts in a network: the shares counted by hand, and what retrievals prefer."""

from __future__ import annotations

import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.network import contamination as module
from hayflick.network.contamination import contamination_of_run

from .conftest import REAL, village


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    changes = {"rounds": 12, "answers": 2, "retrieval": "uniform:beta=0.3"}
    return hf.run_network(village(**changes), out=tmp_path_factory.mktemp("place") / "run")


def counted(run):
    """Return generated shares by round of the pool and of what is read, in a plain loop."""
    shares = []
    for number in range(1, run.rounds + 1):
        pool = [one.synthetic for one in run.texts if one.round < number]
        read = [
            run.texts[place].synthetic
            for one in run.reads
            if one.round == number
            for place in np.frombuffer(one.texts, "<i4")
        ]
        shares.append((sum(pool) / len(pool), sum(read) / len(read)))
    return shares


def test_shares_are_those_of_a_plain_loop(run) -> None:
    found = contamination_of_run(run)
    shares = [(one.pool, one.retrieved) for one in found.rounds]
    assert np.allclose(shares, counted(run))
    assert found.requests == 36
    assert found.answers == 72
    assert found.pool == pytest.approx(np.mean([share for share, _ in counted(run)]))


def test_a_uniform_retrieval_prefers_nothing_and_the_newest_texts_are_generated(
    run, tmp_path
) -> None:
    even = contamination_of_run(run).retrieval
    assert even.low < 1.0 < even.high
    latest = village(rounds=12, answers=1, retrieval="recent:beta=0.1,half-life=1")
    found = contamination_of_run(hf.run_network(latest, out=tmp_path / "run")).retrieval
    assert found.is_clear
    assert found.value > 3.0


def test_who_may_read_whom_limits_the_pool(tmp_path) -> None:
    # All read the first agent, which reads all; the others do not read one another.
    star = village(rounds=6, retrieval="uniform:beta=0.5", topology="star")
    run = hf.run_network(star, out=tmp_path / "run")
    found = contamination_of_run(run)
    real = len(REAL)
    for number, one in enumerate(found.rounds):
        centre, other = (part * number / (real + part * number) for part in (3, 2))
        assert one.pool == pytest.approx((centre + 2 * other) / 3)
    assert found.echo.links
    assert {("bert", "cleo"), ("cleo", "bert")}.isdisjoint(
        (one.reader, one.author) for one in found.echo.links
    )


def test_of_a_large_run_some_rounds_are_followed(run, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_READS", 400)
    found = contamination_of_run(run)
    followed = [one.round for one in found.rounds if one.requests]
    assert 1 <= len(followed) < 12
    assert f"{len(followed)} of 12 rounds are followed" in str(found.notes[0])
    whole = counted(run)
    for number in followed:
        assert found.rounds[number - 1].retrieved == pytest.approx(whole[number - 1][1])


def test_the_result_and_the_page_tell_it(run, tmp_path) -> None:
    told = run.to_dict()["contamination"]
    found = contamination_of_run(run)
    assert told["shares"]["pool"] == found.pool
    assert told["amplification"]["retrieval"]["value"] == found.retrieval.value
    assert told["echo"]["share"] == found.echo.share
    assert [one["pool"] for one in told["rounds"]] == [one.pool for one in found.rounds]
    assert "検索における生成文" in run.save(tmp_path / "ja.html", lang="ja").read_text()


def test_a_file_of_who_may_read_whom_that_is_gone_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edges.csv").write_text("0,1\n")
    run = hf.run_network(village(rounds=3, topology="edges:edges.csv"), out=tmp_path / "run")
    found = contamination_of_run(run)
    assert not found.notes
    (tmp_path / "edges.csv").unlink()
    gone = contamination_of_run(run)
    assert "all are taken to read all texts" in str(gone.notes[0])
    assert gone.pool > found.pool


def test_the_command_prints_a_run_or_writes_its_page(run, tmp_path, capsys) -> None:
    folder = str(run.folder)
    assert main(["network", "report", folder, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["contamination"] == run.to_dict()["contamination"]
    assert main(["network", "report", folder]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "times as likely to be retrieved as another one of the same pool" in shown
    page = tmp_path / "run.html"
    assert main(["network", "report", folder, "--out", str(page)]) == 0
    assert not capsys.readouterr().out
    for shown in ("Generated texts in retrieval", "Who repeats whom", "retrieved as another one"):
        assert shown in page.read_text()
