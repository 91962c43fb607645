"""What a forecast says of random columns of labels, against runs simulated on their own.

`HAYFLICK_COLUMNS=30 pytest tests/verification/test_forecast_verdicts.py` looks at thirty.
"""

import os
import re

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.display import report_of
from hayflick.core.source import Source
from hayflick.planning.confidence import required

COLUMNS = int(os.environ.get("HAYFLICK_COLUMNS", "5"))
RUNS, CONFIDENCE = 2000, 0.95


def column(number):
    """Return the forecast of a random column, and one run of it as a function of the generator."""
    rng = np.random.default_rng([7, number])
    types, total = int(rng.integers(2, 61)), int(rng.integers(200, 5000))
    law = (np.arange(types) + rng.uniform(0.2, 3.0)) ** -rng.uniform(0.3, 2.0)
    counts = np.maximum(1, rng.multinomial(total, law / law.sum()))
    symbols = [f"label {place}" for place in range(types)]
    source = Source("labels.csv", column="label")
    model = hf.Discrete.from_counts(dict(zip(symbols, counts.tolist(), strict=True)), source=source)
    stored = hf.Anchor.from_mapping(dict.fromkeys(symbols, int(min(5, counts.min()))))
    fits = types * 5 < model.total
    regimes = [hf.Replace(), hf.Fresh(0.1), hf.Fresh(0.5), hf.Fresh(0.9), hf.Periodic(0.5, every=2)]
    regimes += [stored, stored] if fits else [hf.Fresh(1.0)]
    regime = regimes[int(rng.integers(len(regimes)))]
    samples = int(model.total * rng.choice([0.5, 1, 1, 4]))
    generations = int(rng.choice([1, 3, 10, 50]))
    forecast = hf.forecast(model, regime=regime, generations=generations, samples=samples)
    return forecast, model


def below(forecast, model, regime):
    """Return the share of runs in which a round keeps too few labels."""
    rng = np.random.default_rng(11)
    p, n = model.probabilities, forecast.samples
    needed = required(forecast.limit, model.types)
    laws = np.broadcast_to(p, (RUNS, model.types))
    missed = np.zeros(RUNS, bool)
    for generation in range(1, forecast.generations + 1):
        mix = regime.mix(generation, samples=n)
        counts = rng.multinomial(mix.generated, laws) + model.align(mix.reserve)
        counts = counts + rng.multinomial(mix.fresh, p, size=RUNS)
        missed |= (counts >= forecast.least).sum(axis=1) < needed
        laws = counts / counts.sum(axis=1, keepdims=True)
    return float(missed.mean())


def is_too_often(share):
    return share > 1 - CONFIDENCE + 2 * np.sqrt(share * (1 - share) / RUNS)


@pytest.mark.parametrize("number", range(COLUMNS))
def test_within_is_never_said_where_too_many_runs_are_below(number):
    forecast, model = column(number)
    report, record = report_of(forecast), forecast.to_dict()
    brief = report.brief(forecast, lang="en")
    page = report.page(forecast, lang="en")
    table = "\n".join(part for part in report.tables(forecast, lang="en") if isinstance(part, str))
    verdict = re.search(r'<p class="verdict[^"]*">(.*?)</p>', brief)[1]
    assert verdict in page
    assert verdict in table
    share = below(forecast, model, forecast.regime)
    said = f"{share:.3f} of runs below; {verdict}; {forecast.assurance}; {forecast.regime}"
    if is_too_often(share):
        assert not record["within_limit"], said
        assert "ithin" not in verdict, said
        assert "need not change the plan" not in brief, said
        assert "Go on as planned" not in table, said
    holding = forecast.smallest_holding_share
    for text in (brief, table, page):
        # Only of a share that holds.
        claimed = "stays within the limit in at least" in text
        assert claimed == (holding is not None and not forecast.within)
    if holding is not None:
        assert not is_too_often(below(forecast, model, hf.Fresh(holding))), said
    for row in record["fresh_shares"]:
        found = row["runs_within_limit"]
        if found["law"] != "upper bound" and found["share"] >= CONFIDENCE + 0.02:
            assert not is_too_often(below(forecast, model, hf.Fresh(row["share"]))), row
