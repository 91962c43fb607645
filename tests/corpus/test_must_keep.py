import pytest

from hayflick.core.errors import DataError
from hayflick.corpus.must_keep import must_keep_places, read_must_keep
from hayflick.corpus.reading import read_corpus


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.txt", "refund\n\n legal \r\nrefund\n[sic]"),
        ("list.json", '["refund", " legal", "refund", "[sic]", ""]'),
    ],
)
def test_a_list_is_lines_or_json(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    assert read_must_keep(path) == ("refund", "legal", "[sic]")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.txt", " \n\n", "names nothing"),
        ("list.csv", "label\nrefund\n", "is a table, whose header would be a symbol"),
        ("list.jsonl.gz", '{"label": "refund"}\n', "is a table"),
        ("list.txt", "", "is empty"),
        ("list.json", "[]", "names nothing"),
        ("list.json", '{"refund": 1}', "takes a list of texts"),
        ("list.json", "[1, 2]", "takes a list of texts"),
        ("list.json", '["refund"', "line 1 is no JSON"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_must_keep(path)


def test_an_entry_is_split_as_the_data_were(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text("rain rain rain Tokyo Tokyo snow")
    words = read_corpus(path)
    assert must_keep_places(["Snow!", "TOKYO", "tokyo"], corpus=words) == [1, 2]
    with pytest.raises(DataError, match="lacks: 'rain snow', '!';"):
        must_keep_places(["rain snow", "!", "rain"], corpus=words)
    as_written = read_corpus(path, tokenizer="whitespace")
    with pytest.raises(DataError, match="lacks: 'tokyo';"):
        must_keep_places(["tokyo"], corpus=as_written)
