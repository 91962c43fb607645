import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from hayflick.core.errors import ArgumentError
from hayflick.laws.bernoulli import bernoulli_law


def test_the_checked_numbers():
    law = bernoulli_law(0.01, samples=100, generations=50)
    assert_allclose(law.present[[1, 10, 50]], [0.63397, 0.16139, 0.04112], atol=5e-6)


@pytest.mark.parametrize("p", [0.0, 0.013, 0.3, 1.0])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_exact_law_against_a_slow_reference(p, n):
    law = bernoulli_law(p, samples=n, generations=5)
    counts = {p * n: 1.0}
    for generation in range(1, 6):
        after = dict.fromkeys(range(n + 1), 0.0)
        for count, weight in counts.items():
            for hits in after:
                after[hits] += weight * stats.binom.pmf(hits, n, count / n)
        counts = after
        assert law.present[generation] == pytest.approx(1 - counts[0], abs=1e-13)
        decided = counts[0] + counts[n]
        assert law.polymorphic[generation] == pytest.approx(1 - decided, abs=1e-13)
    assert (law.present[0], law.polymorphic[0]) == (p > 0, 0 < p < 1)


def test_the_exact_law_against_simulation(rng):
    law, runs = bernoulli_law(0.037, samples=60, generations=40), 100_000
    found = np.full(runs, 0.037)
    for generation in range(1, 41):
        found = rng.binomial(60, found) / 60
        for share, expected in (
            ((found > 0).mean(), law.present[generation]),
            (((found > 0) & (found < 1)).mean(), law.polymorphic[generation]),
        ):
            assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / runs)


@pytest.mark.parametrize("n", [30, 300, 3000])
@pytest.mark.parametrize("p", [0.001, 0.02, 0.5, 0.999])
def test_the_branching_law_is_below_within_its_error(n, p):
    exact = bernoulli_law(p, samples=n, generations=20, law="exact")
    branching = bernoulli_law(p, samples=n, generations=20, law="branching")
    assert (exact.name, branching.name) == ("exact", "branching")
    for name in ("present", "polymorphic"):
        short = getattr(exact, name) - getattr(branching, name)
        assert short.min() > -exact.error
        assert short.max() <= branching.error
    assert exact.error < 1e-9


def test_auto_says_which_law_it_took():
    laws = [bernoulli_law(0.4, samples=n, generations=2) for n in (3000, 6000)]
    assert [law.name for law in laws] == ["exact", "branching"]
    assert_allclose(laws[0].present, laws[1].present, atol=1e-3)
    assert bernoulli_law(0.1, samples=3000, generations=100_000).name == "branching"
    assert bernoulli_law(0.1, samples=10, generations=10_000).name == "exact"


def test_the_error_shrinks_with_the_draws():
    laws = [bernoulli_law(0.1, samples=n, generations=10, law="branching") for n in (10**4, 10**6)]
    assert laws[0].error == pytest.approx(100 * laws[1].error)


def test_each_parameter_changes_the_answer():
    ends = [
        bernoulli_law(p, samples=n, generations=k).polymorphic[-1]
        for p, n, k in ((0.2, 50, 30), (0.21, 50, 30), (0.2, 52, 30), (0.2, 50, 31))
    ]
    assert len(set(ends)) == 4


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("probability", 1.1),
        ("probability", np.nan),
        ("samples", 0),
        ("generations", 0),
        ("law", "x"),
    ],
)
def test_arguments_out_of_range_are_refused(argument, value):
    values = {"probability": 0.2, "samples": 10, "generations": 5} | {argument: value}
    with pytest.raises(ArgumentError, match=argument):
        bernoulli_law(values.pop("probability"), **values)


def test_the_exact_law_has_a_largest_size():
    with pytest.raises(ArgumentError, match="takes training sets of at most 3000 items"):
        bernoulli_law(0.4, samples=10_000, generations=5, law="exact")


@pytest.mark.parametrize(("probability", "samples"), [(0.001, 10_000), (1e-5, 300_000)])
def test_few_ones_of_many_have_an_exact_law(probability, samples):
    law = bernoulli_law(probability, samples=samples, generations=50)
    branching = bernoulli_law(probability, samples=samples, generations=50, law="branching")
    assert law.name == "exact"
    assert law.error < 1e-6
    gap = law.present - branching.present
    assert (gap >= -law.error).all()
    assert 0 < gap.max() <= branching.error
    with pytest.raises(ArgumentError, match="or of few ones"):
        bernoulli_law(0.4, samples=10_000, generations=50, law="exact")
