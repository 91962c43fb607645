"""Fit checks: what they find, and how rarely they speak of data that fit."""

import json
from collections import Counter

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import hayflick as hf
from hayflick.chains.fit_checks import _kurtosis_level, count_checks, gaussian_checks, label_checks
from hayflick.cli.main import main
from hayflick.core.source import LeftOut, Source


def of_numbers(values):
    return gaussian_checks(values[:, None], ["x"])


def of_counts(values):
    return count_checks(values.astype(np.float64), "x")


def share_found(draw, check, runs=300, name=None):
    """Return the share of samples of which a check speaks."""
    found = [{one.name for one in check(draw())} for _ in range(runs)]
    return np.mean([bool(names) if name is None else name in names for names in found])


@pytest.mark.parametrize("rows", [20, 60, 300, 3000])
@pytest.mark.parametrize("digits", [None, 1, 0])
def test_gaussian_numbers_are_rarely_spoken_of(rows, digits, rng):
    def draw():
        values = rng.normal(70.0, 12.0, rows)
        return values if digits is None else np.round(values, digits)

    assert share_found(draw, of_numbers) <= 0.04


@pytest.mark.parametrize("rate", [0.01, 0.3, 4.0, 500.0])
@pytest.mark.parametrize("rows", [20, 200, 5000])
def test_poisson_counts_are_rarely_spoken_of(rate, rows, rng):
    assert share_found(lambda: rng.poisson(rate, rows), of_counts) <= 0.05


def test_many_gaussian_columns_are_rarely_spoken_of(rng):
    names = [f"c{place}" for place in range(20)]
    found = [bool(gaussian_checks(rng.normal(size=(200, 20)), names)) for _ in range(200)]
    assert np.mean(found) <= 0.05


def heaped(rng, rows, share, step):
    values = np.round(rng.normal(70.0, 12.0, rows), 1)
    some = rng.random(rows) < share
    values[some] = np.round(values[some] / step) * step
    return values


DEPARTURES = {
    "lognormal": ("skew", lambda rng: rng.lognormal(0.0, 0.5, 200)),
    "mirrored lognormal": ("skew", lambda rng: -rng.lognormal(0.0, 0.5, 200)),
    "exponential": ("bound", lambda rng: rng.exponential(size=200)),
    "uniform": ("bound", lambda rng: rng.uniform(size=200)),
    "shares": ("bound", lambda rng: rng.beta(2.0, 5.0, 300)),
    "a ceiling": ("heaps", lambda rng: np.minimum(rng.normal(size=200), 1.5)),
    "t3": ("tails", lambda rng: rng.standard_t(3, 500)),
    "at fives": ("heaps", lambda rng: heaped(rng, 200, 0.3, 5.0)),
    "at tens": ("heaps", lambda rng: heaped(rng, 200, 0.5, 10.0)),
    "ratings": ("heaps", lambda rng: rng.integers(1, 11, 200) / 2.0),
    "one number": (
        "heaps",
        lambda rng: np.where(rng.random(200) < 0.1, 3.25, rng.normal(size=200)),
    ),
}


@pytest.mark.parametrize("case", DEPARTURES)
def test_departures_from_a_gaussian_are_mostly_found(case, rng):
    name, draw = DEPARTURES[case]
    assert share_found(lambda: draw(rng), of_numbers, 100, name) >= 0.9


def test_counts_that_vary_more_or_less_than_poisson_are_found(rng):
    def varied():
        return rng.poisson(rng.gamma(1.0 / 0.3, 0.9, 200))

    assert share_found(varied, of_counts, 100) >= 0.95
    [check] = of_counts(varied())
    assert str(check.remedy) == "--family negative-binomial fits such counts."
    [steady] = of_counts(rng.binomial(10, 0.7, 200))
    assert steady.high < 1.0
    assert "more varied than it is" in str(steady.remedy)


def test_the_interval_of_the_ratio_holds_it(rng):
    # Variance over mean is 1 + 3 × 0.5.
    held = []
    for _ in range(300):
        [check] = of_counts(rng.poisson(rng.gamma(2.0, 1.5, 1000)))
        held.append(check.low <= 2.5 <= check.high)
    assert np.mean(held) >= 0.9


@pytest.mark.parametrize("rows", [20, 100, 5000])
def test_the_level_of_a_kurtosis_is_that_of_scipy(rows, rng):
    for _ in range(20):
        values = rng.standard_t(6, rows)
        reference = stats.kurtosistest(values, alternative="greater").pvalue
        kurtosis = stats.kurtosis(values, fisher=False)
        assert_allclose(_kurtosis_level(kurtosis, rows), reference, rtol=1e-6, atol=1e-12)


