import polars as pl
import pytest

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
