import shlex
from dataclasses import replace
from functools import cache

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.source import Source
from hayflick.rules.from_plan import rules_from_plan
from hayflick.rules.parsing import parse_rules
from hayflick.rules.planned_text import Inputs

COUNTS = {f"w{place}": 1 + 300 // place for place in range(1, 200)}
WORDS = hf.Discrete.from_counts(COUNTS)
INPUTS = Inputs()


@cache
def words_plan():
    return hf.plan(WORDS, keep=0.7, generations=12, replicates=0)


@cache
def planned_words(kind=None, inputs=INPUTS):
    """Return the rules of the words' plan, which take seconds, once for all tests."""
    return rules_from_plan(words_plan(), kind=kind, inputs=inputs)


def planned(model=WORDS, *, keep=0.7, generations=12, kind=None, **settings):
    plan = hf.plan(model, keep=keep, generations=generations, replicates=0, **settings)
    return rules_from_plan(plan, kind=kind, inputs=INPUTS)


def test_the_file_says_what_was_derived():
    found = planned_words("below")
    rules = parse_rules(found.text)
    kept, missed = rules.watch
    assert kept.metrics == ("surviving_fraction", "retention")
    assert (kept.target, kept.below) == (0.7, round(found.policy.limit, 6))
    assert rules.action_named("real data").items == found.policy.dose
    assert (missed.below, missed.cool_down) == (0.7, 10)
    assert {action.kind for action in rules.action} == {"inject", "review", "notify"}
    assert f"one more round without real data leaves {found.policy.next_unaided:.1%}" in found.text


def test_a_list_is_watched_as_a_list_and_diversity_in_its_own_unit():
    (missed,) = parse_rules(planned(must_keep=["w150", "w175"]).text).watch
    assert missed.metrics == ("retention",)
    few = hf.Discrete.from_counts({f"w{place}": 300 // place for place in range(1, 13)})
    found = planned(few, of="diversity", keep=0.92, generations=10, kind="below")
    # No law says how a diversity scatters: the margin comes from runs.
    assert found.policy.margin > 0.0
    (kept, missed) = parse_rules(found.text).watch
    unit = 1.0 - float((few.probabilities**2).sum())
    assert kept.metrics == ("diversity",)
    assert missed.below == pytest.approx(0.92 * unit, abs=1e-6)
    assert found.initial_reading == pytest.approx(unit)


def test_a_name_with_anything_in_it_stays_a_comment():
    source = Source('evil\nmode = "observe"\x1b.txt')
    rules = parse_rules(planned(hf.Discrete.from_counts(COUNTS, source=source)).text)
    assert rules.mode.value == "act"


def test_what_no_rule_can_hold_is_refused():
    with pytest.raises(DataError, match=r"none of the kind fresh keep 99\.0% in 95% of runs"):
        planned(keep=0.99, kind="fresh")
    with pytest.raises(ArgumentError, match="kind: got often, takes one of anchor, fresh"):
        planned_words("often")
    numbers = hf.Gaussian(0.0, 1.0)
    with pytest.raises(DataError, match="not for numbers"):
        rules_from_plan(hf.plan(numbers, keep=0.9, generations=5, samples=20, replicates=0))


LABELS = {"R": 3377, "PG-13": 1003, "PG": 528, "NC-17": 16}


def label_plan(folder, *, keep=0.9, counts=LABELS, column="my rating", generations=20, **settings):
    """Write a column of labels to a file, and return its plan."""
    rows = [f'"{name}"' for name, count in counts.items() for _ in range(count)]
    (folder / "my films.csv").write_text("\n".join([f'"{column}"', *rows]))
    settings = {"generations": generations, "replicates": 0, **settings}
    return hf.plan("my films.csv", column=column, keep=keep, **settings)


def skewed(classes):
    """Return the counts of labels of which few are frequent."""
    return {f"class {place}": max(2, round(1000 / place**1.6)) for place in range(1, classes + 1)}


def least_fixed(rules):
    """Return the real items of the recommended design over all rounds, each once."""
    regime, rounds = rules.plan.best.regime, rules.plan.problem.generations
    mixes = [regime.mix(k, samples=rules.carried.samples) for k in range(1, rounds + 1)]
    return sum(mix.fresh for mix in mixes) + max(mix.reserved for mix in mixes)


@pytest.mark.parametrize(
    ("counts", "keep"), [(LABELS, 0.95), (skewed(25), 0.9)], ids=["four labels, 95 %", "25 labels"]
)
def test_the_rules_of_labels_do_what_the_plan_says(counts, keep, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = label_plan(tmp_path, keep=keep, counts=counts)
    found = hf.write_rules(plan, "rules.toml")
    assert found.kind == plan.best.kind == "anchor"
    assert found.reserve.total == plan.best.regime.reserve.total
    # The written file, read again with the data, as its comment says.
    tried = hf.evaluate_rules(
        "rules.toml",
        corpus="my films.csv",
        column="my rating",
        generations=20,
        replicates=500,
        seed=8,
    )
    assert (tried.keep, tried.confidence, tried.at_least) == (keep, 0.95, 5)
    assert tried.success_rate >= 0.95 - 2 * (0.95 * 0.05 / 500) ** 0.5
    assert tried.holds
    assert tried.with_rule.real_in_all <= 1.3 * least_fixed(found)
    assert tried.without_rule.success_rate(keep) < 0.95


@pytest.mark.parametrize("kind", ["fresh", "periodic", "below"])
def test_other_kinds_hold_what_they_are_written_for(kind):
    found = planned_words(kind)
    assert found.success_rate >= 0.95 - 2 * (0.95 * 0.05 / found.tried.runs) ** 0.5
    rules = parse_rules(found.text)
    if found.policy is None:
        (standing,) = rules.standing
        assert (standing.items, standing.every) == (found.carried.items, found.carried.every)
    else:
        assert rules.standing == ()
        assert rules.watch[0].confidence == 0.95


def test_fresh_data_go_in_below_a_limit_where_that_takes_less():
    fresh, below = planned_words("fresh"), planned_words("below")
    assert fresh.kind == "below"
    assert fresh.tried.real_in_all == below.tried.real_in_all
    assert fresh.tried.real_in_all < 20 * fresh.policy.fixed


def test_the_commands_in_the_file_work_as_they_stand(tmp_path, monkeypatch):
    rules, column = "my r'les.toml", "it's $HOME"
    monkeypatch.chdir(tmp_path)
    plan = label_plan(tmp_path, column=column, samples=3000, generations=5)
    hf.write_rules(plan, rules, corpus="my films.csv")
    lines = (tmp_path / rules).read_text(encoding="utf-8").splitlines()
    commands = [line.removeprefix("#").strip() for line in lines if "hayflick rules" in line]
    assert [shlex.split(command)[2] for command in commands] == ["evaluate", "check"]
    for command in commands:
        arguments = shlex.split(command)[1:]
        assert {"--samples", "3000", "my films.csv", column} <= set(arguments)
        assert main(arguments) == 0


def test_a_name_that_ends_a_line_stays_in_its_comment():
    text = planned_words(inputs=Inputs(rules="a\nb.toml", corpus="c\td.csv")).text
    assert r"hayflick rules evaluate $'a\nb.toml' --corpus $'c\x09d.csv'" in text
    parse_rules(text)


def test_a_design_that_rules_cannot_carry_out_is_refused():
    few = hf.Discrete.from_counts({f"w{place}": 300 // place for place in range(1, 13)})
    plan = hf.plan(few, of="diversity", keep=0.98, generations=30, replicates=0)
    pooled = next(one for one in plan.designs if one.kind == "accumulate-subsample")
    with pytest.raises(
        DataError, match="cannot carry out a plan of the kind accumulate-subsample; no other"
    ):
        rules_from_plan(replace(plan, designs=(pooled,)))


def test_too_few_runs_that_hold_the_target_are_no_rules():
    plan = words_plan()
    weak = replace(plan.best, number=plan.best.number // 3)
    with pytest.raises(
        DataError,
        match=r"kind anchor keep 70\.0% in every round in .* of 500 .*one that does: below",
    ):
        rules_from_plan(replace(plan, designs=(weak,)), kind="anchor")


def test_the_watched_film_ratings(cases, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = cases / "movies4.csv"
    for keep in (0.9, 0.95):
        plan = hf.plan(path, column="mpaa", keep=keep, generations=20, replicates=0)
        found = hf.write_rules(plan, f"r{keep}.toml", corpus=path)
        assert found.success_rate >= 0.95 - 2 * (0.95 * 0.05 / 500) ** 0.5
        assert found.tried.runs == 500
        assert found.tried.real_in_all <= 1.3 * least_fixed(found)
