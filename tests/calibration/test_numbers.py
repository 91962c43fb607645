"""Trainers of numbers, calibrated on recorded rounds: what is found, said, kept and refused."""

import json

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.calibration.calibration_file import resampler_of
from hayflick.cli.main import main
from hayflick.core.display import report_of
from hayflick.core.errors import ArgumentError, DataError

RNG = np.random.default_rng(20)


def recorded(trainer, *, rounds, samples=1000, seed=1, real=None):
    """Return the numbers of rounds: `trainer` makes the next ones from the last."""
    rng = np.random.default_rng(seed)
    made = [rng.normal(10.0, 3.0, samples) if real is None else real]
    for _ in range(rounds - 1):
        made.append(trainer(rng, made[-1]))
    return made


def ideal(rng, numbers):
    return rng.normal(numbers.mean(), numbers.std(ddof=1), numbers.size)


def shrinking(rng, numbers):
    return rng.normal(numbers.mean(), 0.9 * numbers.std(ddof=1), numbers.size)


def diagnosis(fit, name):
    return next(one for one in fit.diagnoses if one.name == name)


def test_a_shrinking_trainer_is_found_from_two_transitions():
    fit = hf.calibrate_numbers(recorded(shrinking, rounds=3))
    factor = fit.parameters["variance_factor"]
    assert factor.low < 0.81 < factor.high < 1.0
    assert fit.forecast.rounds.tolist() == [3, 4, 5, 6, 7]
    assert fit.forecast.low[0, -1] < 0.9**7 < fit.forecast.high[0, -1]
    assert fit.forecast.ideal[0, -1] == pytest.approx(fit.record.spread[0, -1], rel=0.02)


def test_two_transitions_say_little_of_the_effective_size():
    few, many = (
        hf.calibrate_numbers(recorded(ideal, rounds=rounds)).effective_size for rounds in (3, 20)
    )
    assert few.high / few.low > 8.0
    assert many.low < 1000.0 < many.high < 4.0 * many.low


def test_numbers_moments_files_and_tables_give_the_same(tmp_path):
    rounds = recorded(shrinking, rounds=4, samples=200)
    whole = hf.calibrate_numbers(rounds)
    means, variances = [one.mean() for one in rounds], [one.var(ddof=1) for one in rounds]
    moments = hf.calibrate_numbers(means=means, variances=variances, sizes=200)
    files = []
    for number, one in enumerate(rounds):
        files.append(tmp_path / f"round{number}.csv")
        pl.DataFrame({"id": range(200), "width": one}).write_csv(files[-1])
    of_files = hf.calibrate_numbers(files, columns=["width"])
    frame = pl.concat(
        pl.DataFrame({"when": [f"r{number}"] * 200, "width": one})
        for number, one in enumerate(rounds)
    )
    frame.write_csv(tmp_path / "all.csv")
    of_table = hf.calibrate_numbers(tmp_path / "all.csv", by="when")
    of_frame = hf.calibrate_numbers(frame, by="when", columns="width")
    for other in (moments, of_files, of_table, of_frame):
        assert other.parameters["effective_share"].value == pytest.approx(
            whole.parameters["effective_share"].value
        )
        np.testing.assert_allclose(other.forecast.share, whole.forecast.share)
    assert diagnosis(moments, "shape").statistic is None
    assert len(of_files.sources) == 4
    assert of_table.sources[0].name == "all.csv"


def test_columns_are_pooled():
    rng = np.random.default_rng(2)
    rounds = [rng.normal(0.0, 1.0, (500, 12))]
    for _ in range(3):
        deviation = rounds[-1].std(axis=0, ddof=1)
        rounds.append(rng.normal(rounds[-1].mean(axis=0), deviation, (500, 12)))
    one = hf.calibrate_numbers([own[:, 0] for own in rounds]).effective_size
    all_columns = hf.calibrate_numbers(rounds)
    size = all_columns.effective_size
    assert size.low < 500.0 < size.high
    assert size.high / size.low < 0.5 * one.high / one.low
    assert all_columns.forecast.share.shape == (12, 5)
    assert not diagnosis(all_columns, "columns").found


def test_known_fresh_numbers_are_accounted_for():
    real = np.random.default_rng(1).normal(10.0, 3.0, 1000)

    def mixed(rng, numbers):
        return np.concatenate([shrinking(rng, numbers)[:700], rng.normal(10.0, 3.0, 300)])

    rounds = recorded(mixed, rounds=6, real=real)
    fit = hf.calibrate_numbers(rounds, regime="fresh:0.3")
    factor = fit.parameters["variance_factor"]
    assert factor.low < 0.81 < factor.high
    unknown = hf.calibrate_numbers(rounds).parameters["variance_factor"]
    assert unknown.low > 0.81


