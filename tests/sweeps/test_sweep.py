"""A study over a grid of settings: its cells, laws, simulations, folder and questions."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest
import xarray

import hayflick as hf
from hayflick.calibration.calibration_file import resampler_record
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError, EffortError, ExecutorError, OutputError
from hayflick.simulation.executors import process_executor

SMALL = {"format_version": 1, "family": "zipf:60", "generations": 4, "samples": 80}


def study(**values):
    return {**SMALL, **values}


def toml(values):
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def test_a_grid_is_every_combination_and_the_last_setting_varies_fastest():
    found = hf.sweep(study(regime=["replace", "fresh:0.2"], samples=[40, 80], seed=[1, 2]))
    frame = found.to_frame()
    assert frame["cell"].to_list() == list(range(1, 9))
    assert frame["samples"].to_list() == [40, 40, 80, 80] * 2
    assert frame["seed"].to_list() == [1, 2] * 4
    assert frame["regime"].to_list() == ["replace"] * 4 + ["fresh:0.2"] * 4
    assert frame["share"].to_list() == [0.0] * 4 + [0.2] * 4
    assert frame["id"].n_unique() == 8


@pytest.mark.parametrize("regime", ["replace", "fresh:0.2", "periodic:0.5,every=2"])
def test_a_law_is_that_of_survival(regime):
    found = hf.sweep(study(regime=regime)).to_frame().row(0, named=True)
    model = hf.Discrete.zipf_mandelbrot(60, exponent=1.0)
    law = hf.survival(model, generations=4, samples=80, regime=_regime(regime))
    assert (found["law"], found["standard_error"], found["runs"]) == (law.name, 0.0, 0)
    assert found["kept"] == law.surviving_fraction[-1]
    assert found["error"] == law.error


def _regime(text):
    return {
        "replace": hf.Replace(),
        "fresh:0.2": hf.Fresh(0.2),
        "periodic:0.5,every=2": hf.Periodic(0.5, every=2),
    }[text]


def test_where_no_law_is_known_the_runs_of_simulate_count():
    found = hf.sweep(study(regime="accumulate", replicates=70, seed=5)).to_frame()
    runs = hf.simulate(
        "zipf:60", generations=4, samples=80, regime="accumulate", replicates=70, seed=5
    )
    last = runs["surviving_fraction"].to_numpy()[:, -1]
    row = found.row(0, named=True)
    assert (row["law"], row["runs"], row["error"]) == ("simulated", 70, 0.0)
    assert row["kept"] == pytest.approx(last.mean(), rel=1e-14)
    assert row["standard_error"] == pytest.approx(last.std(ddof=1) / 70**0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("family", "settings", "quantity", "law"),
    [
        ("bernoulli:0.3", {}, "both_symbols", "exact"),
        ("bernoulli:0.3", {"share": 0.1}, "both_symbols", "simulated"),
        ("bernoulli:0.3", {"estimator": "add:1"}, "both_symbols", "simulated"),
        ("poisson:2", {"share": 0.1}, "chance", "exact"),
        ("gaussian", {}, "spread", "exact"),
        ("gaussian", {"share": 1.0}, "spread", "exact"),
        ("gaussian", {"share": 0.1}, "spread", "simulated"),
        ("gaussian", {"regime": "accumulate"}, "spread", "simulated"),
        ("negative-binomial:mean=3,dispersion=0.5", {}, "spread", "simulated"),
        ("symmetric-mixture", {}, "spread", "simulated"),
        ("zipf:60", {"estimator": "add:0.5"}, "types", "exact"),
        ("zipf:60", {"estimator": "good-turing"}, "types", "simulated"),
        ("zipf:60", {"regime": "triggered:0.9,items=20"}, "types", "simulated"),
    ],
)
def test_every_family_has_a_law_or_is_simulated(family, settings, quantity, law):
    found = hf.sweep(study(family=family, **settings)).to_frame().row(0, named=True)
    assert (found["quantity"], found["law"]) == (quantity, law)
    assert 0.0 < found["kept"] < 1.5


@pytest.mark.parametrize(
    ("family", "share"),
    [("zipf:60", 0.2), ("bernoulli:0.02", None), ("poisson:0.05", 0.1), ("gaussian", None)],
)
def test_simulations_agree_with_the_laws(family, share):
    settings = study(family=family, replicates=2048)
    if share is not None:
        settings["share"] = share
    law = hf.sweep(settings).to_frame().row(0, named=True)
    runs = hf.sweep({**settings, "law": "none"}).to_frame().row(0, named=True)
    assert (law["law"] == "simulated", runs["law"]) == (False, "simulated")
    assert abs(law["kept"] - runs["kept"]) < 4 * runs["standard_error"] + law["error"]


def test_words_and_a_calibrated_trainer(tmp_path):
    (tmp_path / "corpus.txt").write_text("the cat sat on the mat and the dog sat by the door " * 20)
    trainer = hf.Resampler(sharpening=1.3)
    (tmp_path / "trainer.json").write_text(json.dumps(resampler_record(trainer)))
    values = study(
        family="discrete", corpus="corpus.txt", samples=40, resampler=["none", "trainer.json"]
    )
    (tmp_path / "words.toml").write_text(toml(values))
    found = hf.sweep(tmp_path / "words.toml")
    assert [one.role for one in found.sources] == ["study", "data", "calibration"]
    rows = found.to_frame()
    assert rows["law"].to_list() == ["exact", "simulated"]
    words = hf.Discrete.from_file(tmp_path / "corpus.txt")
    runs = hf.simulate(words, resampler=trainer, generations=4, samples=40, replicates=64, seed=1)
    kept = runs["surviving_fraction"].mean("replicate").to_numpy()[-1]
    assert rows["kept"][1] == pytest.approx(float(kept), rel=1e-14)


def test_runs_are_added_until_the_standard_error_is_reached():
    settings = study(regime="accumulate", samples=[20, 80], standard_error=0.003)
    found = hf.sweep(settings)
    rows = found.to_frame()
    assert (rows["standard_error"] <= 0.003).all()
    assert all(runs >= 64 and runs & (runs - 1) == 0 for runs in rows["runs"])
    assert found.imprecise == 0
    few = hf.sweep({**settings, "replicates": 64, "standard_error": 1e-6})
    assert (few.imprecise, few.to_frame()["runs"].to_list()) == (2, [64, 64])


def test_runs_that_all_end_the_same_show_no_standard_error():
    found = hf.sweep(study(regime="accumulate", generations=1, samples=10_000, replicates=32))
    assert found.to_frame()["standard_error"].to_list() in ([None], [0.0])
    one = hf.sweep(study(regime="accumulate", replicates=1)).to_frame()
    assert one["standard_error"].to_list() == [None]


def test_a_latin_hypercube_covers_its_ranges_evenly():
    found = hf.sweep(
        study(samples=[10, 1000], share=[0.0, 0.5], estimator=["ml", "add:1"], design="latin:16")
    )
    rows = found.to_frame()
    assert rows.height == 16
    bins = np.floor(rows["share"].to_numpy() / 0.5 * 16).astype(int)
    assert sorted(bins) == list(range(16))
    assert rows["samples"].min() >= 10
    assert rows["samples"].max() <= 1000
    assert rows["estimator"].value_counts()["count"].to_list() == [8, 8]
    data = found.dataset()
    assert dict(data.sizes) == {"cell": 16, "generation": 5}
    assert data["estimator"].dims == ("cell",)


def test_the_folder_holds_a_summary_and_arrays(tmp_path):
    settings = study(samples=[40, 80], share=[0.0, 0.1, 0.4], generations=[2, 4])
    found = hf.sweep(settings, out=tmp_path / "study")
    assert pl.read_parquet(tmp_path / "study" / "summary.parquet").equals(found.to_frame())
    with xarray.open_zarr(tmp_path / "study" / "results.zarr", chunks=None) as data:
        assert dict(data["kept"].sizes) == {
            "share": 3, "samples": 2, "generations": 2, "generation": 5,
        }  # fmt: skip
        cell = data.sel(share=0.4, samples=80, generations=4)
        row = found.to_frame().filter(share=0.4, samples=80, generations=4).row(0, named=True)
        assert float(cell["kept"][-1]) == row["kept"]
        assert str(cell["law"].item()) == row["law"]
        assert np.isnan(data["kept"].sel(generations=2, generation=3)).all()
        assert str(data["family"].item()) == "zipf:60"


def test_threads_processes_and_workers_change_nothing():
    settings = study(
        family=["zipf:60", "gaussian"], regime=["accumulate", "replace"], replicates=96
    )
    plain = hf.sweep(settings).to_frame()
    assert hf.sweep(settings, workers=1).to_frame().equals(plain)
    with process_executor(1) as processes:
        assert hf.sweep(settings, executor=processes).to_frame().equals(plain)


def test_a_folder_is_gone_on_with_and_cells_are_not_computed_again(tmp_path):
    first = study(regime="accumulate", samples=[40, 80], replicates=32)
    hf.sweep(first, out=tmp_path / "s")
    before = (tmp_path / "s" / "cells.jsonl").read_text()
    with pytest.raises(OutputError, match="--resume"):
        hf.sweep(first, out=tmp_path / "s")
    larger = {**first, "samples": [40, 60, 80]}
    found = hf.sweep(larger, out=tmp_path / "s", resume=True)
    after = (tmp_path / "s" / "cells.jsonl").read_text()
    assert after.startswith(before)
    assert after.count("\n") == 3
    assert found.to_frame().equals(hf.sweep(larger).to_frame())


@pytest.mark.parametrize("cut", [1, 20, 500])
def test_half_a_line_of_a_killed_process_is_dropped(tmp_path, cut):
    settings = study(regime="accumulate", samples=[40, 60, 80], replicates=32)
    whole = hf.sweep(settings, out=tmp_path / "s")
    path = tmp_path / "s" / "cells.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    again = hf.sweep(settings, out=tmp_path / "s", resume=True)
    assert again.to_frame().equals(whole.to_frame())
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_damaged_line_is_named(tmp_path):
    settings = study(samples=[40, 80])
    hf.sweep(settings, out=tmp_path / "s")
    path = tmp_path / "s" / "cells.jsonl"
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(DataError, match="line 1 is damaged"):
        hf.sweep(settings, out=tmp_path / "s", resume=True)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("kept", 0.5, "line 1 is damaged"),
        ("kept", [], "line 1 is damaged"),
        ("standard_error", [0.1], "line 1 is damaged"),
        ("runs", 1e400, "line 1 is damaged"),
        ("kept", [1.0, 0.5], "cell [12] .* has 2 values in cells.jsonl, takes 5; delete its line"),
    ],
)
def test_values_that_someone_has_changed_are_named(tmp_path, key, value, message):
    settings = study(samples=[40, 80])
    hf.sweep(settings, out=tmp_path / "s")
    path = tmp_path / "s" / "cells.jsonl"
    first, *others = map(json.loads, path.read_text().splitlines())
    lines = [{**first, key: value}, *others]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    with pytest.raises(DataError, match=message):
        hf.sweep(settings, out=tmp_path / "s", resume=True)


def test_a_killed_sweep_is_finished_by_resume(tmp_path):
    settings = study(
        family="zipf:400", samples=2000, seed=list(range(10)), law="none", replicates=256
    )
    settings["generations"] = 40
    (tmp_path / "s.toml").write_text(toml(settings))
    command = [sys.executable, "-m", "hayflick", "sweep", "s.toml", "--scheduler", "threads"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=-3, stderr=-3)
    path = tmp_path / "s" / "cells.jsonl"
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_bytes().count(b"\n") >= 3):
        assert running.poll() is None, "it ended too soon"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises(DataError, match="another process is at work"):
        hf.sweep(tmp_path / "s.toml", out=tmp_path / "s", resume=True)
    os.kill(running.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    running.wait()
    kept = path.read_bytes()
    kept = kept[: kept.rfind(b"\n") + 1]
    assert not (tmp_path / "s" / "summary.parquet").exists()
    with pytest.raises(DataError, match="--resume"):
        hf.query_sweep(tmp_path / "s", "SELECT * FROM cells")
    found = hf.sweep(tmp_path / "s.toml", out=tmp_path / "s", resume=True)
    assert path.read_bytes().startswith(kept)
    assert found.finished == 10
    part = {**settings, "seed": [0, 9]}
    some = hf.sweep(part).to_frame().select("seed", "kept", "standard_error")
    own = found.to_frame().filter(pl.col("seed").is_in([0, 9]))
    assert own.select("seed", "kept", "standard_error").equals(some)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="holds other files"):
        hf.sweep(SMALL, out=tmp_path / "mine", resume=True)
    assert os.listdir(tmp_path / "mine") == ["letter.txt"]


def test_a_folder_without_finished_cells_is_taken(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(toml(SMALL))
    (tmp_path / "s").mkdir()
    assert main(["sweep", "s.toml", "--scheduler", "thread"]) == 2
    assert "scheduler: got thread" in capsys.readouterr().err
    assert main(["sweep", "s.toml"]) == 0
    for out, said in (("s", "--resume"), ("s.toml", "is a file"), ("no/s", "does not exist")):
        capsys.readouterr()
        assert main(["sweep", "s.toml", "--out", out]) == 2
        assert said in capsys.readouterr().err
    assert main(["sweep", "."]) == 2
    assert "out: got nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"samples": []}, "samples: got .*without it the study has no cells"),
        ({"samples": [40, 40]}, "samples.*differ"),
        ({"sampels": 40}, "did you mean samples"),
        ({"samples": [40, 0]}, r"samples\.2: got 0"),
        ({"regime": "replace", "share": 0.1}, "either regime or share"),
        ({"design": "latin"}, "grid or latin:POINTS"),
        ({"design": "latin:9", "samples": [1, 2, 3]}, r"samples: one value, or \[low, high\]"),
        ({"standard_error": 0.1, "replicates": 32}, "at least 64 replicates"),
        ({"samples": list(range(1, 40_001)), "seed": list(range(40_000))}, "1,600,000,000 cells"),
        ({"format_version": 2}, "format_version"),
    ],
)
def test_a_study_that_is_not_understood_is_refused(values, words):
    with pytest.raises(ArgumentError, match=words):
        hf.sweep(study(**values))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"family": ["zipf:60", "zipff:60"]}, r"cell 2 .*did you mean zipf"),
        ({"family": ["gaussian", "poisson:2"], "estimator": "unbiased"}, "cell 2 .*unbiased"),
        ({"regime": ["replace", "frsh:0.1"]}, "cell 2 .*did you mean fresh"),
        ({"family": "gaussian", "regime": "triggered:0.5,items=9,metric=sprad"}, "cell 1 .*metric"),
        ({"family": "discrete"}, "cell 1 .*corpus"),
        ({"family": "discrete", "corpus": "nowhere.txt"}, "cell 1 .*nowhere.txt"),
        ({"resampler": "nowhere.json"}, "cell 1 .*nowhere.json"),
        ({"law": "exact", "samples": [80, 5000]}, "cell 2 .*3000"),
    ],
)
def test_settings_that_do_not_fit_name_their_cell(values, words):
    with pytest.raises(DataError, match=words):
        hf.sweep(study(**values))


def test_a_file_at_fault_names_the_line_of_the_key(tmp_path, capsys):
    (tmp_path / "s.toml").write_text(f"# a study\n{toml(SMALL)}seed = [1, -2]\n")
    assert main(["sweep", str(tmp_path / "s.toml")]) == 2
    assert "s.toml, line 6: seed.2: got -2" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_long_work_is_asked_for_first(tmp_path, capsys):
    settings = study(
        regime="accumulate",
        family="zipf:5000",
        samples=100_000,
        replicates=20_000,
        generations=2000,
        seed=[1, 2],
    )
    (tmp_path / "s.toml").write_text(toml(settings))
    assert main(["sweep", str(tmp_path / "s.toml")]) == 2
    said = capsys.readouterr().err
    assert "a study of 2 cells, 0 of them by law, the others with up to 20,000 runs each," in said
    assert "--yes" in said
    assert EffortError.__name__ not in said


def test_an_executor_that_fails_keeps_what_is_finished(tmp_path):
    class Failing(ThreadPoolExecutor):
        left = 3

        def submit(self, work, /, *arguments):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return super().submit(work, *arguments)

    settings = study(regime="accumulate", seed=[1, 2, 3, 4], replicates=32)
    with Failing(1) as executor, pytest.raises(KeyboardInterrupt):
        hf.sweep(settings, out=tmp_path / "s", executor=executor)
    found = hf.sweep(settings, out=tmp_path / "s", resume=True)
    assert found.finished == 4


def test_lost_processes_are_told_and_resume_finishes(tmp_path):
    class Losing(ThreadPoolExecutor):
        def submit(self, work, /, task):
            if task.ready.cell.seed < 3:
                return super().submit(work, task)
            lost = Future()
            lost.set_exception(BrokenExecutor("killed"))
            return lost

    settings = study(regime="accumulate", seed=[1, 2, 3, 4], replicates=32)
    with Losing(1) as executor, pytest.raises(ExecutorError, match="was killed"):
        hf.sweep(settings, out=tmp_path / "s", executor=executor)
    found = hf.sweep(settings, out=tmp_path / "s", resume=True)
    assert found.to_frame().equals(hf.sweep(settings).to_frame())


def test_questions_are_asked_in_sql(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(toml(study(samples=[40, 80], share=[0.0, 0.5])))
    assert main(["sweep", "s.toml", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [cell["law"] for cell in record["cells"]] == ["exact"] * 4
    sql = "SELECT samples, MAX(kept) AS best FROM cells GROUP BY samples ORDER BY samples"
    found = hf.query_sweep("s", sql)
    assert found["samples"].to_list() == [40, 80]
    assert main(["sweep", "query", "s", sql, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "format_version": 1,
        "columns": ["samples", "best"],
        "rows": [list(row) for row in found.rows()],
    }
    assert main(["sweep", "query", "s", sql]) == 0
    assert "best" in capsys.readouterr().out
    mistaken = ["SELEC 1", "SELECT nothing FROM cells", "SELECT * FROM other", ""]
    for wrong in (*mistaken, "DROP TABLE cells", "SELECT '\udce9'", f"SELECT {'(' * 3000}"):
        assert main(["sweep", "query", "s", wrong]) == 2
        said = capsys.readouterr().err
        assert "error: sql: got" in said
        assert len(said) < 1000


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("SELECT ARRAY_AGG(samples) AS a FROM cells", [[40, 80]]),
        ("SELECT CAST(samples AS DECIMAL(10, 3)) AS d FROM cells", [40.0]),
        ("SELECT DATE '2026-01-01' AS d, NULL AS n FROM cells", ["2026-01-01", None]),
        ("SELECT samples / 0 AS f FROM cells", [None]),
        ("SELECT samples > 40 AS b FROM cells", [False]),
    ],
)
def test_answers_of_every_kind_are_printed(sql, row, tmp_path, capsys):
    hf.sweep(study(samples=[40, 80]), out=tmp_path / "s")
    assert main(["sweep", "query", str(tmp_path / "s"), sql, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0] == row
    assert main(["sweep", "query", str(tmp_path / "s"), sql]) == 0


def test_files_that_regimes_name_are_beside_the_study(tmp_path, monkeypatch):
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "corpus.txt").write_text("the cat sat on the mat and the dog sat by the door " * 9)
    (folder / "stored.json").write_text('{"door": 5}')
    values = study(
        family="discrete", corpus="corpus.txt", samples=20, regime=["replace", "anchor:stored.json"]
    )
    (folder / "s.toml").write_text(toml(values))
    monkeypatch.chdir(tmp_path)
    found = hf.sweep("there/s.toml")
    assert found.to_frame()["law"].to_list() == ["exact", "exact"]
    before = found.to_frame()["id"].to_list()
    (folder / "stored.json").write_text('{"door": 6}')
    after = hf.sweep("there/s.toml").to_frame()["id"].to_list()
    assert before[0] == after[0]
    assert before[1] != after[1]
