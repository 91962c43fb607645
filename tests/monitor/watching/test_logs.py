"""`watch` on exported logs, on several files and on tables whose rounds nobody named."""

import io
import json
import shlex
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError, UnknownLogError

WORDS = [f"{first}{second}" for first in ("ka", "ri", "to", "me") for second in ("ba", "ner", "st")]
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)


def calls(*, days=24, each=20, models=("m",), prompts=("q",), narrow=99, start=0):
    """Return calls in the form of LiteLLM; from the day `narrow` on with two words alone."""
    rng = np.random.default_rng(start + 7)
    found = []
    for day in range(start, start + days):
        words = WORDS if day < narrow else WORDS[:2]
        for place in range(each):
            at = BEGIN + timedelta(days=day, minutes=place)
            message = {"role": "assistant", "content": " ".join(rng.choice(words, 12))}
            found.append(
                {
                    "id": f"{day}-{place}",
                    "call_type": "acompletion",
                    "status": "success",
                    "startTime": at.timestamp(),
                    "model": models[place % len(models)],
                    "messages": [{"role": "user", "content": prompts[place % len(prompts)]}],
                    "response": {"choices": [{"message": message}]},
                }
            )
    return found


def written(path, records):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return path


def numbers(result):
    """Return the numbers of all readings, by group and round."""
    return {
        group: [json.dumps({**one.values, "": one.label}) for one in readings]
        for group, readings in result.readings.items()
    }


def notes_of(result):
    return [str(note) for source in result.sources for note in source.notes]


@pytest.mark.parametrize("name", ["batch", "langfuse", "litellm", "phoenix"])
def test_shared_logs_are_read_without_an_option(cases, name):
    watched = hf.watch(cases / "logs" / f"{name}.jsonl")
    assert watched.answers == 400
    assert len(watched.rounds) == 20
    assert watched.verdict.value == "alarm"


def test_a_log_is_recognised_cut_into_days_and_announced(tmp_path, capsys):
    path = written(tmp_path / "calls.jsonl", calls(narrow=16))
    assert main(["watch", str(path), "--format", "json"]) == 1
    captured = capsys.readouterr()
    assert "note: calls.jsonl is read as a log of LiteLLM (--log litellm)" in captured.err
    assert "note: rounds of 1d, 20 answers each" in captured.err
    found = json.loads(captured.out)
    watched = hf.watch(path)
    assert watched.rounds[0] == "2026-10-01"
    assert len(watched.rounds) == 24
    assert watched.verdict.value == found["verdict"] == "alarm"
    assert watched.sources[0].rows == 480


def test_what_holds_no_answer_is_left_out_and_counted(tmp_path):
    records = calls()
    failed = {**records[0], "status": "failure"}
    embedding = {**records[1], "call_type": "aembedding"}
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    tools = {**records[2], "response": {"choices": [{"message": message}]}}
    watched = hf.watch(written(tmp_path / "calls.jsonl", [failed, embedding, tools, *records]))
    left_out = {one.reason: one.number for one in watched.sources[0].left_out}
    assert watched.answers == 480
    assert sum(left_out.values()) == 3
    assert len(left_out) == 3
    assert watched.sources[0].rows == 483


def test_every_choice_is_an_answer(tmp_path):
    records = calls(each=10)
    for one in records:
        one["response"]["choices"] *= 2
    watched = hf.watch(written(tmp_path / "calls.jsonl", records))
    assert watched.answers == 480


@pytest.mark.parametrize(("number", "groups"), [(1, 1), (2, 3), (20, 21), (21, 1)])
def test_models_are_groups_where_there_are_a_few(tmp_path, number, groups):
    models = [f"model-{place}" for place in range(number)]
    path = written(tmp_path / "calls.jsonl", calls(models=models, each=42, days=12))
    assert len(hf.watch(path).readings) == groups
    assert len(hf.watch(path, group="model").readings) == 1 + number


