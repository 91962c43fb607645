"""Write the reserve that a plan recommends, as a file that ``anchor:`` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_writable, write_text
from hayflick.corpus.counts import Counts
from hayflick.planning.plan_result import Plan
from hayflick.regimes.anchor import Anchor


def check_reserve_file(
    path: str | os.PathLike[str],
    *,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool = False,
) -> None:
    """Refuse a file that cannot be written, before any work starts.

    Raises
    ------
    ArgumentError
        If the name is not one of a JSON file.
    OutputError
        If it exists and `force` is not set, is an input, or cannot be written.
    """
    if Path(path).suffix.lower() != ".json":
        raise ArgumentError("reserve_out", got=str(path), takes="a file name that ends in .json")
    check_not_input(Path(path), inputs)
    check_writable(Path(path), force=force)


def write_planned_reserve(
    plan: Plan, path: str | os.PathLike[str], *, force: bool = False
) -> Counts:
    """Write the recommended reserve as a JSON object of symbol: number of stored items.

    The regime ``anchor:FILE.json`` is then the recommended design.

    Returns
    -------
    The stored items.

    Raises
    ------
    ArgumentError
        If the plan recommends no reserve of symbols, or the name is not one of a JSON file;
        nothing is written then.
    OutputError
        If the file exists and `force` is not set, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.plan import plan
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> result = plan(words, keep=0.8, generations=10, replicates=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_planned_reserve(result, f"{folder}/stored.json").symbols
    ('here',)
    """
    check_reserve_file(path, force=force)
    stored = _stored(plan)
    counts = zip(stored.symbols, stored.numbers.tolist(), strict=True)
    text = json.dumps(dict(counts), ensure_ascii=False, indent=0)
    write_text(Path(path), f"{text}\n", force=force)
    return stored


def _stored(plan: Plan) -> Counts:
    regime = None if plan.best is None else plan.best.regime
    if isinstance(regime, Anchor):
        return regime.reserve
    kind = "no design" if plan.best is None else f"the design {plan.best.kind}"
    raise ArgumentError(
        "reserve_out",
        got=f"a plan that recommends {kind}",
        takes="one that recommends stored items of labels or words: there are none to write",
    )
