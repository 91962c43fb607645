import pytest

from hayflick.monitor.review import is_bad


@pytest.mark.parametrize(
    "text", ["ok", "OK", " Good ", "y", "1", "1.0", "ｏｋ", "良", "可", "○", "〇"]
)
def test_good(text):
    assert is_bad(text) is False


@pytest.mark.parametrize("text", ["bad", "NG", "n", "0", "ＮＧ", "悪い", "不可", "×", "問題あり"])
def test_bad(text):
    assert is_bad(text) is True


@pytest.mark.parametrize("text", ["", " ", "\u3000"])
def test_open(text):
    assert is_bad(text) is None


@pytest.mark.parametrize("text", ["maybe", "2", "?", "ok?"])
def test_unknown(text):
    with pytest.raises(KeyError):
        is_bad(text)
