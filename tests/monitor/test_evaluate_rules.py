import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError
from hayflick.rules.parsing import parse_rules

WORDS = hf.Discrete.from_counts({f"w{place}": 1 + 600 // place for place in range(1, 400)})
KEEP, ROUNDS = 0.7, 15
SETTINGS = {"corpus": WORDS, "generations": ROUNDS, "replicates": 32}
HEAD = 'format_version = 1\nmode = "act"\n'
TELL = '[[action]]\nname = "tell"\nkind = "notify"\n'


def rule_set(watch, *, top="", mode="act"):
    text = f'format_version = 1\nmode = "{mode}"\n{top}\n[[watch]]\nname = "w"\n{watch}\n'
    return hf.RuleSet.of(parse_rules(f'{text}actions = ["tell"]\n{TELL}'))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "rules.toml"
    plan = hf.plan(WORDS, keep=KEEP, generations=ROUNDS, replicates=0)
    hf.write_rules(plan, path, kind="below")
    return path


@pytest.fixture(scope="module")
def tried(path):
    return hf.evaluate_rules(path, **SETTINGS)


def test_the_rule_holds_what_is_lost_without_it(tried):
    assert tried.without_rule.success_rate(KEEP) == 0.0
    assert tried.with_rule.success_rate(KEEP) > 0.9
    assert tried.fixed_plan.success_rate(KEEP) > 0.9
    assert tried.with_rule.mean_minimum > tried.without_rule.mean_minimum
    assert 0.0 < tried.cost_ratio < 1.3
    assert tried.without_rule.real_per_round == 0.0
    assert (tried.median_delay, tried.missed_runs, tried.onset) == (3.0, 0, 0)


def test_false_alarms_are_counted_in_healthy_rounds(tried):
    assert tried.healthy_rounds == 32 * ROUNDS
    assert tried.upper_false_alarms_per_thousand > tried.false_alarms_per_thousand
    always = hf.evaluate_rules(rule_set('metric = "surviving_fraction"\nbelow = 1.0'), **SETTINGS)
    assert always.false_alarms_per_thousand == 1000.0
    assert always.upper_false_alarms_per_thousand == 1000.0
    assert (always.keep, always.fixed_plan, always.cost_ratio) == (None, None, None)
    json.dumps(always.provenance())


def test_a_rule_that_never_fires_has_no_delay():
    found = hf.evaluate_rules(rule_set('metric = "diversity"\nbelow = 0.001'), **SETTINGS)
    assert (found.median_delay, found.missed_runs, found.false_alarms) == (None, 32, 0)
    assert np.array_equal(found.with_rule.retained, found.with_rule.retained)


def test_charts_learn_before_the_planted_collapse():
    rules = rule_set(
        'metric = "surviving_fraction"\nchart = "cusum"\ncool_down = 5',
        top="baseline = 60\nfalse_alarms = 0.01",
    )
    found = hf.evaluate_rules(rules, **{**SETTINGS, "replicates": 8})
    assert found.onset == 60
    assert found.with_rule.retained.shape == (8, ROUNDS)
    assert found.median_delay <= 2.0


def test_what_a_simulation_does_not_measure_is_said():
    one = 'metric = "surviving_fraction"\nbelow = 0.5\nactions = ["tell"]'
    other = 'metric = "spread"\nbelow = 0.5'
    text = f'{HEAD}[[watch]]\nname = "a"\n{one}\n[[watch]]\nname = "b"\n{other}\n{TELL}'
    found = hf.evaluate_rules(hf.RuleSet.of(parse_rules(text)), **{**SETTINGS, "replicates": 2})
    assert found.unmeasured == ("b",)
    with pytest.raises(DataError, match="a simulation does not measure spread; takes one of"):
        hf.evaluate_rules(rule_set(other), **SETTINGS)


def test_the_same_seed_gives_the_same_figures(tried, path):
    rules, settings = hf.RuleSet.from_file(path), {**SETTINGS, "corpus": None, "model": WORDS}
    again = hf.evaluate_rules(rules, keep=KEEP, **settings)
    assert np.array_equal(again.with_rule.retained, tried.with_rule.retained)
    assert np.array_equal(again.with_rule.real_items, tried.with_rule.real_items)


def test_the_target_of_the_file_is_the_default(tried):
    assert tried.keep == KEEP
    with pytest.raises(ArgumentError, match="corpus: got nothing, takes the real data"):
        hf.evaluate_rules(rule_set('metric = "surviving_fraction"\nbelow = 0.5'))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"keep": 2.0}, "keep: got 2"), ({"generations": 0}, "generations: got 0")],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        hf.evaluate_rules(
            rule_set('metric = "surviving_fraction"\nbelow = 0.5'), **{**SETTINGS, **settings}
        )


