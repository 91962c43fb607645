import csv
import io
import json

import pytest

import hayflick as hf
from hayflick.core.display import report_of
from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.report.kpi_sheet import indicators, sheet
from hayflick.report.language import Language
from hayflick.report.rules_decisions import decisions_record, decisions_tables
from hayflick.rules.from_plan import check_rules_files, rules_from_plan
from hayflick.rules.parsing import parse_rules
from hayflick.rules.rule_set import decisions

WORDS = hf.Discrete.from_counts({f"w{place}": 1 + 200 // place for place in range(1, 120)})


def planned(kind="below", **settings):
    settings = {"keep": 0.7, "generations": 15, "replicates": 0, **settings}
    return rules_from_plan(hf.plan(WORDS, **settings), kind=kind)


@pytest.fixture(scope="module")
def rules():
    return planned()


def text_of(parts):
    from rich.console import Console

    console = Console(file=io.StringIO(), width=200)
    for part in parts:
        console.print(part)
    return console.file.getvalue()


def test_the_sheet_names_limit_dose_and_costs(rules):
    kept, missed, used = indicators(rules, Language("en"))
    dose = f"{rules.policy.dose:,}"
    assert kept.limit == f"below {rules.policy.limit:.1%}"
    assert dose in kept.action
    assert kept.cost_of_acting == f"{dose} real items a round"
    assert "One more round without real data leaves" in kept.cost_of_waiting
    assert missed.limit == "below 70.0%"
    assert used.limit.startswith(f"above {dose}")
    priced = planned(costs=hf.CostModel(real=0.5, check=40.0))
    kept, missed, _ = indicators(priced, Language("en"))
    assert kept.cost_of_acting == f"{priced.policy.dose / 2:.4g} USD a round"
    assert missed.cost_of_acting == "40 USD a round"


@pytest.mark.parametrize(("lang", "heading"), [("en", "what it means"), ("ja", "意味")])
def test_the_sheet_is_a_page_and_a_table_in_both_languages(rules, lang, heading, tmp_path):
    page = rules.save(tmp_path / "sheet.html", lang=lang).read_text(encoding="utf-8")
    assert f'<html lang="{lang}">' in page
    assert heading in page
    assert "http" not in page.replace("http-equiv", "")
    assert heading in text_of(report_of(rules).tables(rules, lang=lang))
    rows = list(csv.reader(io.StringIO(sheet(rules, lang=lang).removeprefix("\ufeff"))))
    assert len(rows) == 4
    assert {len(row) for row in rows} == {7}
    assert heading in rows[0]


def test_the_files_are_written_whole_and_never_over_others(tmp_path):
    path = tmp_path / "rules.toml"
    made = hf.plan(WORDS, keep=0.7, generations=15, replicates=0)
    hf.write_rules(made, path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"rules.toml", "rules-kpi.html", "rules-kpi.csv", "rules-reserve.json"}
    hf.RuleSet.from_file(path).start()
    path.unlink()
    (tmp_path / "rules-reserve.json").unlink()
    with pytest.raises(OutputError, match=r"rules-kpi\.html: exists already"):
        hf.write_rules(made, path)
    assert not path.exists()
    hf.write_rules(made, path, lang="ja", force=True)
    assert "意味" in (tmp_path / "rules-kpi.csv").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="is the input"):
        check_rules_files(path, inputs=(path,), force=True)
    with pytest.raises(ArgumentError, match=r"takes a file name that ends in \.toml"):
        hf.write_rules(made, tmp_path / "rules.yaml")


def test_nothing_is_written_where_no_rule_holds_the_target(tmp_path):
    plan = hf.plan(WORDS, keep=0.99, generations=15, replicates=0)
    with pytest.raises(
        DataError, match=r"none of the kind fresh keep 99\.0% .* takes one that does"
    ):
        hf.write_rules(plan, tmp_path / "rules.toml", kind="fresh")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "to keep 70.0%, the limit is"), ("ja", "70.0% を保つための限界は")]
)
def test_a_check_prints_the_derivation(rules, lang, said):
    checked = hf.check_rules(hf.RuleSet.of(parse_rules(rules.text)), corpus=WORDS, generations=15)
    assert said in text_of(report_of(checked).tables(checked, lang=lang))
    record = json.loads(json.dumps(checked.to_dict()))
    assert record["derived"]["share kept"]["dose"] == rules.policy.dose
    assert (record["mode"], record["charts"]) == ("act", 0)


