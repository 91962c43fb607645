"""Seeds, random streams, and the record that makes a result again."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

import numpy as np

from hayflick.core.checks import whole_number
from hayflick.core.version import __version__

FORMAT_VERSION = 1
"""Version of the provenance record."""

# The libraries that tokens, random draws and figures depend on.
_LIBRARIES = ("numpy", "numba", "scipy", "polars", "xarray", "sudachipy", "sudachidict-core")


def provenance(parameters: Mapping[str, Any], *, seed: int | None = None) -> dict[str, Any]:
    """Return the record that every saved result carries.

    It has neither the time nor the host name: the same call gives the same record.

    Parameters
    ----------
    parameters
        Names and values that reproduce the result, ready for JSON.
    seed
        The seed, if there is one.

    Examples
    --------
    >>> record = provenance({"generations": 50}, seed=7)
    >>> record["software"], record["parameters"]["generations"], record["seed"]
    ('hayflick', 50, 7)
    """
    return {
        "format_version": FORMAT_VERSION,
        "software": "hayflick",
        "version": __version__,
        "parameters": dict(parameters),
        "seed": seed,
        "environment": {
            "python": platform.python_version(),
            "platform": f"{platform.system()}-{platform.machine()}",
            **{name: _version(name) for name in _LIBRARIES},
        },
    }


def time_of_writing() -> str:
    """Return the time for the header of a page, to the minute, in UTC.

    The environment variable ``SOURCE_DATE_EPOCH`` (seconds since 1970) replaces the clock, so
    that the same call can write the same page.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    try:
        now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):
        now = datetime.now(UTC)
    return f"{now:%Y-%m-%d %H:%M} UTC"


@cache
def _version(library: str) -> str | None:
    try:
        return installed_version(library)
    except PackageNotFoundError:
        return None


LOGICAL_BLOCK = 32
"""Replicates that share one random stream."""


def fresh_seed() -> int:
    """Return a seed from the operating system's entropy, small enough to type.

    Examples
    --------
    >>> 0 <= fresh_seed() < 2**32
    True
    """
    return int(np.random.SeedSequence().generate_state(1)[0])


def stream(seed: int, *, block: int) -> np.random.Generator:
    """Return the generator of one logical block.

    Parameters
    ----------
    seed
        The run's seed, at least 0.
    block
        Index of the logical block, from 0.

    Raises
    ------
    ArgumentError
        If `seed` or `block` is negative or no integer.

    Examples
    --------
    >>> float(stream(7, block=0).random()) == float(stream(7, block=0).random())
    True
    >>> float(stream(7, block=0).random()) == float(stream(7, block=1).random())
    False
    """
    seed = whole_number("seed", seed, at_least=0)
    block = whole_number("block", block, at_least=0)
    sequence = np.random.SeedSequence(seed, spawn_key=(block,))
    return np.random.Generator(np.random.Philox(sequence))


def logical_blocks(replicates: int) -> Iterator[tuple[int, int]]:
    """Yield (block, replicates in it) for a run of `replicates`.

    Examples
    --------
    >>> list(logical_blocks(70))
    [(0, 32), (1, 32), (2, 6)]
    """
    for block, first in enumerate(range(0, replicates, LOGICAL_BLOCK)):
        yield block, min(LOGICAL_BLOCK, replicates - first)
