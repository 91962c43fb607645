"""The smallest trial that finds an effect: rounds for so many answers, or answers for rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hayflick.core.errors import ArgumentError
from hayflick.monitor.pilot.pilot_design import (
    MOST_ANSWERS,
    MOST_ROUNDS,
    Aim,
    PilotDesign,
    check_arms,
)
from hayflick.monitor.pilot.power import welch_power
from hayflick.monitor.pilot.variation import Variation

_ANSWERS = 100


def design_pilot(
    aim: Aim,
    *,
    arms: Sequence[str],
    variation: Variation,
    answers: int | None = None,
    rounds: int | None = None,
    price: float | None = None,
    currency: str = "USD",
) -> PilotDesign:
    """Return the smallest trial that finds the effect with the power aimed at.

    Parameters
    ----------
    aim
        What is to be found.
    arms
        Names, the control first.
    variation
        How much numbers vary.
    answers
        Answers in each round; sought where `rounds` is given and this is not, else 100.
    rounds
        Rounds of each arm; sought where None.
    price, currency
        Of an answer.

    Returns
    -------
    The trial; one with both sizes given is returned as it is, whatever its power.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or no size is enough: the message says how many
        rounds it takes.

    Examples
    --------
    >>> aim, variation = Aim(effect=0.1), Variation(sd=0.5, correlation=0.02)
    >>> trial = design_pilot(aim, arms=["control", "fresh"], variation=variation, answers=100)
    >>> trial.rounds, round(trial.power, 3)
    (13, 0.807)
    >>> design_pilot(aim, arms=["control", "fresh"], variation=variation, rounds=20).answers
    35
    """
    check_arms(arms)
    of_answers = variation.correlation is not None
    if of_answers and answers is None and rounds is None:
        answers = _ANSWERS
    trial = PilotDesign(
        arms=tuple(arms),
        rounds=2 if rounds is None else rounds,
        answers=1 if of_answers and answers is None else answers,
        aim=aim,
        variation=variation,
        price=price,
        currency=currency,
    )
    if rounds is None:
        return replace(trial, rounds=rounds_needed(trial))
    if answers is None and of_answers:
        return replace(trial, answers=_enough_answers(trial))
    return trial


def rounds_needed(trial: PilotDesign) -> int:
    """Return how many rounds of its answers a trial takes to have the power aimed at.

    Raises
    ------
    ArgumentError
        If 100,000 rounds are too few.
    """

    def enough(rounds: int) -> bool:
        return replace(trial, rounds=rounds).power >= trial.aim.power

    found = _smallest(enough, at_least=2, at_most=MOST_ROUNDS)
    if found is None:
        takes = f"an effect that {MOST_ROUNDS:,} rounds can find"
        raise ArgumentError("effect", got=trial.aim.effect, takes=takes)
    return found


def _enough_answers(trial: PilotDesign) -> int:
    def enough(answers: int) -> bool:
        return replace(trial, answers=answers).power >= trial.aim.power

    found = _smallest(enough, at_least=1, at_most=MOST_ANSWERS)
    if found is None:
        raise _too_few_rounds(trial)
    return found


def _too_few_rounds(trial: PilotDesign) -> ArgumentError:
    """Return the error for rounds that differ too much for any number of answers."""
    needed = None
    if trial.variation.correlation:
        reached = trial.aim.power
        needed = _smallest(lambda rounds: _best(trial, rounds) >= reached, 3, MOST_ROUNDS)
    if needed is None:
        takes = f"an effect that {MOST_ANSWERS:,} answers in each round can find"
        return ArgumentError("effect", got=trial.aim.effect, takes=takes)
    best = f"endless answers in each would reach a power of {_best(trial, trial.rounds):.0%}"
    return ArgumentError("rounds", got=trial.rounds, takes=f"at least {needed}", remedy=best)


def _best(trial: PilotDesign, rounds: int) -> float:
    """Return the power with endless answers in each round."""
    return welch_power(
        abs(trial.aim.shift),
        variance=trial.variation.of_round(None),
        rounds=rounds,
        level=trial.level,
        sides=trial.aim.sides,
    )


def _smallest(enough: Callable[[int], bool], at_least: int, at_most: int) -> int | None:
    """Return the smallest number that is enough; None where not one is."""
    low, high = at_least - 1, at_least
    while not enough(high):
        if high >= at_most:
            return None
        low, high = high, min(2 * high, at_most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
