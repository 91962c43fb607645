"""Logs that tools export are read without options: their answers, and what is left out."""

from collections import Counter

import pytest
from span_logs import all_samples
from tool_logs import ANSWERS, MODELS, PROMPT, TEXTS

import hayflick as hf
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.corpus.logs.preset import LogAnswer, presets
from hayflick.corpus.logs.sniffing import recognised

SAMPLES = all_samples()
EXPECTED = [TEXTS[number % len(TEXTS)] for number in range(ANSWERS)]
ONE_OF_EACH = list({one.tool: one for one in reversed(SAMPLES)}.values())


def test_every_tool_has_a_sample():
    assert {one.tool for one in SAMPLES} == set(presets())


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_log_is_read_by_the_preset_of_its_tool(sample):
    preset = recognised(sample.lines[:50])
    assert preset is not None
    assert preset.name == sample.tool
    found = [one for line in sample.lines for one in preset.answers(line)]
    answers = [one for one in found if isinstance(one, LogAnswer)]
    assert [one.text for one in answers] == EXPECTED
    assert Counter(one for one in found if isinstance(one, str)) == sample.reasons
    if answers[0].model is not None:
        assert {one.group for one in answers} == set(MODELS)
    assert {one.prompt for one in answers} <= {PROMPT, None}


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_the_file_of_a_log_is_read_without_options(sample, tmp_path):
    answers = read_answers(sample.write(tmp_path), columns=AnswerColumns(by=None), find_rounds=True)
    assert answers.frame["text"].sort().to_list() == sorted(EXPECTED)
    assert len(answers.rounds) == ANSWERS // 20


@pytest.mark.parametrize("sample", ONE_OF_EACH, ids=str)
def test_a_log_is_watched_without_options(sample, tmp_path):
    result = hf.watch(sample.write(tmp_path))
    assert result.answers == ANSWERS
    (source,) = result.sources
    assert {one.reason: one.number for one in source.left_out} == dict(sample.reasons)
    assert f"--log {sample.tool}" in str(source.notes[0])
