from pathlib import Path

import pytest

from hayflick.core.errors import ArgumentError
from hayflick.network.experiment import Experiment
from hayflick.report.mitigation_table import mitigation_record, mitigation_tables
from hayflick.workflows.mitigation import Mitigated, _marked, mitigation

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


def test_real_texts_without_words_leave_undefined_how_many_are_used():
    wordless = {"texts": ["? !"] * 6}
    agent = {**VALUES["agents"][0], "texts": wordless["texts"]}
    values = {**VALUES, "pool": wordless, "reserve": wordless, "agents": [agent]}
    found = mitigation(
        Experiment.of(values),
        folder=Path(),
        injections=(0,),
        topologies=("complete",),
        models=(2,),
        irrelevant=(0.0,),
    )
    assert [(one.kept, one.on_frontier) for one in found] == [(None, False)]
    assert mitigation_record(found)["cases"][0]["kept"] is None
    (table,) = mitigation_tables(found)
    assert list(table.columns[4].cells) == ["–"]


def test_a_case_without_a_share_is_not_on_the_frontier_and_beats_none():
    alike = {"topology": "complete", "models": 2, "irrelevant": 0.0, "apart": None}
    shares = [(0, None), (0, 0.0), (4, 0.0), (4, 0.5), (8, 0.5)]
    found = [Mitigated(injected=n, texts=n, kept=kept, **alike) for n, kept in shares]
    marks = [one.on_frontier for one in _marked(found)]
    assert marks == [False, True, False, True, False]
