import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError
from hayflick.network.pool import POLICIES, NewText, Pool, parse_policy

FIRST = [NewText("one", origin="first"), NewText("two", author="anna", origin="first")]


def vectors(number):
    return np.arange(2 * number, dtype=np.float32).reshape(number, 2)


def pool(policy="add-first", rounds=3):
    made = Pool((), agents=("anna", "bert"), policy=parse_policy(policy))
    made = made.extended(FIRST, vectors=vectors(2), after=0)
    for number in range(1, rounds + 1):
        said = [NewText(f"anna {number}", author="anna"), NewText(f"bert {number}", author="bert")]
        made = made.extended(said, vectors=vectors(2), after=number)
    return made


def test_numbers_go_on_and_nothing_is_cut():
    for policy in ("add-first", "replace", "window:1", "admit"):
        made = pool(policy)
        assert [one.number for one in made.texts] == list(range(8))


@pytest.mark.parametrize(
    ("policy", "sizes"),
    [
        ("add-first", [2, 4, 6, 8]),
        ("add-all", [2, 4, 6, 8]),
        ("replace", [2, 2, 2, 2]),
        ("window:2", [2, 4, 4, 4]),
        ("window:w=3", [2, 4, 6, 6]),
        ("admit", [2, 2, 2, 2]),
    ],
)
def test_what_is_in_force_after_every_round(policy, sizes):
    made = pool(policy)
    assert [made.in_force(after=number).size for number in range(4)] == sizes


def test_the_synthetic_share_is_that_of_the_texts_in_force():
    assert [pool().synthetic_share(after=number) for number in range(3)] == [0.0, 0.5, 4 / 6]
    assert pool("window:1").synthetic_share(after=2) == 1.0
    assert pool("admit").synthetic_share(after=2) == 0.0
    assert Pool((), agents=(), policy=parse_policy("add-all")).synthetic_share(after=0) is None


def test_a_view_says_whose_the_texts_are():
    view = pool().view(np.array([0, 1, 3]))
    assert view.authors.tolist() == [-1, 0, 1]
    assert view.rounds.tolist() == [0, 0, 1]
    assert view.synthetic.tolist() == [False, False, True]
    assert_allclose(view.vectors, [[0, 1], [2, 3], [2, 3]])


def test_policies_are_named_as_they_are_typed():
    typed = {"window": "window:w=4"}
    for name in POLICIES:
        assert parse_policy(typed.get(name, name)).name == typed.get(name, name)
    with pytest.raises(ArgumentError, match="did you mean replace"):
        parse_policy("replce")
    with pytest.raises(ArgumentError, match="w: got 0"):
        parse_policy("window:0")
