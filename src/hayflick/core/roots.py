"""A root of a function of one number, where loading `scipy.optimize` takes longer than finding it.

References
----------
Chandrupatla, *A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
function without using derivatives*, Advances in Engineering Software 28 (1997).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

_MOST_STEPS = 1000


def root_between(
    function: Callable[[float], float], low: float, high: float, *, tolerance: float = 1e-12
) -> float:
    """Return a root of a continuous function between two numbers.

    Parameters
    ----------
    function
        Its values at the two numbers differ in sign.
    low, high
        The two numbers.
    tolerance
        Largest error of the root, beside its rounding.

    Examples
    --------
    >>> round(root_between(lambda x: x * x - 2.0, 0.0, 2.0), 12)
    1.414213562373
    """
    # The root lies between a and b; c is where a or b was before.
    a, b, at_a, at_b = high, low, function(high), function(low)
    if at_a == 0.0 or at_b == 0.0:
        return a if at_a == 0.0 else b
    best, step = a, 0.5
    for _ in range(_MOST_STEPS):
        x = a + step * (b - a)
        at_x = function(x)
        if math.copysign(1.0, at_x) == math.copysign(1.0, at_a):
            c, at_c = a, at_a
        else:
            b, at_b, c, at_c = a, at_a, b, at_b
        a, at_a = x, at_x
        best, at_best = (a, at_a) if abs(at_a) < abs(at_b) else (b, at_b)
        smallest = (2.0 * sys.float_info.epsilon * abs(best) + tolerance) / abs(b - a)
        if at_best == 0.0 or smallest > 1.0:
            break
        step = 0.5
        place, level = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
        if level**2 < place and (1.0 - level) ** 2 < 1.0 - place:
            # Inverse quadratic interpolation through the three points.
            step = at_a / (at_b - at_a) * at_c / (at_b - at_c)
            step += (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
        step = min(max(step, smallest / 2.0), 1.0 - smallest / 2.0)
    return best
