"""Forecasts of a trained model: simulated runs in place of a law, and the ideal law beside them."""

import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.calibration.calibration_file import resampler_record
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError

WORDS = {f"word{rank}": 1 + 400 // rank for rank in range(1, 300)}
COVARIANCE = tuple(map(tuple, np.diag([4e-4, 1e-2, 1e-3, 0.0])))
TRAINER = hf.Resampler(1.08, 1.3, 0.5, 0.002, COVARIANCE)
SETTINGS = {"generations": 6, "seed": 3, "replicates": 64}


@pytest.fixture
def words():
    return hf.Discrete.from_counts(WORDS)


@pytest.fixture
def calibration(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(resampler_record(TRAINER)))
    return path


def test_the_figures_are_those_of_simulated_runs(words):
    found = hf.forecast(words, resampler=TRAINER, **SETTINGS)
    runs = hf.simulate(words.with_estimator(TRAINER), **SETTINGS)
    np.testing.assert_array_equal(found.kept_of_runs, runs["surviving_fraction"].to_numpy())
    assert found.law_name == "simulated"
    np.testing.assert_allclose(found.kept_fraction, found.law.surviving_fraction)
    law = hf.survival(words, generations=6)
    np.testing.assert_allclose(found.ideal.expected, law.surviving_fraction, atol=0.002)
    # A trainer that sharpens keeps less than the ideal law promises.
    band = found.simulated_band()
    assert band["low"][-1] < found.kept < band["high"][-1] < found.ideal.expected[-1]


def test_an_ideal_trainer_has_the_law(words):
    ideal = hf.forecast(words, resampler=hf.Resampler(), **SETTINGS)
    assert ideal.ideal is None
    assert ideal.resampler is None
    law = hf.forecast(words, **SETTINGS)
    np.testing.assert_array_equal(ideal.kept_fraction, law.kept_fraction)


def test_a_trainer_near_the_ideal_one_keeps_what_the_law_says(words):
    near = hf.Resampler(return_weight=1e-12)
    found = hf.forecast(words, resampler=near, generations=6, replicates=400, regime="fresh:.1")
    law = hf.forecast(words, generations=6, replicates=0, regime="fresh:.1")
    error = found.simulated_band()["standard_error"]
    assert (np.abs(found.left - law.left)[1:] < 4.5 * error[1:] + 0.002).all()
    rows = zip(found.fresh_shares, law.fresh_shares, strict=True)
    assert all(abs(one - two) < 0.02 for one, two in rows)
    np.testing.assert_allclose(found.mass_lost, law.mass_lost, atol=0.01)
    np.testing.assert_allclose(found.diversity.expected, law.diversity.expected, atol=0.005)
    survival = [risk.survival for risk in found.most_at_risk]
    assert survival == pytest.approx([risk.survival for risk in law.most_at_risk], abs=0.06)
    # No law says when it is lost on average.
    assert {risk.mean_loss for risk in found.most_at_risk} == {None}


def test_labels_have_simulated_outlooks(tmp_path):
    rows = ["R"] * 300 + ["PG-13"] * 150 + ["PG"] * 40 + ["NC-17"] * 8
    table = tmp_path / "films.csv"
    table.write_text("rating\n" + "\n".join(rows) + "\n")
    found = hf.forecast(table, column="rating", resampler=TRAINER, generations=10)
    ideal = hf.forecast(table, column="rating", generations=10, replicates=0)
    assert [one.symbol for one in found.classes] == ["R", "PG-13", "PG", "NC-17"]
    assert {one.law for one in found.classes} == {"simulated"}
    assert found.classes[-1].gone > ideal.classes[-1].gone
    assert found.classes[0].gone < 0.01
    assert "All figures were simulated" in found._repr_html_()


def test_runs_that_lose_everything_have_no_diversity(tmp_path):
    few = hf.Discrete.from_counts({"a": 3, "b": 2})
    found = hf.forecast(few, resampler=hf.Resampler(1.0, -3.0), generations=40, replicates=32)
    assert found.kept == 0.0
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["diversity"][-1] is None
    assert "nan" not in found.save(tmp_path / "f.html").read_text(encoding="utf-8").lower().split()


def test_a_reserve_stays(words):
    anchor = hf.Anchor.from_mapping({"word299": 1, "word250": 2})
    found = hf.forecast(words, resampler=TRAINER, regime=anchor, **SETTINGS)
    assert found.law.of_symbols(["word299", "word250"])[:, -1].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_names_the_resampler_and_the_ideal_law(words, tmp_path, lang):
    found = hf.forecast(words, resampler=TRAINER, **SETTINGS)
    page = found.save(tmp_path / "f.html", lang=lang).read_text(encoding="utf-8")
    said = "with the calibrated resampler" if lang == "en" else "較正したリサンプラー"
    assert said in page
    brief = found.save(tmp_path / "b.html", lang=lang, brief=True).read_text(encoding="utf-8")
    assert said in brief


def test_the_command_line_takes_the_file(tmp_path, calibration, capsys):
    text = tmp_path / "real.txt"
    text.write_text(" ".join(word for word, count in WORDS.items() for _ in range(count)))
    asked = ["forecast", str(text), "--resampler", str(calibration), "--generations", "5"]
    assert main([*asked, "--replicates", "32", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["law"] == "simulated"
    assert told["law_error"] is None
    assert told["resampler"]["parameters"]["sharpening"] == 1.08
    assert told["ideal_law"]["kept_fraction"][-1] > told["kept_fraction"][-1]
    assert told["simulated"]["replicates"] == 32
    assert main([*asked, "--out", str(tmp_path / "f.html")]) == 0
    table = " ".join(capsys.readouterr().out.split())
    assert "The law of an ideal trainer would promise" in table
    assert "runs: 256, standard error" in table


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"replicates": 0}, "no law of a trained model is known"),
        ({"regime": "accumulate"}, "keeps nothing"),
        ({"delta": 0.1}, "nothing beside a resampler"),
    ],
)
def test_what_does_not_go_together_is_refused(words, settings, message):
    with pytest.raises(ArgumentError, match=message):
        hf.forecast(words, resampler=TRAINER, generations=3, **settings)


def test_a_trainer_of_other_data_is_refused(words, tmp_path):
    with pytest.raises(ArgumentError, match="calibrated on texts"):
        hf.forecast(words, resampler=hf.GaussianResampler(effective_share=0.5))
    with pytest.raises(ArgumentError, match="calibrated on numbers"):
        hf.forecast(hf.Gaussian(0.0, 1.0), samples=50, resampler=TRAINER)
    with pytest.raises(ArgumentError, match="nothing for the family poisson"):
        hf.forecast(hf.Poisson(1.0), samples=50, resampler=TRAINER)
    (tmp_path / "none.json").write_text("[]")
    with pytest.raises(DataError, match=r"none\.json"):
        hf.forecast(words, resampler=tmp_path / "none.json")
