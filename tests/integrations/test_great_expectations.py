"""The how-to for Great Expectations: an expectation of one's own."""

import pytest
from doc_examples import examples
from pipeline_answers import day_of_answers, write_answers

gx = pytest.importorskip(
    "great_expectations", reason="not installed: make test-integrations ENV=great-expectations"
)


@pytest.fixture
def checkpoint(tmp_path):
    write_answers(tmp_path / "healthy.jsonl", days=10)
    (example,) = examples("gates.md", "Great Expectations")
    names = {"__name__": "pipeline"}
    exec(compile(example.replace("/data/", f"{tmp_path}/"), "gates.md", "exec"), names)
    return names["checkpoint"]


def validated(checkpoint, rows):
    import pandas

    run = checkpoint.run(batch_parameters={"dataframe": pandas.DataFrame(rows)})
    (validation,) = run.run_results.values()
    (expectation,) = validation.results
    assert run.success == expectation.success
    return expectation


def test_answers_like_the_healthy_ones_pass(checkpoint):
    found = validated(checkpoint, day_of_answers(25, answers=200))
    assert found.success
    assert found.result["observed_value"] == {}


def test_answers_that_lost_diversity_fail_by_name(checkpoint):
    found = validated(checkpoint, day_of_answers(25, words=4, answers=200))
    assert not found.success
    lost = found.result["observed_value"]
    assert {"effective_words", "spread"} <= set(lost)
    assert lost["effective_words"] < 0.1


def test_too_few_answers_fail_with_the_reason(checkpoint):
    found = validated(checkpoint, day_of_answers(25, answers=5))
    assert not found.success
    (failure,) = found.exception_info.values()
    assert "a comparison takes at least 20 on each side" in failure["exception_message"]
