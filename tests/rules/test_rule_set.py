import copy
import json
import re

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.core.protocols import Rule
from hayflick.core.records import ActionKind
from hayflick.core.source import Source
from hayflick.rules.parsing import parse_rules
from hayflick.rules.rule_set import apply_rules

ACTIONS = """
[[action]]
name = "real"
kind = "inject"
items = 5
[[action]]
name = "tell"
kind = "notify"
message = "look"
"""


def rule_set(watch, *, mode="act", top="", actions=ACTIONS, folder=None, **settings):
    text = f'format_version = 1\nmode = "{mode}"\n{top}\n[[watch]]\nname = "w"\n{watch}\n{actions}'
    if folder is not None:
        settings["folder"] = folder
    return hf.RuleSet.of(parse_rules(text), **settings)


LOW = 'metric = "retention"\nbelow = 0.8\nactions = ["real", "tell"]'


def readings(values, *, metric="retention", group=""):
    return [hf.Reading(k, {metric: value}, group=group) for k, value in enumerate(values, start=1)]


def fired(running, given):
    return [reading.round for reading in given if running.decide(reading)]


def healthy(number, *, seed=1, mean=0.8):
    return np.random.default_rng(seed).normal(mean, 0.01, number)


def test_it_is_a_rule_and_fires_below_its_limit():
    running = rule_set(LOW).start()
    assert isinstance(running, Rule)
    assert fired(running, readings([0.9, 0.8, 0.79, 0.9])) == [3]
    inject, tell = running.decide(hf.Reading(5, {"retention": 0.5}))
    assert (inject.kind, inject.items, inject.rounds) == (ActionKind.INJECT, 5, 1)
    assert inject.reason == "w: retention 0.5 is below 0.8"
    assert tell.reason == "w: retention 0.5 is below 0.8: look"
    (verdict,) = tell.evidence
    assert (verdict.round, verdict.value, verdict.limit, verdict.alarm) == (5, 0.5, 0.8, True)


def test_above_and_both_sides():
    band = 'metric = "retention"\nbelow = 0.2\nabove = 0.8\nhealthy = "steady"\nactions = ["tell"]'
    running = rule_set(band).start()
    assert fired(running, readings([0.1, 0.5, 0.9])) == [1, 3]
    (action,) = running.decide(hf.Reading(4, {"retention": 0.95}))
    assert "is above 0.8" in action.reason


def test_confirmation_counts_among_the_last_readings():
    running = rule_set(LOW + "\nconfirm = { needed = 2, of = 3 }").start()
    given = readings([0.7, 0.9, 0.9, 0.7, 0.9, 0.7, 0.7, 0.7])
    assert fired(running, given) == [6, 8]


def test_a_cool_down_decides_nothing():
    running = rule_set(LOW + "\ncool_down = 2").start()
    assert fired(running, readings([0.7] * 8)) == [1, 4, 7]


def test_no_reading_moves_nothing():
    running = rule_set(LOW + "\ncool_down = 1").start()
    assert running.decide(hf.Reading(1, {"retention": 0.7}))
    assert running.decide(hf.Reading(2, {})) == ()
    assert running.decide(hf.Reading(3, {"retention": float("nan")})) == ()
    assert running.decide(hf.Reading(4, {"retention": 0.7})) == ()
    assert running.decide(hf.Reading(5, {"retention": 0.7}))


def test_the_first_metric_that_is_there_is_read():
    watch = 'metric = ["surviving_fraction", "retention"]\nbelow = 0.8\nactions = ["tell"]'
    assert fired(rule_set(watch).start(), readings([0.7])) == [1]
    assert fired(rule_set(watch).start(), readings([0.7], metric="surviving_fraction")) == [1]


@pytest.mark.parametrize(("mode", "kinds"), [("observe", []), ("warn", ["notify"])])
def test_a_mode_holds_back_and_still_says_what_would_be_done(mode, kinds):
    running = rule_set(LOW, mode=mode).start()
    actions = running.decide(hf.Reading(1, {"retention": 0.5}))
    assert [action.kind.value for action in actions] == kinds
    assert [action.kind.value for action in running.proposed] == ["inject", "notify"]