def test_the_file_of_a_calibration_is_its_resampler(tmp_path):
    fit = hf.calibrate_numbers(recorded(shrinking, rounds=4))
    path = fit.save(tmp_path / "calibration.json")
    assert json.loads(path.read_text()) == fit.to_dict()
    assert resampler_of(path) == fit.resampler == resampler_of(fit)
    model = hf.Gaussian(10.0, 3.0, total=1000).with_estimator(resampler_of(path))
    ahead = hf.forecast(model, generations=7, seed=2)
    assert ahead.left[-1] == pytest.approx(0.9**7, abs=0.15)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_pages_and_tables_say_what_was_found(lang, tmp_path):
    fit = hf.calibrate_numbers(recorded(shrinking, rounds=4))
    said = report_of(fit).tables(fit, lang=lang)
    assert len([part for part in said if isinstance(part, str)]) >= 3
    page = fit.save(tmp_path / "page.html", lang=lang).read_text()
    assert "<svg" in page
    assert "<h3>" in fit._repr_html_()
    if lang == "en":
        assert "The trainer narrows the numbers" in page


def test_a_mean_that_is_shifted_is_found():
    def shifting(rng, numbers):
        return ideal(rng, numbers) + 0.5

    fit = hf.calibrate_numbers(recorded(shifting, rounds=7))
    assert diagnosis(fit, "mean").found
    assert not diagnosis(hf.calibrate_numbers(recorded(ideal, rounds=7)), "mean").found


def test_a_factor_that_changes_is_found():
    deviations = [3.0]
    for step in range(6):
        deviations.append(deviations[-1] * (1.0 - 0.05 * step))
    rng = np.random.default_rng(4)
    rounds = [rng.normal(10.0, one, 2000) for one in deviations]
    assert diagnosis(hf.calibrate_numbers(rounds), "drift").found


def test_columns_that_differ_and_copied_numbers_are_found():
    rng = np.random.default_rng(3)
    rounds = [rng.normal(0.0, 1.0, (1000, 2))]
    for _ in range(3):
        deviation = rounds[-1].std(axis=0, ddof=1) * np.array([1.0, 0.8])
        rounds.append(rng.normal(rounds[-1].mean(axis=0), deviation, (1000, 2)))
    assert diagnosis(hf.calibrate_numbers(rounds), "columns").found
    kept = [rng.normal(0.0, 1.0, 1000)]
    for _ in range(5):
        kept.append(kept[-1].copy())
        kept[-1][:3] = rng.normal(0.0, 1.0, 3)
    assert diagnosis(hf.calibrate_numbers(kept), "regular").found


def test_numbers_that_are_not_gaussian_are_named():
    rng = np.random.default_rng(6)
    rounds = [rng.lognormal(0.0, 1.0, 800) for _ in range(3)]
    shape = diagnosis(hf.calibrate_numbers(rounds), "shape")
    assert shape.found
    assert "do not look Gaussian" in str(shape.note)


@pytest.mark.parametrize("scale", [1e-140, 1e-9, 1.0, 1e9, 1e74])
@pytest.mark.parametrize("regime", ["replace", "fresh:0.2"])
def test_the_unit_does_not_matter(scale, regime):
    means, variances = np.array([5.0, 5.1, 4.9, 5.2]), np.array([1.0, 0.9, 1.1, 1.0])
    known = {"sizes": 50, "regime": regime}
    fit = hf.calibrate_numbers(means=means, variances=variances, **known)
    other = hf.calibrate_numbers(means=scale * means, variances=scale**2 * variances, **known)
    for name, one in fit.parameters.items():
        assert other.parameters[name].value == pytest.approx(one.value, rel=1e-6)
    np.testing.assert_allclose(other.forecast.high, fit.forecast.high, rtol=1e-6)


def test_the_smallest_rounds_and_the_longest_forecast_are_finite():
    fit = hf.calibrate_numbers(means=[0, 1, 3], variances=[1, 2, 0.1], sizes=2, ahead=1000)
    assert np.isfinite(fit.forecast.high).all()
    assert fit.effective_size.low >= 2.0
    json.dumps(fit.to_dict(), allow_nan=False)


def test_what_is_odd_about_a_record_is_noted():
    sizes = [100, 100, 400]
    fit = hf.calibrate_numbers(means=[0, 0.1, 0.1], variances=[1, 1.1, 400], sizes=sizes)
    said = " ".join(map(str, fit.record.notes))
    assert "very different sizes (100 to 400 numbers)" in said
    assert "another unit?" in said


