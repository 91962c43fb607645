"""Where recorded rounds of numbers depart from a Gaussian resampler that stays the same."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtr, fdtr, fdtrc, stdtr

from hayflick.calibration.diagnoses import DRIFT_LEVEL, LEVEL, Diagnosis
from hayflick.calibration.number_likelihood import NumberTransitions
from hayflick.calibration.number_record import NumberRecord
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import listed
from hayflick.core.notes import Note, translatable


def diagnose_numbers(
    record: NumberRecord, transitions: NumberTransitions, share: float, factor: float
) -> tuple[Diagnosis, ...]:
    """Return what the tests of a fit say: one diagnosis per test.

    The scores of the means and of the variances under the fitted e and g are normal where the
    resampler is right; they are compared with one another, so that e itself matters little.
    Drift is called at 5 %, everything else at 1 %.

    Parameters
    ----------
    record, transitions
        What was recorded.
    share, factor
        The fitted e and g.
    """
    means, variances = transitions.scores(share, factor)
    return (
        _mean(means, variances),
        _variance(means, variances),
        _drift(transitions.step.astype(np.float64), means, variances),
        _columns(transitions.line, means, variances),
        _regular(transitions, factor),
        _shape(record),
    )


def _centred(values: Floats) -> float:
    """Return the sum of squares about the mean."""
    return float(((values - values.mean()) ** 2).sum())


def _ratio(means: Floats, variances: Floats) -> float:
    """Return the mean square of the means' scores, over that of the variances' about theirs."""
    own = _centred(variances) / (variances.size - 1)
    return float((means**2).mean() / max(own, 1e-300))


def _answer(
    name: str,
    statistic: float,
    p_value: float,
    *,
    found: Note,
    otherwise: Note,
    level: float = LEVEL,
) -> Diagnosis:
    departs = p_value < level
    return Diagnosis(name, departs, float(statistic), p_value, found if departs else otherwise)


def _untested(name: str, note: Note) -> Diagnosis:
    return Diagnosis(name, found=False, statistic=None, p_value=None, note=note)


def _mean(means: Floats, variances: Floats) -> Diagnosis:
    statistic = _ratio(means, variances)
    message = translatable(
        "the mean moves more from round to round than the scatter of the variance explains: the"
        " trainer shifts it, or numbers of a round depend on one another"
    )
    return _answer(
        "mean",
        statistic,
        float(fdtrc(means.size, variances.size - 1, statistic)),
        found=Note(message),
        otherwise=Note("the mean moves as the scatter of the variance lets expect"),
    )


def _variance(means: Floats, variances: Floats) -> Diagnosis:
    statistic = _ratio(means, variances)
    message = translatable(
        "the variance scatters more from round to round than the moves of the mean explain: heavy"
        " tails, or a factor that is not the same in every round"
    )
    return _answer(
        "variance",
        statistic,
        float(fdtr(means.size, variances.size - 1, statistic)),
        found=Note(message),
        otherwise=Note("the variance scatters as the moves of the mean let expect"),
    )


def _drift(steps: Floats, means: Floats, variances: Floats) -> Diagnosis:
    """Test whether the factor changes by the same step from transition to transition."""
    about = steps - steps.mean()
    squares = float((about**2).sum())
    slope = float((about * variances).sum()) / squares
    degrees = 2 * variances.size - 2
    left = float((means**2).sum()) + _centred(variances) - slope**2 * squares
    statistic = slope / np.sqrt(max(left, 1e-300) / degrees / squares)
    rises = Note(
        "the factor of the variance rises from round to round; the forecast keeps its mean"
    )
    falls = Note(
        "the factor of the variance falls from round to round; the forecast keeps its mean"
    )
    return _answer(
        "drift",
        statistic,
        float(2.0 * stdtr(degrees, -abs(statistic))),
        found=rises if slope > 0.0 else falls,
        otherwise=Note("the factor of the variance shows no trend"),
        level=DRIFT_LEVEL,
    )


def _columns(lines: Integers, means: Floats, variances: Floats) -> Diagnosis:
    """Test whether all columns have one factor."""
    number = int(lines.max()) + 1
    if number == 1:
        return _untested("columns", Note("there is one column: nothing to compare"))
    own = [variances[lines == line] for line in range(number)]
    inside = sum(_centred(one) for one in own)
    between = _centred(variances) - inside
    degrees = number - 1, 2 * variances.size - number
    within = (float((means**2).sum()) + inside) / degrees[1]
    statistic = between / degrees[0] / max(within, 1e-300)
    message = translatable(
        "the columns differ in their factor of the variance: calibrate them one by one for a"
        " forecast of each"
    )
    return _answer(
        "columns",
        statistic,
        float(fdtrc(*degrees, statistic)),
        found=Note(message),
        otherwise=Note("the columns agree in their factor of the variance"),
    )


def _regular(transitions: NumberTransitions, factor: float) -> Diagnosis:
    """Test whether rounds scatter less than independent draws of their size would."""
    means, variances = transitions.scores(1.0, factor)
    statistic = float((means**2).sum()) + _centred(variances)
    message = translatable(
        "rounds scatter less than independent draws of their size: were numbers copied from round"
        " to round, or drawn by a scheme that evens them out?"
    )
    return _answer(
        "regular",
        statistic,
        float(chdtr(2 * means.size - 1, statistic)),
        found=Note(message),
        otherwise=Note("rounds scatter at least as independent draws of their size do"),
    )


def _shape(record: NumberRecord) -> Diagnosis:
    """Tell whether the numbers look Gaussian, where they were recorded themselves."""
    if record.kurtosis is None:
        return _untested(
            "shape", Note("means and variances say nothing of the shape of the numbers")
        )
    farthest = int(np.abs(record.kurtosis).argmax())
    statistic = float(record.kurtosis.ravel()[farthest])
    note = Note("the numbers look Gaussian in the first and the last round")
    if record.checks:
        message = translatable(
            "{columns} do not look Gaussian ({what}): a spread is not all that can be lost, and"
            " the effective sample size of the variance is not that of the mean"
        )
        names = dict.fromkeys(one.column for one in record.checks)
        what = dict.fromkeys(one.name for one in record.checks)
        note = Note(message, columns=listed(list(names)), what=", ".join(what))
    found = bool(record.checks)
    return Diagnosis("shape", found=found, statistic=statistic, p_value=None, note=note)
