"""What polars, pandas, csv and json write comes back the same through hayflick's readers."""

import csv
import gzip
import io
import json
import math
from collections import Counter

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers

pd = pytest.importorskip("pandas", reason="pandas is not installed")

READ = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")
ODD = [
    *(
        "",
        " ",
        "007",
        "1.0",
        "1,5",
        "a;b",
        "a\tb",
        "a|b",
        '"',
        '""',
        "'",
        "x\ny",
        "x\r\ny",
        "\ufeff",
    ),
    *("NA", "null", "None", "nan", "true", "#N/A", "[1]", "{}", "=1+1", "e\u0301", "😀", "\u2028"),
    *("#", "# no comment", "sep=;", "\\", "\\n", "1e5", "-", " blank ", "ﬁ", "ا", "\x1b[31m"),
]
CELLS = st.one_of(st.sampled_from(ODD), st.text(LETTERS, max_size=12))
COLUMN = st.lists(CELLS, min_size=1, max_size=12)
SEPARATORS = st.sampled_from([",", ";", "\t", "|"])


def labels(path, **options):
    """Return how often each label occurs, and the number of empty cells."""
    law = hf.Discrete.from_file(path, column="label", normalize="none", **options)
    return Counter(dict(zip(law.symbols, law.weights.tolist(), strict=True))), law.source.missing


def expected(cells):
    known = [cell for cell in cells if cell]
    return Counter(known), len(cells) - len(known)


def texts(path, **options):
    """Return the answers as they are read for `watch`, empty for missing ones."""
    columns = AnswerColumns(by="round", text="label")
    answers = read_answers(path, columns=columns, normalize="none", **options)
    return answers.frame["text"].fill_null("").to_list()


def assert_comes_back(path, cells, **options):
    if any(cells):
        assert labels(path, **options) == expected(cells)
    else:
        with pytest.raises(DataError, match="holds no symbol"):
            labels(path, **options)
    assert texts(path, **options) == cells


def frame(cells):
    return pl.DataFrame({"round": [1] * len(cells), "label": cells})


def with_separator(separator):
    return hf.TableFormat(separator=separator)


def write_csv(path, cells, *, separator, quoting, end="\n"):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerow(["round", "label"])
    writer.writerows([1, cell] for cell in cells)
    path.write_bytes(text.getvalue().encode())


@READ
@given(
    COLUMN,
    SEPARATORS,
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
)
@example(["a\r\nb", 'say "yes"', ""], ";", csv.QUOTE_MINIMAL, "\r\n")
def test_csv_of_the_standard_library(tmp_path, cells, separator, quoting, end):
    path = tmp_path / "a.csv"
    write_csv(path, cells, separator=separator, quoting=quoting, end=end)
    assert_comes_back(path, cells, table=with_separator(separator))


@READ
@given(COLUMN, SEPARATORS, st.sampled_from(["necessary", "always", "non_numeric"]))
def test_csv_of_polars(tmp_path, cells, separator, style):
    path = tmp_path / "a.csv"
    frame(cells).write_csv(path, separator=separator, quote_style=style)
    assert_comes_back(path, cells, table=with_separator(separator))


@READ
@given(COLUMN, SEPARATORS, st.booleans(), st.booleans())
def test_csv_of_pandas(tmp_path, cells, separator, mark, packed):
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    codec = "utf-8-sig" if mark else "utf-8"
    pd.DataFrame({"round": 1, "label": cells}).to_csv(
        path, index=False, sep=separator, encoding=codec
    )
    assert_comes_back(path, cells, table=with_separator(separator))


@READ
@given(COLUMN, SEPARATORS)
@example(["a,b", "c,d"], ";")
@example(["1,5", "2,5"], ";")
@example(["a;b", "c;d"], ",")
def test_a_separator_that_is_seen_from_the_file_is_right_or_refused(tmp_path, cells, separator):
    path = tmp_path / "a.csv"
    write_csv(path, cells, separator=separator, quoting=csv.QUOTE_MINIMAL)
    try:
        found = texts(path)
    except DataError as fault:
        assert "can be read as" in str(fault)  # noqa: PT017
    else:
        assert found == cells


@READ
@given(COLUMN, st.sampled_from(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "gb18030"]))
def test_csv_in_other_encodings(tmp_path, cells, encoding):
    path = tmp_path / "a.csv"
    write_csv(path, cells, separator=",", quoting=csv.QUOTE_MINIMAL)
    path.write_bytes(path.read_bytes().decode().encode(encoding))
    assert_comes_back(path, cells, encoding=encoding, table=with_separator(","))


VALUES = st.one_of(
    CELLS,
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
)


