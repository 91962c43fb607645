import numpy as np
import pytest

import hayflick as hf


def test_what_was_not_seen_gets_the_share_of_what_was_seen_once():
    counts = np.array([9.0, 5.0, 3.0, 2.0, 1.0, 1.0, 0.0, 0.0])
    law = hf.GoodTuring().fit(counts)
    assert law.sum() == pytest.approx(1.0)
    assert law[6:].tolist() == pytest.approx([1 / 21, 1 / 21])
    assert (np.diff(law[:6]) <= 1e-12).all()
    assert law[4] < 1 / 21


@pytest.mark.parametrize(
    "counts", [[3, 2, 0], [5], [1, 1, 1], [4, 0], [1, 0, 0], [0, 0], [2, 2, 1]]
)
def test_small_counts_give_a_law(counts):
    law = hf.GoodTuring().fit(np.array(counts, dtype=float))
    assert np.isfinite(law).all()
    assert law.sum() == pytest.approx(1.0 if any(counts) else 0.0)
    seen = np.array(counts) > 0
    assert (law[seen] > 0).all()


def test_where_no_count_is_one_nothing_is_set_aside():
    assert hf.GoodTuring().fit(np.array([4.0, 2.0, 0.0])).tolist()[2] == 0.0


def test_the_mass_of_the_unseen_is_right_on_average(rng):
    law = 1.0 / np.arange(1, 401)
    law /= law.sum()
    gaps = []
    for _ in range(300):
        counts = rng.multinomial(500, law)
        unseen = counts == 0
        gaps.append(hf.GoodTuring().fit(counts.astype(float))[unseen].sum() - law[unseen].sum())
    assert abs(np.mean(gaps)) < 4.5 * np.std(gaps) / np.sqrt(300) + 1e-3


def test_common_counts_are_hardly_changed(rng):
    law = 1.0 / np.arange(1, 401)
    counts = rng.multinomial(20_000, law / law.sum()).astype(float)
    fitted = hf.GoodTuring().fit(counts)
    assert fitted[:5] == pytest.approx(counts[:5] / 20_000, rel=0.01)
