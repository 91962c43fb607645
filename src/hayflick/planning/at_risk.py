"""Which symbols go first: the rarest labels, or words that stand for all that are lost."""

from __future__ import annotations

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.protocols import Regime
from hayflick.laws.count_law import SIMULATED
from hayflick.laws.loss_time import loss_time
from hayflick.laws.survival import Survival
from hayflick.planning.forecast_result import AtRisk

_AT_RISK = 10
_CANDIDATES = 200


def most_at_risk(law: Survival, regime: Regime, *, seed: int = 1) -> tuple[AtRisk, ...]:
    """Return ten symbols that are lost, the rarest first; of a text, words of different counts.

    Parameters
    ----------
    law
        Survival of all symbols.
    regime
        What the rounds are trained on.
    seed
        Of the draw of words that stand for all that are lost.
    """
    model, samples = law.model, int(law.rounds.samples[0])
    free = np.flatnonzero(law.rounds.reserve == 0)
    source = model.source
    if source.tokenizer is None or source.holds_labels:
        chosen = free[np.argsort(model.weights[free], kind="stable")][:_AT_RISK]
    else:
        chosen = _representative(law, free, seed)
    probabilities = model.probabilities[chosen]
    survival = law.of_probabilities(probabilities)
    baseline = law.baseline_of(probabilities)
    counts = model.weights if model.total else model.probabilities * samples
    times: Floats | None = None
    # Of simulated survival no law gives the mean.
    if regime.constant and law.name != SIMULATED:
        passage = loss_time(model, regime=regime, samples=samples)
        times = passage.of_probabilities(probabilities)
    risks = []
    for row, place in enumerate(chosen):
        unlikely = np.flatnonzero(survival[row] <= 0.5)
        mean = np.nan if times is None else float(times[row])
        risks.append(
            AtRisk(
                symbol=model.symbols[place],
                count=counts[place].item(),
                survival=float(survival[row, -1]),
                baseline=float(baseline[row]),
                median_loss=int(unlikely[0]) if unlikely.size else None,
                mean_loss=None if np.isnan(mean) else mean,
            )
        )
    return tuple(risks)


def _representative(law: Survival, free: Integers, seed: int) -> Integers:
    """Return words drawn at random, one from each of ten ranges of counts that are mostly lost.

    Numbers and other tokens that are no words come last.
    """
    weights, symbols = law.model.weights, law.model.symbols
    if not free.size:
        return free
    values = np.unique(weights[free])
    lost = 1.0 - _last_survival(law, values / weights.sum())
    values = values[lost >= min(0.5, 0.5 * float(lost[0]))]
    rng = np.random.default_rng(seed)
    borders = np.geomspace(values[0], values[-1] + values[0], _AT_RISK + 1)[1:-1]
    words: list[int] = []
    others: list[int] = []
    groups = np.searchsorted(borders, weights[free], side="right")
    reached = weights[free] <= values[-1]
    for group in range(_AT_RISK):
        places = free[reached & (groups == group)]
        drawn = rng.permutation(places)[:_CANDIDATES].tolist()
        word = next((place for place in drawn if _is_word(symbols[place])), None)
        if word is not None:
            words.append(word)
        elif drawn:
            others.append(drawn[0])
    return _filled(words, others, free[reached], law, rng)


def _filled(
    words: list[int], others: list[int], lost: Integers, law: Survival, rng: np.random.Generator
) -> Integers:
    """Return ten symbols: further words where ranges of counts are empty, and no words last."""
    symbols, weights = law.model.symbols, law.model.weights
    for place in rng.permutation(lost)[:_CANDIDATES].tolist():
        if len(words) >= _AT_RISK:
            break
        if place not in words and _is_word(symbols[place]):
            words.append(place)
    words.sort(key=lambda place: weights[place])
    return np.array([*words, *others][:_AT_RISK], dtype=np.int64)


def _last_survival(law: Survival, probabilities: Floats) -> Floats:
    """Return the chance of being there after the last round, in bounded memory."""
    nearest = np.unique(np.geomspace(1, probabilities.size, 256).astype(np.int64)) - 1
    known: Floats = law.of_probabilities(probabilities[nearest])[:, -1]
    found: Floats = np.interp(probabilities, probabilities[nearest], known)
    return found


def _is_word(symbol: str) -> bool:
    return (
        symbol.replace("'", "")
        .replace("-", "")
        .replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
        .isalpha()
    )
