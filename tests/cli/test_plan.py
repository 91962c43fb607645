import json
import os

import pytest

from hayflick.cli.main import main

QUICK = ["--generations", "4", "--replicates", "8"]
LONGER = ["--generations", "8", "--replicates", "2"]
KEYS = {"regime", "real_per_round", "samples", "retention", "cost_per_round", "law"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "rain snow rain hail sun rain wind snow " * 10 + "Fog mist dew "
    (tmp_path / "corpus.txt").write_text(text)
    (tmp_path / "labels.csv").write_text("id,label\n" + "1,x\n" * 40 + "2,y\n" * 9 + "3,z\n")
    numbers = "".join(f"{40 + 20 * (k % 7) / 7 + k / 31:.2f},{k}\n" for k in range(40))
    (tmp_path / "prices.csv").write_text("price,row\n" + numbers)
    (tmp_path / "flat.csv").write_text("price\n3.5\n3.5\n3.5\n")
    (tmp_path / "single.csv").write_text("price\n3.5\n")
    (tmp_path / "keep.txt").write_text("Fog\nmist\n")
    (tmp_path / "missing.txt").write_text("".join(f"item{place}\n" for place in range(12)))
    (tmp_path / "taken.html").write_text("old")
    (tmp_path / "taken.json").write_text("{}")
    return tmp_path


def test_the_answer_fits_on_one_screen(capsys):
    assert main(["plan", "corpus.txt", "--keep", "0.7", "--confidence", "0.6", *LONGER]) == 0
    out, err = capsys.readouterr()
    assert "Recommended: a reserve of" in out
    assert "Runner-up:" in out
    assert "elasticity" in out
    # The tables of classes, questions and changes come after the answer.
    assert len(out.partition(" design ")[0].splitlines()) <= 40
    assert err == ""


def test_json_has_the_designs_recommended_first(capsys):
    likely = ["--keep", "0.7", "--confidence", "0.6"]
    assert main(["plan", "corpus.txt", *likely, "--format", "json", *QUICK]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["format_version"], record["feasible"], record["reason"]) == (1, True, "")
    for design in record["designs"]:
        assert set(design) >= KEYS
        assert len(design["retention"]) == 5
        assert min(design["retention"]) >= 0.7 - 1e-9
        assert design["confidence"] >= 0.6
        assert design["cost_per_round"] is None
    real = [design["real_items"] for design in record["designs"]]
    assert real == sorted(real)
    assert record["simulated"]["distance"] is None or record["simulated"]["distance"] < 4


def test_prices_rank_and_are_totalled(capsys):
    prices = ["--cost-real", "0.4", "--cost-generated", "0.002", "--cost-loss", "5"]
    more = ["--cost-check", "2", "--currency", "EUR", "--rounds-per-month", "4"]
    arguments = ["plan", "labels.csv", "--column", "label", *prices, *more, *QUICK]
    assert main([*arguments, "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    costs = [design["cost_per_round"] for design in record["designs"]]
    assert costs == sorted(costs)
    assert record["designs"][0]["cost_per_year"] == pytest.approx(48 * costs[0])
    assert record["break_even"]
    assert record["look_every"] >= 1
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "EUR a round" in out
    assert "a year" in out


def test_numbers_keep_their_variance(capsys):
    arguments = ["plan", "prices.csv", "--column", "price", "--keep", "0.8"]
    assert main([*arguments, *QUICK]) == 0
    shown, err = capsys.readouterr()
    told = " ".join(shown.split())
    assert (
        "keep 80.0% of the variance in every one of 4 rounds of 40 numbers, in 95.0% of runs"
        in told
    )
    assert shown.count("\n") < 60
    assert err == ""
    assert main([*arguments, *QUICK, "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["designs"][0].keys() >= KEYS
    assert (record["family"], record["of"], record["numbers"]) == ("gaussian", "variance", 40)
    assert len(record["designs"][0]["retention"]) == 5


def test_whole_numbers_are_what_they_are_said_to_be(capsys):
    arguments = ["plan", "prices.csv", "--column", "row", "--keep", "0.6", "--format", "json"]
    for options, family in (([], "discrete"), (["--of", "variance"], "gaussian")):
        assert main([*arguments, *options, "--generations", "3", "--replicates", "0"]) == 0
        assert json.loads(capsys.readouterr().out)["family"] == family


def test_a_list_is_kept(capsys):
    arguments = ["plan", "corpus.txt", "--must-keep", "keep.txt", "--format", "json"]
    assert main([*arguments, "--keep", "0.99", *QUICK]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["of"], record["feasible"]) == ("must-keep", True)
    assert record["fresh_draws"]["feasible"] is False
    assert "fresh draws alone cannot keep" in record["reason"]
    assert record["designs"][0]["regime"] == 'anchor:{"fog": 1, "mist": 1}'


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_page_is_written(folder, capsys, lang):
    arguments = ["plan", "corpus.txt", "--keep", "0.8", "--lang", lang, "--out", "p.html"]
    assert main([*arguments, "--cost-real", "1", *QUICK]) == 0
    assert capsys.readouterr().err == "wrote p.html\n"
    page = (folder / "p.html").read_text(encoding="utf-8")
    assert f'<html lang="{lang}">' in page
    assert page.count("<svg") == 3
    for name in ("frontier", "retention", "sensitivity", "designs"):
        assert f'download="{name}.csv"' in page


def test_the_recommended_reserve_can_be_forecast(folder, capsys):
    arguments = ["plan", "labels.csv", "--column", "label", "--keep", "0.95", "--format", "json"]
    assert main([*arguments, *LONGER, "--reserve-out", "stored.json"]) == 0
    out, err = capsys.readouterr()
    best = json.loads(out)["designs"][0]
    assert (best["kind"], err) == ("anchor", "wrote stored.json\n")
    forecast = ["forecast", "labels.csv", "--column", "label", "--regime", "anchor:stored.json"]
    assert main([*forecast, "--format", "json", *LONGER]) == 0
    kept = json.loads(capsys.readouterr().out)["surviving_fraction"][-1]
    assert kept == pytest.approx(best["retention"][-1], abs=best["law_error"] + 1e-9)


def test_a_plan_without_a_reserve_says_so_after_the_plan(folder, capsys):
    arguments = ["plan", "labels.csv", "--column", "label", "--keep", "0.1", *QUICK]
    assert main([*arguments, "--reserve-out", "stored.json"]) == 2
    out, err = capsys.readouterr()
    assert "Recommended: no real data" in out
    assert "reserve_out: got a plan that recommends the design replace" in err
    assert not (folder / "stored.json").exists()


def test_a_history_is_planned_on_from(folder, capsys):
    run = ["simulate", "discrete", "--corpus", "corpus.txt", "--generations", "2"]
    assert main([*run, "--out", "run.nc", "--replicates", "64"]) == 0
    arguments = ["plan", "corpus.txt", "--keep", "0.8", "--history", "run.nc"]
    capsys.readouterr()
    assert main([*arguments, *QUICK]) == 0
    assert "run.nc: after 2 recorded rounds" in capsys.readouterr().out
    assert main([*arguments, "--format", "json", *QUICK]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["generations"] == 2
    assert record["history"]["rounds"] == 2
    assert record["history"]["planned"][-1] >= 0.8


def test_the_same_seed_prints_the_same(capsys):
    printed = []
    for seed in ("3", "3", "4"):
        arguments = ["plan", "corpus.txt", "--format", "json", "--keep", "0.8", "--seed", seed]
        main([*arguments, *QUICK])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.txt"], "nowhere.txt: no such file"),
        (["corpus.txt", "--keep", "0"], "keep: got 0.0, takes a share above 0, up to 1"),
        (["corpus.txt", "--keep", "1.2"], "keep: got 1.2"),
        (["corpus.txt", "--keep", "-1"], "keep: got -1.0"),
        (["corpus.txt", "--generations", "0"], "generations: got 0"),
        (["corpus.txt", "--cost-real", "-1"], "cost of real: got -1.0, takes a number of at least"),
        (["corpus.txt", "--cost-real", "0", "--cost-loss", "0"], "there is nothing to trade"),
        (["corpus.txt", "--must-keep", "missing.txt"], "'item9' and 2 more"),
        (["corpus.txt", "--must-keep", "gone.txt"], "gone.txt"),
        (["corpus.txt", "--history", "gone.nc"], "gone.nc: no such file"),
        (["corpus.txt", "--history", "keep.txt"], "keep.txt: cannot be read as a history"),
        (["corpus.txt", "--replicates", "1"], "replicates: got 1"),
        (["corpus.txt", "--replicates", "-1"], "replicates: got -1"),
        (["corpus.txt", "--samples", "0"], "samples: got 0"),
        (["corpus.txt", "--out", "taken.html"], "taken.html: exists already"),
        (["corpus.txt", "--out", "corpus.txt", "--force"], "is the input"),
        (["corpus.txt", "--reserve-out", "stored.txt"], "takes a file name that ends in .json"),
        (["corpus.txt", "--reserve-out", "taken.json"], "taken.json: exists already"),
        (["corpus.txt", "--out", "no/p.html"], "no: the folder does not exist"),
        (
            ["corpus.txt", "--of", "diversity", "--must-keep", "keep.txt"],
            "of: got diversity, takes must-keep with a list",
        ),
        (["labels.csv", "--column", "label", "--of", "variance"], "no numbers but labels"),
        (["corpus.txt", "--of", "variance"], "corpus.txt: is no table"),
        (["prices.csv", "--column", "price", "--must-keep", "keep.txt"], "must_keep: got a list"),
        (["prices.csv", "--column", "price", "--samples", "1"], "samples: got 1, takes"),
        (["prices.csv", "--column", "price", "--history", "x.nc"], "history: got a recorded run"),
        (
            ["prices.csv", "--column", "row", "--of", "variance", "--tokenizer", "words"],
            "tokenizer",
        ),
        (["flat.csv"], "is constant (3.5); there is no spread to lose"),
        (["single.csv"], "has 1 values, takes at least 2"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(folder, capsys, arguments, message):
    before = {name: (folder / name).read_bytes() for name in os.listdir(folder)}
    assert main(["plan", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert {name: (folder / name).read_bytes() for name in os.listdir(folder)} == before
