"""What several rooms' tests share."""

from pathlib import Path

import numpy as np
import pytest

from hayflick.chains.discrete import Discrete

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def wikitext() -> Path:
    path = SHARED / "wikitext2-500k.txt"
    if not path.exists():
        pytest.skip(f"{path} is not here; tests/corpus has smaller ones for the same code")
    return path


@pytest.fixture
def words() -> Discrete:
    return Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(20261121))
