"""What an audit's result holds, and its plain values."""

import json

import numpy as np
import pytest

from hayflick.auditing.audit_result import (
    AuditResult,
    ClassMix,
    EffectiveItems,
    LengthBin,
    LengthMix,
    MixPart,
    ThresholdCheck,
    ThresholdVerdict,
)
from hayflick.auditing.duplicates import find_duplicates
from hayflick.auditing.synthetic_share import ConfusionCounts, rogan_gladen

TEXTS = ["The cat sat.", "the cat sat", "A dog ran.", "The cat sat.", " "]


def result(**fields):
    effective = EffectiveItems(
        value=1.8, low=1.8, high=1.8, confidence=0.95, kernel="near copies", order=1.0, measured=4
    )
    lengths = LengthMix(mean=3.0, quantiles={0.0: 3, 1.0: 3}, bins=(LengthBin(2, 3, 4),))
    return AuditResult(
        name="pets.csv",
        duplicates=find_duplicates(TEXTS),
        effective_items=effective,
        lengths=lengths,
        rows=np.arange(1, 6),
        settings={},
        seed=1,
        **fields,
    )


def test_plain_values_have_the_promised_names_and_are_json():
    known = ConfusionCounts(900, 100, 50, 950)
    record = result(detector_share=rogan_gladen(300, 1000, confusion=known)).to_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["items"] == 5
    assert record["blank"] == 1
    [cluster] = record["near_duplicates"]["clusters"]
    assert (cluster["size"], cluster["examples"]) == (3, ["The cat sat.", "the cat sat"])
    assert record["near_duplicates"]["redundant_share"] == pytest.approx(2 / 4)
    assert record["effective_items"]["value"] == 1.8
    share = record["synthetic_share"]
    assert share["low"] < share["value"] < share["high"]
    assert share["method"] == "detector"


def test_without_references_there_is_no_synthetic_share():
    assert result().to_dict()["synthetic_share"] is None


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("max-duplicates", 0.1, "passed"),
        ("max-duplicates", 0.1 + 1e-9, "failed"),
        ("min-effective", 0.1, "passed"),
        ("min-effective", 0.099, "failed"),
        ("max-synthetic", None, "not measured"),
    ],
)
def test_a_threshold_passes_up_to_its_limit(name, value, verdict):
    check = ThresholdCheck(name, 0.1, value)
    assert check.verdict is ThresholdVerdict(verdict)
    assert result(thresholds=(check,)).failed == ((check,) if verdict == "failed" else ())


def test_rare_classes_are_named_the_rarest_first():
    parts = (MixPart("a", 90, 0.9, 0), MixPart(None, 7, 0.07, 0), MixPart("b", 2, 0.02, 0))
    mix = ClassMix("kind", (*parts, MixPart("c", 1, 0.01, 0)), 1.5, 0.05)
    assert [one.name for one in mix.rare] == ["c", "b"]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_page_tables_and_notebook_show_it(tmp_path, lang):
    page = result(thresholds=(ThresholdCheck("max-duplicates", 0.1, 0.5),))
    written = page.save(tmp_path / "audit.html", lang=lang).read_text()
    assert "The cat sat." in written
    assert "--max-duplicates" in written
    assert "pets.csv" in page._repr_html_()
