"""The pages of rule files, through the application."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.corpus.answers import Answers
from hayflick.service.pages.rules import EXAMPLE
from hayflick.service.rule_files import rules_of_text, try_rules
from hayflick.service.service import Service
from hayflick.storage.accounts import project_named
from hayflick.storage.audit import audit_of
from hayflick.storage.rules import active_rules, rule_versions

RULES = """\
format_version = 1
mode = "act"

[[watch]]
name = "copies"
metric = "duplicate_rate"
above = 0.3
actions = ["look"]

[[action]]
name = "look"
kind = "review"
items = 5
"""


@pytest.fixture
def place(tmp_path: Any) -> str:
    """SQLite alone: nothing here depends on the engine."""
    return str(tmp_path / "service.db")


def _answers() -> list[list[str]]:
    """Return ten rounds of answers, which repeat from round 8 on."""
    rng = np.random.default_rng(3)
    rounds = []
    for number in range(1, 11):
        texts = [" ".join(rng.choice(list("abcdefghijklmnop"), 8)) for _ in range(20)]
        rounds.append(["always the same"] * 12 + texts[12:] if number >= 8 else texts)
    return rounds


@pytest.fixture(scope="module")
def watched() -> Any:
    """What `watch` finds in them."""
    rows = [
        {"round": number, "text": text}
        for number, texts in enumerate(_answers(), start=1)
        for text in texts
    ]
    frame = pl.DataFrame(rows).with_row_index("row", offset=1)
    names = tuple(f"day {number}" for number in range(1, 11))
    return hf.watch(Answers("talk", names, frame), baseline=4, charts=())


def test_a_rule_file_is_checked_stored_changed_and_switched_off(
    client: Any, sign_in: Any, service: Service
) -> None:
    held = sign_in("admin")

    def post(do: str, text: str, path: str = "/rules/usual") -> Any:
        return client.post(path, data={"csrf": held, "do": do, "text": text})

    assert "There is no rule file yet." in client.get("/rules").text
    assert client.get("/rules/usual").status_code == 404
    page = client.get("/rules?name=usual")
    assert page.url.path == "/rules/usual"
    assert "variety falls" in page.text
    answer = post("check", RULES.replace("above", "abvoe"))
    assert answer.status_code == 422
    assert "unknown key abvoe; did you mean above?" in answer.text
    assert "abvoe = 0.3" in answer.text
    answer = post("store", RULES.replace("act", "acts"))
    assert answer.status_code == 422
    answer = post("check", RULES)
    assert "The rule file can be used." in answer.text
    assert "look: a person looks at 5 random answers." in answer.text
    assert "not stored yet" in answer.text
    # Browsers send line ends of their own.
    assert post("store", RULES.replace("\n", "\r\n")).status_code == 200
    page = post("store", RULES.replace("0.3", "0.2")).text
    assert "version 2" in page
    assert (
        '<span class="removed">-above = 0.3</span><span class="added">+above = 0.2</span>' in page
    )
    page = client.get("/rules/usual?version=1").text
    assert "does not decide" in page
    assert "Store as version 3" in page
    assert client.get("/rules/usual?version=9").status_code == 404
    assert client.get("/rules/usual?version=99999999999999999999").status_code == 404
    page = client.post("/rules/usual/off", data={"csrf": held}).text
    assert "does not decide" in page
    assert "switched off" in client.get("/rules").text
    with service.database.connect() as connection:
        project = project_named(connection, "default", now=1.0)
        assert active_rules(connection, project, "usual") is None
        assert [one.text for one in rule_versions(connection, project, "usual")] == [
            RULES.replace("0.3", "0.2"),
            RULES,
        ]
        done = [(one.actor, one.action, one.subject) for one in audit_of(connection, project)]
    assert done[0] == ("ann", "rules switched off", "usual")
    assert done[1] == ("ann", "rules stored", "usual")


def test_a_rule_file_is_tried_on_what_is_stored(
    client: Any, sign_in: Any, service: Service, token: Any
) -> None:
    held, headers = sign_in("read"), token("admin")
    settings = {"every": 20, "baseline": 4, "charts": []}
    for name in ("talk", "new"):
        client.put(f"/v1/streams/{name}", headers=headers, json=settings)
    for texts in _answers():
        items = [{"text": text} for text in texts]
        client.post("/v1/streams/talk/answers", headers=headers, json=items)
    ends = time.monotonic() + 30.0
    while client.get("/v1/streams/talk", headers=headers).json()["measured_round"] < 10:
        assert time.monotonic() < ends
        time.sleep(0.05)

    def post(**fields: str) -> Any:
        fields = {"csrf": held, "do": "try", "text": RULES, "stream": "talk", **fields}
        return client.post("/rules/usual", data=fields)

    page = post().text
    assert "It would have decided in 3 of 10 rounds, for the first time in 8." in page
    assert page.count('class="fired"') == 3
    assert "look at 5 answers" in page
    assert "copies: duplicate_rate 0.6 is above 0.3" in page
    page = post(text=RULES.replace("0.3", "0.99")).text
    assert "It would have decided nothing in 10 rounds." in page
    assert '<option value="talk" selected>' in page
    page = post(text=RULES.replace("0.3", "-1.0")).text
    assert "Warning: copies always fires" in page
    page = post(stream="new").text
    assert "There is nothing to try it on: the baseline is not complete." in page
    assert "No stream&#39;s settings name this file" in post(stream="").text
    # What is tried is not stored, and who only reads cannot store it.
    assert post(do="store").status_code == 403
    assert 'value="store"' not in page
    assert post(stream="none").status_code == 404
    with service.database.connect() as connection:
        assert rule_versions(connection, 1, "usual") == []


def test_rules_that_would_read_too_much_are_not_tried(
    watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hayflick.service.rule_files.MOST_READS", 9)
    with pytest.raises(DataError, match="would read 10 numbers of talk, and at most 9"):
        try_rules(rules_of_text(RULES), watched, stream="talk")


def test_charts_that_learn_are_shown(watched: Any) -> None:
    charted = RULES.replace("duplicate_rate", "spread")
    text = charted.replace("above = 0.3", 'chart = "shewhart"').replace(
        'mode = "act"', 'mode = "act"\nbaseline = 7\nfalse_alarms = 0.01'
    )
    trial = try_rules(rules_of_text(text), watched, stream="talk")
    assert trial.learning == 7
    assert 8 in trial.fired


def test_a_name_that_no_rule_file_can_have_is_refused(client: Any, sign_in: Any) -> None:
    sign_in("admin")
    for name in ("a/b", "..", "x" * 101, "\x07"):
        answer = client.get("/rules", params={"name": name})
        assert answer.status_code == 422
        assert "1 to 100 characters without slashes" in answer.text


def test_the_example_can_be_used() -> None:
    assert len(rules_of_text(EXAMPLE).rules.watch) == 2
