"""Actions that are due in certain rounds, whatever is read."""

import json

import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.core.records import Reading
from hayflick.network.run_rules import RoundDecisions
from hayflick.rules.parsing import parse_rules

HEAD = 'format_version = 1\nmode = "act"\n'
WATCH = '[[watch]]\nname = "low"\nmetric = "surviving_fraction"\nbelow = 0.01\n'
FRESH = '[[action]]\nname = "new"\nkind = "inject"\nitems = 30\nevery = 5\n'
STORED = (
    '[[action]]\nname = "stored"\nkind = "inject"\nitems = 3\nevery = 1\n'
    'reserve = "r.json"\nrepeat = true\n'
)
WORDS = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})


def rule_set(text, folder=None):
    return hf.RuleSet.of(parse_rules(text), **({} if folder is None else {"folder": folder}))


def test_fresh_items_are_put_into_every_fifth_round():
    run = hf.Triggered(rule_set(HEAD + WATCH + FRESH).start()).start()
    mixes = [run.mix(generation, samples=100) for generation in range(1, 11)]
    assert [mix.fresh for mix in mixes] == [0, 0, 0, 0, 30, 0, 0, 0, 0, 30]
    assert {mix.samples for mix in mixes} == {100}


def test_a_whole_reserve_is_in_every_round_from_the_first_on(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps({"here": 2, "sat": 1}))
    rules = rule_set(HEAD + WATCH + STORED, tmp_path)
    runs = hf.simulate(
        WORDS, generations=8, regime=hf.Triggered(rules.start()), replicates=64, seed=3
    )
    assert (runs["stored_items"].values[:, 1:] == 3).all()
    assert (runs["real_items"].values[:, 1:] == 3).all()
    # The same law as the fixed regime: what is stored is never lost.
    fixed = hf.simulate(
        WORDS,
        generations=8,
        regime=hf.Anchor.from_mapping({"here": 2, "sat": 1}),
        replicates=64,
        seed=3,
    )
    assert float(runs["surviving_fraction"].min()) >= 0.5
    difference = runs["surviving_fraction"].mean() - fixed["surviving_fraction"].mean()
    assert abs(float(difference)) < 0.05


def test_a_reserve_that_is_not_repeated_is_handed_out_once(tmp_path):
    (tmp_path / "r.txt").write_text("the\ncat\nsat\nhere\nthe\n")
    once = STORED.replace("r.json", "r.txt").replace("repeat = true\n", "")
    run = rule_set(HEAD + WATCH + once, tmp_path).start()
    taken = [run.due(number) for number in (1, 2, 3)]
    assert [action.texts for (action,) in taken] == [("the", "cat", "sat"), ("here", "the"), ()]
    assert run.due(2)[0].texts == ("here", "the"), "asking again changes nothing"


def test_nothing_is_due_unless_rules_may_act():
    for mode in ("observe", "warn"):
        text = (HEAD + WATCH + FRESH).replace('"act"', f'"{mode}"')
        assert rule_set(text).start().due(5) == ()


def test_what_is_due_is_no_decision_about_a_reading():
    running = rule_set(HEAD + WATCH + FRESH).start()
    assert running.decide(Reading(4, {"surviving_fraction": 0.9})) == ()
    (action,) = RoundDecisions(running).decide([Reading(4, {"surviving_fraction": 0.9})])
    assert (action.kind.value, action.items) == ("inject", 30)
    assert action.reason == "new: due in round 5, whatever is read"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            WATCH + 'actions = ["new"]\n' + FRESH,
            r"\[\[action\]\] new \(every 5\) and \[\[watch\]\] low contradict each other",
        ),
        (WATCH + FRESH + "rounds = 2\n", "every and rounds contradict each other"),
        (WATCH + FRESH.replace("items = 30\n", ""), "new: lacks the key items"),
        (WATCH + FRESH.replace("every = 5", "every = 0"), "every: got 0"),
        (WATCH + "confidence = 0.9\n", "confidence and no target contradict each other"),
    ],
)
def test_what_contradicts_it_is_named(text, message):
    with pytest.raises(DataError, match=message):
        parse_rules(HEAD + text)


@pytest.mark.parametrize("text", ["[1]", '{"a": 0}', '{"a": true}', '{"a": "x"}', "{", "{}"])
def test_a_reserve_that_holds_no_counts_is_named(text, tmp_path):
    (tmp_path / "r.json").write_text(text)
    (problem,) = [
        one
        for one in hf.check_rules(rule_set(HEAD + WATCH + STORED, tmp_path)).problems
        if "[[action]]" in one
    ]
    assert problem.startswith("[[action]] stored: r.json")
