"""From a fitted law to the law of what arrives in the training set.

Draws are independent, so sampler, degradation and selection change their law and nothing
else: the statistic is drawn from the changed law directly, never item by item.
"""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.chains.stages.degradation import Confusion, Contamination, LabelNoise
from hayflick.chains.stages.record import Stages
from hayflick.chains.stages.selection import Quality, Verifier, select
from hayflick.core.arrays import Floats

DISCRETE_DEGRADATIONS = (LabelNoise, Confusion, Contamination)
DISCRETE_SELECTIONS = (Verifier, Quality)


@dataclass(frozen=True, eq=False)
class GeneratedLaw:
    """Sampler, degradation and selection of a law over symbols.

    Parameters
    ----------
    stages
        What happens to draws.
    foreign
        The contaminating law; None without contamination.
    confusion
        The confusion matrix; None without one.
    acceptance
        Chances of being accepted; None without selection.
    """

    stages: Stages
    foreign: Floats | None
    confusion: Floats | None
    acceptance: Floats | None

    @classmethod
    def of(cls, stages: Stages, symbols: tuple[str, ...]) -> GeneratedLaw:
        """Return the stages made ready for symbols.

        Raises
        ------
        ArgumentError
            If a stage names symbols that are not there, or is of another size.
        """
        degradation, selection = stages.degradation, stages.selection
        foreign = degradation.foreign(symbols) if isinstance(degradation, Contamination) else None
        acceptance = None
        if isinstance(selection, Verifier | Quality):
            acceptance = selection.acceptance(symbols)
        confusion = degradation.matrix(symbols) if isinstance(degradation, Confusion) else None
        return cls(stages, foreign, confusion, acceptance)

    def of_law(self, law: Floats) -> Floats:
        """Return the law of what arrives, shape ``(…, symbols)`` as given."""
        degradation = self.stages.degradation
        if self.stages.sampler is not None:
            law = self.stages.sampler.reweight(law)
        if isinstance(degradation, Contamination):
            law = degradation.degrade(law, self.foreign)
        elif isinstance(degradation, LabelNoise):
            law = degradation.degrade(law)
        elif self.confusion is not None:
            law = law @ self.confusion
        return law if self.acceptance is None else select(law, self.acceptance)
