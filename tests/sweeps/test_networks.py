"""Networks as cells of a study: interacting mixtures, and runs of an experiment."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest
import xarray

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError
from hayflick.laws.surrogate import distance_floor
from hayflick.network.mitigation import expected_components
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate
from hayflick.network.topology import parse_topology

SMALL = {"format_version": 1, "kind": "network", "agents": 4, "rounds": 6, "originals": 8}
VILLAGE = """
format_version = 1
rounds = 3
answers = 3
query = "How is it?"
retrieval = "fixed:2"
[pool]
texts = ["It rains in May.", "It snows in June.", "The sea is calm.", "Boats go out at dawn."]
[reserve]
texts = ["The cow has a calf.", "Apples are cheap."]
[[agents]]
name = "anna"
kind = "ngram"
texts = ["It rains in May.", "It rains in June and the cow is wet."]
[[agents]]
name = "bert"
kind = "ngram"
corpus = "bert.txt"
"""


def study(**values):
    return {**SMALL, **values}


@pytest.fixture
def village(tmp_path):
    (tmp_path / "village.toml").write_text(VILLAGE)
    (tmp_path / "bert.txt").write_text("The sea is calm. Boats go out at dawn.\nIt snows at sea.\n")
    return tmp_path


def written(folder, text):
    (folder / "study.toml").write_text(f"format_version = 1\n{text}")
    return folder / "study.toml"


@pytest.mark.parametrize("topology", ["complete", "ring:1"])
def test_a_cell_of_mixtures_is_what_simulate_surrogate_gives(topology):
    found = hf.sweep(study(topology=topology, injected=2, seed=5, replicates=30, components=3))
    row = found.to_frame().row(0, named=True)
    system = Surrogate(
        means=(-10.0, 0.0, 10.0),
        agents=4,
        draws=1,
        share_read=0.5,
        originals=8,
        injected=2,
        topology=None if topology == "complete" else parse_topology(topology, agents=4),
    )
    runs = simulate_surrogate(system, rounds=6, replicates=30, seed=5)
    norms = np.sqrt(runs["squared_distance"].to_numpy())
    assert row["distance"] == pytest.approx(norms[:, -1].mean(), rel=1e-12)
    assert row["kept"] == pytest.approx(norms[:, -1].mean() / norms[:, 0].mean(), rel=1e-12)
    # The error of a ratio, by leaving out one run after the other.
    left = [np.delete(norms, run, axis=0).mean(axis=0) for run in range(30)]
    ratios = np.array([mean[-1] / mean[0] for mean in left])
    jackknife = np.sqrt(29 / 30 * np.sum((ratios - ratios.mean()) ** 2))
    assert row["standard_error"] == pytest.approx(jackknife, rel=0.05)
    assert (row["quantity"], row["law"], row["runs"]) == ("distance", "simulated", 30)
    if topology == "complete":
        read, pool = int(runs["read"][-1, 0]), int(runs["pool"][-1])
        floors = [
            distance_floor(seen[-1:], agents=4, read=read, share_read=read / pool)[0]
            for seen in runs["seen"].to_numpy()
        ]
        floor = np.sqrt(np.mean(floors)) / norms[:, 0].mean()
        assert row["floor"] == pytest.approx(floor, rel=1e-12)
    else:
        assert row["floor"] is None


def test_workers_and_the_size_of_tasks_change_nothing(monkeypatch):
    settings = study(agents=[2, 5], read=[2, 3], replicates=40)
    plain = hf.sweep(settings).to_frame()
    assert plain.height == 4
    monkeypatch.setattr("hayflick.sweeps.mixtures.TASK_S", 1e-9)
    assert hf.sweep(settings, workers=1).to_frame().equals(plain)


def test_runs_are_added_until_the_standard_error_of_the_ratio_is_reached():
    rows = hf.sweep(study(standard_error=0.02)).to_frame()
    assert rows["standard_error"][0] <= 0.02
    assert rows["runs"][0] in [20 * 2**n for n in range(9)]


def test_a_folder_of_networks_is_resumed_and_asked(tmp_path):
    settings = study(agents=[2, 4], injected=[0, 3])
    out = tmp_path / "s"
    found = hf.sweep(settings, out=out)
    with xarray.open_zarr(out / "results.zarr", chunks=None) as data:
        cell = data.sel(agents=4, injected=3)
        row = found.to_frame().filter(agents=4, injected=3).row(0, named=True)
        assert float(cell["kept"][-1]) == row["kept"]
        assert float(cell["kept"][0]) == 1.0
        assert float(cell["distance"][-1]) == pytest.approx(row["distance"])
    before = (out / "cells.jsonl").read_text()
    again = hf.sweep(study(agents=[2, 4, 6], injected=[0, 3]), out=out, resume=True)
    after = (out / "cells.jsonl").read_text()
    assert after.startswith(before)
    assert after.count("\n") == 6
    assert (
        again.to_frame()
        .filter(pl.col("agents") < 6)
        .drop("cell")
        .equals(found.to_frame().drop("cell"))
    )
    best = hf.query_sweep(out, "SELECT agents, MAX(kept) AS best FROM cells GROUP BY agents")
    assert best.height == 3


def test_a_latin_hypercube_of_networks():
    rows = hf.sweep(
        study(agents=[2, 12], injected=[0, 6], topology=["complete", "ring:1"], design="latin:8")
    ).to_frame()
    assert rows.height == 8
    assert rows["topology"].value_counts()["count"].to_list() == [4, 4]
    assert rows["agents"].is_between(2, 12).all()
    assert rows["injected"].n_unique() > 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "net"}, "kind: got net, takes chain .*, network .* or trained-network"),
        ({"agents": 1}, "agents.1: got 1"),
        ({"agents": []}, "without it the study has no cells"),
        ({"read": 3, "share_read": 0.5}, "either read, a number of points, or share_read"),
        ({"samples": 5}, "samples: got an unknown key"),
        ({"agent": 5}, "did you mean agents"),
        ({"rounds": 0}, "rounds.1: got 0"),
        ({"injected": [0, 1, 2], "design": "latin:4"}, r"injected: one value, or \[low, high\]"),
        ({"agents": list(range(2, 1002)), "seed": list(range(2000))}, "2,000,000 cells"),
        ({"replicates": 5, "standard_error": 0.1}, "at least 20 replicates"),
    ],
)
def test_a_study_of_networks_that_is_not_understood_is_refused(values, words):
    with pytest.raises(ArgumentError, match=words):
        hf.sweep(study(**values))


def test_a_key_of_networks_without_their_kind_says_so():
    with pytest.raises(ArgumentError, match='add kind = "network"'):
        hf.sweep({"format_version": 1, "agents": 3, "rounds": 4})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"topology": ["complete", "rnig:1"]}, "cell 2 .*did you mean ring"),
        ({"read": [2, 500]}, "cell 2 .*read: got 500"),
        ({"topology": "edges:nowhere.txt"}, "cell 1 .*nowhere.txt"),
        ({"agents": 10_000, "rounds": 50_000}, "cell 1 .*100,000,000 rounds of all agents"),
    ],
)
def test_settings_of_networks_that_do_not_fit_name_their_cell(values, words):
    with pytest.raises(DataError, match=words):
        hf.sweep(study(**values))


def test_a_cell_of_an_experiment_is_the_run_that_network_run_makes(village):
    path = written(
        village,
        """experiment = "village.toml"
