import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError
from hayflick.rules.loading import load_rules
from hayflick.rules.parsing import parse_rules
from hayflick.rules.rule_set import calls_for_action, decisions, slow_metrics

WORDS = hf.Discrete.from_counts({f"w{place}": 1 + 600 // place for place in range(1, 400)})
TELL = '[[action]]\nname = "tell"\nkind = "notify"\n'
ACTIONS = 'actions = ["tell"]\n'


def rule_set(watch, *, mode="act", actions=TELL, folder=None):
    text = f'format_version = 1\nmode = "{mode}"\n[[watch]]\nname = "w"\n{watch}\n{actions}'
    settings = {} if folder is None else {"folder": folder}
    return hf.RuleSet.of(parse_rules(text), **settings)


def warnings(watch, *, model=None, values=(), metric="surviving_fraction"):
    readings = [hf.Reading(k, {metric: value}) for k, value in enumerate(values, start=1)]
    rules = rule_set(f'metric = "{metric}"\n{watch}\n{ACTIONS}')
    checked = hf.check_rules(rules, corpus=model, history=readings, generations=10)
    return [(warning.fires, warning.where) for warning in checked.warnings], checked


@pytest.mark.parametrize(
    ("watch", "settings", "expected"),
    [
        ("below = 0.0", {}, [("never", "range")]),
        ("below = 1.1", {}, [("always", "range")]),
        ("below = 0.5", {}, []),
        ("above = 1.0", {"metric": "duplicate_rate"}, [("never", "range")]),
        ("above = -0.1", {"metric": "duplicate_rate"}, [("always", "range")]),
        ("below = 0.9", {"values": [0.8, 0.7]}, [("always", "readings")]),
        ("below = 0.9", {"values": [0.8, 0.95]}, []),
        ("below = 0.98", {"model": WORDS}, [("always", "law")]),
        ("below = 0.05", {"model": WORDS}, [("never", "law")]),
        ("below = 0.7", {"model": WORDS}, []),
    ],
)
def test_rules_that_always_or_never_fire_are_found(watch, settings, expected):
    found, _ = warnings(watch, **settings)
    assert found == expected


def test_a_warning_comes_with_numbers():
    _, checked = warnings("below = 0.9", values=[0.8, 0.7])
    (warning,) = checked.warnings
    assert (warning.low, warning.high, warning.number, warning.limit) == (0.7, 0.8, 2, 0.9)
    assert (checked.alarms, checked.readings) == ({"w": 2}, {"w": 2})


def test_what_reserves_lack_and_who_is_not_told(tmp_path):
    inject = '[[action]]\nname = "real"\nkind = "inject"\nitems = 3\nreserve = "r.txt"\n'
    watch = 'metric = "retention"\nbelow = 0.5\n'
    used = watch + 'actions = ["real"]'
    rules = rule_set(used, actions=inject, folder=tmp_path)
    assert hf.check_rules(rules).problems == ("[[action]] real: r.txt is missing",)
    (tmp_path / "r.txt").write_text("a\nb\n")
    rules = rule_set(used, actions=inject, folder=tmp_path, mode="warn")
    problems = hf.check_rules(rules).problems
    assert "r.txt holds 2 items, fewer than 3" in problems[0]
    assert "no action of kind notify" in problems[1]
    assert hf.check_rules(rule_set(watch, actions="")).problems == ("[[watch]] w: has no actions",)


DOSED = '[[action]]\nname = "real"\nkind = "inject"\n'
TARGET = 'metric = "surviving_fraction"\ntarget = 0.7\nactions = ["real"]'


def test_a_target_becomes_limit_and_dose():
    loaded = load_rules(rule_set(TARGET, actions=DOSED), corpus=WORDS, generations=20)
    found = loaded.policies["w"]
    assert loaded.rule_set.rules.watch[0].below == found.limit
    assert loaded.rule_set.rules.action[0].items == found.dose
    assert loaded.target == 0.7
    written = rule_set(TARGET + "\nbelow = 0.9", actions=DOSED + "items = 4")
    kept = load_rules(written, corpus=WORDS)
    assert kept.rule_set.rules.watch[0].below == 0.9
    assert kept.rule_set.rules.action[0].items == 4
    with pytest.raises(DataError, match=r"\[\[watch\]\] w: keep: fresh data alone"):
        hf.check_rules(rule_set(TARGET.replace("0.7", "0.99"), actions=DOSED), corpus=WORDS)


def test_the_data_can_be_named_in_the_file(tmp_path):
    (tmp_path / "corpus.txt").write_text("the cat sat on the mat and the dog sat by it " * 50)
    head = 'format_version = 1\nmode = "act"\ncorpus = "corpus.txt"\n'
    text = f'{head}[[watch]]\nname = "w"\n{TARGET}\n'
    (tmp_path / "rules.toml").write_text(text + DOSED)
    for rules in (tmp_path / "rules.toml", hf.RuleSet.from_file(tmp_path / "rules.toml")):
        checked = hf.check_rules(rules, generations=5)
        assert checked.source == "corpus.txt"
        assert checked.policies["w"].dose > 0


def test_a_run_and_answers_cannot_both_be_given():
    rules = rule_set('metric = "retention"\nbelow = 0.5\n' + ACTIONS)
    with pytest.raises(ArgumentError, match=r"answers: got a\.csv, takes nothing beside history"):
        hf.check_rules(rules, history=[], answers="a.csv")


def test_decisions_are_in_the_order_of_the_rounds():
    rules = rule_set('metric = "retention"\nbelow = 0.5\ngroups = ["a", "b"]\n' + ACTIONS)
    low = [hf.Reading(k, {"retention": 0.1 * k}, group="a") for k in (1, 9)]
    high = [hf.Reading(k, {"retention": 1.0 - 0.1 * k}, group="b") for k in (1, 9)]
    found = decisions(rules, {"a": low, "b": high})
    assert [(one.round, one.group) for one in found] == [(1, "a"), (9, "b")]
    assert calls_for_action(rules, found)
    observed = rule_set('metric = "retention"\nbelow = 0.5\n' + ACTIONS, mode="observe")
    found = decisions(observed, {"": [hf.Reading(1, {"retention": 0.1})]})
    assert (found[0].actions, len(found[0].proposed)) == ((), 1)
    assert not calls_for_action(observed, found)


def test_slow_metrics_are_measured_where_rules_read_them():
    rules = rule_set('metric = "drift_p"\nbelow = 0.01\n' + ACTIONS)
    assert slow_metrics(rules, ("near_duplicate_rate", "drift")) == ("drift",)


LABELS = hf.Discrete.from_counts({"R": 3377, "PG-13": 1003, "PG": 528, "NC-17": 16})


@pytest.mark.parametrize(
    ("model", "limit"),
    [(LABELS, 0.3), (LABELS, 0.8), (WORDS, 0.3), (WORDS, 0.6), (WORDS, 1.0)],
    ids=["labels, never", "labels, at times", "words, seldom", "words, surely", "words, always"],
)
def test_check_and_evaluation_agree_on_whether_a_rule_fires(limit, model):
    rules = rule_set(f'metric = "surviving_fraction"\nbelow = {limit}\n{ACTIONS}')
    checked = hf.check_rules(rules, corpus=model, generations=20)
    tried = hf.evaluate_rules(rules, corpus=model, generations=20, replicates=256)
    (chance,) = checked.chances
    fired = 1.0 - tried.missed_runs / tried.runs
    spread = (chance.without * (1.0 - chance.without) / tried.runs) ** 0.5
    assert abs(fired - chance.without) <= 4.0 * (spread + chance.standard_error) + 1e-9
    never = any(one.fires == "never" for one in checked.warnings)
    assert never == (chance.without <= 0.001)
    if never:
        assert tried.missed_runs >= tried.runs - 2
    if any(one.fires == "always" for one in checked.warnings):
        assert tried.false_alarms >= 0.99 * tried.healthy_rounds


def test_a_rule_for_labels_is_not_said_never_to_fire_where_it_does():
    # On average 3.5 of four labels are left, yet in half of the runs one is gone.
    rules = rule_set(f'metric = "surviving_fraction"\nbelow = 0.8\n{ACTIONS}')
    checked = hf.check_rules(rules, corpus=LABELS, generations=50)
    assert checked.warnings == ()
    assert 0.3 < checked.chances[0].without < 0.7


def test_an_impossible_baseline_is_exit_code_1(tmp_path, capsys):
    head = 'format_version = 1\nmode = "act"\nbaseline = 5\n[[watch]]\nname = "w"\n'
    (tmp_path / "r.toml").write_text(head + 'metric = "distinct_2"\nchart = "cusum"\n')
    assert main(["rules", "check", str(tmp_path / "r.toml")]) == 1
    assert "takes at least" in capsys.readouterr().out
    (tmp_path / "r.toml").write_text(head + 'metric = "distinct_2"\nbelow = 0.1\n' + ACTIONS + TELL)
    assert main(["rules", "check", str(tmp_path / "r.toml")]) == 0
