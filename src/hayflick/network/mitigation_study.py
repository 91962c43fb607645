"""Both grids of a question: built-in agents, and the mixtures that stand in for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hayflick.core.progress import Progress, silent
from hayflick.core.provenance import provenance
from hayflick.network.experiment import Experiment
from hayflick.network.mitigated import Mitigated
from hayflick.network.mitigation import mitigation
from hayflick.network.mitigation_surrogate import surrogate_mitigation


@dataclass(frozen=True, eq=False, kw_only=True)
class MitigationStudy:
    """What came of both grids.

    Parameters
    ----------
    experiment
        What the agents' grid is made of.
    axes
        What was varied, by name.
    agents
        Cases of the built-in agents.
    surrogate
        Cases of the interacting mixtures.
    """

    experiment: Experiment
    axes: dict[str, list[Any]]
    agents: Sequence[Mitigated]
    surrogate: Sequence[Mitigated]

    def provenance(self) -> dict[str, Any]:
        """Return what the study was made with."""
        values = self.experiment.model_dump(mode="json", exclude={"seed", "budget"})
        return provenance({"axes": self.axes, "experiment": values}, seed=self.experiment.seed)


def mitigation_study(
    experiment: Experiment,
    *,
    folder: Path,
    injections: Sequence[int] = (0, 3, 9),
    topologies: Sequence[str] = ("complete", "ring:1"),
    models: Sequence[int] = (4, 8),
    irrelevant: Sequence[float] = (0.0, 0.25),
    prompts: Sequence[str] | None = None,
    progress: Progress = silent,
) -> MitigationStudy:
    """Run both grids; the mixtures take the same injections, topologies and numbers of models.

    Parameters
    ----------
    experiment, folder, injections, topologies, models, irrelevant, prompts, progress
        As of `hayflick.network.mitigation.mitigation`.

    Raises
    ------
    ArgumentError
        If the grid cannot be run on the experiment, or a value is out of its range.
    """
    axes: dict[str, Any] = {
        "injections": injections,
        "topologies": topologies,
        "models": models,
    }
    agents = mitigation(
        experiment,
        folder=folder,
        **axes,
        irrelevant=irrelevant,
        prompts=prompts,
        progress=progress,
    )
    surrogate = surrogate_mitigation(**axes, seed=experiment.seed, progress=progress)
    asked = list(dict.fromkeys(case.prompts for case in agents))
    varied = {**axes, "irrelevant": irrelevant, "prompts": asked}
    return MitigationStudy(
        experiment=experiment,
        axes={name: list(values) for name, values in varied.items()},
        agents=agents,
        surrogate=surrogate,
    )
