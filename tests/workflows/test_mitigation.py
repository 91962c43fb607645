from pathlib import Path

import pytest

from hayflick.core.errors import ArgumentError
from hayflick.network.experiment import Experiment
from hayflick.workflows.mitigation import mitigation

REAL = [f"A {word} met the {other}." for word in ["cat", "dog", "cow"] for other in ("sea", "sun")]
RESERVE = [f"The {word} rose over the {word}." for word in ("moon", "wind", "hill", "lamp")]
VALUES = {
    "format_version": 1,
    "rounds": 8,
    "answers": 4,
    "query": "What is new",
    "embedder": "hashing:dimensions=32",
    "pool": {"texts": REAL},
    "reserve": {"texts": RESERVE},
    "agents": [{"name": "any", "kind": "ngram", "texts": REAL, "order": 2, "most_tokens": 9}],
}


def test_every_case_is_there_and_the_frontier_is_what_nothing_beats():
    found = mitigation(
        Experiment.of(VALUES),
        folder=Path(),
        injections=(0, 2),
        models=(4,),
        irrelevant=(0.0, 0.5),
    )
    assert len(found) == 2 * 2 * 2
    assert {(one.injected, one.texts) for one in found} == {(0, 0), (2, 16)}
    for one in found:
        rivals = [
            other
            for other in found
            if (other.models, other.irrelevant) == (one.models, one.irrelevant)
        ]
        better = [o for o in rivals if o.kept > one.kept and o.texts <= one.texts]
        cheaper = [o for o in rivals if o.kept >= one.kept and o.texts < one.texts]
        assert one.on_frontier == (not better and not cheaper)
    assert len({(one.kept, one.apart) for one in found}) == 8


def test_what_the_grid_cannot_be_run_on():
    without = {key: value for key, value in VALUES.items() if key != "reserve"}
    with pytest.raises(ArgumentError, match="reserve: got nothing"):
        mitigation(Experiment.of(without), folder=Path())
    replay = [{"name": "a", "kind": "replay", "file": "x.jsonl"}]
    with pytest.raises(ArgumentError, match=r"agents.1.kind: got replay, takes ngram"):
        mitigation(Experiment.of({**VALUES, "agents": replay}), folder=Path())
    with pytest.raises(ArgumentError, match="models: got 11, takes a whole number from 1 to 10"):
        mitigation(Experiment.of(VALUES), folder=Path(), models=(11,))
