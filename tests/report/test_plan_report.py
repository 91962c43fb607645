import io
import json
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

import hayflick as hf
from hayflick.core.display import report_of
from hayflick.report import plan as report
from hayflick.report.language import Language
from hayflick.report.plan_charts import plan_frontier_chart, plan_sensitivity_chart
from hayflick.report.plan_findings import PlanFindings
from hayflick.report.rendering import significant


@pytest.fixture(scope="module")
def results():
    model = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    tail = hf.Discrete.from_counts({f"word{number}": 1 for number in range(50)})
    flat = hf.Discrete.from_counts({f"word{number}": 4 for number in range(40)})
    numbers = hf.Gaussian(50.0, 12.0, total=30)
    costs = hf.CostModel(real=0.3, generated=0.1, check=5.0, loss=40.0, currency="EUR")
    return {
        "items": hf.plan(model, keep=0.85, generations=20, replicates=8),
        "prices": hf.plan(model, keep=0.85, generations=8, costs=costs, replicates=0),
        "anchor": hf.plan(model, keep=0.95, generations=10, replicates=0),
        "nothing needed": hf.plan(model, keep=0.1, generations=8, replicates=0),
        "diversity": hf.plan(model, keep=0.95, generations=8, of="diversity", replicates=0),
        "a list": hf.plan(model, keep=0.9, generations=8, must_keep=["here"], replicates=0),
        "nothing does": hf.plan(tail, keep=0.9, generations=5, samples=20, replicates=0),
        "a variance": hf.plan(numbers, keep=0.85, generations=5, replicates=2),
        "a variance, prices": hf.plan(numbers, keep=0.9, generations=5, costs=costs, replicates=2),
        "a variance, laws alone": hf.plan(numbers, keep=0.95, generations=10, replicates=0),
        "out of reach of fresh numbers": hf.plan(numbers, keep=1.0, generations=5, replicates=2),
        "a sample of all": hf.plan(flat, keep=0.7, generations=20, replicates=2),
        "periods alone": hf.plan(model, keep=0.72, generations=20, replicates=0),
    }