def test_groups():
    for groups, heard in [("", {""}), ('groups = ["*"]', {"a", "b"}), ('groups = ["b"]', {"b"})]:
        running = rule_set(f"{LOW}\n{groups}").start()
        found = {name for name in ("", "a", "b") if fired(running, readings([0.5], group=name))}
        assert found == heard
    running = rule_set(f'{LOW}\ncool_down = 9\ngroups = ["*"]').start()
    assert running.decide(hf.Reading(1, {"retention": 0.5}, group="a"))
    assert running.decide(hf.Reading(1, {"retention": 0.5}, group="b"))
    assert not running.decide(hf.Reading(2, {"retention": 0.5}, group="a"))


CHART = 'metric = "retention"\nchart = "cusum"\nactions = ["tell"]'


def test_a_chart_learns_from_the_first_readings_and_then_finds_a_fall():
    running = rule_set(CHART, top="baseline = 60\nfalse_alarms = 0.01").start()
    values = np.concatenate([healthy(60), healthy(10, seed=2), healthy(10, seed=3, mean=0.75)])
    rounds = fired(running, readings(values))
    assert rounds
    assert 71 <= rounds[0] <= 74


def test_a_baseline_that_is_given_need_not_be_learnt():
    top = "baseline = 60\nfalse_alarms = 0.01"
    running = rule_set(CHART, top=top).start(readings(healthy(60)))
    assert fired(running, readings(healthy(10, seed=3, mean=0.7)))[0] <= 2


def test_a_rise_of_what_should_fall_is_found_by_the_metrics_own_direction():
    watch = 'metric = "duplicate_rate"\nchart = "shewhart"\nactions = ["tell"]'
    given = readings([*healthy(40), 0.5, 1.1], metric="duplicate_rate")
    top = "baseline = 40\nfalse_alarms = 0.01"
    assert fired(rule_set(watch, top=top).start(), given) == [42]


def test_charts_of_one_stream_share_the_rate():
    more = f'{CHART}\n[[watch]]\nname = "x"\n{CHART}'
    top = "baseline = 60\nfalse_alarms = 0.01"
    limits = []
    for watch in (CHART, more):
        running = rule_set(watch, top=top).start()
        for reading in readings(healthy(61)):
            running.decide(reading)
        limits.append({verdict.limit for verdict in running.verdicts.values()})
    (alone,), (shared,) = limits
    alike = rule_set(CHART, top="baseline = 60\nfalse_alarms = 0.005").start(readings(healthy(60)))
    alike.decide(hf.Reading(61, {"retention": 0.8}))
    assert shared == alike.verdicts["w"].limit > alone


def test_a_baseline_that_is_too_short_names_the_watch():
    short = rule_set(CHART, top="baseline = 2")
    with pytest.raises(DataError, match=r"\[\[watch\]\] w: baseline: 2 readings of retention"):
        fired(short.start(strict=True), readings([0.8, 0.81]))
    with pytest.raises(DataError, match=r"\[\[watch\]\] w: cusum.* takes at least \d+ readings"):
        short.check_baseline()
    rule_set(CHART, top="baseline = 60\nfalse_alarms = 0.005").check_baseline()
    rule_set(LOW, top="baseline = 2").check_baseline()


def test_the_baseline_that_is_said_to_be_enough_is_enough():
    [problem] = rule_set(CHART, top="baseline = 2").baseline_problems()
    needed = int(re.search(r"set baseline = (\d+)", problem)[1])
    running = rule_set(CHART, top=f"baseline = {needed}").start(readings(healthy(needed)))
    assert running.stopped == ()
    shorter = rule_set(CHART, top=f"baseline = {needed - 1}").start(readings(healthy(needed - 1)))
    assert [one.watch for one in shorter.stopped] == ["w"]


