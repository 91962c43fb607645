"""Logs that tools export are read without options: their answers, and what is left out."""

from collections import Counter

import pytest
from span_logs import all_samples
from tool_logs import ANSWERS, MODELS, PROMPT, TEXTS

import hayflick as hf
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.corpus.logs.preset import REASONS, LogAnswer, presets
from hayflick.corpus.logs.sniffing import recognised

SAMPLES = all_samples()
EXPECTED = [TEXTS[number % len(TEXTS)] for number in range(ANSWERS)]
ONE_OF_EACH = list({one.tool: one for one in reversed(SAMPLES)}.values())


def test_every_tool_has_a_sample():
    assert {one.tool for one in SAMPLES} == set(presets())


def test_every_reason_of_a_preset_is_known_to_the_catalogues():
    assert {one.reason for preset in presets().values() for one in preset.conditions} == REASONS


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


def test_what_a_tool_was_told_to_hide_is_counted():
    message = {"role": "assistant", "content": "redacted-by-litellm"}
    call = {"startTime": 1.79e9, "messages": [], "response": {"choices": [{"message": message}]}}
    assert list(presets()["litellm"].answers(call)) == ["answers that the tool was told to hide"]


def test_several_choices_are_an_answer_each_and_parts_of_one_are_not():
    choices = [{"message": {"content": text}} for text in ("Yes.", "No.")]
    blocks = [{"type": "text", "text": text} for text in ("Yes,", "and no.")]
    answered = [{"choices": choices}, {"content": blocks}]
    litellm = presets()["litellm"]
    found = [[one.text for one in litellm.answers({"response": one})] for one in answered]
    assert found == [["Yes.", "No."], ["Yes,\nand no."]]


def test_of_a_conversation_the_last_message_counts_if_a_model_wrote_it():
    told = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "There."}]
    run = {"run_type": "llm", "outputs": {"messages": told}}
    (answer,) = presets()["langsmith"].answers(run)
    assert answer.text == "There."
    asked = {"run_type": "llm", "outputs": {"messages": told[:1]}}
    assert list(presets()["langsmith"].answers(asked)) == ["records without an answer"]


@pytest.mark.parametrize("by", ["time", "endTime"])
@pytest.mark.parametrize(("zone", "days"), [(None, 4), ("Asia/Tokyo", 5)])
def test_rounds_of_a_log_are_windows_of_the_times_that_are_named(by, zone, days, tmp_path):
    # The first answer is at 8 o'clock in UTC, and there is one every 20 minutes.
    path = SAMPLES[0].write(tmp_path)
    columns = AnswerColumns(by=by)
    answers = read_answers(path, columns=columns, every="1d", time_zone=zone)
    assert answers.rounds == tuple(f"2026-10-0{day}" for day in range(1, days + 1))
