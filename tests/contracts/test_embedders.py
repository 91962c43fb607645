"""One contract over every embedder that needs no extra."""

import numpy as np
import pytest

from hayflick.embed.embedder import EMBEDDERS, parse_embedder

EXAMPLES = {name: parse_embedder(name) for name in ("hashing", "hashing:dimensions=64,seed=3")}
NEED_AN_EXTRA = {"sentence", "endpoint"}

TEXTS = [
    "The package arrives on Monday.",
    "The parcels arrive on Mondays!",
    "Quantum chromodynamics binds quarks",
    "荷物は月曜日に届きます。",
    "荷物は火曜日に届きます。",
    "包裹星期一到",
    "พัสดุจะมาถึงวันจันทร์",
    "تصل الطرود يوم الاثنين",
    "Посылка придёт в понедельник",
    "पार्सल सोमवार को आएगा",
    "📦🚚",
    "a half \ud83d of a pair",
    "\udc00",
    "?",
    "x\0y",
]


@pytest.fixture(params=EXAMPLES)
def embedder(request):
    return EXAMPLES[request.param]


def test_every_embedder_of_the_command_line_is_here_or_needs_an_extra():
    assert {name.partition(":")[0] for name in EXAMPLES} | NEED_AN_EXTRA == set(EMBEDDERS)


def test_vectors_have_their_type_shape_and_length(embedder):
    vectors = embedder.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_vector_depends_on_its_text_alone(embedder, rng):
    vectors = embedder.embed(TEXTS)
    order = rng.permutation(len(TEXTS))
    assert np.array_equal(embedder.embed([TEXTS[place] for place in order]), vectors[order])
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert np.array_equal(alone, vectors)
    assert np.array_equal(embedder.embed([*TEXTS, *TEXTS]), np.concatenate([vectors, vectors]))


def test_texts_that_differ_have_vectors_that_differ(embedder):
    assert len(np.unique(embedder.embed(TEXTS), axis=0)) == len(TEXTS)


@pytest.mark.parametrize(("near", "far"), [((0, 1), (0, 2)), ((3, 4), (3, 6)), ((3, 4), (3, 0))])
def test_near_texts_are_nearer_than_far_ones(embedder, near, far):
    vectors = embedder.embed(TEXTS)
    distances = [np.linalg.norm(vectors[a] - vectors[b]) for a, b in (near, far)]
    assert distances[0] < 0.9 * distances[1]


def test_a_blank_text_has_no_direction(embedder):
    vectors = embedder.embed(["", " \n", "plum"])
    assert np.isnan(vectors[:2]).all()
    assert np.isfinite(vectors[2]).all()
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_an_id_names_the_embedder_and_its_size(embedder):
    assert embedder.id.partition(":")[0] in EMBEDDERS
    assert str(embedder.dimensions) in embedder.id
    assert len({one.id for one in EXAMPLES.values()}) == len(EXAMPLES)
