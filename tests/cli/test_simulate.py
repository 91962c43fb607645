import json
import os

import numpy as np
import pytest
import xarray

from hayflick.chains.family import FamilyData, families
from hayflick.cli.main import main

QUICK = ["--generations", "4", "--replicates", "40"]
FILES = {
    "corpus.txt": "The cat sat. The dog sat on the cat! The cat ran. " * 20,
    "labels.csv": "id,label\n" + "".join(f"{i},{'xxxyz'[i % 5]}\n" for i in range(50)),
    "numbers.csv": "a,b,n\n" + "".join(f"{i * 0.3},{i * i},{i % 4}\n" for i in range(30)),
    "constant.csv": "a\n1\n1\n1\n",
    "holes.csv": "a\n1\nnan\n\n2\ninf\n",
    "weights.json": '{"x": 1.0, "y": 2.0}',
    "foreign.json": '{"cow": 1.0}',
    "taken.nc": "old",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


EXAMPLES = {
    "bernoulli": ["bernoulli:0.2", "--samples", "10", "--degrade", "label-noise:0.1"],
    "poisson": ["poisson", "--corpus", "numbers.csv", "--column", "n", "--round", "step:0.1"],
    "negative-binomial": [
        *("negative-binomial", "--corpus", "numbers.csv", "--column", "n"),
        *("--regime", "accumulate"),
    ],
    "gaussian": ["gaussian", "--corpus", "numbers.csv", "--column", "a", "--estimator", "ml"],
    "multivariate-gaussian": [
        *("multivariate-gaussian", "--corpus", "numbers.csv", "--columns", "a,b"),
        *("--degrade", "noise:0.5"),
    ],
    "symmetric-mixture": ["symmetric-mixture", "--samples", "9", "--estimator", "joint-ml"],
    "zipf": ["zipf:50,exponent=1.2", "--samples", "60", "--sampler", "top-p:0.9"],
    "discrete": [
        *("discrete", "--corpus", "labels.csv", "--column", "label", "--select"),
        *("verifier:weights.json,false-accept=0.5", "--regime", "fresh:0.1"),
    ],
    "ngram": ["ngram:3", "--corpus", "corpus.txt", "--sampler", "temperature:0.8"],
}


def test_every_family_has_an_example():
    assert set(EXAMPLES) == set(families(FamilyData()))


@pytest.mark.parametrize("family", EXAMPLES)
def test_a_family_is_simulated_and_kept(family, folder, capsys):
    arguments = [*EXAMPLES[family], "--out", "run.nc", "--format", "json", *QUICK]
    assert main(["simulate", *arguments]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert record["generations"] == [0, 1, 2, 3, 4]
    assert record["replicates"] == 40
    # The numbers of the file are evenly spread, which is said.
    assert [line for line in err.splitlines() if not line.startswith("note: ")] == ["wrote run.nc"]
    with xarray.open_dataset(folder / "run.nc", engine="h5netcdf") as runs:
        for name, numbers in record["variables"].items():
            low, high = numbers["low"][-1], numbers["high"][-1]
            values = runs[name].to_numpy()[:, -1]
            assert low is None or (low <= np.quantile(values, 0.06) <= high)


@pytest.mark.parametrize("suffix", ["html", "svg", "png"])
def test_a_picture_is_written(suffix, folder, capsys):
    plot = f"chart.{suffix}"
    assert main(["simulate", "gaussian", "--samples", "9", "--plot", plot, *QUICK]) == 0
    content = (folder / plot).read_bytes()
    start = {"html": b"<!doctype html>", "svg": b"<svg", "png": b"\x89PNG"}[suffix]
    assert content.startswith(start)
    assert "standard deviation" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gausian"], "did you mean gaussian?"),
        (["bernoulli"], "family: got bernoulli, takes bernoulli:probability=PROBABILITY"),
        (["bernoulli:1.5", "--samples", "5"], "probability: got 1.5"),
        (["bernoulli:0.5"], "samples: got None"),
        (["gaussian", "--samples", "1"], "samples: got 1, takes a whole number from 2"),
        (["discrete"], "takes a file to fit the family discrete to"),
        (["gaussian", "--corpus", "labels.csv", "--column", "label"], "holds no numbers but"),
        (["gaussian", "--corpus", "constant.csv"], "is constant (1)"),
        (["gaussian", "--corpus", "holes.csv"], "has an infinite number in line 6"),
        (["poisson", "--corpus", "numbers.csv", "--column", "a"], "holds 0.3, takes counts"),
        (["gaussian", "--corpus", "numbers.csv", "--column", "z"], "no column 'z'"),
        (["ngram:99", "--corpus", "corpus.txt"], "order: got 99, takes a whole number from 1"),
        (["gaussian", "--samples", "9", "--round", "step:0"], "step: got 0.0"),
        (["gaussian", "--samples", "9", "--round", "bits:x"], "bits: got x, takes a whole number"),
        (["gaussian", "--samples", "9", "--sampler", "top-k:3"], "for the family gaussian: none"),
        (["zipf:9", "--samples", "9", "--sampler", "top-k:0"], "top-k: got 0"),
        (["zipf:9", "--samples", "9", "--sampler", "temperature:0"], "temperature: got 0.0"),
        (["zipf:9", "--samples", "9", "--estimator", "unbiased"], "estimator: got unbiased"),
        (["zipf:9", "--samples", "9", "--real-weight", "0"], "real_weight: got 0.0"),
        (
            ["discrete", "--corpus", "corpus.txt", "--select", "quality:foreign.json"],
            "quality: got 'cow', takes symbols of the model",
        ),
        (["gaussian:mean=3", "--corpus", "numbers.csv", "--column", "a"], "takes gaussian alone"),
        (["bernoulli:0.5", "--corpus", "numbers.csv"], "nothing with the family bernoulli"),
        (["gaussian", "--corpus", "numbers.csv", "--columns", "a,b"], "takes one column"),
        (["gaussian", "--samples", "9", "--replicates", "1" + "0" * 18], "from 1 to 100,000,000"),
        (["multivariate-gaussian:100000", "--samples", "9"], "dimensions: got 100000"),
        (["symmetric-mixture", "--samples", "1000000000000"], "from 2 to 1,000,000"),
        (
            ["multivariate-gaussian", "--corpus", "numbers.csv", "--columns", "a,a"],
            "columns: got a, a, takes different names",
        ),
        (
            ["gaussian", "--corpus", "numbers.csv", "--column", "a", "--out", "numbers.csv"],
            "numbers.csv: is the input",
        ),
        (
            [
                *("discrete", "--corpus", "labels.csv", "--column", "label", "--force"),
                *("--select", "quality:weights.json", "--out", "weights.json"),
            ],
            "weights.json: is the input",
        ),
        (
            [
                *("zipf:3", "--samples", "9", "--force", "--out", "weights.json"),
                *("--degrade", "contamination:0.5,file=weights.json"),
            ],
            "weights.json: is the input",
        ),
        (
            ["gaussian", "--corpus", "numbers.csv", "--column", "a", "--columns", "a,b"],
            "columns: got a,b, takes nothing beside column",
        ),
        (["gaussian", "--samples", "9", "--out", "taken.nc"], "taken.nc: exists already"),
        (["gaussian", "--samples", "9", "--plot", "a.pdf"], "a name ending in .html, .svg, .png"),
        (["gaussian", "--samples", "9", "--regime", "anchor:corpus.txt"], "regime: got a reserve"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(arguments, message, folder, capsys):
    assert main(["simulate", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: ")
    assert message in err
    assert sorted(os.listdir(folder)) == sorted(FILES)


def test_the_same_seed_prints_the_same(capsys):
    printed = []
    for seed in ("1", "1", "2"):
        main(
            ["simulate", "poisson:3", "--samples", "9", "--seed", seed, "--format", "json", *QUICK]
        )
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_processes_print_what_threads_print(capsys):
    printed = []
    for where in ([], ["--scheduler", "threads"], ["--scheduler", "processes", "--workers", "1"]):
        assert main(["simulate", "zipf:50", "--samples", "40", *QUICK, *where]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] == printed[2]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (["--workers", "2"], "workers: got 2, takes nothing beside threads; processes take it"),
        (["--scheduler", "processes", "--workers", "0"], "workers: got 0, takes a whole number"),
        (["--scheduler", "processes", "--threads", "2"], "takes nothing beside --scheduler proc"),
        (["--scheduler", "tcp://host:1", "--workers", "2"], "which has its own workers"),
        (["--scheduler", "host:8786"], "takes threads, processes, or the address of a Dask"),
        (["--scheduler", ""], "takes threads, processes, or the address of a Dask"),
    ],
)
def test_a_place_that_does_not_fit_is_refused(where, message, capsys):
    assert main(["simulate", "zipf:50", "--samples", "40", *QUICK, *where]) == 2
    assert message in capsys.readouterr().err
