import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.embed.embedder import parse_embedder


def embed(*texts, **options):
    return hf.HashingEmbedder(**options).embed(texts)


def test_no_words_no_direction():
    vectors = embed("", "  \n\u3000", "plum")
    assert np.isnan(vectors[:2]).all()
    assert np.isfinite(vectors[2]).all()
    assert embed().shape == (0, 384)


def test_case_and_the_spelling_of_accents_make_no_difference():
    first, *others = embed("Café Straße", "CAFÉ STRASSE", "cafe\u0301  strasse ")
    for other in others:
        assert np.array_equal(first, other)
    assert not np.array_equal(first, embed("Cafe Strasse")[0])


def test_every_parameter_changes_the_answer():
    first = embed("a ripe plum")
    assert embed("a ripe plum", dimensions=256).shape == (1, 256)
    assert abs(float(first[0] @ embed("a ripe plum", seed=1)[0])) < 0.3
    ids = {hf.HashingEmbedder(seed=s, dimensions=d).id for s in (0, 1) for d in (256, 384)}
    assert len(ids) == 4


def test_a_long_text_is_one_row():
    vectors = embed("plum " * 100_000, "x" * 1_000_000)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert vectors[0] == pytest.approx(embed("plum")[0], abs=1e-6)


def test_known_numbers():
    # They change only with the version in the id. Nine n-grams: an odd sum in each quarter.
    sums = np.array([-1, 0, 2, -3, 0, 1, 0, 5])
    vector = embed("plum", dimensions=8)[0]
    assert vector == pytest.approx(sums / np.sqrt(sums @ sums), abs=1e-6)
    assert hf.HashingEmbedder().id == "hashing:dimensions=384,seed=0,version=1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dimensions": 3}, "dimensions: got 3, takes a whole number from 4 to 16,384"),
        ({"seed": -1}, "seed: got -1, takes a whole number from 0"),
    ],
)
def test_parameters_out_of_range(options, message):
    with pytest.raises(ArgumentError, match=message):
        hf.HashingEmbedder(**options)


def test_names():
    assert parse_embedder("hashing") == hf.HashingEmbedder()
    assert parse_embedder("hashing:dimensions=256,seed=1") == hf.HashingEmbedder(
        dimensions=256, seed=1
    )
    assert parse_embedder("sentence:models/mini").model == "models/mini"
    endpoint = parse_embedder("endpoint:url=http://localhost:8080/v1,model=a:b,key=MY_KEY")
    assert (endpoint.url, endpoint.model, endpoint.key) == (
        "http://localhost:8080/v1",
        "a:b",
        "MY_KEY",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hashin", "did you mean hashing"),
        ("hashing:seed=1,size=3", r"takes hashing:\[dimensions=DIMENSIONS\],\[seed=SEED\]"),
        ("hashing:dimensions=many", "dimensions: got many, takes a whole number"),
        ("endpoint:url=http://localhost/v1", "takes endpoint:url=URL,model=MODEL"),
        ("sentence", "takes sentence:model=MODEL"),
    ],
)
def test_names_that_are_not_understood(text, message):
    with pytest.raises(ArgumentError, match=message):
        parse_embedder(text)
