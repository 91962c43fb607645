"""Logs with odd records: numbers that tables changed, streams in pieces, lists of identifiers."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.corpus.logs.preset import FILTERED, LogAnswer, presets

FAILED, TOOLS, EMPTY = "calls that failed", "tool calls without text", "records without an answer"
GENERATION = {
    "type": "GENERATION",
    "start_time": "2026-10-01 10:00:00",
    "parent_observation_id": "",
}


def outcomes(log, *records):
    found = [one for record in records for one in presets()[log].answers(record)]
    return [one.text if isinstance(one, LogAnswer) else one for one in found]


def chat(text, **more):
    return {"choices": [{"message": {"role": "assistant", "content": text}, **more}]}


def pieces(*texts, **more):
    return [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts] + [
        {"choices": [{"index": 0, "delta": {}, **more}]},
        {"choices": []},
    ]


@pytest.mark.parametrize("code", [200, 200.0, "200", "200.0"])
def test_codes_that_a_table_wrote_with_a_fraction_are_the_same(code):
    answered = {"custom_id": "a", "response": {"status_code": code, "body": chat("Yes.")}}
    assert outcomes("openai-batch", answered) == ["Yes."]
    asked = {"request_created_at": "2026-10-01", "response_status": code}
    assert outcomes("helicone", {**asked, "response_body": chat("Yes.")}) == ["Yes."]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "failed", "output": []}, FAILED),
        ({"status": "cancelled", "output": []}, FAILED),
        ({"incomplete_details": {"reason": "content_filter"}}, FILTERED),
        ({"incomplete_details": {"reason": "max_output_tokens"}}, "The river"),
        ({"incomplete_details": None}, "The river"),
    ],
)
def test_what_became_of_a_response_is_told_by_its_body(body, expected):
    parts = [{"type": "output_text", "text": "The river"}]
    message = {"type": "message", "role": "assistant", "content": parts}
    whole = {"object": "response", "status": "incomplete", "output": [message], **body}
    answered = {"custom_id": "a", "response": {"status_code": 200, "body": whole}}
    assert outcomes("openai-batch", answered) == [expected]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (pieces("The ", "river.", finish_reason="stop"), ["The river."]),
        (pieces("The ", finish_reason="content_filter"), [FILTERED]),
        (pieces(None, tool_calls=[]), [EMPTY]),
        ([{"choices": [{"index": 0, "delta": {"tool_calls": [{"id": "c"}]}}]}], [TOOLS]),
        (
            [
                {"choices": [{"index": at, "delta": {"content": text}} for at in (1, 0)]}
                for text in ("Up", " and on.")
            ],
            ["Up and on.", "Up and on."],
        ),
    ],
)
def test_the_pieces_of_a_stream_are_one_answer(response, expected):
    call = {"startTime": 1.79e9, "messages": [], "response": response}
    assert outcomes("litellm", call) == expected
    run = {"run_type": "llm", "start_time": "2026-10-01", "outputs": {"output": response}}
    assert outcomes("langsmith", run) == expected


def test_calls_of_tools_are_seen_where_langchain_puts_them():
    output = {
        "role": "assistant",
        "content": "",
        "additional_kwargs": {"tool_calls": [{"id": "c"}]},
    }
    assert outcomes("langfuse", {**GENERATION, "output": output}) == [TOOLS]


@pytest.mark.parametrize("output", [None, "null", " null\n", ""])
def test_nothing_is_no_answer(output):
    assert outcomes("langfuse", {**GENERATION, "output": output}) == [EMPTY]


def test_a_trace_that_lists_its_observations_by_name_is_read_itself():
    trace = {"timestamp": "2026-10-01T10:00:00Z", "output": {"answer": "Yes."}}
    assert outcomes("langfuse", {**trace, "observations": ["o1", "o2"]}) == ["Yes."]
    seen = {**GENERATION, "output": "No."}
    assert outcomes("langfuse", {**trace, "observations": [seen]}) == ["No."]


@pytest.mark.parametrize(
    "text", ['{"content": "Yes"}', '["a", "b"]', "[]", '{"output": 1}', "null"]
)
def test_answers_that_are_json_stay_as_hayflick_wrote_them(text):
    assert outcomes("hayflick", {"hayflick_log": 1, "text": text}) == [text]


@pytest.mark.parametrize("kind", [None, "", "acompletion", "llm_passthrough_route", "aresponses"])
def test_calls_of_litellm_that_ask_for_text_count(kind):
    call = {"startTime": 1.79e9, "messages": {}, "call_type": kind, "response": chat("Yes.")}
    asked = {"messages": [{"role": "user", "content": "Where?"}]}
    (answer,) = presets()["litellm"].answers({**call, "proxy_server_request": asked})
    assert (answer.text, answer.prompt) == ("Yes.", "Where?")


WORDS = ["river", "path", "stone", "bridge", "garden", "window", "market", "paper", "silver"]
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)


def said(number):
    return " ".join(WORDS[(number * step + step * step) % 9] for step in range(1, 9))


def litellm(number, **more):
    at = BEGIN + timedelta(hours=number)
    call = {"startTime": at.timestamp(), "model": f"m{number % 2}", "messages": []}
    return {**call, "response": chat(f"{said(number)} {number}"), **more}


def helicone(number, **more):
    at = (BEGIN + timedelta(hours=number)).isoformat()
    asked = {"request_created_at": at, "response_status": 200, "request_model": "other"}
    return {**asked, "response_body": chat(f"{said(number)} {number}"), **more}


def written(path, records):
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records), "utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "reference"), [({"every": "1d"}, 12), ({"by": "time", "every": "1d"}, 13)]
)
def test_the_log_of_another_tool_can_be_the_baseline(tmp_path, options, reference):
    log = written(tmp_path / "l.jsonl", map(litellm, range(480)))
    other = written(tmp_path / "h.jsonl", map(helicone, range(300)))
    watched = hf.watch(log, baseline_from=other, **options)
    assert watched.answers >= 480
    assert sum(name.startswith("reference") for name in watched.rounds) == reference
    notes = [str(note) for source in watched.sources for note in source.notes]
    assert "h.jsonl is read as a log of Helicone (--log helicone)" in notes


def test_a_file_of_lines_that_cannot_be_read_is_refused_with_the_reason(tmp_path):
    path = tmp_path / "l.jsonl"
    path.write_text('{"response": "Yes.", "response": "No."}\n' * 3)
    with pytest.raises(DataError, match="line 1 names the column 'response' twice"):
        hf.watch(path)


def test_blocks_of_a_list_with_the_newest_answers_on_top_begin_with_the_oldest(tmp_path):
    calls = [litellm(number, model="m", vector=[number, 1.0]) for number in range(250)]
    oldest_first = hf.watch(written(tmp_path / "l.jsonl", calls), vectors="vector", log="litellm")
    newest_first = tmp_path / "l.json"
    newest_first.write_text(json.dumps(calls[::-1]))
    found = hf.watch(newest_first, vectors="vector", log="litellm")
    assert len(found.rounds) == 13
    notes = [str(note) for source in found.sources for note in source.notes]
    assert any("blocks of 20 answers from its end on" in note for note in notes)
    for one, other in zip(found.readings[""], oldest_first.readings[""], strict=True):
        assert one.values == pytest.approx(other.values, nan_ok=True)
    state = tmp_path / "state"
    newest_first.write_text(json.dumps(calls[240:3:-1]))
    hf.watch(newest_first, vectors="vector", log="litellm", state=state)
    newest_first.write_text(json.dumps(calls[:3:-1]))
    later = hf.watch(newest_first, vectors="vector", log="litellm", state=state)
    assert later.answers == 246


def test_vectors_that_no_answer_has_are_refused(tmp_path):
    log = written(tmp_path / "l.jsonl", map(litellm, range(250)))
    with pytest.raises(DataError, match=r"l\.jsonl: no answer has a vector at 'emb\.v'"):
        hf.watch(log, vectors="emb.v", log="litellm")


def left_out_of(answers):
    return {one.reason: one.number for one in answers.sources[0].left_out}


def read(*paths, **options):
    columns = AnswerColumns(by=options.pop("by", None))
    return read_answers(list(paths), columns=columns, find_rounds=True, **options)


@pytest.mark.parametrize("order", [1, -1])
def test_the_files_of_an_input_can_be_of_several_tools(tmp_path, order):
    log = written(tmp_path / "l.jsonl", map(litellm, range(480)))
    other = written(tmp_path / "h.jsonl", map(helicone, range(480)))
    answers = read(*(log, other)[::order])
    assert len(answers.frame) == 960
    assert answers.rounds[0] == "2026-10-01"
    assert len(answers.rounds) == 20
    assert left_out_of(answers) == {}
    assert set(answers.frame["group"]) == {"m0", "m1", "other"}
    assert answers.log is None
    notes = [str(note) for note in answers.sources[0].notes]
    assert "l.jsonl is read as a log of LiteLLM (--log litellm)" in notes
    assert "h.jsonl is read as a log of Helicone (--log helicone)" in notes


@pytest.mark.parametrize("log", [None, "langfuse"])
def test_traces_beside_their_observations_count_once(tmp_path, log):
    for kind in ("observations", "traces"):
        (tmp_path / kind).mkdir()
    seen = [{**GENERATION, "output": said(number)} for number in range(60)]
    traces = [
        {"timestamp": "2026-10-01 10:00:00", "bookmarked": False, "output": said(number)}
        for number in range(40)
    ]
    written(tmp_path / "observations" / "1.jsonl", seen)
    alone = written(tmp_path / "traces" / "1.jsonl", traces)
    both = read(tmp_path, log=log)
    assert len(both.frame) == 60
    assert left_out_of(both) == {"records whose parts are counted": 40}
    assert len(read(alone, log=log).frame) == 40


def test_a_list_of_files_beside_a_log_is_no_other_log(tmp_path):
    written(tmp_path / "0.json", [{"files": ["1.jsonl"], "rows": 240}])
    written(tmp_path / "1.jsonl", map(litellm, range(240)))
    answers = read(tmp_path)
    assert len(answers.frame) == 240
    assert left_out_of(answers) == {EMPTY: 1}


def test_spans_in_a_frame_whose_index_names_them_are_recognised():
    rows = [
        {
            "context.trace_id": f"t{number}",
            "span_kind": "LLM",
            "start_time": BEGIN + timedelta(hours=number),
            "attributes.output.value": said(number),
        }
        for number in range(40)
    ]
    answers = read_answers(pl.DataFrame(rows), columns=AnswerColumns(by=None))
    assert answers.log == "phoenix"
    assert len(answers.frame) == 40


@pytest.mark.parametrize("kind", ["records", "frame", "file"])
def test_times_of_tables_are_among_those_to_copy(tmp_path, kind):
    records = [
        {"made": BEGIN + timedelta(hours=8 * number), "reply": {"t": said(number)}}
        for number in range(60)
    ]
    given = records if kind == "records" else pl.DataFrame(records)
    command = "hf.watch(table, text='reply.t', by='made', every='1d')"
    if kind == "file":
        pl.DataFrame(records).write_parquet(tmp_path / "a.parquet")
        given = tmp_path / "a.parquet"
        command = f"hayflick watch {given} --text reply.t --by made --every 1d"
    with pytest.raises(DataError) as refused:
        read_answers(given, columns=AnswerColumns(by=None))
    assert str(refused.value).splitlines()[-1].strip() == command


def test_several_files_that_have_grown_go_on_from_a_state(tmp_path):
    state, folder = tmp_path / "state", tmp_path / "logs"
    folder.mkdir()
    for numbers in (range(300), range(350)):
        for name, form in (("h", helicone), ("l", litellm)):
            written(folder / f"{name}.jsonl", map(form, numbers))
        found = hf.watch(folder, every="1d", state=state)
    whole = hf.watch(folder, every="1d")
    assert found.answers == whole.answers == 700
    assert found.rounds == whole.rounds
    for one, other in zip(found.readings[""], whole.readings[""], strict=True):
        assert one.values == pytest.approx(other.values, nan_ok=True)
    written(folder / "h.jsonl", (helicone(number) for number in range(349)))
    with pytest.raises(DataError, match="are not those that"):
        hf.watch(folder, every="1d", state=state)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ({"$date": "2026-10-01T10:00:00Z"}, "2026-10-01T10:00:00Z"),
        ({"$date": {"$numberLong": "1790086400000"}}, "1790086400000"),
        ([2026, 10, 1], None),
        ({"year": 2026, "month": 10}, None),
    ],
)
def test_times_in_objects_are_taken_out(time, expected):
    (answer,) = presets()["litellm"].answers(litellm(1, startTime=time))
    assert answer.time == expected