MOMENTS = {"means": [0.0, 0.1, 0.2], "variances": [1.0, 1.1, 0.9], "sizes": 100}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"means": [0.0, 0.1], "variances": [1.0, 1.1]}, "takes at least 3"),
        ({"variances": [1.0, 0.0, 0.9]}, "constant in round 1.*no reading"),
        ({"variances": [1.0, -1.0, 0.9]}, "round 1 has mean 0.1 and variance -1"),
        ({"means": [0.0, np.nan, 0.2]}, "takes finite numbers"),
        ({"sizes": 1}, "round 0 has 1 numbers"),
        ({"means": [0.0, 0.1, 0.1], "variances": [1.0, 1.1, 1.1]}, "rounds 1 and 2 hold the same"),
        ({"variances": [1.0, 1e13, 1e13]}, "leaps from 1 to 1e.13 in round 1"),
        ({"regime": "fresh:1"}, "nothing is left that the trainer made"),
    ],
)
def test_records_without_a_reading_are_refused(changed, said):
    with pytest.raises(DataError, match=said):
        hf.calibrate_numbers(**{**MOMENTS, **changed})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"means": None}, "means: got None"),
        ({"sizes": [100, 100]}, "sizes: got shape"),
        ({"sizes": 99.5}, "sizes: .*takes whole numbers"),
        ({"sizes": np.inf}, "sizes: .*takes whole numbers"),
        ({"sizes": 1e30}, "sizes: .*takes whole numbers"),
        ({"means": ["a", "b", "c"]}, "means: "),
        ({"variances": []}, "variances: "),
        ({"regime": "fresh:1.5"}, "share: got 1.5"),
        ({"regime": "frehs:0.1"}, "regime: got frehs"),
        ({"regime": "accumulate"}, "regime: got accumulate.*for numbers"),
        ({"columns": ["a", "b"]}, "columns: got 2, takes 1 names"),
        ({"ahead": 0}, "ahead: got 0"),
        ({"seed": -1}, "seed: got -1"),
        ({"by": "round"}, "by: got round"),
        ({"rounds": [[1.0], [2.0]]}, "nothing beside rounds"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(changed, said):
    with pytest.raises(ArgumentError, match=said):
        hf.calibrate_numbers(**{**MOMENTS, **changed})


def test_rounds_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="rounds: got ndarray, takes a list"):
        hf.calibrate_numbers(RNG.normal(size=100))
    with pytest.raises(DataError, match="different columns"):
        hf.calibrate_numbers([RNG.normal(size=(9, 2)), RNG.normal(size=9), RNG.normal(size=9)])
    with pytest.raises(DataError, match="round 1: holds NaN"):
        hf.calibrate_numbers([RNG.normal(size=9), np.array([1.0, np.nan]), RNG.normal(size=9)])
    with pytest.raises(DataError, match="takes at least 3"):
        hf.calibrate_numbers([RNG.normal(size=9), RNG.normal(size=9)])
    with pytest.raises(DataError, match="takes at least 3"):
        hf.calibrate_numbers([])
    frame = pl.DataFrame({"round": [0, 0, 1, 1, 2], "x": [1.0, 2.0, 1.5, 2.5, 1.0], "y": [1] * 5})
    with pytest.raises(DataError, match="name a column of numbers; beside 'round' it has 'x', 'y'"):
        hf.calibrate_numbers(frame, by="round")
    with pytest.raises(DataError, match="round 2 has 1 numbers in 'x'"):
        hf.calibrate_numbers(frame, by="round", columns=["x"])
    words = pl.DataFrame({"round": [0, 1, 2], "x": ["a", "b", "c"]})
    with pytest.raises(DataError, match="holds no numbers but labels"):
        hf.calibrate_numbers(words, by="round")


def test_the_verb_takes_columns_of_numbers(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rounds = recorded(shrinking, rounds=4, samples=300)
    frames = [
        pl.DataFrame({"round": [number] * 300, "x": one}) for number, one in enumerate(rounds)
    ]
    pl.concat(frames).write_csv("rounds.csv")
    for number, frame in enumerate(frames):
        frame.write_csv(f"round{number}.csv")
    assert main(["calibrate", "rounds.csv", "--value", "x", "--by", "round", "--format=json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    files = [f"round{number}.csv" for number in range(4)]
    found = hf.calibrate(files, values=["x"])
    assert shown["parameters"] == found.to_dict()["parameters"]
    assert shown["family"] == "gaussian"
    assert main(["calibrate", *files, "--value=x", "--save=c.json", "--out=p.html"]) == 0
    assert resampler_of("c.json") == found.resampler
    assert "The trainer narrows the numbers" in capsys.readouterr().out
    ahead = ["forecast", "round0.csv", "--column=x", "--generations=7", "--format=json"]
    assert main([*ahead, "--resampler=c.json"]) == 0
    left = json.loads(capsys.readouterr().out)["left"]
    assert left[4:] == pytest.approx(found.forecast.share[0, :4].tolist(), abs=0.1)
    python = hf.forecast("round0.csv", column="x", generations=7, resampler=found)
    assert python.left.tolist() == pytest.approx(left)
    for wrong, said in (
        (["--text", "x"], "text: got x"),
        (["--keep", ".5"], "keep: got 0.5"),
        (["--by", "round"], "by: got round, takes nothing beside several files"),
    ):
        assert main(["calibrate", *files, "--value=x", *wrong]) == 2
        assert said in capsys.readouterr().err
