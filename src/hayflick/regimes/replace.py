"""Replace: every generation is trained on the previous model's output alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from hayflick.core.records import Mix


@final
@dataclass(frozen=True, slots=True)
class Replace:
    """Train on n draws from θ_k and nothing else.

    Examples
    --------
    >>> Replace().mix(1, samples=1000).generated
    1000
    """

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:  # noqa: ARG002
        """Return the training set of a generation."""
        return Mix(generated=samples)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix."""
        return True

    def describe(self) -> str:
        """Return the regime in the grammar of the command line."""
        return "replace"
