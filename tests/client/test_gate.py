import json

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick_client import GateError

FALL = {"metric": "distinct", "group": "a", "loss": 0.34, "before": 12.1, "now": 8.0, "since": "14"}
STREAM = {
    "name": "s",
    "state": "healthy",
    "state_since": "2026-11-29T09:00:00.000Z",
    "silent_since": None,
    "measured_round": 17,
    "fall": FALL,
}


def gate(stand_in, *arguments):
    return main(["gate", "s", "--url", stand_in.url, "--token", "hf_read", *arguments])


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({}, 0, "s: healthy since 2026-11-29T09:00:00.000Z\n"),
        ({"state": "falling"}, 0, "s: falling since"),
        (
            {"state": "alarm"},
            1,
            "s: alarm since 2026-11-29T09:00:00.000Z; distinct of a went from 12.1 to 8, 34% less",
        ),
        ({"state": "alarm", "fall": None}, 1, "s: alarm since 2026-11-29T09:00:00.000Z\n"),
        ({"state": "alarm", "silent_since": "2026-11-29T10:00:00Z"}, 1, "s: alarm since"),
        ({"state": "no reading"}, 3, "s: no reading since"),
        ({"state": "baseline", "measured_round": 2}, 3, "s: no reading yet, the baseline"),
        (
            {"silent_since": "2026-11-29T10:00:00.000Z"},
            3,
            "s: no answer has come since 2026-11-29T10:00:00.000Z\n",
        ),
    ],
)
def test_the_exit_code_says_whether_to_go_on(stand_in, capsys, changes, code, said):
    stand_in.stream = (200, {**STREAM, **changes})
    assert gate(stand_in) == code
    assert capsys.readouterr().out.startswith(said)
    assert stand_in.paths == ["/v1/streams/s"]
    assert stand_in.tokens == {"hf_read"}


def test_json_is_what_python_returns(stand_in, capsys, monkeypatch):
    stand_in.stream = (200, STREAM)
    assert gate(stand_in, "--format", "json") == 0
    monkeypatch.setenv("HAYFLICK_URL", stand_in.url)
    monkeypatch.setenv("HAYFLICK_TOKEN", "hf_env")
    result = hf.gate("s")
    assert json.loads(capsys.readouterr().out) == result.to_dict()
    assert result.passed
    assert not result.alarm


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (404, {"detail": "there is no stream 's'"}, 2, "404: there is no stream 's'"),
        (401, {"detail": "a request takes a token"}, 2, "401: a request takes a token"),
        (403, {"detail": "lacks the scope read"}, 2, "403: lacks the scope read"),
        (503, {"detail": "the store is away"}, 3, "503: the store is away"),
        (429, {}, 3, "429: no reason given"),
        (200, ["<html>"], 2, "what answers there is no service of hayflick"),
    ],
)
def test_a_service_that_does_not_tell_stops_the_pipeline(
    stand_in, capsys, status, body, code, said
):
    stand_in.stream = (status, body)
    assert gate(stand_in) == code
    assert said in capsys.readouterr().err


def test_a_service_that_is_away_is_incomplete(capsys):
    code = main(["gate", "s", "--url", "http://127.0.0.1:9", "--token", "t", "--timeout", "2"])
    assert code == 3
    assert "http://127.0.0.1:9/v1/streams/s: ConnectError" in capsys.readouterr().err
    with pytest.raises(GateError) as raised:
        hf.gate("s", url="http://127.0.0.1:9", token="t")
    assert not raised.value.refused


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--url", "localhost", "--token", "t"],
            "url: got 'localhost', takes the service's address",
        ),
        (["--url", "http://127.0.0.1:9"], "token: got none"),
        (["--url", "http://127.0.0.1:9", "--token", "t", "--timeout", "0"], "timeout: got 0"),
    ],
)
def test_wrong_arguments_are_the_users_mistake(monkeypatch, capsys, arguments, said):
    monkeypatch.delenv("HAYFLICK_TOKEN", raising=False)
    assert main(["gate", "s", *arguments]) == 2
    assert said in capsys.readouterr().err
