"""Studies of networks: interacting mixtures, and experiments with built-in agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import override

from hayflick.sweeps.network_quantities import DISTANCE
from hayflick.sweeps.study import (
    SEVERAL,
    CellStudy,
    Count,
    Name,
    Names,
    Range,
    Rounds,
    Share,
    SimulatedStudy,
    as_list,
    check_values,
)

_SHARE_READ = 0.5
_LOG = Range(log=True, whole=True)
_FROM_ZERO = Range(log=False, whole=True)

_Counts = Annotated[list[Count], *SEVERAL]
_CountsFromZero = Annotated[list[Annotated[int, Field(ge=0, lt=2**53)]], *SEVERAL]
_Agents = Annotated[int, Field(ge=2, le=10_000)]
_Components = Annotated[int, Field(ge=2, le=10_000)]
_Positive = Annotated[float, Field(gt=0.0, lt=1e9)]


class NetworkStudy(SimulatedStudy):
    """A study of interacting mixtures, ``kind = "network"``; `docs/sweeps.md` explains every key.

    Examples
    --------
    >>> study = NetworkStudy.of({
    ...     "format_version": 1, "kind": "network", "agents": [3, 30], "rounds": 40,
    ...     "injected": [0, 1, 5],
    ... })
    >>> study.number_of_cells, study.most_replicates
    (6, 20)
    """

    axes: ClassVar[tuple[str, ...]] = (
        "topology",
        "components",
        "deviation",
        "agents",
        "draws",
        "share_read",
        "read",
        "originals",
        "injected",
        "rounds",
        "seed",
    )
    ranges: ClassVar[Mapping[str, Range]] = {
        "components": _LOG,
        "deviation": Range(log=True, whole=False),
        "agents": _LOG,
        "draws": _LOG,
        "share_read": Range(log=False, whole=False),
        "read": _LOG,
        "originals": _FROM_ZERO,
        "injected": _FROM_ZERO,
        "rounds": _LOG,
    }
    fewest_runs: ClassVar[int] = 20
    most_runs: ClassVar[int] = 5120

    kind: Literal["network"]
    replicates: int | None = Field(default=None, ge=1, le=100_000)
    topology: Names = Field(default_factory=lambda: ["complete"])
    components: Annotated[list[_Components], *SEVERAL] = Field(default_factory=lambda: [2])
    deviation: Annotated[list[_Positive], *SEVERAL] = Field(default_factory=lambda: [1.0])
    agents: Annotated[list[_Agents], *SEVERAL]
    draws: _Counts = Field(default_factory=lambda: [1])
    share_read: Annotated[list[Share], *SEVERAL] = Field(default_factory=list)
    read: _Counts = Field(default_factory=list)
    originals: _CountsFromZero = Field(default_factory=lambda: [0])
    injected: _CountsFromZero = Field(default_factory=lambda: [0])
    rounds: Annotated[list[Rounds], *SEVERAL]
    quantity: Literal["distance", "components"] = "distance"

    @model_validator(mode="after")
    def _one_way_of_reading(self) -> Self:
        if self.read and self.share_read:
            raise ValueError("either read, a number of points, or share_read, a share of them")
        return self

    @override
    def values_of(self, name: str) -> Sequence[Any]:
        if name == "share_read" and not self.read and not self.share_read:
            return [_SHARE_READ]
        return super().values_of(name)

    @override
    def columns(self) -> Mapping[str, type]:
        others = {"topology": str, "deviation": float, "share_read": float}
        return {name: others.get(name, int) for name in self.axes}

    @property
    @override
    def is_network(self) -> bool:
        return True

    @property
    @override
    def measures_distance(self) -> bool:
        return self.quantity == DISTANCE

    @property
    @override
    def real_setting(self) -> str:
        return "injected"


class TrainedNetworkStudy(CellStudy):
    """A study of models that are trained on one another's output, all of it by law.

    Examples
    --------
    >>> study = TrainedNetworkStudy.of({
    ...     "format_version": 1, "kind": "trained-network", "agents": 8, "samples": [100, 1000],
    ...     "share": [0.0, 0.01, 0.1], "rounds": 50,
    ... })
    >>> study.number_of_cells
    6
    """

    axes: ClassVar[tuple[str, ...]] = ("topology", "share", "samples", "agents", "rounds")
    ranges: ClassVar[Mapping[str, Range]] = {
        "share": Range(log=False, whole=False),
        "samples": _LOG,
        "agents": _LOG,
        "rounds": _LOG,
    }

    kind: Literal["trained-network"]
    topology: Names = Field(default_factory=lambda: ["complete"])
    share: Annotated[list[Share], *SEVERAL] = Field(default_factory=lambda: [0.0])
    samples: _Counts
    agents: Annotated[list[_Agents], *SEVERAL]
    rounds: Annotated[list[Rounds], *SEVERAL]
    quantity: Literal["total", "within"] = "total"

    @model_validator(mode="after")
    def _no_seed(self) -> Self:
        if "seed" in self.model_fields_set and self.number_of_points is None:
            raise ValueError("no seed: every cell is answered by a law")
        return self

    @override
    def columns(self) -> Mapping[str, type]:
        others = {"topology": str, "share": float}
        return {name: others.get(name, int) for name in self.axes}

    @property
    @override
    def is_network(self) -> bool:
        return True

    @property
    @override
    def real_setting(self) -> str:
        return "share"


def _flat(values: object) -> dict[str, Any]:
    """Return tables in tables as one, with the keys joined by dots."""
    if not isinstance(values, Mapping):
        raise ValueError("a table: below [vary] a key of the experiment on each line")
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{rest}": one for rest, one in _flat(value).items()}
        else:
            found[str(key)] = value
    return found


def _varied_keys(varied: dict[str, list[Any]]) -> dict[str, list[Any]]:
    if "seed" in varied:
        raise ValueError("no seed; name the seeds beside [vary]: seed = [1, 2, 3]")
    for key, values in varied.items():
        kinds = {float if type(one) is int else type(one) for one in values}
        if not kinds <= {float, str, bool}:
            raise ValueError(f"numbers, texts, true or false; those of {key} are of another kind")
        if len(kinds) > 1:
            raise ValueError(f"values of one kind; those of {key} are texts and numbers")
        check_values(values, of=key)
    return {
        key: [float(one) for one in values] if float in set(map(type, values)) else values
        for key, values in varied.items()
    }


class ExperimentStudy(CellStudy):
    """A study of runs of an experiment, of which keys are varied; one run is a cell.

    Examples
    --------
    >>> study = ExperimentStudy.of({
    ...     "format_version": 1, "experiment": "village.toml", "seed": [1, 2, 3],
    ...     "vary": {"pool": {"inject": [0, 3]}, "topology": ["complete", "ring:1"]},
    ... })
    >>> study.settings(), study.number_of_cells
    (('pool.inject', 'topology', 'seed'), 12)
    """

    axes: ClassVar[tuple[str, ...]] = ("seed",)
    ranges: ClassVar[Mapping[str, Range]] = {}

    kind: Literal["network"] = "network"
    experiment: Name
    vary: Annotated[
        dict[str, Annotated[list[Any], BeforeValidator(as_list)]],
        BeforeValidator(_flat),
        AfterValidator(_varied_keys),
    ] = Field(default_factory=dict)
    quantity: Literal["distance", "words"] = "distance"

    @override
    def settings(self) -> tuple[str, ...]:
        return (*self.vary, "seed")

    @override
    def values_of(self, name: str) -> Sequence[Any]:
        return self.seed if name == "seed" else self.vary[name]

    @override
    def range_settings(self) -> Mapping[str, Range]:
        # An experiment's numbers have no natural scale.
        kinds = {name: set(map(type, values)) for name, values in self.vary.items()}
        numbers = {name: kind for name, kind in kinds.items() if kind <= {int, float}}
        return {name: Range(log=False, whole=kind == {int}) for name, kind in numbers.items()}

    @override
    def columns(self) -> Mapping[str, type]:
        return {name: type(values[0]) for name, values in self.vary.items()} | {"seed": int}

    @property
    @override
    def is_network(self) -> bool:
        return True

    @property
    @override
    def measures_distance(self) -> bool:
        return self.quantity == DISTANCE

    @property
    @override
    def real_setting(self) -> str:
        return "pool.inject"