def test_a_watch_that_cannot_go_on_stops_and_the_others_go_on():
    text = (
        'format_version = 1\nmode = "act"\nbaseline = 2\n[[watch]]\nname = "chart"\n'
        'metric = "retention"\nchart = "shewhart"\nactions = ["tell"]\n'
        f'[[watch]]\nname = "limit"\n{LOW}\n{ACTIONS}'
    )
    rules = hf.RuleSet.of(parse_rules(text))
    running = rules.start()
    assert fired(running, readings([0.9, 0.9, 0.9, 0.5])) == [4]
    [stopped] = running.stopped
    assert (stopped.watch, stopped.group) == ("chart", "")
    assert "2 readings of retention" in stopped.reason
    again = rules.restore(json.loads(json.dumps(running.state())))
    assert again.stopped == running.stopped


def test_rules_say_which_watches_judged_nothing():
    text = (
        'format_version = 1\nmode = "act"\nbaseline = 60\n[[watch]]\nname = "learns"\n'
        'metric = "retention"\nchart = "shewhart"\n[[watch]]\nname = "absent"\n'
        'metric = "entropy"\nbelow = 1.0\n[[watch]]\nname = "nobody"\nmetric = "retention"\n'
        f'below = 1.0\ngroups = ["x"]\n[[watch]]\nname = "limit"\n{LOW}\n{ACTIONS}'
    )
    outcome = apply_rules(hf.RuleSet.of(parse_rules(text)), {"": readings([0.9, 0.5])})
    assert [one.round for one in outcome.decisions] == [2]
    assert outcome.active == {"limit"}
    reasons = {one.watch: one.reason for one in outcome.idle}
    assert reasons["absent"] == "no round has a reading of entropy"
    assert "takes 60 readings" in reasons["learns"]
    assert reasons["nobody"] == "no answer is of its groups"


def spread(number, *, mean, group, seed):
    scores = np.random.default_rng(seed).beta(40 * mean, 40 * (1 - mean), 200)
    return hf.Reading(number, scores={"spread": scores}, group=group)


def test_e_bh_believes_the_groups_that_lost_spread():
    watch = (
        'metric = "spread"\nchart = "guaranteed:tolerance=0.05,form=product"\ngroups = ["*"]\n'
        'cool_down = 100\nactions = ["tell"]'
    )
    running = rule_set(watch, top="baseline = 12\nfalse_discoveries = 0.1").start()
    told = set()
    for number in range(1, 20):
        for place, group in enumerate("abcd"):
            mean = 0.4 if number > 15 and group in "ab" else 0.6
            reading = spread(number, mean=mean, group=group, seed=100 * number + place)
            if running.decide(reading):
                told.add(group)
    assert told == {"a", "b"}


def test_copies_and_states_go_on_alike():
    rules = rule_set(CHART + "\ncool_down = 2", top="baseline = 60\nfalse_alarms = 0.05")
    given = readings(np.concatenate([healthy(60), healthy(30, seed=5, mean=0.785)]))
    running = rules.start()
    before, after = given[:75], given[75:]
    fired(running, before)
    twin = copy.deepcopy(running)
    assert twin.rule_set is rules
    resumed = rules.restore(json.loads(json.dumps(running.state())))
    ends = [fired(one, after) for one in (running, twin, resumed)]
    assert ends[0] == ends[1] == ends[2] != []
    learning = rules.start()
    fired(learning, given[:10])
    resumed = rules.restore(json.loads(json.dumps(learning.state())))
    assert fired(resumed, given[10:]) == fired(learning, given[10:])


def test_a_state_of_something_else_is_refused():
    rules = rule_set(LOW)
    for state in ({}, {"format_version": 9, "used": {}, "streams": []}):
        with pytest.raises(DataError, match="start again"):
            rules.restore(state)
    other = {"format_version": 1, "used": {}, "streams": [{"watch": "v", "group": ""}]}
    with pytest.raises(DataError, match="cannot go on"):
        rules.restore(other)


RESERVE = '[[action]]\nname = "real"\nkind = "inject"\nitems = 2\nreserve = "r.txt"\n'
PUT = 'metric = "retention"\nbelow = 0.8\nactions = ["real"]'


