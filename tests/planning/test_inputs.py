import pytest

from hayflick.core.errors import ArgumentError, DataError
from hayflick.planning.inputs import InputOptions, chosen_family, read_model

TABLES = {
    "whole.csv": "x\n1\n2\n007\n",
    "decimal.csv": "x\n1\n2.5\n3\n",
    "exponent.csv": "x\n1\n2e3\n",
    "spaced.csv": "x\n 1.5 \n2\n",
    "blank.csv": 'x\n1.5\n""\n2\n',
    "mixed.csv": "x\n1.5\nmany\n",
    "absent.csv": "x\n1.5\nn/a\n#N/A\n2\n",
    "comma.csv": "x;y\n1,5;z\n2;z\n",
    "words.csv": "x\na\nb\n",
    "late.csv": "x\n" + "1\n" * 2000 + "1.5\n",
    "late-label.csv": "x\n" + "1.5\n" * 2000 + "v2\n",
}
CHOSEN = {
    "whole.csv": "discrete",
    "decimal.csv": "gaussian",
    "exponent.csv": "gaussian",
    "spaced.csv": "gaussian",
    "blank.csv": "gaussian",
    "mixed.csv": "discrete",
    "absent.csv": "gaussian",
    "comma.csv": "gaussian",
    "words.csv": "discrete",
    "late.csv": "gaussian",
    "late-label.csv": "discrete",
}


@pytest.mark.parametrize(("name", "family"), CHOSEN.items())
def test_only_numbers_of_which_one_is_not_whole_are_a_gaussian(tmp_path, name, family):
    path = tmp_path / name
    path.write_text(TABLES[name])
    column = ("x",) if name == "comma.csv" else ()
    assert chosen_family(path, InputOptions(columns=column)) == family


def test_what_is_said_decides(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1.5,2\n2.5,3\n")
    assert chosen_family(path, InputOptions(columns=("x", "y"))) == "multivariate-gaussian"
    assert chosen_family(path, InputOptions(family="discrete", columns=("x",))) == "discrete"
    assert chosen_family(path, InputOptions(columns=("x",), tokenizer="words")) == "discrete"
    assert chosen_family(tmp_path / "a.txt", InputOptions(family="ngram", order=3)) == "ngram"


def test_a_model_comes_with_its_source(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\n1.5\n2.5\n")
    model, source = read_model(path, InputOptions(), family="gaussian")
    assert (model.mean, model.total) == (2.0, 2)
    assert (source.name, source.column) == ("a.csv", "x")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"family": "beta"}, "family: got beta, takes one of discrete"),
        ({"columns": ("x", "x")}, "columns: got x,x, takes different names"),
        ({"columns": ("x", "")}, "columns: got x,, takes different names"),
    ],
)
def test_a_reading_is_checked_when_it_is_made(settings, message):
    with pytest.raises(ArgumentError, match=message):
        InputOptions(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"order": 2}, "order: got 2, takes nothing but with the family ngram"),
        ({"family": "gaussian", "columns": ("x", "y")}, "takes one column"),
        ({"family": "multivariate-gaussian"}, "columns: got None, takes names"),
        ({"family": "poisson", "delta": 0.5}, "delta: got 0.5, takes nothing for the family"),
        ({"family": "gaussian", "law": "exact"}, "law: got exact, takes nothing for the family"),
        ({"family": "gaussian", "tokenizer": "words"}, "tokenizer: got words, takes nothing"),
        ({"family": "ngram", "columns": ("x",)}, "column: got x, takes nothing"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path, settings, message):
    with pytest.raises(ArgumentError, match=message):
        chosen_family(tmp_path / "a.csv", InputOptions(**settings))


def test_an_ngram_model_needs_running_text(tmp_path):
    with pytest.raises(DataError, match="is no running text"):
        chosen_family(tmp_path / "a.csv", InputOptions(family="ngram"))
