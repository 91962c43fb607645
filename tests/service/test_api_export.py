"""The export of a stream's answers."""

from __future__ import annotations

import csv
import io
import json

import pytest

import hayflick as hf
from hayflick.service.api_export import watch_arguments
from hayflick.service.stream_answers import StreamColumns
from hayflick.service.stream_settings import StreamSettings


@pytest.fixture
def place(tmp_path):
    """The engine makes no difference here: one is enough."""
    return str(tmp_path / "service.db")


@pytest.fixture
def posted(client, token):
    """Post items to a stream with rounds of three, and return what exports it."""
    headers = token("admin")

    def post(kind, items, **settings):
        body = {"kind": kind, "every": 3, "baseline": 5, **settings}
        assert client.put("/v1/streams/talk", json=body, headers=headers).status_code == 200
        answer = client.post(f"/v1/streams/talk/{kind}", json=items, headers=headers)
        assert answer.status_code == 200, answer.json()

        def export(**query):
            found = client.get("/v1/streams/talk/export", params=query, headers=headers)
            assert found.status_code == 200
            assert found.headers["content-disposition"].startswith("attachment")
            return found

        return export

    return post


TEXTS = ["=1+1", 'say "so", 今日は', " @sum", "a\nb", "-5", "+49 89 1"]


def test_lines_hold_what_was_stored(posted):
    items = [{"text": text, "group": "=g", "prompt": "?"} for text in TEXTS]
    answer = posted("answers", items)()
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["text"] for row in rows] == TEXTS
    assert [row["round"] for row in rows] == [1, 1, 1, 2, 2, 2]
    assert rows[0]["group"] == "=g"
    assert rows[0]["time"].endswith("+00:00")


def test_a_spreadsheet_finds_no_formula(posted):
    export = posted("answers", [{"text": text} for text in TEXTS])
    answer = export(format="csv", after=0, last=9)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    names, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
    texts = [row[names.index("text")] for row in rows]
    assert texts == ["'=1+1", 'say "so", 今日は', "' @sum", "a\nb", "-5", "'+49 89 1"]
    assert len(export(format="csv", after=1).text.splitlines()) == 5
    assert export(after=2).text == ""


def test_vectors_and_counts(posted):
    export = posted("vectors", [{"vector": [1.0, 0.5]}] * 2)
    assert json.loads(export().text.splitlines()[0])["vector"] == [1.0, 0.5]
    assert '"[1.0, 0.5]"' in export(format="csv").text


def test_watch_reads_an_export(posted, tmp_path):
    items = [{"values": {"size": float(k * k % 97)}} for k in range(45)]
    export = posted("values", items)
    path = tmp_path / "talk.jsonl"
    path.write_text(export().text)
    watched = hf.watch(path, by="round", values=["size"], baseline=10)
    assert (len(watched.rounds), watched.answers) == (15, 45)


@pytest.mark.parametrize("charts", [None, ("size=rank:false_alarms=0.01",)])
def test_what_a_stream_is_set_to_is_taken_by_watch(posted, tmp_path, charts):
    items = [{"values": {"size": float(k * k % 97)}} for k in range(45)]
    path = tmp_path / "talk.jsonl"
    path.write_text(posted("values", items)().text)
    settings = StreamSettings(every=3, baseline=10, charts=charts, false_alarms=0.02)
    columns = StreamColumns(text=False, vectors=False, group=False, prompt=False, values=("size",))
    assert len(hf.watch(path, **watch_arguments(settings, columns)).charts) == 1
