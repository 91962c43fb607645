"""Scores that Langfuse's documented interface takes, at a stand-in of its server on loopback."""

import base64
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from doc_examples import examples
from watched_answers import rows_of_answers, watched_answers

import hayflick as hf
from hayflick.client import AnswerLog
from hayflick.core.errors import ArgumentError, OutputError

httpx = pytest.importorskip("httpx", reason="httpx is not installed: extra client")

from hayflick.integrations.langfuse import post_scores  # noqa: E402

KEYS = {"public_key": "pk-lf-1", "secret_key": "sk-lf-1"}
BASIC = "Basic " + base64.b64encode(b"pk-lf-1:sk-lf-1").decode()


class Langfuse:
    """What was posted to a stand-in of Langfuse, which keeps scores by identifier and day.

    It takes lists of scores, as those of today do, or single ones, as older ones do.
    """

    def __init__(self):
        self.url, self.posted, self.scores, self.replies = "", [], {}, []
        self.older, self.requests, self.refused = False, 0, set()

    def reply(self, path, headers, body):
        self.requests += 1
        if headers["authorization"] != BASIC:
            return 401, {"message": "Invalid credentials. Confirm that you've configured them."}, {}
        if self.replies:
            return self.replies.pop(0)
        if path != "/api/public/scores":
            return 404, {"message": "no"}, {}
        if self.older:
            faults = ["Expected object"] if isinstance(body, list) else self.faults(body)
            if faults:
                return 400, {"message": "Invalid request data", "error": faults}, {}
            self.keep(body)
            return 200, {"id": body["id"]}, {}
        if not isinstance(body, list):
            return 400, {"message": "Invalid request data", "error": ["Expected array"]}, {}
        faults = [(one, self.faults(one)) for one in body]
        for one, bad in faults:
            if not bad:
                self.keep(one)
        errors = [{"message": bad[0]} for _, bad in faults if bad]
        if not errors:
            return 202, {"message": "Accepted"}, {}
        counts = {"accepted": len(body) - len(errors), "rejected": len(errors)}
        return 207, {**counts, "errors": errors}, {}

    def faults(self, score):
        belongs = [score.get(name) for name in ("traceId", "sessionId", "datasetRunId")]
        kind = str if score["dataType"] == "CATEGORICAL" else (int, float)
        found = [] if sum(map(bool, belongs)) == 1 else ["belongs to nothing"]
        found += [] if isinstance(score["value"], kind) else ["wrong value"]
        return found + (["environment is not allowed"] if score.get("environment") == "No" else [])

    def keep(self, score):
        self.posted.append(score)
        self.scores[score["id"], score["name"], str(score.get("timestamp"))[:10]] = score


@pytest.fixture
def langfuse():
    with served() as found:
        yield found