def test_the_page_has_verdict_share_and_charts(tried, tmp_path):
    for lang, said in (("en", "Holds: "), ("ja", "保ちます")):
        page = tried.save(tmp_path / f"{lang}.html", lang=lang).read_text(encoding="utf-8")
        assert said in page
        assert page.count("<svg") == 2
    misses = hf.evaluate_rules(
        rule_set('metric = "diversity"\nbelow = 0.001'), keep=0.99, **SETTINGS
    )
    assert misses.holds is False
    assert misses.never_fires
    page = misses.save(tmp_path / "misses.html").read_text(encoding="utf-8")
    assert 'class="verdict below">Misses: only' in page
    assert "decide nothing in any of the 32 runs" in page


def test_the_command_writes_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = " ".join(f"w{place} " * (1 + 60 // place) for place in range(1, 60))
    (tmp_path / "corpus.txt").write_text(words)
    plan = hf.plan("corpus.txt", keep=0.7, generations=8, replicates=0)
    hf.write_rules(plan, "rules.toml")
    common = ["rules", "evaluate", "rules.toml", "--corpus", "corpus.txt", "--replicates", "32"]
    assert main([*common, "--generations", "8", "-o", "report.html"]) == 0
    assert "wrote report.html" in capsys.readouterr().err
    assert "Holds: " in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert main([*common, "-o", "report.html"]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_must_keep_list_and_examples_are_what_is_kept():
    rules = rule_set('metric = "retention"\ntarget = 0.9\nbelow = 0.9\nat_least = 3')
    settings = {**SETTINGS, "generations": 5}
    listed = hf.evaluate_rules(rules, must_keep=["w1", "w2"], **settings)
    assert (listed.at_least, listed.success_rate, listed.missed_runs) == (3, 1.0, 32)
    everything = hf.evaluate_rules(rules, **settings)
    assert everything.success_rate == 0.0
    one = hf.evaluate_rules(rules, at_least=1, keep=0.5, confidence=0.5, **settings)
    assert (one.at_least, one.confidence) == (1, 0.5)


def test_stored_items_count_once_and_are_in_every_round(tmp_path):
    (tmp_path / "r.json").write_text('{"w300": 1, "w350": 1}')
    standing = (
        '[[action]]\nname = "stored"\nkind = "inject"\nitems = 2\nevery = 1\n'
        'reserve = "r.json"\nrepeat = true\n'
    )
    watch = '[[watch]]\nname = "w"\nmetric = "surviving_fraction"\nbelow = 0.01\n'
    (tmp_path / "rules.toml").write_text(HEAD + watch + standing)
    found = hf.evaluate_rules(tmp_path / "rules.toml", keep=0.1, **SETTINGS)
    assert (found.with_rule.real_per_round, found.with_rule.real_in_all) == (2.0, 2.0)
    listed = hf.evaluate_rules(
        tmp_path / "rules.toml", keep=1.0, must_keep=["w300", "w350"], **SETTINGS
    )
    assert listed.success_rate == 1.0
