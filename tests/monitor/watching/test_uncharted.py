"""What was asked for and cannot be charted is in the result, with its reason."""

import json
import random

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError

COLUMNS = {"text": "answer", "by": "round"}
ARGUMENTS = ["--text", "answer", "--by", "round"]


def rows(*, score=None, last=20, groups="ab"):
    rng = random.Random(1)
    words = [f"word{number}" for number in range(60)]
    return [
        {
            "round": number,
            "model": groups[place % len(groups)],
            "answer": " ".join(rng.choices(words, k=6)),
            "score": None if score is None else score(number, place),
        }
        for number in range(1, last + 1)
        for place in range(30)
    ]


def written(path, given):
    path.write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    return path


def noisy(number, place):
    return 0.5 + 0.01 * ((7 * number + 13 * place) % 11)


UNREAD = {
    "all empty": lambda number, place: None,
    "empty texts": lambda number, place: "" if place else None,
}


@pytest.mark.parametrize("score", UNREAD.values(), ids=UNREAD)
def test_a_value_without_any_number_is_named_everywhere(tmp_path, capsys, score):
    path = written(tmp_path / "a.jsonl", rows(score=score))
    watched = hf.watch(path, **COLUMNS, values=["score"])
    assert watched.uncharted == ("score",)
    assert watched.verdict.value == "healthy"
    assert watched.to_dict()["not_charted"][0]["metric"] == "score"
    [unread] = [one for one in watched.to_dict()["not_measured"] if one["metric"] == "score"]
    assert unread["rounds"] == 20
    assert main(["watch", str(path), *ARGUMENTS, "--value", "score"]) == 0
    out = capsys.readouterr().out
    assert "Healthy: no chart has alarmed since the baseline; not charted: score" in out
    assert "no round has a reading of it" in out
    page = watched.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Not charted, for reasons given below: score." in page
    assert "no round has a reading of it" in page
    assert "管理図なし：score" in watched.save(tmp_path / "ja.html", lang="ja").read_text("utf-8")


def test_a_value_without_a_number_alone_is_no_health(tmp_path, capsys):
    path = written(tmp_path / "a.jsonl", rows())
    assert main(["watch", str(path), "--by", "round", "--value", "score"]) == 2
    assert "nothing can be watched: score: no round has a reading" in capsys.readouterr().err


def test_a_constant_value_is_named_with_its_reason(tmp_path):
    path = written(tmp_path / "a.jsonl", rows(score=lambda *_: 0.5, last=80))
    charts = ["guaranteed", "score=cusum"]
    with pytest.raises(DataError, match=r"all 70 readings of score are 0\.5"):
        hf.watch(path, **COLUMNS, values=["score"], baseline=70, charts=charts)
    # The rank chart of the panel takes a constant for what it is: no loss.
    watched = hf.watch(path, **COLUMNS, values=["score"], baseline=70)
    assert not watched.missing_charts


def test_a_value_with_fewer_readings_than_its_chart_takes_says_how_many(tmp_path):
    path = written(tmp_path / "a.jsonl", rows(score=noisy))
    watched = hf.watch(path, **COLUMNS, values=["score"], baseline=4)
    assert "4 readings of score, takes at least" in watched.missing_charts[-1].reason
    assert "score" in watched.uncharted


