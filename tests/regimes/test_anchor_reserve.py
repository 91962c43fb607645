"""A reserve file as an anchor: read as the data were, whatever they are."""

import json

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError
from hayflick.core.source import Source
from hayflick.corpus.reading import read_corpus
from hayflick.regimes.regime import parse_regime

TEXT = 'So it is, so it was\n\nRain today; rain again!\nlast\nquoted "words" and a \\ mark\n'
LABELS = 'id,label,source\n1,refund,a\n2,legal,b\n3,refund,c\n4,"x, y",d\n'


@pytest.fixture(params=["words", "whitespace", "lines", "characters:2", "mixed"])
def tokenizer(request):
    return request.param


def anchored(reserve, source, tmp_path):
    path = reserve.save(tmp_path / "reserve.jsonl")
    return hf.Anchor.from_file(path, like=source).reserve


def same(left, right):
    return left.symbols == right.symbols and left.numbers.tolist() == right.numbers.tolist()


def test_lines_come_back_as_they_were_counted(tokenizer, tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text(TEXT)
    reserve = hf.reserve(path, size=3, tokenizer=tokenizer)
    assert same(anchored(reserve, reserve.source, tmp_path), reserve.counts)


def test_the_encoding_of_the_data_is_not_that_of_the_reserve(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_bytes("雨が降る。\n雪が降る。\n".encode("cp932"))
    reserve = hf.reserve(path, size=1, encoding="cp932", tokenizer="mixed")
    assert same(anchored(reserve, reserve.source, tmp_path), reserve.counts)


@pytest.mark.parametrize("encoding", ["cp932", "utf-16", "iso2022_jp"])
def test_what_a_plan_stores_is_read_beside_data_in_another_encoding(tmp_path, encoding, capsys):
    data, stored = tmp_path / "分類.csv", tmp_path / "stored.json"
    rows = ["分類", *["紙"] * 30, *["石"] * 20, *["和歌山"] * 5]
    data.write_bytes(("\n".join(rows) + "\n").encode(encoding))
    given = [str(data), "--column", "分類", "--encoding", encoding, "--replicates", "0"]
    planned = ["--generations", "5", "--keep", "1", "--reserve-out", str(stored)]
    assert main(["plan", *given, *planned]) == 0
    assert "和歌山" in stored.read_text(encoding="utf-8")
    forecast = ["--generations", "5", "--format", "json"]
    for path, read_as in ((stored, "utf-8"), (_labels(tmp_path, encoding), encoding)):
        capsys.readouterr()
        assert main(["forecast", *given, *forecast, "--regime", f"anchor:{path}"]) == 0
        read = json.loads(capsys.readouterr().out)["inputs"][-1]
        assert (read["file"], read["encoding"]) == (path.name, read_as)


def _labels(folder, encoding):
    path = folder / "labels.txt"
    path.write_bytes("和歌山\n紙\n".encode(encoding))
    return path


def test_a_schedule_is_read_beside_data_in_another_encoding(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    schedule = "samples,fresh,備考\n3,1,少し\n"
    (tmp_path / "data.csv").write_text("分類\n紙\n石\n紙\n", encoding="cp932")
    for encoding in ("cp932", "utf-8"):
        (tmp_path / "schedule.csv").write_text(schedule, encoding=encoding)
        given = ["data.csv", "--column", "分類", "--encoding", "cp932", "--replicates", "0"]
        assert main(["forecast", *given, "--regime", "scheduled:schedule.csv"]) == 0


@pytest.mark.parametrize("tokenizer", [None, "words"])
def test_rows_come_back_by_the_same_column(tokenizer, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(LABELS)
    reserve = hf.reserve(path, size=3, column="label", tokenizer=tokenizer)
    assert same(anchored(reserve, reserve.source, tmp_path), reserve.counts)
    other = read_corpus(path, column="source").source
    stored = hf.Anchor.from_file(tmp_path / "reserve.jsonl", like=other).reserve
    assert set(stored.symbols) <= {"a", "b", "c", "d"}


def test_the_texts_of_a_folder_come_back(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("one\ntwo three")
    (folder / "b.txt").write_text("one")
    reserve = hf.reserve(folder, size=1)
    assert reserve.items == ({"file": "a.txt", "text": "one\ntwo three"},)
    assert same(anchored(reserve, reserve.source, tmp_path), reserve.counts)


def test_a_law_without_data_reads_it_as_its_header_says(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text(TEXT)
    reserve = hf.reserve(path, size=2)
    assert same(anchored(reserve, Source("counts.json"), tmp_path), reserve.counts)


def test_the_grammar_takes_it(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text(TEXT)
    reserve = hf.reserve(path, size=2)
    file = reserve.save(tmp_path / "reserve.jsonl")
    regime = parse_regime(f"anchor:{file}", like=reserve.source)
    assert regime.describe() == "anchor:file=reserve.jsonl"


def test_lines_are_no_rows(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text(TEXT)
    reserve = hf.reserve(path, size=2)
    with pytest.raises(DataError, match="has no column 'label'"):
        anchored(reserve, Source("labels.csv", column="label"), tmp_path)


def test_a_newer_format_is_refused(tmp_path):
    path = tmp_path / "reserve.jsonl"
    path.write_text(json.dumps({"hayflick_reserve": {"format_version": 2}}) + '\n{"text": "a"}\n')
    with pytest.raises(DataError, match="has format_version 2, this version reads 1; update"):
        hf.Anchor.from_file(path, like=Source("verse.txt", tokenizer="words"))


def test_a_table_of_ones_own_is_no_reserve_file(tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_text('{"label": "refund"}\n{"label": "legal"}\n')
    stored = hf.Anchor.from_file(path, like=Source("labels.csv", column="label")).reserve
    assert stored.symbols == ("legal", "refund")