@contextlib.contextmanager
def served():
    langfuse = Langfuse()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, found, headers = langfuse.reply(self.path, self.headers, body)
            written = json.dumps(found).encode()
            self.send_response(status)
            for name, value in {"content-length": str(len(written)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(written)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    langfuse.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield langfuse
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


@pytest.fixture(scope="module")
def result():
    return watched_answers(words=4, groups=("a", "b"))


def test_the_verdict_and_the_last_readings_are_scores(langfuse, result):
    number = post_scores(result, session_id="help desk", url=langfuse.url, **KEYS)
    assert number == len(langfuse.posted) == len(langfuse.scores)
    verdict, *readings = langfuse.posted
    assert (verdict["name"], verdict["value"], verdict["dataType"]) == (
        "hayflick.verdict",
        "alarm",
        "CATEGORICAL",
    )
    assert "Alarm" in verdict["comment"]
    assert {body["sessionId"] for body in langfuse.posted} == {"help desk"}
    for body in readings:
        metric, _, group = body["name"].removeprefix("hayflick.").partition(".")
        assert body["dataType"] == "NUMERIC"
        assert body["value"] == result.series(metric, group=group)[-1]
        assert (body["metadata"]["round"], body["metadata"]["group"]) == ("30", group or None)
        assert "timestamp" not in body
    assert {body["metadata"]["group"] for body in readings} == {None, "a", "b"}
    assert langfuse.requests == 1


def test_the_same_scores_posted_again_replace_the_first(langfuse, result):
    for _ in range(2):
        post_scores(result, trace_id="abc", environment="test", url=langfuse.url, **KEYS)
    assert len(langfuse.posted) == 2 * len(langfuse.scores)
    assert {body["environment"] for body in langfuse.posted} == {"test"}
    post_scores(result, trace_id="another", url=langfuse.url, **KEYS)
    assert 3 * len(langfuse.scores) == 2 * len(langfuse.posted)


def test_an_older_server_takes_them_one_by_one(langfuse, result):
    langfuse.older = True
    number = post_scores(result, session_id="help desk", url=langfuse.url, **KEYS)
    assert number == len(langfuse.scores) == langfuse.requests - 1
    with pytest.raises(OutputError, match=r"hayflick.verdict is not taken: 400: Invalid request"):
        post_scores(result, session_id="s", environment="No", url=langfuse.url, **KEYS)


def test_scores_that_are_not_taken_are_counted_with_the_reason(langfuse, result):
    with pytest.raises(OutputError, match=r"\d+ scores are not taken: environment is not allowed$"):
        post_scores(result, session_id="s", environment="No", url=langfuse.url, **KEYS)


@pytest.mark.parametrize(
    ("every", "written"), [("1d", "2026-09-30T00:00:00+00:00"), ("1h", "2026-09-02T05:00:00+00:00")]
)
def test_the_time_of_a_score_is_that_of_its_round(langfuse, every, written):
    seconds = {"1d": 86_400.0, "1h": 3_600.0}[every]
    rows = [
        {"at": 1_788_220_800.0 + seconds * (row["round"] - 1) + 600.0, "answer": row["answer"]}
        for row in rows_of_answers()
    ]
    result = hf.watch(rows, by="at", text="answer", every=every)
    post_scores(result, session_id="s", metrics=["distinct_2"], url=langfuse.url, **KEYS)
    assert {body["timestamp"] for body in langfuse.posted} == {written}


def test_what_may_pass_is_tried_again(langfuse, result):
    busy = {"message": "Rate limit exceeded"}
    langfuse.replies = [(429, busy, {"retry-after": "0"}), (503, {}, {"retry-after": "0"})]
    assert post_scores(result, session_id="s", metrics=[], url=langfuse.url, **KEYS) == 1
    langfuse.replies = [(503, {}, {"retry-after": "0"})] * 4
    with pytest.raises(
        OutputError, match=r"/api/public/scores: a list of scores is not taken: 503"
    ):
        post_scores(result, session_id="s", metrics=[], url=langfuse.url, **KEYS)
    assert langfuse.replies == []


def test_refusals_say_why(langfuse, result, monkeypatch):
    for name in ("PUBLIC_KEY", "SECRET_KEY", "BASE_URL", "HOST"):
        monkeypatch.delenv(f"LANGFUSE_{name}", raising=False)
    wrong = {"public_key": "pk-lf-2", "secret_key": "sk-lf-2"}
    with pytest.raises(
        OutputError, match=r"401: Invalid credentials.*check LANGFUSE_PUBLIC_KEY"
    ) as e:
        post_scores(result, session_id="s", url=langfuse.url, **wrong)
    assert "sk-lf-2" not in str(e.value)
    with pytest.raises(ArgumentError, match="session_id: got nothing, takes exactly one of"):
        post_scores(result, url=langfuse.url, **KEYS)
    with pytest.raises(
        ArgumentError, match="session_id: got sessionId, traceId, takes exactly one"
    ):
        post_scores(result, session_id="s", trace_id="t", url=langfuse.url, **KEYS)
    with pytest.raises(ArgumentError, match=r"secret_key: got none.*set LANGFUSE_SECRET_KEY"):
        post_scores(result, session_id="s", url=langfuse.url, public_key="pk")
    with pytest.raises(
        ArgumentError, match=r"url: got langfuse\.example, takes Langfuse's address"
    ):
        post_scores(result, session_id="s", url="langfuse.example", **KEYS)
    assert langfuse.posted == []


def test_the_example_in_the_documents(langfuse, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANGFUSE_BASE_URL", langfuse.url)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-lf-1")
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-lf-1")
    log = AnswerLog(tmp_path / "answers.jsonl")
    for row in rows_of_answers(words=4):
        log.record(row["answer"], at=1_790_000_000.0 + 3600.0 * row["round"])
    (program,) = examples("integrations.md", "Langfuse")
    exec(compile(program, "integrations.md", "exec"), {})
    assert langfuse.posted[0]["value"] == "alarm"


@pytest.mark.filterwarnings("ignore")
def test_langfuses_own_client_posts_the_same(langfuse, result):
    reason = "langfuse is not installed: make test-integrations"
    pytest.importorskip("langfuse", reason=reason)
    from langfuse.api.client import LangfuseAPI
    from langfuse.api.scores import CreateScoreRequest

    number = post_scores(result, session_id="s", environment="test", url=langfuse.url, **KEYS)
    keys = {"username": "pk-lf-1", "password": "sk-lf-1"}
    with httpx.Client() as connection:
        client = LangfuseAPI(base_url=langfuse.url, httpx_client=connection, **keys)
        # What their own type reads of ours, sent by their own client.
        client.scores.create(request=[CreateScoreRequest(**one) for one in langfuse.posted])
    mine, theirs = langfuse.posted[:number], langfuse.posted[number:]
    assert [{k: v for k, v in one.items() if v is not None} for one in theirs] == mine
