import polars as pl
import pytest

from hayflick.corpus.tokenizers import script_letters


@pytest.mark.parametrize(
    ("text", "letters", "unspaced", "japanese"),
    [
        ("plain English", 12, 0, 0),
        ("한국어는 띄어 쓴다", 8, 0, 0),
        ("日本語の文章", 6, 6, 6),
        ("ﾊﾝｶｸｶﾀｶﾅ", 8, 8, 8),
        ("中文没有空格", 6, 6, 0),
        ("中文没有空格中文没有空格中文没有空格中文没有空格の", 25, 25, 0),
        ("ขคง", 3, 3, 0),
        ("12 34 !?", 0, 0, 0),
        ("", 0, 0, 0),
        ("ab雨", 3, 1, 0),
    ],
)
def test_letters_are_counted_by_script(text, letters, unspaced, japanese):
    assert script_letters(pl.Series([text])).row(0) == (letters, unspaced, japanese)


def test_every_text_has_its_row():
    assert script_letters(pl.Series(["a", "雨", ""])).height == 3