def test_rounds_without_a_number_are_counted(tmp_path, capsys):
    def partly(number, place):
        return noisy(number, place) if number % 2 else None

    path = written(tmp_path / "a.jsonl", rows(score=partly))
    watched = hf.watch(path, **COLUMNS, values=["score"], charts=["guaranteed"])
    [unread] = watched.unread
    assert (unread.metric, unread.rounds) == ("score", 10)
    assert watched.uncharted == ()
    arguments = ["--value", "score", "--chart", "guaranteed"]
    assert main(["watch", str(path), *ARGUMENTS, *arguments]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "no reading in 10 of 20 rounds: its column has no number there" in out


def test_a_group_without_the_value_is_named(tmp_path):
    given = rows(score=lambda number, place: None if place % 2 else noisy(number, place), last=90)
    path = written(tmp_path / "a.jsonl", given)
    watched = hf.watch(path, **COLUMNS, group="model", values=["score"], baseline=80)
    assert ("score", "b") in [(one.metric, one.group) for one in watched.missing_charts]
    assert "b" in watched.uncharted_groups


def test_metrics_that_were_asked_for_are_never_silent(tmp_path):
    given = [{**row, "answer": None} if row["round"] > 15 else row for row in rows()]
    path = written(tmp_path / "a.jsonl", given)
    watched = hf.watch(path, **COLUMNS, metrics=["drift"])
    unread = {one.metric: one.rounds for one in watched.unread}
    assert unread["drift"] == 5
    assert watched.verdict.value == "no reading"


RULES = """
format_version = 1
mode = "act"
baseline = 10
[[watch]]
name = "kept"
metric = "retention"
below = 0.5
"""
SPREAD = """
[[watch]]
name = "spread"
metric = "distinct_2"
below = 0.01
"""


def test_rules_that_can_judge_nothing_are_refused(tmp_path, capsys):
    path = written(tmp_path / "a.jsonl", rows())
    (tmp_path / "rules.toml").write_text(RULES)
    with pytest.raises(DataError, match=r"the rules can judge nothing: .*kept: no round has"):
        hf.watch(path, **COLUMNS, rules=tmp_path / "rules.toml")


def test_a_rule_without_a_reading_is_named(tmp_path, capsys):
    path = written(tmp_path / "a.jsonl", rows())
    (tmp_path / "rules.toml").write_text(RULES + SPREAD)
    assert main(["watch", str(path), *ARGUMENTS, "--rules", str(tmp_path / "rules.toml")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Healthy: the rules have decided nothing; not charted: rule kept" in out
    assert "no round has a reading of retention" in out
    watched = hf.watch(path, **COLUMNS, rules=tmp_path / "rules.toml")
    assert [one["watch"] for one in watched.to_dict()["rules"]["idle"]] == ["kept"]


def test_rules_whose_baseline_is_too_short_are_refused_before_reading(tmp_path, capsys):
    chart = RULES.replace("below = 0.5", 'chart = "cusum"')
    (tmp_path / "rules.toml").write_text(chart)
    arguments = ["nothing.jsonl", *ARGUMENTS, "--rules", str(tmp_path / "rules.toml")]
    assert main(["watch", *arguments]) == 2
    assert "kept: cusum takes at least" in capsys.readouterr().err
    assert main(["rules", "check", str(tmp_path / "rules.toml")]) == 1
    assert "takes at least" in " ".join(capsys.readouterr().out.split())


def test_the_order_of_rounds_does_not_change_with_the_file(tmp_path, capsys):
    given = rows(last=25)
    for row in given:
        row["round"] = f"2026/11/{row['round']:02}"
        row["answer"] = "the same words" if row["round"] > "2026/11/20" else row["answer"]
    for name, order in (("old", given), ("new", given[::-1])):
        path = written(tmp_path / f"{name}.jsonl", order)
        assert main(["watch", str(path), *ARGUMENTS]) == 1
        captured = capsys.readouterr()
        assert "since round 2026/11/21" in captured.out
        note = "note: the rounds are in the order of time: the first is 2026/11/01, the last"
        assert note in captured.err
        assert "the first is 2026/11/01" in " ".join(captured.out.split())
        main(["watch", str(path), *ARGUMENTS, "--format", "json"])
        [source] = json.loads(capsys.readouterr().out)["inputs"]
        assert "the first is 2026/11/01, the last 2026/11/25" in source["notes"][0]


def test_many_groups_are_few_lines_with_the_alarms_first(tmp_path, capsys):
    rng = random.Random(1)
    words = [f"word{number}" for number in range(300)]
    given = [
        {
            "round": number,
            "model": f"m{place % 60:03}",
            "answer": "one voice"
            if place % 60 == 47 and number > 8
            else " ".join(rng.choices(words, k=8)),
        }
        for number in range(1, 31)
        for place in range(600)
    ]
    path = written(tmp_path / "a.jsonl", given)
    columns = [*ARGUMENTS, "--group", "model", "--baseline", "8", "--out", str(tmp_path / "p.html")]
    assert main(["watch", str(path), *columns]) == 1
    out = capsys.readouterr().out
    assert len(out.splitlines()) < 120
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.count("<tr><td") < 1500
    assert page.index("m047") < page.index("m000")


@pytest.mark.parametrize("name", ["allnull.csv", "value_null.jsonl"])
def test_the_shared_tables_without_numbers(cases, name):
    watched = hf.watch(cases / name, **COLUMNS, values=["score"])
    assert watched.uncharted == ("score",)


def test_the_shared_tables_in_another_order_are_judged_alike(cases):
    oldest, newest = (
        hf.watch(cases / f"mild_{end}_first.jsonl", **COLUMNS) for end in ("oldest", "newest")
    )
    assert oldest.verdict is newest.verdict
    assert oldest.verdict.value == "alarm"
    assert oldest.rounds == newest.rounds
    named = hf.watch(cases / "names_lex.jsonl", **COLUMNS)
    assert named.rounds == tuple(f"round {number}" for number in range(1, 21))


def test_the_shared_tables_of_times_and_numbers(cases, capsys):
    mixed = str(cases / "tz_mixed.jsonl")
    assert main(["watch", mixed, *ARGUMENTS, "--every", "1d"]) == 2
    assert "names no time zone" in capsys.readouterr().err
    watched = hf.watch(mixed, **COLUMNS, every="1d", time_zone="Asia/Tokyo")
    assert len(watched.rounds) == 20
    assert main(["watch", str(cases / "tz_year1.jsonl"), *ARGUMENTS]) == 2
    assert "is in the year 1" in capsys.readouterr().err
    watched = hf.watch(cases / "float_rounds.jsonl", **COLUMNS, start="5")
    assert len(watched.rounds) == 16


def test_the_shared_groups_of_one_spelling_are_said(cases, capsys):
    path = str(cases / "groups_spelling.jsonl")
    assert main(["watch", path, *ARGUMENTS, "--group", "model"]) == 0
    assert "these are different groups, although" in capsys.readouterr().err


def test_the_shared_rules_that_bricked_a_run_are_refused(cases, tmp_path, capsys):
    text = (cases / "attack" / "rules.toml").read_text(encoding="utf-8")
    (tmp_path / "rules.toml").write_text(text.replace("baseline = 60", "baseline = 5"))
    assert main(["rules", "check", str(tmp_path / "rules.toml")]) == 1
    assert "takes at least" in " ".join(capsys.readouterr().out.split())
