import pytest

from hayflick.core.errors import ArgumentError
from hayflick.network.experiment import Experiment
from hayflick.network.mitigation import agent_mitigation

REAL = [f"A {word} met the {other}." for word in ["cat", "dog", "cow"] for other in ("sea", "sun")]
RESERVE = [f"The {word} rose over the {word}." for word in ("moon", "wind", "hill", "lamp")]
VALUES = {
    "format_version": 1,
    "rounds": 8,
    "answers": 8,
    "query": "Say what the cat",
    "embedder": "hashing:dimensions=32",
    "pool": {"texts": REAL},
    "reserve": {"texts": RESERVE},
    "agents": [{"name": "any", "kind": "ngram", "texts": REAL, "order": 2, "most_tokens": 9}],
}
VARIED = {**VALUES, "prompt_variations": ["{query}, and the dog", "{query}, or the wind"]}
ONE_CASE = {"injections": (0,), "topologies": ("complete",), "models": (2,), "irrelevant": (0.0,)}


def run(values=VALUES, **axes):
    return agent_mitigation(Experiment.of(values), **{**ONE_CASE, **axes})


def test_every_case_is_there_and_the_frontier_is_what_nothing_beats():
    axes = {"injections": (0, 2), "topologies": ("complete", "ring:1"), "irrelevant": (0.0, 0.5)}
    found = run(models=(2, 4), **axes)
    assert len(found) == 2 * 2 * 2 * 2
    assert {(one.injected, one.texts) for one in found} == {(0, 0), (2, 16)}
    for one in found:
        rivals = [other for other in found if other.irrelevant == one.irrelevant]
        better = [o for o in rivals if o.kept > one.kept and o.texts <= one.texts]
        cheaper = [o for o in rivals if o.kept >= one.kept and o.texts < one.texts]
        assert one.on_frontier == (not better and not cheaper)
    # Of two models that are complete or a ring it is the same network.
    assert len({(one.kept, one.apart) for one in found}) == 12


def test_prompts_are_varied_where_the_experiment_can():
    assert [one.prompts for one in run()] == ["one"]
    both = run(VARIED)
    assert [one.prompts for one in both] == ["one", "varied"]
    assert both[0].apart == run()[0].apart
    (alone,) = run(VARIED, prompts=("varied",))
    assert alone.apart == both[1].apart
    # Agents that answer different prompts in a round are farther apart.
    assert both[1].apart > both[0].apart + 0.3


def test_more_models_are_not_more_answers(monkeypatch):
    from hayflick.network import mitigation as module

    asked = []

    def noted(experiment, **settings):
        asked.append((len(experiment.agents), experiment.answers))
        return original(experiment, **settings)

    original = module.run_network
    monkeypatch.setattr(module, "run_network", noted)
    run(models=(1, 2, 4))
    assert asked == [(1, 8), (2, 4), (4, 2)]


def test_rules_of_the_experiment_are_left_out():
    assert run({**VALUES, "rules": "nowhere.toml"}) == run()


def test_words_of_irrelevant_texts_do_not_count_as_real():
    # Nothing that is read weighs anything, so the answers use real words as before.
    agent = {**VALUES["agents"][0], "trust": 0.0}
    clean, spoilt = run({**VALUES, "agents": [agent]}, irrelevant=(0.0, 1.0))
    assert clean.kept == spoilt.kept > 0.0


def test_what_the_grid_cannot_be_run_on():
    without = {key: value for key, value in VALUES.items() if key != "reserve"}
    with pytest.raises(ArgumentError, match="reserve: got nothing"):
        run(without)
    replay = [{"name": "a", "kind": "replay", "file": "x.jsonl"}]
    with pytest.raises(ArgumentError, match=r"agents.1.kind: got replay, takes ngram"):
        run({**VALUES, "agents": replay})


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"models": (11,)}, "models: got 11, takes a whole number from 1 to 10"),
        ({"models": (0,)}, "models: got 0"),
        ({"models": (7,)}, "models: got 7, takes divisors of .* the answers of all agents"),
        ({"models": ()}, "models: got nothing, takes at least one value"),
        ({"topologies": ()}, "topologies: got nothing"),
        ({"topologies": ("rings",)}, "topology: got rings.*did you mean ring"),
        ({"injections": (-1,)}, "injections: got -1"),
        ({"injections": ()}, "injections: got nothing"),
        ({"irrelevant": (1.5,)}, "irrelevant: got 1.5"),
        ({"irrelevant": ()}, "irrelevant: got nothing"),
        ({"prompts": ()}, "prompts: got nothing"),
        ({"prompts": ("many",)}, "prompts: got many, takes one of one, varied"),
        ({"prompts": ("varied",)}, "prompts: got varied.*state prompt_variations"),
    ],
)
def test_mistakes_are_refused_before_anything_runs(axes, message):
    told = []
    with pytest.raises(ArgumentError, match=message):
        run(**axes, progress=lambda *step: told.append(step))
    assert not told


def test_progress_counts_the_cases():
    told = []
    run(injections=(0, 1), progress=lambda *step: told.append(step))
    assert [step for step in told if step[0] == "cases"] == [("cases", n, 2) for n in range(3)]


def test_real_texts_without_words_leave_undefined_how_many_are_used():
    wordless = {"texts": ["? !"] * 6}
    agent = {**VALUES["agents"][0], "texts": wordless["texts"]}
    values = {**VALUES, "pool": wordless, "reserve": wordless, "agents": [agent]}
    assert [(one.kept, one.on_frontier) for one in run(values)] == [(None, False)]
