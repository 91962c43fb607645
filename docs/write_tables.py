"""The tables of docs/reference that come from registries, between markers in written pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from hayflick.chains.degradation import DEGRADATIONS
from hayflick.chains.family import FamilyData, families
from hayflick.chains.samplers import SAMPLERS
from hayflick.chains.selection import SELECTIONS
from hayflick.chains.stages import GRIDS
from hayflick.core.grammar import Entry
from hayflick.core.source import Source
from hayflick.detection.parsing import charts
from hayflick.diversity.metrics import METRICS, Direction, Metric, MetricSource, Unit
from hayflick.embed.embedder import EMBEDDERS
from hayflick.network.pool import POLICIES
from hayflick.network.retrieval import RETRIEVALS
from hayflick.network.topology import TOPOLOGIES
from hayflick.regimes.regime import regimes

HERE = Path(__file__).with_name("reference")
_BAD = {
    Direction.HIGHER: "lower",
    Direction.LOWER: "higher",
    Direction.STEADY: "neither; a change is looked at",
}
_DEFINED = {
    MetricSource.VECTORS: "from-vectors",
    MetricSource.BASELINE_VECTORS: "from-vectors",
    MetricSource.GROUPS: "from-vectors-of-several-agents",
}
_RANGES = {
    "spread": "0 to 1",
    "between_prompts": "0 to 1",
    "mean_cosine": "−1 to 1",
    "generalised_variance": "any",
    "effective_rank": "1 to the dimension",
    "participation_ratio": "1 to the dimension",
    "vendi_1": "1 to the number of answers",
    "effective_answers": "1 to the common number of answers",
    "effective_words": "1 to the common number of words",
    "hill_0": "1 or more",
    "hill_1": "1 or more",
    "hill_2": "1 or more",
    "compression_ratio": "above 0",
}
_ESTIMATED = {
    "spread": "estimated from disjoint pairs drawn at random",
    "between_prompts": "estimated from pairs of prompts drawn once from the baseline",
    "effective_answers": "mean over random subsets of the common size",
    "effective_words": "expected over samples of the common size",
    "near_duplicate_rate": "exact up to 10,000 answers, then estimated",
    "noise_floor": "estimated from the scatter within groups",
    "drift": "estimated from at most 1,000 answers of either side",
    "drift_p": "estimated by permutations",
}


def metrics() -> str:
    """Return the table of the numbers of a round."""
    rows = ["| name | meaning | range | worse is | measured on | how |", "| --- |" + " --- |" * 5]
    rows += [_metric_row(metric) for metric in METRICS]
    return "\n".join(rows)


def _metric_row(metric: Metric) -> str:
    share = "0 to 1" if metric.unit is Unit.SHARE else "0 or more"
    anchor = _DEFINED.get(metric.needs, "from-words")
    cells = (
        f"[`{metric.name}`](../diversity.md#{anchor})",
        metric.meaning,
        _RANGES.get(metric.name, share),
        _BAD[metric.healthy],
        metric.needs.value,
        _ESTIMATED.get(metric.name, "exact"),
    )
    return f"| {' | '.join(cells)} |"


def _entries() -> Mapping[str, Mapping[str, Entry[object]]]:
    return {
        "family": families(FamilyData()),
        "regime": regimes(Source("")),
        "sampler": SAMPLERS,
        "degradation": DEGRADATIONS,
        "selection": SELECTIONS,
        "rounding": GRIDS,
        "chart": charts(),
        "embedder": EMBEDDERS,
        "retrieval": RETRIEVALS,
        "topology": TOPOLOGIES,
        "pool policy": POLICIES,
    }


def grammar() -> str:
    """Return the table of everything that is named in the grammar."""
    rows = ["| what | names and keys |", "| --- | --- |"]
    for what, entries in _entries().items():
        usages = ", ".join(f"`{entry.usage(name)}`" for name, entry in entries.items())
        rows.append(f"| {what} | {usages} |")
    return "\n".join(rows)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "metrics": ("metrics.md", metrics),
    "grammar": ("conventions.md", grammar),
}


def pages() -> dict[Path, str]:
    """Return every page that has a table, with the table of the day."""
    found = {HERE / name: (HERE / name).read_text(encoding="utf-8") for name, _ in TABLES.values()}
    for marker, (name, table) in TABLES.items():
        between = rf"(<!-- {marker} -->\n).*?(<!-- end of {marker} -->)"
        text = found[HERE / name]
        found[HERE / name] = re.sub(
            between, lambda m, table=table: f"{m[1]}{table()}\n{m[2]}", text, flags=re.DOTALL
        )
    return found
