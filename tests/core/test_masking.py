import time

import pytest

from hayflick.core.masking import is_placeholder, masked

KEY = "sk-Not4Anyone_Xy7Q9zP2"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A sketch of nothing.",
        "sk-Not4",
        "Any one is not for all: %20 &amp; \\n <b>x</b>",
        "c2st and 736b2d are short",
        "今日は雨。",
    ],
)
def test_other_text_is_left_as_it_is(text):
    assert masked(text, [KEY]) == text


def test_only_the_key_is_hidden():
    assert masked(f"before {KEY}, and after", [KEY]) == "before …, and after"
    assert masked(f"{KEY} {KEY}", [KEY]) == "… …"
    assert masked("<a href='x'>sk-Not4<b>Anyone_</b>Xy7Q9zP2</a>", [KEY]) == "<a href='x'>…</a>"
    assert masked(f"{KEY} other-Key-4711x", [KEY, "other-Key-4711x"]) == "… …"


@pytest.mark.parametrize(
    "key", ["", "x", "test", "ollama", "EMPTY", "None", "12345678", "placeholder"]
)
def test_a_word_is_no_secret(key):
    assert is_placeholder(key)
    text = f"The {key} in testing{key}ollama"
    assert masked(text, [key]) == text


@pytest.mark.parametrize("key", ["sk-1", "hunter2", "a1b2c3d4", "hJkLmNopQrStUvWx"])
def test_a_short_secret_is_hidden_where_it_stands(key):
    assert key not in masked(f"it was {key}.", [key])
    assert masked("nothing of it", [key]) == "nothing of it"


@pytest.mark.parametrize(
    "piece", ["<", "\\", "%25", "&aaaaaaaaaaaaaaaaaaaaaaaa", "<aaaaaaaa", "\\u", "=4", KEY, "word "]
)
def test_any_text_is_searched_in_linear_time(piece):
    begun = time.perf_counter()
    masked(piece * (1_000_000 // len(piece)), [KEY])
    assert time.perf_counter() - begun < 10
