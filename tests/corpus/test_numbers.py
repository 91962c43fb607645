import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.corpus.numbers import read_numbers


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_columns_are_read_from_every_table(tmp_path, suffix):
    frame = pl.DataFrame({"weight": [1.5, -2.0, 3e3], "height": [1, 2, 4], "name": list("abc")})
    path = tmp_path / f"a.{suffix}"
    match suffix:
        case "csv":
            frame.write_csv(path)
        case "tsv":
            frame.write_csv(path, separator="\t")
        case "jsonl":
            frame.write_ndjson(path)
        case "parquet":
            frame.write_parquet(path)
    read = read_numbers(path, columns=["height", "weight"])
    assert read.values.tolist() == [[1.0, 1.5], [2.0, -2.0], [4.0, 3000.0]]
    assert (read.columns, read.name) == (("height", "weight"), path.name)


def test_the_only_column_needs_no_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("weight\n 1.5 \n2\n")
    assert read_numbers(path).values.tolist() == [[1.5], [2.0]]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("1\nNaN\ninf\n\n2\n", "has an infinite number in line 4"),
        ("1\n2\nlight\n", "holds no numbers but labels, such as 'light'"),
        ("5\n5\n5\n", r"is constant \(5\)"),
        ("5\n", "has 1 values, takes at least 2"),
    ],
)
def test_what_is_no_number_is_said(tmp_path, cells, message):
    path = tmp_path / "a.csv"
    path.write_text("weight,other\n" + "".join(f"{cell},x\n" for cell in cells.split("\n")[:-1]))
    with pytest.raises(DataError, match=message):
        read_numbers(path, columns=["weight"])


def test_a_missing_column_lists_those_there_are(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("weight,height\n1,2\n2,3\n")
    with pytest.raises(DataError, match="no column 'mass'; it has: 'weight', 'height'"):
        read_numbers(path, columns=["mass"])
    with pytest.raises(DataError, match="is no table"):
        read_numbers(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["0,652", "0,1"], [0.652, 0.1]),
        (["1,234", "0,5"], [1.234, 0.5]),
        (["1,234", "0.5"], [1234.0, 0.5]),
        (["1,234.5", "1,000"], [1234.5, 1000.0]),
        (["1,234,567", "5"], [1234567.0, 5.0]),
        (["1.234,5", "1\u00a0234,5", "1'234,5", "2"], [1234.5, 1234.5, 1234.5, 2.0]),
        (["1,5", "1.234"], [1.5, 1234.0]),
        (["1.5", "-2", "+3e2", " 4 "], [1.5, -2.0, 300.0, 4.0]),
        (["1.5", "", "#N/A", "n/a", "NaN", "2"], [1.5, 2.0]),
    ],
)
def test_decimal_signs_are_seen_from_the_cells(tmp_path, cells, numbers):
    path = tmp_path / "a.csv"
    path.write_text("x|y\n" + "".join(f"{cell}|z\n" for cell in cells), encoding="utf-8")
    read = read_numbers(path, columns=["x"])
    assert read.values[:, 0].tolist() == numbers
    assert read.missing == len(cells) - len(numbers)


@pytest.mark.parametrize(
    ("cells", "separator", "message"),
    [
        (["1,234", "2,500"], "|", "'1,234' can be 1234 or 1.234; say with --decimal"),
        (["12,345"], "|", "'12,345' can be 12345 or 12.345; say with --decimal"),
        (["1.234", "12"], ";", "'1.234' can be 1234 or 1.234; say with --decimal"),
        (["1,5", "1.5"], ";", "holds no numbers but labels, such as '1.5' in line 3"),
        (["1,5", "many"], ";", "holds no numbers but labels, such as"),
    ],
)
def test_numbers_that_can_be_read_in_two_ways_are_refused(tmp_path, cells, separator, message):
    path = tmp_path / "a.csv"
    path.write_text(f"x{separator}y\n" + "".join(f"{cell}{separator}z\n" for cell in cells))
    with pytest.raises(DataError, match=message):
        read_numbers(path, columns=["x"])


def test_a_stated_decimal_sign_decides(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n1.234;z\n12,5;z\n2.500;z\n")
    comma = hf.TableFormat(decimal=",")
    assert read_numbers(path, columns=["x"], given=comma).values[:, 0].tolist() == [
        1234.0,
        12.5,
        2500.0,
    ]
    with pytest.raises(DataError, match="labels, such as '12,5' in line 3"):
        read_numbers(path, columns=["x"], given=hf.TableFormat(decimal="."))


@pytest.mark.parametrize("code", ["007", "00", "01", " 0123"])
def test_a_zero_in_front_makes_a_column_codes(tmp_path, code):
    path = tmp_path / "a.csv"
    path.write_text(f"code\n{code}\n7\n1.0\n7\n")
    assert hf.forecast(path, generations=1, replicates=0).to_dict()["types"] == 3


def test_zeros_before_a_decimal_sign_are_no_codes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\n0.5\n0\n-0.25\n05.25\n")
    result = hf.forecast(path, generations=1, replicates=0)
    assert result.to_dict()["family"] == "gaussian"