def test_the_standard_error_of_the_skewness_is_that_of_its_samples(rng):
    low, middle, high = np.quantile(rng.normal(size=(4000, 1001)), (0.05, 0.5, 0.95), axis=1)
    skewness = (high + low - 2.0 * middle) / (high - low)
    assert_allclose(skewness.std() * np.sqrt(1001), 1.0003, rtol=0.05)


def test_small_samples_are_not_checked():
    assert of_numbers(np.array([0.0] * 18 + [1000.0])) == ()
    assert of_counts(np.array([0] * 18 + [1000])) == ()


def test_what_is_said_of_numbers():
    rng = np.random.default_rng(5)
    [skew, low] = of_numbers(rng.lognormal(0.0, 0.6, 300))
    assert "x is skewed to the right" in str(skew)
    assert str(skew.remedy) == "Forecast its logarithms: all are above 0."
    assert str(low.meaning).startswith("x has no number below 0.")
    [skew, high] = of_numbers(-rng.lognormal(0.0, 0.6, 300))
    assert "x is skewed to the left" in str(skew)
    assert "no number above -0." in str(high)
    [fives] = of_numbers(heaped(rng, 400, 0.4, 5.0))
    assert "multiples of 5; spread evenly, 2% would be" in str(fives)
    names = ["a", "b", "c"]
    columns = np.stack([rng.lognormal(0.0, spread, 300) for spread in (0.5, 1.0, 0.6)], axis=1)
    skew, _ = gaussian_checks(columns, names)
    assert (skew.column, skew.others) == ("b", ("a", "c"))


def test_whole_numbers_as_labels_are_named():
    ages = tuple(map(str, range(18, 80)))
    [check] = label_checks(ages, np.full(62, 9), "age")
    assert check.value == 62
    assert "--family negative-binomial" in str(check.remedy)
    [check] = label_checks(("-5", *ages), np.full(63, 9), "degrees")
    assert "--family gaussian" in str(check.remedy)
    for labels in (
        ages[:10],
        (*ages, "unknown"),
        ("007", *ages),
        tuple("abcdefghijklmnopqrstuvwxyz"),
    ):
        assert label_checks(labels, np.full(len(labels), 9), "age") == ()


