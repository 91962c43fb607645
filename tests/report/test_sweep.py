"""A sweep as a page, tables and plain values."""

import base64
import io
import json
import re

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.report.language import Language
from hayflick.report.sweep_charts import _border, sweep_charts
from hayflick.report.sweep_findings import SweepFindings

BASE = {"format_version": 1, "family": "zipf:60", "generations": 5}
NETWORK = {"format_version": 1, "kind": "network", "agents": [2, 4], "rounds": 5, "originals": 8}
GRID = {**BASE, "samples": [50, 200, 800], "share": [0.0, 0.1, 0.5], "keep": 0.8}


@pytest.fixture(scope="module")
def grid():
    return hf.sweep(GRID)


def test_the_verdict_counts_the_cells_that_keep_the_target(grid):
    frame = grid.to_frame()
    good = frame.filter(pl.col("kept") >= 0.8)
    record = grid.to_dict()
    assert record["sufficient"] == good["cell"].to_list()
    assert record["undecided"] == 0
    real = (good["share"] * good["samples"]).to_numpy()
    assert record["least_real_data"] == good["cell"].to_list()[int(real.argmin())]
    findings = SweepFindings(grid, Language("en"))
    assert findings.verdict().startswith(f"{good.height} of 9 cells keep 80% or more")
    json.dumps(record)


def test_the_least_share_that_keeps_the_target_is_told_for_every_size(grid):
    frame = grid.to_frame()
    told = grid.to_dict()["least_sufficient"]
    assert [row["samples"] for row in told] == [50, 200, 800]
    for row in told:
        good = frame.filter(pl.col("samples") == row["samples"], pl.col("kept") >= 0.8)
        assert row["share"] == good["share"].min()
        if row["share"] is not None:
            assert row["real"] == row["share"] * row["samples"]
    rows = SweepFindings(grid, Language("en")).least_rows(most=9)
    assert [row[0] for row in rows] == ["50", "200", "800"]


def test_a_share_is_enough_where_the_cells_of_all_seeds_keep_the_target():
    runs = {**BASE, "regime": ["accumulate", "replace", "fresh:0.5"], "law": "none"}
    found = hf.sweep({**runs, "samples": 80, "seed": [1, 2, 3], "replicates": 16, "keep": 0.3})
    told = found.to_dict()["least_sufficient"]
    keeps = found.to_frame().filter(pl.col("share") == 0.5)
    assert told == [{"share": 0.5, "real": 40.0, "kept": pytest.approx(keeps["kept"].mean())}]
    assert hf.sweep({**GRID, "keep": None} | {"samples": 50}).to_dict()["least_sufficient"] is None
    hypercube = {**GRID, "samples": [50, 800], "share": [0.0, 0.5], "design": "latin:9"}
    assert hf.sweep(hypercube).to_dict()["least_sufficient"] is None


def test_means_over_the_seeds_have_the_standard_error_of_their_spread():
    runs = {**BASE, "regime": ["accumulate", "replace"], "law": "none", "samples": 80}
    found = hf.sweep({**runs, "seed": [1, 2, 3], "replicates": 1})
    told = found.to_dict()["over_seeds"]
    assert [row["regime"] for row in told] == ["accumulate", "replace"]
    for row in told:
        own = found.to_frame().filter(pl.col("regime") == row["regime"])["kept"].to_numpy()
        assert row["seeds"] == 3
        assert row["kept"] == pytest.approx(own.mean(), rel=1e-12)
        assert row["standard_error"] == pytest.approx(own.std(ddof=1) / 3**0.5, rel=1e-9)
    assert len(SweepFindings(found, Language("en")).seeds_rows(most=9)[0]) == 4
    assert hf.sweep({**runs, "replicates": 2}).to_dict()["over_seeds"] is None
    assert hf.sweep({**BASE, "samples": 80, "seed": [1, 2]}).to_dict()["over_seeds"] is None


def test_one_cell_is_no_number_of_cells(tmp_path):
    assert SweepFindings(hf.sweep({**BASE, "samples": 80}), Language("en")).title() == (
        "Study of one cell"
    )