NAMES = (
    "items",
    "prices",
    "anchor",
    "nothing needed",
    "diversity",
    "a list",
    "nothing does",
    "a variance",
    "a variance, prices",
    "a variance, laws alone",
    "out of reach of fresh numbers",
    "a sample of all",
    "periods alone",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_plan_is_told_and_drawn(results, name, lang):
    result = results[name]
    page = report.page(result, lang=lang)
    assert page.count("<svg") == 2 + bool(result.sensitivities)
    assert "None" not in page.split("<pre>")[0].split("<svg")[0]
    assert report.tables(result, lang=lang)


@pytest.mark.parametrize("name", NAMES)
def test_every_plan_is_recorded_and_shown_in_notebooks(results, name):
    result = results[name]
    json.dumps(report.record(result), allow_nan=False)
    assert "<h3>" in result._repr_html_()


def test_a_notebook_shows_the_fragment(results):
    assert results["prices"]._repr_html_() == report.fragment(results["prices"])


def test_sentences_say_what_is_so(results):
    def told(name):
        return " ".join(PlanFindings(results[name], Language("en")).summary())

    assert "EUR a year" not in told("items")
    assert "It takes 3 real items in 20 rounds." in told("items")
    assert "It breaks where something is worse than planned" in told("items")
    assert "half of the real data" in told("items")
    assert "Robust: a reserve of 8 stored real items" in told("items")
    assert "a year" in told("prices")
    assert "Both would cost the same" in told("prices")
    assert "Look every" in told("prices")
    assert "even real data alone keeps 90.8% on average" in told("anchor")
    assert "No design that was looked at keeps 90.0%" in told("nothing does")
    assert "Even without real data" in told("nothing needed")
    assert "Robust: a reserve of 56 stored real items" in told("a sample of all")
    assert "No law is known for the average of this design: 4,096 runs" in told("a variance")
    assert "Not looked at" in told("a list")
    assert "The median run keeps" in told("a variance")
    assert "the median run keeps 97.7% at most" in told("out of reach of fresh numbers")
    assert "Store numbers with the mean" in told("out of reach of fresh numbers")
    assert "fresh real data, periodic real data, a reserve" in told("a variance, laws alone")


def test_the_record_of_numbers_names_what_is_kept(results):
    record = report.record(results["a variance"])
    assert (record["family"], record["of"], record["numbers"]) == ("gaussian", "variance", 30)
    best = record["designs"][0]
    assert (best["law"], best["runs"]) == ("simulated", 4096)
    assert len(best["standard_error"]) == len(best["retention"]) == 6
    assert best["confidence_law"] == "simulated"
    priced = report.record(results["a variance, prices"])
    assert priced["costs"]["currency"] == "EUR"
    assert priced["left_out"] == []
    assert report.record(results["a variance, laws alone"])["fresh_draws"] is None


def test_the_slide_has_every_design(results):
    findings = PlanFindings(results["prices"], Language("en"))
    table = report.slide_table(findings)
    assert table["cost_per_round"].to_list() == [
        design.cost_per_round for design in results["prices"].designs
    ]
    assert "cost_per_round" not in report.slide_table(
        PlanFindings(results["items"], Language("en"))
    )


def test_one_call_reads_plans_and_writes(tmp_path):
    (tmp_path / "corpus.txt").write_text("rain snow rain hail sun rain wind snow Fog " * 10)
    (tmp_path / "keep.txt").write_text("Fog\n")
    result = hf.plan(
        tmp_path / "corpus.txt",
        keep=0.9,
        generations=5,
        must_keep=tmp_path / "keep.txt",
        replicates=0,
    )
    result.save(tmp_path / "plan.html")
    assert result.target.listed.size == 1
    assert (tmp_path / "plan.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.fixture(scope="module")
def unequal():
    """Return a plan in which real items are small change, and generated ones next to nothing."""
    model = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    costs = hf.CostModel(real=0.01, generated=0.00001)
    return hf.plan(model, keep=0.85, generations=8, costs=costs, replicates=0)


def test_designs_that_are_far_too_dear_are_left_out_of_the_picture_alone(results, unequal):
    drawn = plan_frontier_chart(PlanFindings(unequal, Language("en")))
    limit = 100.0 * unequal.best.price
    above = drawn.numbers.filter(drawn.numbers["price"] > limit)
    assert above.height
    assert f"left out: {above.height} of them, all in the numbers" in drawn.caption
    near = plan_frontier_chart(PlanFindings(results["nothing needed"], Language("en")))
    assert "left out" not in near.caption


def test_prices_on_the_axis_are_plain_numbers(unequal):
    labels = plan_frontier_chart(PlanFindings(unequal, Language("en"))).svg
    assert ">0.01<" in labels
    assert not re.search(r">[\d.]+[mµ]<", labels)


def told(result):
    return " ".join(PlanFindings(result, Language("en")).summary())


def test_sentences_suit_small_numbers(results):
    assert "It takes one real item in 20 rounds. The reserve holds one item of one symbol." in told(
        results["periods alone"]
    )
    assert "The reserve holds one item of one symbol." in told(results["a list"])
    assert "half of the real data" not in told(results["nothing needed"])


def test_a_runner_up_of_the_same_price_takes_more_real_items():
    model = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    check = hf.CostModel(check=5.0)
    result = hf.plan(model, keep=0.7, generations=10, costs=check, replicates=0)
    assert "It costs the same, but takes" in told(result)


def test_at_least_is_never_said_of_more_than():
    model = hf.Discrete.from_counts({"the": 100, "cat": 25})
    result = hf.plan(model, keep=0.5, generations=5, replicates=0)
    assert 0.9995 < result.best.lowest < 1.0
    assert "On average >99.9% are left" in told(result)


def test_runs_that_all_end_as_the_law_says_have_no_distance_from_it():
    model = hf.Discrete.from_counts({"the": 600, "cat": 300})
    result = hf.plan(model, keep=0.5, generations=5, replicates=8)
    assert "Simulated, all of 8 runs keep 100.00%" in told(result)


def test_knobs_that_change_nothing_are_said_to_and_have_a_scale():
    model = hf.Discrete.from_counts({"the": 600, "cat": 300})
    result = hf.plan(model, keep=0.5, generations=5, replicates=0)
    drawn = plan_sensitivity_chart(PlanFindings(result, Language("en")))
    assert "none of them makes a difference" in drawn.caption
    assert ">+0.5%<" in drawn.svg


def test_a_long_label_is_drawn_whole(results):
    drawn = plan_sensitivity_chart(PlanFindings(results["a variance"], Language("ja")))
    assert "雑音（標準偏差を単位とする） → 0.1" in drawn.svg
    assert "makes a difference" not in drawn.caption


@pytest.fixture(scope="module")
def priced():
    counts = {f"a kind {place}": max(1, 60 // (place + 1)) for place in range(8)}
    costs = hf.CostModel(real=0.4, generated=0.002, loss=500, check=20, currency="EUR")
    model = hf.Discrete.from_counts(counts)
    return hf.plan(model, keep=0.7, generations=5, costs=costs, replicates=0)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_tables_with_prices_are_whole_in_80_columns(lang, priced):
    console = Console(file=io.StringIO(), width=80)
    for part in report_of(priced).tables(priced, lang=lang):
        console.print(part)
    shown = console.file.getvalue()
    assert max(map(cell_len, shown.splitlines())) <= 80
    for design in priced.designs[:5]:
        assert significant(design.cost_per_round) in shown
    for answer in priced.answers:
        assert significant(answer.cost_per_round) in shown
