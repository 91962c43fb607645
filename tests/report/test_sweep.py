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