@pytest.mark.parametrize(
    ("values", "charts"),
    [
        ({"injected": [0, 5], "keep": 0.3}, ["phase-diagram", "rounds"]),
        ({"topology": ["complete", "ring:1"]}, ["rounds"]),
        ({"share_read": [0.3, 0.6], "design": "latin:6"}, ["phase-diagram", "rounds"]),
    ],
)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_networks_have_a_page(values, charts, lang):
    result = hf.sweep({**NETWORK, "replicates": 3, **values})
    findings = SweepFindings(result, Language(lang))
    assert [chart.name for chart in sweep_charts(findings)] == charts
    assert "‖D‖" in result._repr_html_()
    assert len(findings.rows(most=9)[0]) == len(findings.headings())
    json.dumps(result.to_dict())


def test_cells_at_the_noise_floor_are_counted():
    result = hf.sweep({**NETWORK, "agents": 3, "rounds": 25})
    findings = SweepFindings(result, Language("en"))
    row = result.to_frame().row(0, named=True)
    assert row["kept"] - 2 * row["standard_error"] <= row["floor"]
    assert findings.at_floor == 1
    assert any("no further apart than chance" in line for line in findings.summary())


def test_the_map_parts_the_cells_that_keep_the_target():
    grid = np.array([[0.1, 0.5, 0.9], [0.2, 0.85, np.nan]])
    edges = set(_border(grid, 0.8).iter_rows())
    assert edges == {(2, 2, 0, 1), (1, 1, 1, 2), (1, 2, 1, 1)}
    assert _border(grid, 0.99).is_empty()


def test_a_page_has_every_cell_as_csv(grid, tmp_path):
    path = grid.save(tmp_path / "study.html")
    page = path.read_text()
    link = re.search(
        r'download="cells.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', page
    )
    cells = pl.read_csv(io.BytesIO(base64.b64decode(link[1])))
    assert cells["kept"].to_list() == grid.to_frame()["kept"].to_list()
    names = [chart.name for chart in sweep_charts(SweepFindings(grid, Language("en")))]
    assert names == ["phase-diagram", "rounds"]


@pytest.mark.parametrize(
    ("values", "charts"),
    [
        ({"samples": 80}, ["rounds"]),
        ({"samples": [50, 100], "seed": [1, 2], "regime": "replace"}, ["rounds"]),
        ({"samples": [50, 800], "share": [0.0, 0.5], "design": "latin:9", "keep": 0.5}, None),
        ({"samples": [50, 80], "regime": ["replace", "fresh:0.1", "accumulate"]}, None),
        ({"family": ["zipf:60", "gaussian", "bernoulli:0.3"], "samples": [50, 80]}, ["rounds"]),
        ({"estimator": ["ml", "add:1"], "samples": [50, 80], "share": [0.0, 0.2]}, None),
        ({"generations": [2, 4], "samples": list(range(10, 110, 2))}, ["rounds"]),
    ],
)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_kind_of_study_has_a_page(values, charts, lang):
    result = hf.sweep({**BASE, "replicates": 8, **values})
    found = sweep_charts(SweepFindings(result, Language(lang)))
    assert [chart.name for chart in found] == (charts or ["phase-diagram", "rounds"])
    assert "<svg" in found[0].svg
    assert result._repr_html_()


def test_a_target_that_no_cell_keeps_and_one_that_is_too_close():
    missed = hf.sweep({**GRID, "samples": [20, 30], "keep": 0.99})
    findings = SweepFindings(missed, Language("en"))
    assert findings.missed
    assert findings.verdict().startswith("No cell keeps 99% for certain")
    runs = {**BASE, "samples": 80, "regime": "accumulate", "replicates": 16}
    kept = hf.sweep(runs).to_frame()["kept"][0]
    close = hf.sweep({**runs, "keep": round(kept, 4)})
    assert close.to_dict()["undecided"] == 1
    assert SweepFindings(close, Language("en")).rows(most=1)[0][-2] == "too close to say"
