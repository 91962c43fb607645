import re
from pathlib import Path

import pytest

from hayflick.core.errors import DataError
from hayflick.rules.model import Mode
from hayflick.rules.parsing import parse_rules, read_rules

HEAD = 'format_version = 1\nmode = "act"\n'
WATCH = '[[watch]]\nname = "w"\nmetric = "vocabulary_kept"\nbelow = 0.8\n'
INJECT = '[[action]]\nname = "real"\nkind = "inject"\nitems = 5\n'


def watch(name="w", metric='"vocabulary_kept"', **keys):
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f'[[watch]]\nname = "{name}"\nmetric = {metric}\n{lines}'


def test_what_is_left_out_has_its_default():
    rules = parse_rules(HEAD + WATCH)
    (one,) = rules.watch
    assert (rules.mode, rules.false_alarms, rules.baseline) == (Mode.ACT, 0.001, 20)
    assert (one.confirm.needed, one.confirm.of, one.cool_down, one.groups) == (1, 1, 0, [])


def test_every_key_of_a_watch_is_read():
    text = watch(
        metric='["surviving_fraction", "vocabulary_kept"]',
        chart='"cusum"',
        groups='["*"]',
        confirm="{ needed = 2, of = 3 }",
        cool_down="4",
        actions='["real"]',
    )
    (one,) = parse_rules(HEAD + text + INJECT).watch
    assert one.metrics == ("surviving_fraction", "vocabulary_kept")
    assert (one.chart, one.groups, one.cool_down, one.actions) == ("cusum", ["*"], 4, ["real"])
    assert (one.confirm.needed, one.confirm.of) == (2, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode = ", "is no TOML"),
        ('mode = "act"\n' + WATCH, "has format_version None.*write format_version = 1"),
        ('format_version = 2\nmode = "act"\n' + WATCH, "format_version 2.*update hayflick"),
        ("format_version = 1\n" + WATCH, "top level: lacks the key mode"),
        (HEAD, "top level: lacks the key watch"),
        ('format_version = 1\nmode = "acts"\n' + WATCH, "mode: got 'acts', takes 'observe'"),
        (
            HEAD + "falsealarms = 0.1\n" + WATCH,
            "unknown key falsealarms; did you mean false_alarms",
        ),
        (HEAD + "false_alarms = 1.5\n" + WATCH, "false_alarms: got 1.5, takes less than 1"),
        (HEAD + watch(bellow="0.8"), r"\[\[watch\]\] w: unknown key bellow; did you mean below"),
        (HEAD + watch(below='"0.8"'), r"\[\[watch\]\] w: below: got '0.8', takes a valid number"),
        (HEAD + watch(below="nan"), "below: got nan, takes a finite number"),
        (HEAD + watch(below="0.8", confirm="{ need = 1 }"), "did you mean needed"),
        (HEAD + watch(below="0.8", metric="7"), "metric: got 7, takes a valid string"),
        (HEAD + watch(metric='"vocabulary"', below="1"), "did you mean vocabulary_kept"),
        (HEAD + watch(chart='"cusim"'), "did you mean cusum"),
        (HEAD + watch(below="0.8", actions='["rael"]') + INJECT, "did you mean real"),
        (HEAD + "watch = 3", "top level: watch: got 3, takes a list"),
        (HEAD + "watch = [3]", r"\[\[watch\]\] number 1: got 3, takes a table"),
        (HEAD + watch(below="0.8", confirm="2"), "w: confirm: got 2, takes a table"),
        (HEAD + watch(below="0.8", actions='["a"]'), "no .* is called a; the file has none"),
        (HEAD + WATCH + INJECT.replace("inject", "injct"), "got 'injct'.*did you mean inject"),
        (HEAD + WATCH + INJECT.replace('kind = "inject"\n', ""), "lacks the key kind"),
        (HEAD + WATCH + INJECT + "round = 2\n", r"\[\[action\]\] real: unknown key round.*rounds"),
        (HEAD + WATCH + INJECT.replace("5", "0"), "items: got 0, takes greater than or equal to 1"),
    ],
)
def test_a_fault_names_file_table_and_key(text, message):
    with pytest.raises(DataError, match=message) as caught:
        parse_rules(text, name="mine.toml")
    assert str(caught.value).startswith("mine.toml: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WATCH + WATCH, "w: stands twice"),
        (watch(), "lacks a limit; takes one of chart, below, above, target"),
        (watch(chart='"cusum"', below="0.8"), "chart and below contradict each other"),
        (watch(below="0.9", above="0.5"), "below = 0.9 and above = 0.5 alarm whatever is read"),
        (watch(below="0.9", healthy='"lower"'), "healthy = 'lower' and below = 0.9 contradict"),
        (watch(target="0.9", healthy='"lower"'), "target and healthy = 'lower' contradict"),
        (watch(below="0.9", confirm="{ needed = 3, of = 2 }"), "needed = 3 is more than of = 2"),
        (watch(chart='"cusum:run_length=50"'), "run_length and the file's false_alarms contradict"),
        (watch(chart='"guaranteed"'), "guaranteed takes the metric spread"),
        (
            watch("a", below="0.9") + watch("b", above="0.5"),
            r"a \(below 0.9\) and \[\[watch\]\] b \(above 0.5\) contradict each other",
        ),
        (WATCH + INJECT + "repeat = true\n", "repeat and no reserve contradict"),
        (
            WATCH + INJECT + 'reserve = "r"\nrounds = 2\n',
            "rounds = 2 and repeat = false contradict",
        ),
        (
            watch(below="0.8", actions='["real", "more"]')
            + INJECT
            + 'reserve = "a.txt"\n'
            + INJECT.replace("real", "more")
            + 'reserve = "b.txt"\n',
            r"real \(a.txt\) and \[\[action\]\] more \(b.txt\) contradict each other",
        ),
        (
            watch(below="0.8", actions='["real"]', cool_down="1")
            + INJECT
            + 'reserve = "a.txt"\nrepeat = true\nrounds = 3\n',
            r"w \(cool_down 1\) and \[\[action\]\] real \(rounds 3\).*take a cool_down of 2",
        ),
        (
            watch(below="0.8", actions='["real"]') + INJECT.replace("items = 5\n", ""),
            "real: lacks the key items, which only a target can give, and .* w has none",
        ),
        (
            "false_discoveries = 0.1\n"
            + watch(metric='"spread"', chart='"guaranteed"', groups='["*"]'),
            "guaranteed and false_discoveries contradict each other; form=product fits",
        ),
        (
            "false_alarms = 0.0000001\n" + watch(chart='"cusum"'),
            "got 1e-07, takes a number from 1e-06",
        ),
    ],
)
def test_contradictions_name_both_sides(text, message):
    with pytest.raises(DataError, match=message):
        parse_rules(HEAD + text)


def test_the_guides_example_is_a_whole_file():
    guide = Path(__file__).parents[2] / "docs" / "rules.md"
    (example,) = re.findall(r"```toml\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    rules = parse_rules(example)
    assert {action.kind for action in rules.action} == {
        "inject",
        "vary_prompts",
        "review",
        "notify",
    }
    assert len(rules.watch) == 3


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"rules\.toml: no such file"):
        read_rules(tmp_path / "rules.toml")
    (tmp_path / "rules.toml").write_bytes(b"\xff")
    with pytest.raises(DataError, match="line 1 is not UTF-8"):
        read_rules(tmp_path / "rules.toml")


def test_a_misspelt_key_is_named_before_the_one_that_it_leaves_missing():
    with pytest.raises(DataError, match=r"mdoe.*did you mean mode\?"):
        parse_rules('format_version = 1\nmdoe = "act"\n')
