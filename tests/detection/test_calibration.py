import numpy as np
import pytest

from hayflick.detection.limits import (
    Recursion,
    adjusted_limit,
    known_limit,
    mean_run_length,
    readings_needed,
)

SHEWHART = Recursion(0.0, 1.0)
CHARTS = {
    "shewhart": SHEWHART,
    "ewma": Recursion(0.9, np.sqrt(0.19), reflected=False),
    "cusum": Recursion(1.0, 1.0, 0.5),
}


def test_the_limit_of_known_parameters_gives_the_run_length():
    for recursion in CHARTS.values():
        limit = known_limit(recursion, direction="both", run_length=300.0)
        law = {"shift": np.zeros(1), "scale": np.ones(1)}
        length = mean_run_length(recursion, direction="both", limit=limit, **law)
        assert length[0] == pytest.approx(300.0, rel=1e-5)


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("direction", ["both", "falls"])
def test_the_stated_share_of_baselines_keeps_the_run_length(name, direction):
    readings, number, confidence = 100, 400, 0.9
    rng = np.random.default_rng(1)
    baselines = rng.normal(size=(number, readings))
    means, deviations = baselines.mean(axis=1), baselines.std(axis=1, ddof=1)
    limit = adjusted_limit(
        CHARTS[name],
        direction=direction,
        run_length=200.0,
        readings=readings,
        confidence=confidence,
    )
    lengths = mean_run_length(
        CHARTS[name],
        direction=direction,
        limit=limit,
        shift=-means / deviations,
        scale=1.0 / deviations,
    )
    error = np.sqrt(confidence * (1.0 - confidence) / number)
    assert abs((lengths >= 200.0).mean() - confidence) < 3.0 * error


def test_every_argument_moves_the_limit():
    def limit(**changes):
        design = {"direction": "both", "run_length": 200.0, "readings": 50, "confidence": 0.9}
        return adjusted_limit(SHEWHART, **{**design, **changes})

    assert limit(readings=20) > limit() > limit(readings=10_000_000)
    assert limit(confidence=0.99) > limit() > limit(confidence=0.5)
    assert limit(run_length=1000.0) > limit() > limit(direction="falls")
    known = known_limit(SHEWHART, direction="both", run_length=200.0)
    assert limit(readings=10_000_000) == pytest.approx(known, rel=1e-3)


def test_one_reading_less_than_needed_has_no_limit():
    design = {"direction": "both", "run_length": 200.0, "confidence": 0.9}
    needed = readings_needed(SHEWHART, **design)
    assert adjusted_limit(SHEWHART, readings=needed, **design) is not None
    assert adjusted_limit(SHEWHART, readings=needed - 1, **design) is None
