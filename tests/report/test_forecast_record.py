import json

import pytest

import hayflick as hf


@pytest.fixture
def record(words):
    return hf.forecast(words, generations=6, replicates=40, seed=2).to_dict()


def test_the_record_survives_json(record):
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_every_list_begins_with_generation_zero(record):
    assert record["generations"] == [0, 1, 2, 3, 4, 5, 6]
    simulated = record["simulated"]
    lists = [record[name] for name in ("surviving_fraction", "real_data_alone", "diversity")]
    lists += [simulated[name] for name in ("mean", "low", "high", "standard_error")]
    assert {len(values) for values in lists} == {7}
    assert record["surviving_fraction"][0] == simulated["mean"][0] == 1.0


def test_the_names_that_are_promised_are_there(record):
    promised = {
        "tokens",
        "types",
        "samples",
        "law",
        "generations",
        "surviving_fraction",
        "simulated",
        "diversity_half_life",
        "most_at_risk",
    }
    assert promised <= set(record)
    assert {"symbol", "count", "survival"} <= set(record["most_at_risk"][0])
    assert record["format_version"] == 1
    assert (record["tokens"], record["types"], record["law"]) == (100, 4, "exact")


def test_what_is_undefined_is_none(words):
    alone = hf.forecast(words, generations=3, replicates=1).to_dict()
    assert alone["simulated"]["standard_error"] == [None] * 4
    fresh = hf.forecast(
        words, generations=3, replicates=0, regime=hf.Fresh(share=1.0), samples=500_000
    )
    record = fresh.to_dict()
    assert record["simulated"] is None
    assert record["diversity_half_life"] is None
    assert record["most_at_risk"][0]["median_loss_round"] is None
    assert record["most_at_risk"][0]["mean_loss_round"] is None