EVERYTHING = """
format_version = 1
mode = "warn"
false_discoveries = 0.1
[[watch]]
name = "low"
metric = "surviving_fraction"
below = 1.0
actions = ["fresh", "stored"]
[[watch]]
name = "band"
metric = "retention"
below = 0.0
actions = ["ask", "look", "tell"]
[[watch]]
name = "chart"
metric = "retention"
chart = "cusum"
[[watch]]
name = "aim"
metric = "surviving_fraction"
target = 0.999
actions = ["fresh"]
[[action]]
name = "fresh"
kind = "inject"
items = 5
[[action]]
name = "stored"
kind = "inject"
items = 7
reserve = "nowhere.txt"
[[action]]
name = "ask"
kind = "vary_prompts"
prompts = ["a", "b"]
[[action]]
name = "look"
kind = "review"
items = 9
[[action]]
name = "tell"
kind = "notify"
"""


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_check_says_what_every_part_does(lang):
    checked = hf.check_rules(hf.RuleSet.of(parse_rules(EVERYTHING)))
    shown = text_of(report_of(checked).tables(checked, lang=lang))
    for part in ("low", "band", "cusum", "99.9%", "nowhere.txt", "7", "9", "10.0%"):
        assert part in shown
    assert ("Warning: band never fires" in shown) == (lang == "en")


def test_doubts_come_in_words_with_numbers():
    one = 'format_version = 1\nmode = "act"\n[[watch]]\nname = "w"\nmetric = "surviving_fraction"\n'
    readings = [hf.Reading(1, {"surviving_fraction": 0.5})]
    for limit, history, said in [
        ("below = 1.0", readings, "fires in all 1 readings: they are 0.5 to 0.5, the limit is 1"),
        ("below = 0.98", [], "always fires: 50 rounds of real data alone leave"),
        ("below = 0.01", [], "never fires: 50 rounds without any real data leave"),
        ("below = 1.5", [], "always fires: 0 to 1 is possible, the limit is 1.5"),
    ]:
        rule_set = hf.RuleSet.of(parse_rules(one + limit))
        checked = hf.check_rules(rule_set, corpus=WORDS, history=history)
        assert said in text_of(report_of(checked).tables(checked))


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "runs that keep 70.0%"), ("ja", "70.0% を保つ実行")]
)
def test_an_evaluation_has_its_figures(rules, lang, said):
    rule_set = hf.RuleSet.of(parse_rules(rules.text))
    found = hf.evaluate_rules(rule_set, corpus=WORDS, generations=15, replicates=8)
    assert said in text_of(report_of(found).tables(found, lang=lang))
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["fixed"]["share"] == found.fixed_share
    assert record["delay"] == {"median": 3.0, "missed_runs": 0}
    assert record["without"]["held"] == 0.0


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_decisions_are_listed_and_what_is_held_back_says_so(lang):
    rule_set = hf.RuleSet.of(parse_rules(EVERYTHING.replace("target = 0.999", "below = 0.1")))
    given = {"": [hf.Reading(1, {"surviving_fraction": 0.5, "retention": -1.0})]}
    found = decisions(rule_set, given)
    settings = {"rounds": ("monday",)}
    shown = text_of(decisions_tables(rule_set, found, lang=lang, **settings))
    assert "monday" in shown
    record = decisions_record(rule_set, found, **settings)
    done = {one["kind"]: one["to_be_done"] for one in record["decisions"][0]["actions"]}
    assert done == {"inject": False, "vary_prompts": False, "review": False, "notify": True}
    assert text_of(decisions_tables(rule_set, (), lang=lang, **settings)).strip()


def test_a_long_list_of_decisions_is_cut_short():
    text = 'format_version = 1\nmode = "act"\n[[watch]]\nname = "w"\nmetric = "retention"\n'
    text += 'below = 1.0\nactions = ["tell"]\n[[action]]\nname = "tell"\nkind = "notify"\n'
    rule_set = hf.RuleSet.of(parse_rules(text))
    found = decisions(rule_set, {"": [hf.Reading(k, {"retention": 0.5}) for k in range(1, 41)]})
    rounds = tuple(str(k) for k in range(1, 41))
    assert "And 10 more." in text_of(decisions_tables(rule_set, found, rounds=rounds))
