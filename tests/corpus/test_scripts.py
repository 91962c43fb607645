import pytest

from hayflick.corpus.scripts import script_shares


@pytest.mark.parametrize(
    ("text", "unspaced", "japanese"),
    [
        ("plain English", 0, 0),
        ("한국어는 띄어 쓴다", 0, 0),
        ("日本語の文章", 1, 1),
        ("ﾊﾝｶｸｶﾀｶﾅ", 1, 1),
        ("中文没有空格", 1, 0),
        ("ภาษาไทยไม่มีช่องว่าง", 1, 0),
        ("12 34 !?", 0, 0),
        ("", 0, 0),
    ],
)
def test_scripts_are_told_apart(text, unspaced, japanese):
    shares = script_shares([text])
    assert shares.unspaced == pytest.approx(unspaced)
    assert shares.japanese == pytest.approx(japanese)


def test_a_mixture_has_its_share():
    assert script_shares(["abcd", "雨雨"]).unspaced == pytest.approx(1 / 3)
