"""Notices of new and cleared alarms, and the file for Prometheus."""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError
from hayflick.core.http import Retries
from hayflick.monitor import notices
from hayflick.monitor.notices import WebHook, notice
from hayflick.monitor.prometheus import prometheus_text

CHART = "distinct_2=shewhart:run_length=100"
OPTIONS = ["--by", "round", "--text", "answer", "--baseline", "20", "--chart", CHART]


class _Hook(BaseHTTPRequestHandler):
    """Keeps what is posted; the path says how it answers."""

    posted: list[tuple[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.append((self.path, json.loads(body)))
        kind = self.path.split("/")[1].partition("?")[0]
        if kind == "hang":
            time.sleep(0.8)
        self.send_response({"fail": 500, "away": 302}.get(kind, 200))
        if kind == "away":
            self.send_header("Location", "http://127.0.0.1:9/secret-place")
        self.send_header("Content-Length", "6")
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(b"secret")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Post again at once what failed; how long is waited is tested with the retries."""
    wait_s = Retries.wait_s

    def short(retries: Retries, attempt: int, **more: Any) -> float | None:
        return None if wait_s(retries, attempt, **more) is None else 0.01

    monkeypatch.setattr(Retries, "wait_s", short)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    posted: list[tuple[str, Any]] = []
    kind = type("Hook", (_Hook,), {"posted": posted})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    server.server_close()


def stream(path: Path, *, alarmed: int = 1, after: int = 0) -> Path:
    rng, words, lines = random.Random(3), [f"w{place}" for place in range(60)], []
    for number in range(1, 25 + alarmed + after):
        bad = 25 <= number < 25 + alarmed
        for _ in range(24):
            drawn = " ".join(rng.choices(words, k=6))
            text = "all is one" if bad else drawn
            lines.append(json.dumps({"round": number, "answer": text, "who": 'a "b"\\'}) + "\n")
    path.write_text("".join(lines))
    return path


@pytest.fixture
def alarmed(tmp_path: Path) -> list[str]:
    """A call that alarms."""
    return ["watch", str(stream(tmp_path / "answers.jsonl")), *OPTIONS]


def test_every_alarm_is_posted_without_a_state(
    alarmed: list[str], hook: tuple[str, list[tuple[str, Any]]], capsys: Any
) -> None:
    url, posted = hook
    forms = ["--notify", f"{url}/ok?token=secret", "--notify", f"{url}/other"]
    assert main([*alarmed, *forms]) == 1
    assert sorted(path for path, _ in posted) == ["/ok?token=secret", "/other"]
    body = posted[0][1]
    assert body["verdict"] == "alarm"
    assert [(one["metric"], one["since"]) for one in body["new"]] == [("distinct_2", "25")]
    assert "secret" not in "".join(capsys.readouterr())


def test_new_and_cleared_alarms_alone_are_posted(
    tmp_path: Path, alarmed: list[str], hook: tuple[str, list[tuple[str, Any]]]
) -> None:
    url, posted = hook
    call = [*alarmed, "--state", str(tmp_path / "watch.state"), "--notify", url, "--notify-form"]
    call += ["slack", "--exit-on", "new"]
    path = tmp_path / "answers.jsonl"
    codes = []
    for alarms, after in ((0, 0), (1, 0), (2, 0), (2, 1)):
        stream(path, alarmed=alarms, after=after)
        codes.append(main(call))
    assert codes == [0, 1, 0, 0]
    new, over = (body["text"] for _, body in posted)
    assert new.split("\n")[1] == "new: distinct_2, since round 25"
    assert over.split("\n")[1] == "over: distinct_2"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("fail/secret", "it answers 500"),
        ("away/secret", "it answers 302, a redirect, which is not followed"),
        ("hang/secret", "no reply within 0.5 s"),
    ],
)
def test_a_failure_is_said_and_changes_no_exit_code(
    alarmed: list[str],
    hook: tuple[str, list[tuple[str, Any]]],
    path: str,
    message: str,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notices, "SECONDS", 0.5)
    assert main([*alarmed, "--notify", f"{hook[0]}/{path}"]) == 1
    told = capsys.readouterr().err
    assert f"/…: the notice was not posted: {message}" in told
    assert "secret" not in told


def test_a_notice_that_failed_is_posted_by_the_next_call(
    tmp_path: Path,
    alarmed: list[str],
    hook: tuple[str, list[tuple[str, Any]]],
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, posted = hook
    state = tmp_path / "watch.state"
    call = [*alarmed, "--state", str(state), "--exit-on", "new"]
    both = [*call, "--notify", f"{url}/secret", "--notify", f"{url}/other"]
    path = tmp_path / "answers.jsonl"
    served = _Hook.do_POST

    def busy(self: _Hook) -> None:
        self.path = self.path.replace("/secret", "/fail/secret")
        served(self)

    stream(path, alarmed=0)
    assert main(both) == 0
    # A first call without news keeps nothing, and posts nothing.
    assert posted == []
    stream(path, alarmed=1)
    monkeypatch.setattr(_Hook, "do_POST", busy)
    assert main(both) == 1
    told = capsys.readouterr().err
    assert "it answers 500; the next call posts it again" in told
    # It fails once more, then there is a call without a hook.
    assert main(both) == 0
    assert main(call) == 0
    monkeypatch.setattr(_Hook, "do_POST", served)
    posted.clear()
    assert main(both) == 0
    assert [one for one, _ in posted] == ["/secret"]
    assert posted[0][1]["new"][0]["since"] == "25"
    assert main(both) == 0
    assert len(posted) == 1
    assert b"/secret" not in state.read_bytes()


def test_an_alarm_that_is_over_before_it_could_be_posted_is_still_told(
    tmp_path: Path, alarmed: list[str], hook: tuple[str, list[tuple[str, Any]]]
) -> None:
    url, posted = hook
    call = [*alarmed, "--state", str(tmp_path / "watch.state"), "--notify"]
    assert main([*call, f"{url}/fail"]) == 1
    stream(tmp_path / "answers.jsonl", after=1)
    posted.clear()
    # Another address has its own account of what it was told.
    main([*call, f"{url}/other"])
    main([*call, f"{url}/fail"])
    texts = {path: body["text"] for path, body in posted}
    assert "over: distinct_2" in texts["/other"]
    assert "new: distinct_2" in texts["/fail"]


def test_a_host_that_is_down_is_said(alarmed: list[str], capsys: Any) -> None:
    assert main([*alarmed, "--notify", "http://127.0.0.1:9/secret"]) == 1
    assert (
        "http://127.0.0.1:9/…: the notice was not posted: no connection" in capsys.readouterr().err
    )


def test_the_address_is_on_no_page(
    tmp_path: Path, alarmed: list[str], hook: tuple[str, list[tuple[str, Any]]]
) -> None:
    page = tmp_path / "watch.html"
    main(
        [
            *alarmed,
            "--notify",
            f"{hook[0]}/s3cret",
            f"--notify={hook[0]}/a,s3cret",
            "--out",
            str(page),
        ]
    )
    assert "s3cret" not in page.read_text()
    assert "--notify" in page.read_text()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/a",
        "hooks.slack.com/a",
        "https:///a",
        "file:///etc",
        "http://a b/",
        "http://h:x/",
    ],
)
def test_other_addresses_are_refused_and_not_shown(
    url: str, alarmed: list[str], capsys: Any
) -> None:
    assert main([*alarmed, "--notify", url]) == 2
    told = capsys.readouterr().err
    assert "takes an address that begins with http:// or https://" in told
    assert url not in told


def test_the_form_follows_from_the_host() -> None:
    kinds = {
        "https://hooks.slack.com/services/a": "slack",
        "https://firm.webhook.office.com/a": "teams",
        "https://prod-1.westus.logic.azure.com/a": "teams",
        "https://evilhooks.slack.com.example.org/a": "json",
    }
    assert {url: WebHook(url).kind for url in kinds} == kinds
    assert WebHook("https://example.org", "teams").kind == "teams"
    with pytest.raises(ArgumentError, match="notify_form"):
        WebHook("https://example.org", "mail")


def test_names_call_nobody_in_a_chat(tmp_path: Path) -> None:
    path = tmp_path / "<!channel>&.jsonl"
    result = hf.watch(stream(path), by="round", text="answer", baseline=20, charts=[CHART])
    assert notice(result, "slack")["text"].startswith("hayflick watch, &lt;!channel&gt;&amp;.jsonl")
    card = notice(result, "teams")["attachments"][0]["content"]
    assert card["type"] == "AdaptiveCard"
    assert len(card["body"]) == 2


def test_the_file_for_prometheus(tmp_path: Path, alarmed: list[str], capsys: Any) -> None:
    file = tmp_path / "hayflick.prom"
    assert main([*alarmed, "--group", "who", "--prometheus", str(file)]) == 1
    first = file.read_text()
    assert main([*alarmed, "--group", "who", "--prometheus", str(file)]) == 1
    assert file.read_text() == first
    lines = first.split("\n")
    assert 'hayflick_watch_verdict{input="answers.jsonl",verdict="alarm"} 1.0' in lines
    assert 'hayflick_watch_rounds{input="answers.jsonl"} 25.0' in lines
    assert 'hayflick_watch_answers{input="answers.jsonl"} 600.0' in lines
    group = 'group="a \\"b\\"\\\\"'
    assert any(one.startswith("hayflick_reading{") and group in one for one in lines)
    assert "hayflick_chart_alarm{" in first
    assert first.endswith("\n")
    names = [one.split()[2] for one in lines if one.startswith("# TYPE ")]
    assert names == [one.split()[2] for one in lines if one.startswith("# HELP ")]
    assert all(one.startswith("hayflick_") for one in names)
    assert main([*alarmed, "--prometheus", alarmed[1]]) == 2
    assert "is the input" in capsys.readouterr().err


def test_evidence_and_limit_are_in_the_file(tmp_path: Path) -> None:
    path = stream(tmp_path / "answers.jsonl")
    result = hf.watch(path, by="round", text="answer", baseline=20, charts=["distinct_2=rank"])
    text = prometheus_text(result)
    names = '{input="answers.jsonl",metric="distinct_2",group="",chart="distinct_2=rank"} '
    assert f"hayflick_chart_evidence{names}{result.charts[0].evidence!r}\n" in text
    assert f"hayflick_chart_limit{names}{result.charts[0].limit!r}\n" in text