def spelled(value):
    """Return the label of a JSON value, by the rule that the documentation states."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return str(int(value))
    return repr(value)


@READ
@given(st.lists(VALUES, min_size=1, max_size=12), st.booleans(), st.booleans())
def test_json_lines_of_the_standard_library(tmp_path, values, ascii_only, packed):
    path = tmp_path / ("a.jsonl.gz" if packed else "a.jsonl")
    lines = [
        json.dumps({"round": 1, "label": value}, ensure_ascii=ascii_only) + "\n" for value in values
    ]
    data = "".join(lines).encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    assert_comes_back(path, [spelled(value) for value in values])


@READ
@given(COLUMN)
def test_json_lines_of_polars_and_pandas(tmp_path, cells):
    path = tmp_path / "a.ndjson"
    frame(cells).write_ndjson(path)
    assert_comes_back(path, cells)
    pd.DataFrame({"round": 1, "label": cells}).to_json(path, orient="records", lines=True)
    assert_comes_back(path, cells)


@READ
@given(st.lists(st.one_of(st.none(), CELLS), min_size=1, max_size=12))
def test_parquet_of_polars(tmp_path, cells):
    path = tmp_path / "a.parquet"
    frame(cells).with_columns(pl.col("label").cast(pl.String)).write_parquet(path)
    assert_comes_back(path, [cell or "" for cell in cells])


PRINTED = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12
)


@settings(parent=READ, max_examples=10)
@given(st.lists(st.one_of(PRINTED, st.sampled_from(["007", "1.0", "x\ny", ""])), min_size=1))
def test_workbooks_of_polars(tmp_path, cells):
    pytest.importorskip("fastexcel", reason="fastexcel is not installed: extra excel")
    path = tmp_path / "a.xlsx"
    # The writer takes such texts for formulas, links and numbers unless it is told.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    import xlsxwriter

    with xlsxwriter.Workbook(path, options) as book:
        frame(cells).write_excel(book)
    assert_comes_back(path, cells)


@READ
@given(st.lists(st.one_of(st.none(), CELLS), min_size=1, max_size=12))
def test_data_in_memory(cells):
    plain = [cell or "" for cell in cells]
    rounds = [1] * len(cells)
    polars = pl.DataFrame({"round": rounds, "label": pl.Series(cells, dtype=pl.String)})
    pandas = pd.DataFrame({"round": rounds, "label": pd.Series(cells, dtype=object)})
    records = [{"round": 1, "label": cell} for cell in cells]
    columns = {"round": rounds, "label": cells}
    for source in (polars, polars.lazy(), pandas, records, columns):
        assert_comes_back(source, plain)
    series = (pl.Series("label", cells, dtype=pl.String), pd.Series(cells, dtype=object), cells)
    for source in series:
        if any(plain):
            law = hf.Discrete.from_file(source, normalize="none")
            found = Counter(dict(zip(law.symbols, law.weights.tolist(), strict=True)))
            assert (found, law.source.missing) == expected(plain)


NUMBERS = st.lists(
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: round(number, 4)),
    min_size=3,
    max_size=12,
).filter(lambda numbers: max(numbers) - min(numbers) > 1e-3)


def mean_of(path, **options):
    law = hf.Gaussian.from_file(path, column="x", **options)
    return law.mean, law.total


@READ
@given(NUMBERS, st.integers(0, 3))
def test_numbers_come_back_and_empty_cells_are_left_out(tmp_path, numbers, empty):
    cells = [*numbers, *[None] * empty]
    table = pl.DataFrame({"x": cells, "y": "z"})
    writers = {"csv": table.write_csv, "jsonl": table.write_ndjson, "parquet": table.write_parquet}
    wanted = math.fsum(numbers) / len(numbers)
    for suffix, write in writers.items():
        write(tmp_path / f"a.{suffix}")
        mean, total = mean_of(tmp_path / f"a.{suffix}")
        assert total == len(numbers)
        assert mean == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    pandas = pd.DataFrame({"x": cells, "y": "z"})
    for source in (table, pandas):
        assert mean_of(source)[1] == len(numbers)


@READ
@given(NUMBERS)
def test_numbers_with_decimal_commas(tmp_path, numbers):
    path = tmp_path / "a.csv"
    pd.DataFrame({"x": numbers, "y": "z"}).to_csv(path, sep=";", decimal=",", index=False)
    wanted = math.fsum(numbers) / len(numbers)
    stated = hf.TableFormat(separator=";", decimal=",")
    assert mean_of(path, table=stated)[0] == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    try:
        mean, _ = mean_of(path)
    except DataError as fault:
        assert "say with --decimal" in str(fault)  # noqa: PT017
    else:
        assert mean == pytest.approx(wanted, rel=1e-9, abs=1e-9)
