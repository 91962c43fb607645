"""An audit as plain values, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hayflick.auditing.audit_result import (
        AuditResult,
        ClassMix,
        CommonPhrase,
        LengthMix,
        MixPart,
    )
    from hayflick.auditing.duplicates import Duplicates
    from hayflick.auditing.leakage import Leakage
    from hayflick.auditing.synthetic_share import SyntheticShare

FORMAT_VERSION = 1
_MOST_PARTS = 1000


def audit_record(result: AuditResult) -> dict[str, Any]:
    """Return an audit as plain values; what was not measured is None."""
    return {
        "format_version": FORMAT_VERSION,
        "name": result.name,
        "items": result.items,
        "blank": result.duplicates.blank,
        "near_duplicates": {
            **_duplicates(result.duplicates, result.redundant_share),
            "effective_clusters": result.effective_clusters,
        },
        "effective_items": asdict(result.effective_items),
        "synthetic_share": _share(result.synthetic_share),
        "detector_share": _share(result.detector_share),
        "phrases": _phrases(result.phrases),
        "templates": _phrases(result.templates),
        "searched": result.searched,
        "scripts": _parts(result.scripts),
        "languages": None if result.languages is None else _parts(result.languages),
        "lengths": _lengths(result.lengths),
        "classes": _classes(result.classes),
        "leakage": _leakage(result.leakage),
        "thresholds": [{**asdict(one), "verdict": one.verdict.value} for one in result.thresholds],
        "clean": None if result.clean is None else asdict(result.clean),
        "provenance": result.provenance(),
    }


def _duplicates(found: Duplicates, share: float) -> dict[str, Any]:
    return {
        "clusters": [{**asdict(one), "examples": list(one.examples)} for one in found.clusters],
        "number": int(found.sizes.size),
        "exact": found.exact,
        "redundant": found.redundant,
        "redundant_share": share,
        "largest": int(found.sizes[0]) if found.sizes.size else None,
        "similarity": found.similarity,
        "recall": found.recall,
        "shingle": found.shingle,
        "notes": [str(note) for note in found.notes],
    }


def _share(share: SyntheticShare | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {
        "value": share.value,
        "low": share.low,
        "high": share.high,
        "confidence": share.confidence,
        "method": share.method,
        "texts": share.texts,
        "uncorrected": share.uncorrected,
        "misfits": [asdict(one) for one in share.misfits],
        "notes": [str(note) for note in share.notes],
    }


def _phrases(phrases: Sequence[CommonPhrase]) -> list[dict[str, Any]]:
    return [asdict(one) for one in phrases]


def _parts(parts: Sequence[MixPart]) -> list[dict[str, Any]]:
    return [asdict(one) for one in parts[:_MOST_PARTS]]


def _lengths(lengths: LengthMix) -> dict[str, Any]:
    return {
        "unit": "words",
        "mean": lengths.mean,
        "quantiles": {f"{share:g}": words for share, words in lengths.quantiles.items()},
        "bins": [asdict(one) for one in lengths.bins],
    }


def _classes(classes: ClassMix | None) -> dict[str, Any] | None:
    if classes is None:
        return None
    return {
        "column": classes.column,
        "number": sum(one.name is not None for one in classes.classes),
        "effective": classes.effective,
        "rare_share": classes.rare_share,
        "number_rare": len(classes.rare),
        "rare": _parts(classes.rare),
        "classes": _parts(classes.classes),
    }


def _leakage(leakage: Leakage | None) -> dict[str, Any] | None:
    if leakage is None:
        return None
    return {
        "items": leakage.items,
        "too_short": leakage.too_short,
        "leaked": int(leakage.leaked.sum()),
        "share": leakage.share,
        "length": leakage.length,
        "threshold": leakage.threshold,
        "examples": [asdict(one) for one in leakage.examples],
    }
