"""The stages of a round that are not the family's own, in one record."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from hayflick.chains.stages.degradation import Degradation
from hayflick.chains.stages.rounding import Grid
from hayflick.chains.stages.samplers import Sampler
from hayflick.chains.stages.selection import Selection
from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError


@dataclass(frozen=True, eq=False)
class Stages:
    """What else happens in a round; a stage that is None is absent.

    Parameters
    ----------
    sampler
        Changes a model's law before it is drawn from.
    degradation
        Goes wrong with draws.
    selection
        Lets draws in, or not.
    real_weight
        Weight of a real item in the fit, a generated one weighing 1; above 0.
    rounding
        Grid of the fitted parameters.

    Raises
    ------
    ArgumentError
        If `real_weight` is out of its range.

    Examples
    --------
    >>> from hayflick.chains.stages.samplers import TopK
    >>> Stages(sampler=TopK(40)).describe()
    {'sampler': 'top-k:40'}
    """

    sampler: Sampler | None = None
    degradation: Degradation | None = None
    selection: Selection | None = None
    real_weight: float = 1.0
    rounding: Grid | None = None

    def __post_init__(self) -> None:
        weight = number_between("real_weight", self.real_weight, low=1e-9, high=1e9)
        object.__setattr__(self, "real_weight", weight)

    def given(self) -> dict[str, Any]:
        """Return the stages that are not absent, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        absent = {"real_weight": 1.0}
        return {name: v for name, v in values.items() if v is not None and v != absent.get(name)}

    def check(self, family: str, takes: dict[str, tuple[type, ...]]) -> None:
        """Refuse stages that a family does not know.

        Parameters
        ----------
        family
            Its name.
        takes
            The types that it takes, by stage.

        Raises
        ------
        ArgumentError
            If another is given.
        """
        for name, stage in self.given().items():
            known = takes.get(name, ())
            if not isinstance(stage, known):
                got = stage if isinstance(stage, float) else type(stage).__name__
                names = ", ".join(kind.__name__ for kind in known) or "none"
                raise ArgumentError(name, got=got, takes=f"for the family {family}: {names}")

    def describe(self) -> dict[str, Any]:
        """Return the stages that are not absent, ready for JSON."""
        return {
            name: stage if isinstance(stage, float) else stage.describe()
            for name, stage in self.given().items()
        }