seed = [1, 7]
[vary]
"retrieval.k" = [1, 3]
agents.trust = [0.1, 0.9]
""",
    )
    found = hf.sweep(path)
    rows = found.to_frame()
    assert rows.columns[2:5] == ["retrieval.k", "agents.trust", "seed"]
    assert rows.height == 8
    text = VILLAGE.replace('"fixed:2"', '"fixed:3"').replace(
        'kind = "ngram"', 'kind = "ngram"\ntrust = 0.9'
    )
    (village / "own.toml").write_text(text.replace("rounds = 3", "rounds = 3\nseed = 7"))
    run = hf.run_network(village / "own.toml", out=village / "run")
    norms = run.series("group_frobenius_norm")
    row = rows.filter(
        (pl.col("retrieval.k") == 3) & (pl.col("agents.trust") == 0.9) & (pl.col("seed") == 7)
    ).row(0, named=True)
    assert row["distance"] == pytest.approx(norms[-1], rel=1e-12)
    assert row["kept"] == pytest.approx(norms[-1] / norms[0], rel=1e-12)
    assert row["floor"] == pytest.approx(run.series("noise_floor")[-1] / norms[0], rel=1e-9)
    assert row["standard_error"] is None
    assert [one.role for one in found.sources] == ["study", "experiment", "texts of an agent"]
    curve = found.dataset()["kept"].sel({"retrieval.k": 3, "agents.trust": 0.9, "seed": 7})
    assert np.isnan(curve[0])
    assert float(curve[1]) == 1.0


def test_files_travel_with_the_work_of_a_cluster(village):
    from hayflick.sweeps.experiments import ExperimentPreparation
    from hayflick.sweeps.run import read_study
    from hayflick.sweeps.tasks import RunsTask

    path = written(village, 'experiment = "village.toml"\nseed = [1, 2]\n')
    preparation = ExperimentPreparation(read_study(path), village)
    cells = preparation.cells()
    work = preparation.workload(cells).work
    here = work(RunsTask(cells[0], ((0, 1),)))[0].found
    carried = work.for_cluster()
    (village / "bert.txt").unlink()
    there = carried(RunsTask(cells[0], ((0, 1),)))[0].found
    assert np.array_equal(here, there, equal_nan=True)


def test_an_experiment_changes_its_cells_where_its_files_change(village):
    path = written(village, 'experiment = "village.toml"\n[vary]\nagents.bert.trust = [0.1, 0.2]\n')
    before = hf.sweep(path).to_frame()["id"].to_list()
    assert hf.sweep(path).to_frame()["id"].to_list() == before
    (village / "bert.txt").write_text("Another corpus of bert. It is short.")
    assert not set(hf.sweep(path).to_frame()["id"]) & set(before)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('experiment = "nowhere.toml"\nseed = [1, 2]', "nowhere.toml"),
        ('experiment = "village.toml"', r"no setting to vary, takes a table .*\[vary\]"),
        ('experiment = "village.toml"\n[vary]\nseed = [1, 2]', "name the seeds beside"),
        ('experiment = "village.toml"\n[vary]\nanswer = [1, 2]', "cell 1 .*did you mean answers"),
        ('experiment = "village.toml"\n[vary]\npool.injct = [1]', "cell 1 .*did you mean inject"),
        ('experiment = "village.toml"\n[vary]\nretrieval.beta = [1]', "of fixed:2, which has k"),
        ('experiment = "village.toml"\n[vary]\nagents.carl.trust = [1]', "one of anna, bert"),
        ('experiment = "village.toml"\n[vary]\nagents.trst = [1]', "did you mean trust"),
        ('experiment = "village.toml"\n[vary]\nquery.text = ["a"]', 'query itself: "query"'),
        ('experiment = "village.toml"\n[vary]\nanswers = [1, "a"]', "values of one kind"),
        ('experiment = "village.toml"\n[vary]\nanswers = []', "answers: .* has no cells"),
        ('experiment = "village.toml"\n[vary]\nanswers = [2, 2]', "answers: values that differ"),
        ('experiment = "village.toml"\n[vary]\nanswers = [[2], [3]]', "of another kind"),
        ('experiment = "village.toml"\nvary = 3', r"below \[vary\] a key"),
        ('experiment = "village.toml"\n[vary]\npool.policy = ["admit"]', "waits for a person"),
        ('experiment = "village.toml"\nreplicates = 4', "replicates: got an unknown key"),
        ('experiment = "village.toml"\n[vary]\n"agents.anna.kind" = ["openai"]', "built-in agents"),
    ],
)
def test_an_experiment_that_cannot_be_varied_is_refused(village, text, words, capsys):
    path = written(village, text)
    with pytest.raises((ArgumentError, DataError), match=words):
        hf.sweep(path)
    assert main(["sweep", str(path)]) == 2
    assert "error: " in capsys.readouterr().err


def test_an_executor_that_a_user_brings_and_the_command_line_give_the_same(village, capsys):
    path = written(village, 'experiment = "village.toml"\nseed = [1, 2]\nkeep = 0.5\n')
    with ThreadPoolExecutor(1) as executor:
        found = hf.sweep(path, executor=executor)
    assert main(["sweep", str(path), "--format", "json", "--page", str(village / "s.html")]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["cells"] == found.to_dict()["cells"]
    page = (village / "s.html").read_text()
    assert "‖D‖" in page
    assert "Cells of a single run, which have no standard error" in page


def test_a_share_of_the_components_can_be_kept_in_place_of_the_distance():
    found = hf.sweep(
        study(components=4, draws=2, quantity="components", injected=[0, 4], keep=0.6, seed=3)
    )
    row = found.to_frame().row(1, named=True)
    system = Surrogate(
        means=(-15.0, -5.0, 5.0, 15.0), agents=4, draws=2, share_read=0.5, originals=8, injected=4
    )
    runs = simulate_surrogate(system, rounds=6, replicates=20, seed=3)
    weights = runs["weights"].to_numpy()[:, -1]
    shares = [expected_components(one, points=8) for one in weights]
    assert row["kept"] == pytest.approx(np.mean(shares), rel=1e-12)
    assert row["standard_error"] == pytest.approx(np.std(shares, ddof=1) / 20**0.5, rel=1e-12)
    assert "distance" not in found.to_frame().columns
    told = found.to_dict()["least_sufficient"]
    assert [list(one) for one in told] == [["injected", "real", "kept"]]


def test_words_can_be_kept_in_place_of_the_distance(village):
    path = written(village, 'experiment = "village.toml"\nseed = [3, 4]\nquantity = "words"\n')
    rows = hf.sweep(path).to_frame()
    (village / "own.toml").write_text(VILLAGE.replace("rounds = 3", "rounds = 3\nseed = 4"))
    run = hf.run_network(village / "own.toml", out=village / "run")
    assert rows["kept"][1] == pytest.approx(run.series("vocabulary_kept")[-1], rel=1e-12)
    assert rows["quantity"].to_list() == ["words", "words"]


TRAINED = {"format_version": 1, "kind": "trained-network", "agents": 5, "samples": 40, "rounds": 12}


@pytest.mark.parametrize("quantity", ["total", "within"])
@pytest.mark.parametrize("topology", ["complete", "ring:1", "edges:edges.txt"])
def test_models_trained_on_one_another_are_answered_by_law(topology, quantity, tmp_path):
    (tmp_path / "edges.txt").write_text("0 1\n1 2\n2 0\n3 4\n4 0\n")
    values = {**TRAINED, "topology": topology, "share": [0.0, 0.1], "quantity": quantity}
    (tmp_path / "s.toml").write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
    rows = hf.sweep(tmp_path / "s.toml").to_frame()
    reading = parse_topology(topology, agents=5, folder=tmp_path).reading(itself=True)
    model = hf.Discrete.zipf_mandelbrot(30, exponent=1.0)
    for row in rows.iter_rows(named=True):
        law = hf.network_law(
            model, reading=reading, samples=40, generations=12, real_shares=row["share"]
        )
        kept = law.total if quantity == "total" else law.within_mean
        assert row["kept"] == pytest.approx(kept[-1] / law.real, rel=1e-12)
        assert (row["law"], row["standard_error"], row["runs"]) == ("exact", 0.0, 0)
        assert row["quantity"] == quantity


def test_the_least_share_of_trained_networks_and_their_page(tmp_path):
    found = hf.sweep(
        {**TRAINED, "samples": [20, 400], "share": [0.0, 0.05, 0.5], "keep": 0.9},
        out=tmp_path / "s",
    )
    told = found.to_dict()["least_sufficient"]
    frame = found.to_frame()
    for row in told:
        good = frame.filter((pl.col("samples") == row["samples"]) & (pl.col("kept") >= 0.9))
        assert row["share"] == good["share"].min()
    assert "diversity of all output together" in found.save(tmp_path / "s.html").read_text()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"seed": 3}, "no seed: every cell is answered by a law"),
        ({"samples": 0}, "samples.1: got 0"),
        ({"injected": 3}, "injected: got an unknown key"),
        ({"share": 1.5}, "share.1: got 1.5"),
    ],
)
def test_a_study_of_trained_networks_that_is_not_understood_is_refused(values, words):
    with pytest.raises(ArgumentError, match=words):
        hf.sweep({**TRAINED, **values})


def test_a_latin_hypercube_of_an_experiment_takes_two_numbers_as_a_range(village):
    text = """experiment = "village.toml"
design = "latin:6"
[vary]
answers = [2, 5]
agents.trust = [0.1, 0.7]
retrieval = ["fixed:1", "fixed:2", "uniform:0.5"]
"""
    rows = hf.sweep(written(village, text)).to_frame()
    assert rows.height == 6
    assert rows["answers"].is_between(2, 5).all()
    assert rows["agents.trust"].n_unique() == 6
    assert sorted(rows["retrieval"].value_counts()["count"]) == [2, 2, 2]
    with pytest.raises(ArgumentError, match=r"answers: one value, or \[low, high\]"):
        hf.sweep(written(village, text.replace("[2, 5]", "[2, 5, 6]")))
