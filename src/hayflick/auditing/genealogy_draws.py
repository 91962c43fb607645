"""The posterior of who has a phrase from whom, as draws.

An answer has the phrase unless nothing made it so. It copies from what it read at the rate c, from
each text as often, and writes the phrase on its own at its author's rate e: if m of the k texts
that it read have the phrase, it has it with the probability 1 - exp(-(e + c m / k)). Which of
these came first in an answer that has it follows from the rates. Rates and genealogies are drawn
from their posterior by Gibbs sampling: given the numbers of such events in each answer, the rates
are gamma variables, those of the authors with a common scale that is drawn too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from hayflick.auditing.phrase_exposure import PhraseExposure
from hayflick.core.arrays import Floats, Integers
from hayflick.core.progress import Progress

_SWEEPS, _BURN_IN, _KEPT_EVERY = 800, 200, 2
_MOST_STEPS = 40_000_000
_OWN_SHAPE, _COPY_SHAPE, _COPY_RATE = 0.5, 0.5, 1.0
_LEAST_OWN = 0.01
_SMALLEST = 1e-280


@final
@dataclass(frozen=True, eq=False)
class GenealogyDraws:
    """Draws from the posterior."""

    carriers: Integers
    """The answers with the phrase, ascending."""
    begins: Integers
    """Where the texts that each of them read begin among the pairs, and the end of the last."""
    read: Integers
    """Those texts, one answer after the other."""
    pairs: Integers
    """Their places among all pairs."""
    own: Floats
    """Probability that each of them did not copy."""
    copying: Floats
    writing: Floats
    """Rates by draw: of copying, and of writing on one's own as a mean over answers."""
    roots: Integers
    """Where each carrier goes back to, by draw: a text, or behind all texts an answer."""


def draw_genealogies(given: PhraseExposure, *, seed: int, progress: Progress) -> GenealogyDraws:
    """Draw rates and genealogies from their posterior."""
    rng = np.random.Generator(np.random.Philox(seed))
    carriers = np.flatnonzero(given.has)
    order = np.argsort(given.read_answer, kind="stable")
    order = order[given.has[given.read_answer[order]]]
    read = given.read_text[order]
    begins = np.searchsorted(given.read_answer[order], np.append(carriers, given.has.size))
    number = np.diff(begins)
    free = ~given.prompted
    answers = np.bincount(given.reader[free], minlength=len(given.readers))
    # The part of what each answer read that has the phrase.
    part = np.bincount(given.read_answer, minlength=given.has.size) / np.maximum(given.reads, 1)
    exposed = part[free & (part > 0)]
    shown = part[carriers]
    whose, asked = given.reader[carriers], given.prompted[carriers]
    sweeps = int(min(_SWEEPS, max(_BURN_IN + 100, _MOST_STEPS // max(1, carriers.size))))
    own_rate, copy_rate, scale = np.full(answers.size, 0.01), 0.3, 50.0
    own = np.zeros(carriers.size)
    copying, writing, roots = [], [], []
    kept = 0
    for sweep in range(sweeps):
        own_hazard, copy_hazard = own_rate[whose], copy_rate * shown
        hazard = own_hazard + copy_hazard
        probability = copy_hazard / hazard
        # The first event of a Poisson process that has one, and how many came after it.
        moment = -np.log1p(rng.random(hazard.size) * np.expm1(-hazard)) / hazard
        first_copied = rng.random(hazard.size) < probability
        later = rng.poisson(hazard * np.clip(1.0 - moment, 0.0, 1.0))
        copied = first_copied + rng.binomial(later, probability)
        written = 1 + later - copied
        copied[asked], written[asked] = 0, 0
        by_writer = np.bincount(whose, written, minlength=answers.size)
        own_rate = np.maximum(rng.gamma(_OWN_SHAPE + by_writer) / (scale + answers), _SMALLEST)
        copy_rate = max(
            rng.gamma(_COPY_SHAPE + copied.sum()) / (_COPY_RATE + exposed.sum()), _SMALLEST
        )
        scale = rng.gamma(1.0 + _OWN_SHAPE * answers.size) / (_LEAST_OWN + own_rate.sum())
        if sweep < _BURN_IN:
            continue
        kept += 1
        own += 1.0 - probability
        if sweep % _KEPT_EVERY == 0:
            copying.append(float(-np.expm1(-copy_rate * exposed).mean()) if exposed.size else 0.0)
            mean = float(own_rate @ answers / max(1, answers.sum()))
            writing.append(-np.expm1(-mean))
            choice = begins[:-1] + (rng.random(number.size) * number).astype(np.int64)
            copies = first_copied & ~asked & (number > 0)
            parent = np.where(
                copies, read[np.minimum(choice, read.size - 1)] if read.size else 0, -1
            )
            roots.append(_roots(given, carriers, parent))
        progress("tracing the phrase", sweep, sweeps)
    own /= max(1, kept)
    own[asked] = 1.0
    return GenealogyDraws(
        carriers,
        begins,
        read,
        order,
        own,
        np.array(copying),
        np.array(writing),
        np.array(roots, dtype=np.int64).reshape(len(roots), carriers.size),
    )


def _roots(given: PhraseExposure, carriers: Integers, parent: Integers) -> Integers:
    """Return where each carrier goes back to, from the text that it copied (-1 for none)."""
    texts = given.texts
    pointer = np.arange(texts + given.has.size)
    is_answer = given.origin >= 0
    pointer[:texts][is_answer] = texts + given.origin[is_answer]
    copied = parent >= 0
    pointer[texts + carriers[copied]] = parent[copied]
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            found: Integers = pointer[texts + carriers]
            return found
        pointer = further