def write(path, columns):
    pl.DataFrame(columns).write_csv(path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    visits = rng.poisson(rng.gamma(0.7, 10.0, 400))
    wait = rng.lognormal(1.0, 0.7, 400).round(3)
    gaps = [None if place % 10 == 0 else float(value) for place, value in enumerate(wait)]
    calm = rng.normal(70.0, 12.0, 400).round(2)
    write(tmp_path / "table.csv", {"visits": visits, "wait": wait, "gaps": gaps, "calm": calm})
    return tmp_path


def names(result):
    return [check.name for source in result.sources for check in source.fit_checks]


def test_results_carry_the_checks_of_their_inputs(folder):
    quick = {"generations": 3, "replicates": 32}
    table = folder / "table.csv"
    assert names(hf.forecast(table, column="visits", **quick)) == ["labels"]
    assert names(hf.forecast(table, column="visits", family="discrete", **quick)) == []
    assert names(hf.forecast(table, column="visits", family="poisson", **quick)) == ["variance"]
    assert names(hf.forecast(table, column="visits", family="negative-binomial", **quick)) == []
    assert names(hf.forecast(table, column="wait", **quick)) == ["skew", "bound"]
    assert names(hf.forecast(table, column="gaps", **quick)) == ["missing", "skew", "bound"]
    assert names(hf.forecast(table, column="calm", **quick)) == []
    both = hf.forecast(table, columns=["wait", "calm"], **quick)
    assert names(both) == ["skew", "bound"]
    assert names(hf.plan(table, column="wait", generations=3, replicates=0)) == ["skew", "bound"]
    assert hf.Poisson.from_file(table, column="visits").source.fit_checks[0].name == "variance"
    runs = hf.simulate("gaussian", corpus=table, column="gaps", seed=1, **quick)
    [source] = json.loads(runs.attrs["inputs"])
    assert [check["name"] for check in source["fit_checks"]] == ["missing", "skew", "bound"]
    assert source["rows"] == 400


def test_the_command_line_says_them_before_the_figures(folder, capsys):
    arguments = ["table.csv", "--column", "visits", "--family", "poisson", "--replicates", "0"]
    assert main(["forecast", *arguments, "--format", "json", "--brief", "brief.html"]) == 0
    said = capsys.readouterr()
    [check] = json.loads(said.out)["inputs"][0]["fit_checks"]
    assert check["low"] < check["value"] < check["high"]
    assert "note: The variance of visits is " in said.err
    assert "--family negative-binomial fits such counts." in said.err
    assert "--family negative-binomial" in (folder / "brief.html").read_text()
    arguments = [
        "simulate",
        "poisson",
        "--corpus",
        "table.csv",
        "--column",
        "visits",
        "--seed",
        "1",
    ]
    assert main([*arguments, "--generations", "2", "--replicates", "32", "--plot", "s.html"]) == 0
    assert "note: The variance of visits is " in capsys.readouterr().err
    assert 'class="fit"' in (folder / "s.html").read_text()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_pages_show_them_first(folder, lang):
    for made in (
        hf.forecast("table.csv", column="gaps", generations=3, replicates=0),
        hf.plan("table.csv", column="gaps", generations=3, replicates=0),
    ):
        page = made.save(f"{type(made).__name__}.html", lang=lang).read_text()
        fit = page.index('class="fit"')
        assert fit < page.index("<svg") if "<svg" in page else fit > 0
        assert ("左に歪" in page or "右に歪" in page) == (lang == "ja")
    assert "skewed to the right" in made._repr_html_()


def test_data_that_fit_say_nothing(folder, capsys):
    assert main(["forecast", "table.csv", "--column", "calm", "--out", "calm.html"]) == 0
    assert "Gaussian draws" not in capsys.readouterr().err
    assert 'class="fit"' not in (folder / "calm.html").read_text()


def test_what_is_missing_is_said_above_5_percent():
    few = Source("a.csv", column="x", rows=100, left_out=(LeftOut("empty cells", 5),))
    assert few.fit_checks == ()
    many = Source("a.csv", column="x", rows=100, left_out=(LeftOut("empty cells", 6),))
    [check] = many.fit_checks
    assert check.value == 0.06
    chosen = Source("a.csv", rows=100, left_out=(LeftOut("answers before the first round", 50),))
    assert chosen.fit_checks == ()


def test_checks_survive_json():
    [check] = of_counts(np.repeat([0, 9], 20))
    source = Source("{a}.csv", column="{x}", rows=99, left_out=(LeftOut("empty cells", 9),))
    source = Source.from_dict(json.loads(json.dumps(source.to_dict())))
    assert [one.name for one in source.fit_checks] == ["missing"]
    assert "of {x} were left out" in str(source.fit_checks[0])
    again = type(check).from_dict(json.loads(json.dumps(check.to_dict())))
    assert again == check
    old = {key: value for key, value in source.to_dict().items() if key != "fit_checks"}
    assert Source.from_dict(old).checks == ()


def test_contacts_with_doctors_are_overdispersed(cases):
    result = hf.forecast(cases / "mdu.csv", column="mdu", family="poisson", replicates=0)
    [check] = result.source.fit_checks
    assert 6.0 < check.low < 7.0 < check.value < 7.2 < check.high < 8.0
    varied = hf.NegativeBinomial.from_file(cases / "mdu.csv", column="mdu")
    assert varied.dispersion == pytest.approx(1.471, abs=0.001)
    assert varied.source.fit_checks == ()


def test_kinds_are_told_once_for_all_columns():
    rng = np.random.default_rng(2)
    found = gaussian_checks(rng.lognormal(size=(200, 4)), list("abcd"))
    assert Counter(check.name for check in found) == {"skew": 1, "bound": 1}


def test_few_numbers_are_told_in_place_of_their_shape():
    rng = np.random.default_rng(1)
    [check] = of_numbers(np.where(rng.random(100) < 0.2, 0.123, 4.567))
    assert str(check.meaning).startswith("x holds only 2 different numbers;")
    # Half of the numbers and the lower quantile are one number: no ratio is said.
    skew = of_numbers(np.where(rng.random(300) < 0.6, 0.0, rng.exponential(size=300)))[0]
    assert "> 1,000 times as far" in str(skew)


def test_empty_cells_of_a_column_of_texts_are_counted(tmp_path):
    cells = [None if place % 8 == 0 else "some words" for place in range(80)]
    write(tmp_path / "texts.csv", {"id": range(80), "text": cells})
    model = hf.Discrete.from_file(tmp_path / "texts.csv", column="text", tokenizer="words")
    assert model.total == 140
    assert (model.source.rows, model.source.missing) == (80, 10)
    assert [check.name for check in model.source.fit_checks] == ["missing"]
