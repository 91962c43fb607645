"""What several rooms' tests share."""

import signal
from pathlib import Path

import numpy as np
import pytest

from hayflick.chains.discrete import Discrete

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_works():
    # A job that a shell started in the background ignores it, and so would its tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
