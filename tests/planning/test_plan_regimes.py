"""The regimes of a plan's designs are ones that `simulate` takes."""

import json

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError


@pytest.fixture
def table(tmp_path):
    rows = ["sélten, so"] * 8 + ['oft "ja"'] * 200 + ["話=x"] * 40
    path = tmp_path / "labels.jsonl"
    lines = [json.dumps({"label": row}, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def planned(table, capsys, *options):
    arguments = ["plan", str(table), "--column", "label", "--generations", "6", *options]
    assert main([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("prices", [(), ("--cost-real", "3", "--cost-generated", "0.01")])
def test_every_design_can_be_simulated(table, capsys, prices):
    record = planned(table, capsys, *prices)
    model = hf.Discrete.from_table(table, column="label")
    kinds = set()
    for design in record["designs"]:
        runs = hf.simulate(
            model,
            regime=design["regime"],
            samples=design["samples"],
            generations=6,
            replicates=32,
            seed=1,
        )
        assert runs.sizes["generation"] == 7
        kinds.add(design["kind"])
    assert "anchor" in kinds
    assert ("larger" in kinds) == bool(prices)


def test_the_reserve_file_stands_in_the_regime(table, tmp_path, capsys):
    stored = tmp_path / "stored.json"
    record = planned(table, capsys, "--reserve-out", str(stored))
    assert record["designs"][0]["regime"] == f"anchor:{stored}"
    model = hf.Discrete.from_table(table, column="label")
    runs = hf.simulate(
        model, regime=record["designs"][0]["regime"], generations=2, replicates=2, seed=1
    )
    assert runs.sizes["replicate"] == 2


@pytest.mark.parametrize("text", ["anchor:{", 'anchor:{"a": 0}', 'anchor:{"a": "b"}', "anchor:{}"])
def test_items_that_are_none_are_refused(table, text):
    model = hf.Discrete.from_table(table, column="label")
    with pytest.raises(ArgumentError, match="NC-17"):
        hf.simulate(model, regime=text, generations=2, replicates=2)


def test_a_schedule_can_be_spelled_out():
    model = hf.Discrete.from_counts({"a": 60, "b": 40})
    spelled = hf.Scheduled(samples=(100, 100, 200), fresh=(0, 20)).describe()
    runs = [
        hf.simulate(model, regime=regime, generations=4, replicates=4, seed=2)
        for regime in (spelled, hf.Scheduled(samples=(100, 100, 200), fresh=(0, 20)))
    ]
    assert runs[0]["diversity"].equals(runs[1]["diversity"])
