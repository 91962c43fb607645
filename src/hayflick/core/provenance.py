"""Provenance of a result: version, parameters, seed and environment."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any

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


@cache
def _version(library: str) -> str | None:
    try:
        return installed_version(library)
    except PackageNotFoundError:
        return None