def test_repeated_prompts_are_compared_within(tmp_path):
    path = written(tmp_path / "calls.jsonl", calls(prompts=["who", "what", "where"], each=30))
    asked = {request.text for request in hf.watch(path).charts}
    assert asked == {request.text for request in hf.watch(path, prompt="prompt").charts}
    assert any("between" in text for text in asked)
    once = written(tmp_path / "once.jsonl", calls(prompts=[str(k) for k in range(20)], days=24))
    records = [json.loads(line) for line in once.read_text().splitlines()]
    for place, one in enumerate(records):
        one["messages"][0]["content"] = f"question {place}"
    charts = hf.watch(written(once, records)).charts
    assert not any("between" in chart.text for chart in charts)


def test_named_columns_come_before_those_of_the_log(tmp_path):
    records = calls()
    for place, one in enumerate(records):
        one["metadata"] = {"team": "ab"[place % 2], "score": place % 5, "batch": place // 20}
        one["response"]["raw"] = {"text": f"{place} {place + 1} {place + 2}"}
    path = written(tmp_path / "calls.jsonl", records)
    watched = hf.watch(
        path,
        log="litellm",
        text="response.raw.text",
        group="metadata.team",
        by="metadata.batch",
        values=["metadata.score"],
    )
    assert watched.rounds[:3] == ("0", "1", "2")
    assert sorted(watched.readings) == ["", "a", "b"]
    assert watched.readings[""][0].values["metadata.score"] == pytest.approx(2.0)
    assert watched.typical_first[0].count(" ") == 2


def test_vectors_of_a_log_are_at_a_path(tmp_path):
    records = calls(each=30)
    rng = np.random.default_rng(3)
    for one in records:
        one["extra"] = {"embedding": rng.normal(size=4).tolist()}
    path = written(tmp_path / "calls.jsonl", records)
    watched = hf.watch(path, log="litellm", vectors="extra.embedding")
    assert watched.settings["embedder"] is None
    assert watched.readings[""][0].values["spread"] > 0


def test_answers_without_a_time_are_left_out_where_most_have_one(tmp_path):
    records = calls(each=24)
    for one in records[::48]:
        one["startTime"] = None
    watched = hf.watch(written(tmp_path / "calls.jsonl", records), log="litellm")
    left_out = {one.reason: one.number for one in watched.sources[0].left_out}
    assert left_out == {"answers without a time": 12}
    assert watched.answers == 24 * 24 - 12


def test_a_stated_length_holds_for_the_times_of_a_log(tmp_path):
    path = written(tmp_path / "calls.jsonl", calls(days=60))
    assert len(hf.watch(path, every="2d").rounds) in {30, 31}


def test_too_few_times_give_blocks_in_the_order_of_the_file(tmp_path, capsys):
    path = written(tmp_path / "calls.jsonl", calls(days=2, each=250))
    records = [{**one, "startTime": 1790086400} for one in calls(days=2, each=250)]
    watched = hf.watch(written(path, records))
    assert watched.rounds == tuple(map(str, range(1, 26)))
    assert any("blocks of 20 answers" in note for note in notes_of(watched))


def test_a_table_without_a_column_of_rounds_is_cut_into_blocks(tmp_path):
    texts = [one["response"]["choices"][0]["message"]["content"] for one in calls()]
    pl.DataFrame({"answer": texts}).write_csv(tmp_path / "answers.csv")
    watched = hf.watch(tmp_path / "answers.csv", text="answer")
    assert len(watched.rounds) == 24
    in_memory = hf.watch({"answer": texts}, text="answer")
    assert numbers(in_memory) == numbers(watched)


def test_several_files_without_times_are_a_round_each(tmp_path):
    rounds = {}
    for number in range(1, 13):
        texts = [
            one["response"]["choices"][0]["message"]["content"]
            for one in calls(days=1, each=30, start=number)
        ]
        rounds[number] = written(
            tmp_path / f"round-{number}.jsonl", [{"answer": text} for text in texts]
        )
    watched = hf.watch(list(rounds.values()), text="answer", baseline=5)
    names = tuple(f"round-{number}.jsonl" for number in range(1, 13))
    assert watched.rounds == names
    assert any("every file is a round, 30 answers each" in note for note in notes_of(watched))
    folder = hf.watch(tmp_path, text="answer", baseline=5)
    assert numbers(folder) == numbers(watched)


def test_a_pattern_names_files_and_a_path_with_a_star_does_not(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        written(tmp_path / f"part-{number}.jsonl", calls(days=12, start=12 * (number - 1)))
    assert main(["watch", "--glob", "part-*.jsonl"]) == 0
    assert "part-1.jsonl and 1 more file is read as a log of LiteLLM" in capsys.readouterr().err
    assert main(["watch", "part-*.jsonl"]) == 2
    assert "--glob" in capsys.readouterr().err


def test_folders_named_by_day_give_a_column(tmp_path):
    for number in range(1, 23):
        texts = [
            one["response"]["choices"][0]["message"]["content"]
            for one in calls(days=1, each=25, start=number)
        ]
        folder = tmp_path / "answers" / f"day=2026-10-{number:02}"
        folder.mkdir(parents=True)
        pl.DataFrame({"text": texts}).write_parquet(folder / "part-0.parquet")
    watched = hf.watch(tmp_path / "answers", text="text", by="day")
    assert watched.rounds[0] == "2026-10-01"
    assert len(watched.rounds) == 22


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_column_that_a_folder_hides_is_noted(tmp_path, suffix):
    for number in range(1, 23):
        folder = tmp_path / "answers" / f"day={number:02}"
        folder.mkdir(parents=True)
        frame = pl.DataFrame({"text": [f"answer {row}" for row in range(25)]})
        frame = frame.with_columns(day=pl.lit("another"), week=pl.lit("1"))
        if suffix == "jsonl":
            frame.write_ndjson(folder / "part-0.jsonl")
        else:
            frame.write_parquet(folder / "part-0.parquet")
    watched = hf.watch(tmp_path / "answers", text="text", by="day")
    assert len(watched.rounds) == 22
    notes = [str(note) for source in watched.sources for note in source.notes]
    assert [note for note in notes if "folders day=" in note] == [
        "day is taken from the folders day=…, not from the column of the same name in the files"
    ]


def test_standard_input_is_read_whatever_it_holds(tmp_path, capsys, monkeypatch):
    path = written(tmp_path / "calls.jsonl", calls())
    expected = hf.watch(path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert main(["watch", "-", "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert "standard input is read as a log of LiteLLM" in captured.err
    assert json.loads(captured.out)["answers"] == expected.answers == 480


def test_a_state_goes_on_with_the_rounds_that_were_found(tmp_path):
    records = calls(days=30, models=["a", "b"], each=24)
    path = written(tmp_path / "calls.jsonl", records[: 24 * 22])
    state = tmp_path / "watch.state"
    first = hf.watch(path, state=state)
    assert len(first.rounds) == 22
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in records[24 * 22 :])
    later, whole = hf.watch(path, state=state), hf.watch(path)
    assert later.rounds == whole.rounds
    assert sorted(later.readings) == ["", "a", "b"]
    assert numbers(later) == numbers(whole)
    assert later.answers == whole.answers


def test_a_state_goes_on_with_blocks(tmp_path):
    texts = [one["response"]["choices"][0]["message"]["content"] for one in calls(days=30)]
    path = written(tmp_path / "answers.jsonl", [{"answer": text} for text in texts[:450]])
    state = tmp_path / "watch.state"
    hf.watch(path, text="answer", state=state)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"answer": text}) + "\n" for text in texts[450:])
    later, whole = hf.watch(path, text="answer", state=state), hf.watch(path, text="answer")
    assert later.rounds == whole.rounds == tuple(map(str, range(1, 31)))
    assert numbers(later) == numbers(whole)


def test_a_log_can_be_the_baseline_of_another(tmp_path):
    reference = written(tmp_path / "healthy.jsonl", calls())
    path = written(tmp_path / "calls.jsonl", calls(start=30, narrow=40))
    watched = hf.watch(path, baseline_from=reference)
    assert watched.verdict.value == "alarm"
    assert watched.baseline_from == "healthy.jsonl"


def test_logs_of_two_tools_are_compared(tmp_path, capsys):
    old = written(tmp_path / "old.jsonl", calls())
    new = [
        {
            "custom_id": one["id"],
            "response": {"status_code": 200, "body": one["response"]},
            "error": None,
        }
        for one in calls(narrow=0)
    ]
    compared = hf.compare(old, written(tmp_path / "new.jsonl", new))
    assert compared.verdict.value == "less diverse"
    arguments = ["compare", str(old), str(tmp_path / "new.jsonl"), "--fail-below", "0.9"]
    assert main(arguments) == 1
    assert "old.jsonl is read as a log of LiteLLM" in capsys.readouterr().err


def test_an_unknown_log_is_answered_with_a_command_that_works(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    records = [
        {
            "trace": {"id": one["id"], "at": one["startTime"]},
            "call": {"reply": one["response"]["choices"][0]},
        }
        for one in calls()
    ]
    written(tmp_path / "app log.jsonl", records)
    assert main(["watch", "app log.jsonl"]) == 2
    said = capsys.readouterr().err
    assert "call.reply.message.content" in said
    command = next(line for line in said.splitlines() if "hayflick watch" in line)
    _, *arguments = shlex.split(command)
    assert main(arguments) == 0
    with pytest.raises(UnknownLogError, match=r"call\.reply\.message\.content"):
        hf.watch("app log.jsonl")
    assert main(["compare", "app log.jsonl", "app log.jsonl"]) == 2
    said = capsys.readouterr().err
    assert "call.reply.message.content" in said
    assert said.endswith("Say which of them is the answer with --text\n")


def test_a_log_that_is_another_is_refused_in_plain_words(tmp_path):
    path = written(tmp_path / "calls.jsonl", calls(days=1))
    with pytest.raises(DataError, match="holds no answer that can be used"):
        hf.watch(path, log="langfuse")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--by", "has nothing in the column 'team', its round (--by time takes the times"),
        ("--group", "calls.jsonl: no answer has --group team; takes a path that the log has"),
        ("--prompt", "calls.jsonl: no answer has --prompt team"),
        ("--value", "calls.jsonl: no answer has --value team"),
        ("--log=langfuse", "but looks like one of LiteLLM (--log litellm)"),
    ],
)
def test_what_a_log_has_not_is_refused(tmp_path, capsys, option, said):
    path = written(tmp_path / "calls.jsonl", calls())
    words = [option] if "=" in option else [option, "team"]
    assert main(["watch", str(path), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_number_of_a_log_is_charted_beside_its_answers(tmp_path):
    records = [{**one, "total_tokens": 12} for one in calls()]
    watched = hf.watch(written(tmp_path / "calls.jsonl", records), values=["total_tokens"])
    assert len(watched.rounds) == 24
    assert {"total_tokens", "effective_words"} <= watched.readings[""][0].values.keys()


def test_rounds_that_go_on_are_announced_without_their_sizes(tmp_path):
    path = written(tmp_path / "calls.jsonl", calls())
    hf.watch(path, state=tmp_path / "state")
    assert "rounds of 1d" in notes_of(hf.watch(path, state=tmp_path / "state"))


def test_a_path_that_leads_nowhere_is_answered_with_one_that_does(tmp_path, capsys):
    records = [{"at": one["startTime"], "reply": one["response"]} for one in calls(days=1)]
    path = written(tmp_path / "app.jsonl", records)
    assert main(["watch", str(path), "--text", "reply.choices.message.content"]) == 2
    assert "did you mean 'reply.choices[0].message.content'?" in capsys.readouterr().err
    assert main(["watch", str(path), "--text", "answer"]) == 2
    assert "it has: 'reply.choices[0].message.content', 'at'" in capsys.readouterr().err


def test_a_log_that_has_just_begun_is_answered_with_what_to_wait_for(tmp_path):
    path = written(tmp_path / "calls.jsonl", calls(days=1))
    with pytest.raises(DataError, match=r"has 1 round, takes at least 3: .*; wait for more"):
        hf.watch(path)
    path = written(tmp_path / "calls.jsonl", calls(days=5))
    with pytest.raises(ArgumentError, match=r"at most 4: .*; wait for more rounds, or give"):
        hf.watch(path)