def test_a_reserve_is_handed_out_once(tmp_path):
    (tmp_path / "r.txt").write_text("quince\nmedlar\n\nsorb\n")
    running = rule_set(PUT, actions=RESERVE, folder=tmp_path).start()
    given = [running.decide(reading)[0] for reading in readings([0.5] * 4)]
    assert [action.items for action in given] == [2, 1, 0, 0]
    assert [action.reserve and sorted(action.reserve.symbols) for action in given] == [
        ["medlar", "quince"],
        ["sorb"],
        None,
        None,
    ]
    assert "1 of the 2 items were left" in given[1].reason
    assert given[2].reason.endswith("all 3 items were handed out; nothing is put in")
    assert running.state()["used"] == {"r.txt": 3}


def test_a_reserve_may_repeat_and_is_counted_like_the_data(tmp_path):
    (tmp_path / "r.txt").write_text("Quince and medlar\nsorb\n")
    like = Source("a.txt", tokenizer="words")
    actions = RESERVE + "repeat = true\n"
    running = rule_set(PUT, actions=actions, folder=tmp_path, like=like).start()
    for reading in readings([0.5] * 3):
        (action,) = running.decide(reading)
        assert sorted(action.reserve.symbols) == ["and", "medlar", "quince", "sorb"]


def test_an_observed_reserve_is_not_used(tmp_path):
    (tmp_path / "r.txt").write_text("quince\nmedlar\n")
    running = rule_set(PUT, mode="observe", actions=RESERVE, folder=tmp_path).start()
    for reading in readings([0.5] * 3):
        assert running.decide(reading) == ()
        assert running.proposed[0].items == 2


@pytest.mark.parametrize(("content", "said"), [(None, "is missing"), ("\n \n", "is empty")])
def test_a_reserve_without_items_says_so(content, said, tmp_path):
    if content is not None:
        (tmp_path / "r.txt").write_text(content)
    (action,) = rule_set(PUT, actions=RESERVE, folder=tmp_path).start().decide(readings([0.5])[0])
    assert action.items == 0
    assert action.reason.endswith(f"r.txt {said}; nothing is put in")


VARY = 'metric = "retention"\nbelow = 0.8\nactions = ["ask"]'


def test_prompts_take_turns(tmp_path):
    actions = (
        '[[action]]\nname = "ask"\nkind = "vary_prompts"\nprompts = ["a", "b", "c"]\nitems = 2'
    )
    running = rule_set(VARY, actions=actions).start()
    said = [running.decide(reading)[0].reason for reading in readings([0.5] * 2)]
    assert [one.partition("; ")[2] for one in said] == ["ask next: 'a', 'b'", "ask next: 'c', 'a'"]
    (tmp_path / "p.txt").write_text("x\n\ny\n")
    actions = '[[action]]\nname = "ask"\nkind = "vary_prompts"\nprompts = "p.txt"'
    rules = rule_set(VARY, actions=actions, folder=tmp_path)
    assert rules.resources.prompts == {"ask": ("x", "y")}


@pytest.mark.parametrize(
    ("prompts", "message"),
    [('"p.txt"', "p.txt: is missing"), ('"e.txt"', "e.txt: holds no prompt"), ("[]", "no prompt")],
)
def test_missing_prompts_are_refused(prompts, message, tmp_path):
    (tmp_path / "e.txt").write_text("\n")
    actions = f'[[action]]\nname = "ask"\nkind = "vary_prompts"\nprompts = {prompts}'
    with pytest.raises(DataError, match=message):
        rule_set(VARY, actions=actions, folder=tmp_path)


def test_a_target_needs_its_limit():
    watch = 'metric = "surviving_fraction"\ntarget = 0.8\nactions = ["real"]'
    actions = '[[action]]\nname = "real"\nkind = "inject"\n'
    rules = rule_set(watch, actions=actions)
    with pytest.raises(DataError, match="w has a target and no limit; name the real data"):
        rules.start()
    running = rules.with_limits({"w": (0.85, 7)}).start()
    (action,) = running.decide(hf.Reading(1, {"surviving_fraction": 0.84}))
    assert (action.items, action.evidence[0].limit) == (7, 0.85)
